"""Presolve: shrink a program to the designs that can still matter.

Branch and bound over boxes, thousands at a time.  A box is dropped when some
condition fails all over it, or when its lower bounds are dominated by designs
already found; a small box is evaluated design by design; any other is
cut along the choice that, on a sample, tightens the bounds most.  It stops as
soon as what is left can be evaluated: small questions reach CP-SAT untouched,
and questions of 1e12 designs as the best few thousand rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.graph import Constant
from mlsysim.search.cpsat.program.boxes import Boxes, joined, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, dominators, no_rows
from mlsysim.search.cpsat.scouting import FrontScout, Scout
from mlsysim.search.cpsat.solving.clock import Clock

# What is evaluated design by design, rather than bounded at all.
WALK = 1 << 18
# A box takes about as long to bound as so many designs to evaluate.
_DESIGNS_PER_BOX = 5
_BLOCK = 1 << 14
# A box this small costs less to evaluate than to bound again.
_LEAF = 32.0
# Boxes bounded in one pass: enough to amortise NumPy's calls, few enough to stay in cache.
_BATCH = 4096
_SAMPLE = 24
# Few boxes are cut into so many parts at once, to fill a pass sooner.
_MOST_PARTS = 8
_TINY = 1e-300
# What the logarithm of a box's size weighs against its bound.
_FOR_SIZE = 1e-9
# Designs that are better by less than this, relative, count as ties.
MARGIN = 1e-10


@dataclass(kw_only=True)
class Presolve:
    """The state of a presolve, readable at any moment.

    Parameters
    ----------
    program
        What is minimised: one number, or several at once.
    keep
        How many designs may dominate one that is still of interest: k for the
        k best designs, 1 for a Pareto front.
    clock
        The time that there is.
    on_progress
        Told the state now and then.
    ceiling
        Designs whose one objective is not below this do not matter, whatever is found.

    Attributes
    ----------
    open
        The boxes that are neither dropped nor evaluated.
    found
        The best designs evaluated so far.
    evaluated, bounded
        How many designs and boxes were looked at.
    lone
        The places of the conditions that some of the designs break alone.
    """

    program: Program
    keep: int
    clock: Clock
    on_progress: Callable[["Presolve"], None]
    ceiling: float = np.inf
    open: Boxes = field(init=False)
    found: Rows = field(init=False)
    evaluated: int = 0
    bounded: int = 0
    lone: frozenset[int] = frozenset()
    _pays: bool = False

    def __post_init__(self) -> None:
        lengths, objectives = self.program.lengths, len(self.program.objectives)
        self.open = whole(list(lengths.values()), objectives)
        self.found = no_rows(len(lengths), objectives)

    @property
    def cutoff(self) -> float:
        """The objective that a further design has to beat, where there is one objective.

        A design that is better by rounding errors alone does not: whole plateaus
        of equal designs would have to be taken apart for it.
        """
        if len(self.found) < self.keep:
            return self.ceiling
        return min(self.ceiling, self.program.goal(float(self.found.values[-1, 0]), MARGIN))

    @property
    def bound(self) -> float:
        """A lower bound on the first objective of every design that is still open."""
        return float(self.open.bound[:, 0].min()) if len(self.open) else np.inf

    @property
    def fits(self) -> bool:
        """Whether what is left is best evaluated design by design."""
        return self.left_over <= WALK and not (self._pays and len(self.open))

    @property
    def left_over(self) -> float:
        """The number of designs in open boxes."""
        return float(self.open.volumes.sum())

    def run(self, patience: int) -> bool:
        """Shrink until what is left fits.

        Returns
        -------
        bool
            Whether it fits; false also where time ran out or Ctrl-C came.
        """
        try:
            if not self.bounded and not self.fits and self.clock.left > 0:
                self.scout()
                self.on_progress(self)
                self.open = self._bounded(self.open)
            while not self.fits and self.bounded < patience and self.clock.left > 0:
                self._step()
                self.on_progress(self)
        except KeyboardInterrupt:
            self.clock.interrupt()
        return self.fits

    def narrow(self, boxes: Boxes, enough: float, patience: int) -> Boxes:
        """Cut and bound boxes, and evaluate no design, so that others have less to look into."""
        self.open = self._bounded(boxes)
        single = self.open.take(np.zeros(0, np.int64))
        while self.left_over > enough and self.bounded < patience and self.clock.left > 0:
            alone = self.open.volumes == 1
            single, self.open = joined([single, self.open.take(alone)]), self.open.take(~alone)
            if not len(self.open):
                break
            batch, rest = self._first()
            self.open = joined([rest, self._bounded(self._parts(batch))])
        self.open = joined([single, self.open])
        return self.open

    def adopt(self, found: Rows, bound: float) -> None:
        """Take over designs and a bound that another search has found."""
        self.found = found
        raised = Boxes(
            first=self.open.first, last=self.open.last, bound=np.maximum(self.open.bound, bound)
        )
        self.open = self._promising(raised)

    def finish(self, keep: int) -> bool:
        """Evaluate what is left, so that those found are all that fewer than `keep` dominate."""
        for some in self._portions():
            if self.clock.left <= 0:
                return False
            designs = some.designs()
            self.evaluated += len(designs)
            self.found = self.found.plus(self.program.rows(designs)).undominated(keep)
        return True

    def _portions(self) -> Iterator[Boxes]:
        """Deal out the open boxes, about a block of designs at a time."""
        boxes = self.open
        while np.any(large := boxes.volumes > _BLOCK):
            longest = np.argmax(boxes.last - boxes.first, axis=1)
            boxes = joined([boxes.take(~large), boxes.take(large).cut(longest[large], 2)])
        ends = np.floor(np.cumsum(boxes.volumes) / _BLOCK)
        for portion in np.unique(ends):
            yield boxes.take(ends == portion)

    def scout(self, rounds: int | None = None) -> bool:
        """Find good designs to begin with, where there are numbers to judge them by."""
        if self.fits or all(isinstance(node, Constant) for node in self.program.objectives):
            return False
        evaluated = self._scouting.evaluated
        try:
            return self._scouting.run(rounds)
        finally:  # also where it is interrupted
            self.evaluated += self._scouting.evaluated - evaluated
            self.found = self._scouting.found
            self.lone = self._scouting.lone

    @cached_property
    def _scouting(self) -> Scout | FrontScout:
        return (Scout if len(self.program.objectives) == 1 else FrontScout)(
            program=self.program,
            keep=self.keep,
            seed=self.clock.seed,
            is_over=lambda: self.clock.left <= 0,
        )

    def _step(self) -> None:
        """Go on with the most promising boxes, and see whether that was worth it."""
        before, spent = self.left_over, self._spent
        self._advance()
        # It is as long as it rids of more designs than could be evaluated meanwhile.
        self._pays = before - self.left_over > self._spent - spent

    @property
    def _spent(self) -> int:
        """The work done, in designs evaluated."""
        return self.evaluated + _DESIGNS_PER_BOX * self.bounded

    def _advance(self) -> None:
        batch, rest = self._first()
        small = batch.volumes <= _LEAF
        large = batch.take(~small)
        self._evaluate(batch.take(small))
        if len(large):
            # The middle of each box, to find good designs early.
            middle = (large.first + large.last) // 2
            self._evaluate(Boxes(first=middle, last=middle, bound=large.bound))
            rest = joined([rest, self._bounded(self._parts(large))])
        self.open = self._promising(rest)

    def _parts(self, boxes: Boxes) -> Boxes:
        """Cut each box; few of them into more parts, to fill a pass."""
        parts = int(np.clip(_BATCH // (2 * len(boxes)), 2, _MOST_PARTS))
        return boxes.cut(self._axes(boxes), parts)

    def _first(self) -> tuple[Boxes, Boxes]:
        """Part the boxes with the lowest bounds from the others."""
        if len(self.open) <= _BATCH:
            return self.open, self.open.take(np.empty(0, np.int64))
        place = np.argpartition(self._merit(self.open), _BATCH)
        return self.open.take(place[:_BATCH]), self.open.take(place[_BATCH:])

    def _merit(self, boxes: Boxes) -> NDArray[np.float64]:
        """Add up the bounds, each relative to the values found; of equals, small boxes first.

        Small boxes are closest to designs: where nothing tells boxes apart, depth
        first finds one soonest.
        """
        bounds = (boxes.bound / self._scale).sum(axis=1)
        return np.asarray(bounds + _FOR_SIZE * np.log2(boxes.volumes), np.float64)

    @property
    def _scale(self) -> NDArray[np.float64]:
        """The size of each objective, as far as it is known."""
        if not len(self.found):
            return np.ones(self.found.values.shape[1])
        return np.maximum(np.abs(self.found.values).max(axis=0), _TINY)

    def _promising(self, boxes: Boxes) -> Boxes:
        """Drop the boxes that hold nothing of interest."""
        return boxes.take(self._is_promising(boxes))

    def _is_promising(self, boxes: Boxes) -> NDArray[np.bool_]:
        if boxes.bound.shape[1] == 1:
            return np.asarray(boxes.bound[:, 0] < self.cutoff)
        possible = np.all(boxes.bound < np.inf, axis=1)
        return possible & (dominators(boxes.bound, self.found.values) < self.keep)

    def _evaluate(self, boxes: Boxes) -> None:
        if not len(boxes):
            return
        designs = boxes.designs()
        self.evaluated += len(designs)
        rows = self.program.rows(designs)
        if len(self.found.values.T) == 1:
            rows = rows.take(rows.values[:, 0] < self.cutoff)
        self.found = self.found.plus(rows).undominated(self.keep)

    def _bounded(self, boxes: Boxes) -> Boxes:
        self.bounded += len(boxes)
        return self.program.bound(
            boxes, self.cutoff if len(self.program.objectives) == 1 else np.inf
        )

    def _axes(self, boxes: Boxes) -> NDArray[np.int64]:
        """Choose for each box the choice to halve: the best on a sample of boxes."""
        sizes = boxes.last - boxes.first + 1
        ranked = np.where(sizes > 1, self._scores(boxes) + 1e-9 * np.log2(sizes), -np.inf)
        return np.argmax(ranked, axis=1)

    def _scores(self, boxes: Boxes) -> NDArray[np.float64]:
        """Measure how much halving each choice tells about a sample of boxes.

        A half that is dropped counts as one; any other by the largest share
        that a bound has risen of its way: an objective's to the cutoff, a
        comparison's to where it cannot hold.
        """
        step = max(1, len(boxes) // _SAMPLE)
        sample = boxes.take(np.arange(0, len(boxes), step)[:_SAMPLE])
        width = sample.first.shape[1]
        wide = [np.flatnonzero(sample.last[:, c] > sample.first[:, c]) for c in range(width)]
        axis = np.repeat(np.arange(width), [len(rows) for rows in wide])
        parent = np.concatenate(wide)
        # All choices in one pass: a pass costs little more for many boxes than for few.
        halves = joined([sample, sample.take(parent).cut(axis, 2)])
        bounded, gaps = self.program.bound_with_gaps(halves)
        axis, parent = np.tile(axis, 2), np.tile(parent, 2)
        count = len(sample)
        told = np.maximum(
            _share(bounded.bound[parent], bounded.bound[count:], self._goal(bounded.bound[parent])),
            _share(gaps[parent], gaps[count:], 0.0),
        )
        told[~self._is_promising(bounded)[count:]] = 1.0
        total = np.bincount(axis, told, minlength=width)
        return np.asarray(total / np.maximum(np.bincount(axis, minlength=width), 1), np.float64)

    def _goal(self, low: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what a bound has to reach for a box to be dropped; a guess where nobody knows."""
        if low.shape[1] == 1 and np.isfinite(self.cutoff):
            return np.full(low.shape, self.cutoff)
        size = np.where((low != 0) & np.isfinite(low), np.abs(low), self._scale)
        return np.asarray(low + size)


def _share(
    parents: NDArray[np.float64], children: NDArray[np.float64], goal: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Give the largest share of the way from a box's bounds to a goal that its halves have gone."""
    if not parents.shape[1]:
        return np.zeros(len(parents))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = (children - parents) / (goal - parents)
    share = np.where(np.isfinite(parents), share, np.isfinite(children))
    return np.asarray(np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0).max(axis=1), np.float64)
