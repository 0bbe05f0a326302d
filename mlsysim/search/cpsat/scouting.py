"""Good designs early: descents from several designs at once, a block of neighbours at a time.

Boxes prove; the middles of those with the best bounds are poor designs until the end.  Some
ten thousand evaluations find one that is the best or close to it, and what it is worth rids
the proof of boxes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.neighbours import NEIGHBOURS, Neighbours
from mlsysim.search.cpsat.program.boxes import Positions
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, dominators, no_rows

# So many descents go on side by side.
_DESCENTS = 12
# It ends when so many blocks in a row have brought nothing, or after so many.
_PATIENCE = 20
# ... or so many where a design that is close to the best will do.
_PATIENCE_FOR_CLOSE = 8
_MOST_BLOCKS = 60
# Where so many blocks hold no design that meets every condition, boxes may prove why.
_HOPE = 10


@dataclass(kw_only=True)
class _Looking:
    """What looks for good designs of a program has in common: the same ones every time.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many designs are wanted, or may dominate one that is.
    seed
        For the designs to start from.
    is_over
        Asked between blocks whether there is no time left.

    Attributes
    ----------
    found
        The best designs that meet every condition.
    evaluated
        How many designs were looked at.
    lone
        The places of the conditions that some of them break alone, where that is told.
    """

    program: Program
    keep: int
    seed: int
    is_over: Callable[[], bool]
    found: Rows = field(init=False)
    evaluated: int = 0
    lone: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._lengths = np.array(list(self.program.lengths.values()))
        self._neighbours = Neighbours(self._lengths, self.seed)
        self.found = no_rows(len(self._lengths), len(self.program.objectives))
        self._rounds = 0

    def run(self, rounds: int | None = None) -> bool:
        """Look at designs, block by block, until nothing better comes up."""
        until = math.inf if rounds is None else self._rounds + rounds
        while self._rounds < until:
            if self.is_over() or not self._goes_on():
                return False
            self._rounds += 1
            self._advance()
        return True

    def _goes_on(self) -> bool:
        """Tell whether another block may bring something."""
        raise NotImplementedError

    def _advance(self) -> None:
        """Look at a block of designs."""
        raise NotImplementedError


class Scout(_Looking):
    """Looks for good designs of a program of one objective."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at = np.zeros((0, len(self._lengths)), np.int64)
        self._keys: list[tuple[float, float]] = []
        self._best, self._idle = (np.inf, np.inf), 0

    def _goes_on(self) -> bool:
        patience = _PATIENCE_FOR_CLOSE if self.program.nearly else _PATIENCE
        hopeless = self._rounds >= _HOPE and not len(self.found)
        return self._idle < patience and self._rounds < _MOST_BLOCKS and not hopeless

    def _advance(self) -> None:
        self._at, self._keys = self._advanced(self._at, self._keys)
        least = min(self._keys, default=self._best)
        self._idle = 0 if least < self._best else self._idle + 1
        self._best = min(self._best, least)

    def _advanced(
        self, at: Positions, keys: list[tuple[float, float]]
    ) -> tuple[Positions, list[tuple[float, float]]]:
        """Move each design to its best neighbour; those without a better one begin anew."""
        missing = _DESCENTS - len(at)
        starts = self._neighbours.starts(self.found.designs) if missing else at[:0]
        near = np.concatenate([self._neighbours.near(at), starts])
        broken, values = self._evaluate(near)
        places = np.arange(len(near))
        groups = [*places[: len(at) * NEIGHBOURS].reshape(-1, NEIGHBOURS)]
        if missing:
            groups += np.array_split(places[len(at) * NEIGHBOURS :], missing)
        moved, better = [], []
        for own, key in zip(groups, [*keys, *[(np.inf, np.inf)] * missing], strict=True):
            least = own[np.lexsort((values[own], broken[own]))[0]]
            reached = (float(broken[least]), float(values[least]))
            if reached < key:
                moved.append(near[least])
                better.append(reached)
        return np.array(moved, np.int64).reshape(-1, len(self._lengths)), better

    def _evaluate(self, designs: Positions) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count what each design breaks, and give its objective; keep the good ones."""
        table = self.program.tabulate(designs, ask=False)
        self.evaluated += len(designs)
        good = table.feasible
        if len(self.found) >= self.keep:
            good = good.take(good.values[:, 0] <= self.found.values[-1, 0])
        best = self.found.plus(good).undominated(self.keep)
        fresh = best.take(~_among(best.designs, self.found.designs))
        if len(fresh):  # now also by plain numbers, where rounding might decide
            judged = self.program.rows(fresh.designs)
            self.found = self.found.plus(judged).undominated(self.keep)
        broken = (~table.holds).sum(axis=0)
        alone = np.flatnonzero((~table.holds[:-1, broken == 1]).any(axis=1))
        self.lone = self.lone.union(alone.tolist())
        return broken, table.values[:, 0]


# Designs of a front whose neighbours are looked at together, and how many times over.
_OF_FRONT = 8
_ROUNDS = 10
# Designs to begin a front with.
_SCATTERED = 2048


class FrontScout(_Looking):
    """Looks for designs of a program of several objectives that few others dominate.

    From some drawn anywhere it goes on to the neighbours of those that are left, again and again:
    of a block of eight choices a few ten thousand evaluations find the front, or nearly that.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._left: set[tuple[int, ...]] = set()

    def _goes_on(self) -> bool:
        return self._rounds < _ROUNDS and (not len(self.found) or bool(self._fresh()))

    def _advance(self) -> None:
        designs = self._next()
        self.evaluated += len(designs)
        rows = self.program.rows(designs)
        rows = rows.take(dominators(rows.values, self.found.values) < self.keep)
        self.found = self.found.plus(rows).undominated(self.keep)

    def _next(self) -> Positions:
        """Give neighbours of some of the designs found, and to begin with some from anywhere."""
        fresh = self._fresh()
        if not fresh:
            return self._neighbours.anywhere(_SCATTERED)
        some = self._neighbours.some(_OF_FRONT, len(fresh))
        at = self.found.designs[[fresh[place] for place in some.tolist()]]
        self._left.update(map(tuple, at.tolist()))
        return self._neighbours.near(at)

    def _fresh(self) -> list[int]:
        """List the places of those whose neighbours nobody has looked at."""
        designs = map(tuple, self.found.designs.tolist())
        return [place for place, design in enumerate(designs) if design not in self._left]


def _among(designs: Positions, known: Positions) -> NDArray[np.bool_]:
    """Tell which designs are among some others."""
    return np.asarray((designs[:, None] == known[None]).all(axis=2).any(axis=1), np.bool_)
