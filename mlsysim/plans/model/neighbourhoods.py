"""Take some activities out of a plan, put them anew in another way, and keep what is no worse."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

import numpy as np

from mlsysim.plans.model.aims import PlacingAim, Taste
from mlsysim.plans.model.board import Board

Worth = tuple[float, ...]

_BUILT = 10
"""How many plans are built anew where there is none."""

_IDLE = 10
"""Rounds without a better plan after which a search ends, times the square of the activities."""

_FEWEST, _MOST = 2, 8
"""How many activities are put anew at once."""

_NEARLY = 0.02
"""By how much a plan may be worse than the last one, relative, at most."""

_THRIFT = (0.5, 3.5)
"""The powers of ten between which thrift is drawn."""


@dataclass(frozen=True, kw_only=True)
class Chance:
    """What is drawn in a search.

    Parameters
    ----------
    random, noise
        For single draws, and for arrays.
    """

    random: Random
    noise: np.random.Generator

    @classmethod
    def of(cls, seed: int) -> "Chance":
        """Draw by a seed."""
        return cls(random=Random(seed), noise=np.random.default_rng(seed))  # noqa: S311

    def taste(self) -> Taste:
        """Draw how one repair weighs."""
        random = self.random
        return Taste(
            thrift=10 ** random.uniform(*_THRIFT),
            saving=random.choice((0.0, 10 ** random.uniform(*_THRIFT))),
            noise=random.choice((0.0, 0.0, 0.05, 0.3)),
        )


def search(
    board: Board,
    aim: PlacingAim,
    chance: Chance,
    *,
    is_enough: Callable[[Worth], bool],
    is_over: Callable[[], bool],
) -> Worth:
    """Make what is on a board better, and give how good it is then.

    Parameters
    ----------
    board
        Perhaps with nothing on it.
    aim
        What is made small.
    chance
        What is drawn.
    is_enough
        Whether a worth is as good as it has to be.
    is_over
        Whether the time is up.
    """
    if not board.chosen:
        _build(board, aim, chance, is_enough)
    worth = aim.worth(board)
    best, kept = worth, dict(board.chosen)
    left = idle = _IDLE * len(board.activities) ** 2
    while left > 0 and not is_enough(best) and not is_over():
        left -= 1
        before = dict(board.chosen)
        out = _neighbours(board, chance.random)
        for name in out:
            board.take(name)
        _put(board, aim, chance, board.ordered(board.missing, _keys(board, before, chance)))
        found = aim.worth(board)
        if _acceptable(found, worth, chance.random):
            worth = found
            if worth < best:
                best, kept, left = worth, dict(board.chosen), idle
        else:
            _restore(board, before)
    _restore(board, kept)
    return best


def _build(
    board: Board, aim: PlacingAim, chance: Chance, is_enough: Callable[[Worth], bool]
) -> None:
    """Put everything on an empty board in several ways, and keep the best."""
    best: tuple[Worth, dict[str, tuple[int, int]]] | None = None
    for attempt in range(_BUILT):
        _restore(board, {})
        rule = _RULES[attempt % len(_RULES)]
        spread = 0.3 * board.instance.horizon * (attempt >= len(_RULES))
        keys = {
            name: rule(board, name) + chance.random.uniform(0, spread) for name in board.activities
        }
        _put(board, aim, chance, board.ordered(board.activities, keys))
        worth = aim.worth(board)
        if best is None or worth < best[0]:
            best = worth, dict(board.chosen)
        if is_enough(best[0]):
            break
    _restore(board, {} if best is None else best[1])


def _put(board: Board, aim: PlacingAim, chance: Chance, names: Iterable[str]) -> None:
    """Put activities where it looks best; one for which there is no room stays out."""
    taste = chance.taste()
    varies = chance.random.random() < 0.3  # noqa: PLR2004 - now and then each by its own taste
    for name in names:
        found = aim.best(board, name, chance.taste() if varies else taste, chance.noise)
        if found is not None:
            board.put(name, *found)


def _neighbours(board: Board, random: Random) -> list[str]:
    """Choose placed activities: those that run at the time of one of them, or any."""
    placed = [*board.chosen]
    count = min(random.randint(_FEWEST, _MOST), len(placed))
    if not count or random.random() < 0.2:  # noqa: PLR2004 - a fifth is left to chance
        return random.sample(placed, count)
    centre = random.choice(placed)
    begin, end = board.chosen[centre][1], board.ends[centre]
    distance = {
        name: (abs(board.chosen[name][1] - begin) + abs(board.ends[name] - end))
        * (0.5 + random.random())
        for name in placed
    }
    return sorted(placed, key=distance.__getitem__)[:count]


def _keys(board: Board, before: dict[str, tuple[int, int]], chance: Chance) -> dict[str, float]:
    """Draw an order: by chance, or roughly as it was; what was out comes first now and then."""
    random, horizon = chance.random, board.instance.horizon
    as_it_was, first = random.random() < 0.5, random.random() < 0.5  # noqa: PLR2004 - even
    keys = {}
    for name in board.missing:
        if name not in before:
            keys[name] = -1.0 if first else random.uniform(0, horizon)
        else:
            spread = 0.1 if as_it_was else 1e3
            keys[name] = before[name][1] + random.uniform(0, spread * horizon)
    return keys


def _acceptable(found: Worth, worth: Worth, random: Random) -> bool:
    """Tell whether a worth is no worse than another, or by a little in what comes last."""
    if found <= worth:
        return True
    return found[:-1] == worth[:-1] and found[-1] <= worth[-1] * (1 + _NEARLY * random.random())


def _restore(board: Board, chosen: dict[str, tuple[int, int]]) -> None:
    """Put on a board what another plan has, and nothing else."""
    for name, taken in [*board.chosen.items()]:
        if chosen.get(name) != taken:
            board.take(name)
    for name, taken in chosen.items():
        if name not in board.chosen:
            board.put(name, *taken)


def _due(board: Board, name: str) -> float:
    """Those that have to end soon come first."""
    activity = board.activities[name]
    latest = max(mode.last + mode.length for mode in activity.modes)
    return float(latest if activity.due is None else min(activity.due, latest))


def _release(board: Board, name: str) -> float:
    """Those that can start early come first."""
    return float(min(mode.first for mode in board.activities[name].modes))


def _work(board: Board, name: str) -> float:
    """Those with the most work come first."""
    modes = board.activities[name].modes
    return -min(sum(mode.demands.values()) * mode.length for mode in modes) / 1e3


_RULES = (_due, _release, _work)
