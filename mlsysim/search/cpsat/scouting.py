"""Good designs early: descents from several designs at once, a block of neighbours at a time.

Boxes prove; the middles of those with the best bounds are poor designs until the end.  Some
ten thousand evaluations find one that is the best or close to it, and what it is worth rids
the proof of boxes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.program.boxes import Positions
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, no_rows

# So many descents go on side by side, ...
_DESCENTS = 12
# ... each looking at so many neighbours at a time, most of them with two choices changed.
_NEIGHBOURS = 256
# A choice of no more values than this may take any of them; a longer one moves by powers of two.
_SHORT = 6
# Choices of more values than this are kept where a layout is drawn anew.
_LONG = 16
# It ends when so many blocks in a row have brought nothing, or after so many.
_PATIENCE = 20
# ... or so many where a design that is close to the best will do.
_PATIENCE_FOR_CLOSE = 8
_MOST_BLOCKS = 60
# Where so many blocks hold no design that meets every condition, boxes may prove why.
_HOPE = 10


@dataclass(kw_only=True)
class Scout:
    """Looks for good designs of a program of one objective, the same ones every time.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many designs are wanted.
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
        The places of the conditions that some of them break alone.
    """

    program: Program
    keep: int
    seed: int
    is_over: Callable[[], bool]
    found: Rows = field(init=False)
    evaluated: int = 0
    lone: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._lengths = np.array(list(self.program.lengths.values()))
        self._moves = _moves(self._lengths)
        self.found = no_rows(len(self._lengths), 1)

    def run(self) -> None:
        """Descend until nothing better comes up."""
        at = np.zeros((0, len(self._lengths)), np.int64)
        keys: list[tuple[float, float]] = []
        best, idle = (np.inf, np.inf), 0
        patience = _PATIENCE_FOR_CLOSE if self.program.nearly else _PATIENCE
        for block in range(_MOST_BLOCKS):
            if self.is_over() or idle >= patience or (block >= _HOPE and not len(self.found)):
                return
            at, keys = self._advanced(at, keys)
            least = min(keys, default=best)
            idle = 0 if least < best else idle + 1
            best = min(best, least)

    def _advanced(
        self, at: Positions, keys: list[tuple[float, float]]
    ) -> tuple[Positions, list[tuple[float, float]]]:
        """Move each design to its best neighbour; those without a better one begin anew."""
        missing = _DESCENTS - len(at)
        near = np.concatenate([self._near(at), self._starts() if missing else at[:0]])
        broken, values = self._evaluate(near)
        places = np.arange(len(near))
        groups = [*places[: len(at) * _NEIGHBOURS].reshape(-1, _NEIGHBOURS)]
        if missing:
            groups += np.array_split(places[len(at) * _NEIGHBOURS :], missing)
        moved, better = [], []
        for own, key in zip(groups, [*keys, *[(np.inf, np.inf)] * missing], strict=True):
            least = own[np.lexsort((values[own], broken[own]))[0]]
            reached = (float(broken[least]), float(values[least]))
            if reached < key:
                moved.append(near[least])
                better.append(reached)
        return np.array(moved, np.int64).reshape(-1, len(self._lengths)), better

    def _starts(self) -> Positions:
        """Draw designs, the best of which to start from."""
        random = self._random.integers(0, self._lengths, (_NEIGHBOURS, len(self._lengths)))
        if len(self.found):  # half of them around the best: two choices of it anywhere
            rows = np.arange(_NEIGHBOURS // 2)
            kept = np.repeat(self.found.designs[:1], len(rows), axis=0)
            for column in self._random.integers(0, random.shape[1], (2, len(rows))):
                kept[rows, column] = random[rows, column]
            random[rows] = kept
        return random

    def _near(self, at: Positions) -> Positions:
        """List neighbours of each design: one to three choices changed, or some drawn anew."""
        count = min(len(self._moves), _NEIGHBOURS // 2)
        near = np.repeat(at, _NEIGHBOURS, axis=0)
        rows = np.arange(len(near)).reshape(len(at), _NEIGHBOURS)
        every = np.tile(np.arange(len(self._moves)), (len(at), 1))
        singles = self._random.permuted(every, axis=1)[:, :count]
        self._change(near, rows[:, :count].ravel(), singles.ravel())
        for first in (count, count, -_NEIGHBOURS // 4):
            changed = rows[:, first:].ravel()
            self._change(near, changed, self._random.integers(0, len(self._moves), len(changed)))
        self._redraw(near, rows[:, -_NEIGHBOURS // 8 :].ravel())
        return near

    def _redraw(self, near: Positions, rows: Positions) -> None:
        """Draw a third of the choices anew that are not long: another layout of the same size."""
        values = self._random.integers(0, self._lengths, (len(rows), near.shape[1]))
        drawn = (self._random.integers(0, 3, values.shape) == 0) & (self._lengths <= _LONG)
        near[rows] = np.where(drawn, values, near[rows])

    def _change(self, near: Positions, rows: Positions, moves: Positions) -> None:
        column, step, value = self._moves[moves].T
        old = near[rows, column]
        moved = np.clip(old + step, 0, self._lengths[column] - 1)
        near[rows, column] = np.where(step == 0, value, moved)

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


def _among(designs: Positions, known: Positions) -> NDArray[np.bool_]:
    """Tell which designs are among some others."""
    return np.asarray((designs[:, None] == known[None]).all(axis=2).any(axis=1), np.bool_)


def _moves(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """List changes of one choice: its column, a step, and where there is none the new place."""
    moves = []
    for column, length in enumerate(lengths.tolist()):
        if length <= _SHORT:
            moves += [(column, 0, place) for place in range(length)]
            continue
        for power in range((length - 1).bit_length()):
            moves += [(column, 1 << power, 0), (column, -(1 << power), 0)]
    return np.array(moves, np.int64)
