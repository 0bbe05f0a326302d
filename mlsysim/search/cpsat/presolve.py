"""Presolve: shrink a program to the designs that can still matter.

Branch and bound over boxes, thousands at a time.  A box is dropped when some
condition fails all over it, or when its lower bound is no better than the
designs already found; a small box is evaluated design by design; any other is
halved along the choice that, on a sample, tightens the bounds most.  It stops
as soon as what is left fits in one table, so that small questions reach
CP-SAT untouched, and questions of 1e12 designs as a few thousand rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.boxes import Boxes, Positions, joined, whole
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.program import Priced, Program

# What CP-SAT gets as one table at most.
TABLE_ROWS = 20_000
# A box this small costs less to evaluate than to bound again.
_LEAF = 32.0
# Boxes bounded in one pass: enough to amortise NumPy's calls, few enough to stay in cache.
_BATCH = 4096
_SAMPLE = 24


@dataclass(kw_only=True)
class Presolve:
    """The state of a presolve, readable at any moment.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many best designs are wanted.
    clock
        The time that there is.
    on_progress
        Told the bound and the incumbent now and then.

    Attributes
    ----------
    open
        The boxes that are neither dropped nor evaluated.
    found
        The best designs evaluated so far.
    evaluated, bounded
        How many designs and boxes were looked at.
    """

    program: Program
    keep: int
    clock: Clock
    on_progress: Callable[[float, Priced], None]
    open: Boxes = field(init=False)
    found: Priced = field(init=False)
    evaluated: int = 0
    bounded: int = 0

    def __post_init__(self) -> None:
        width = len(self.program.lengths)
        self.open = whole(list(self.program.lengths.values()))
        self.found = Priced(designs=np.empty((0, width), np.int64), objective=np.empty(0))

    @property
    def cutoff(self) -> float:
        """The objective that a further design has to beat."""
        return float(self.found.objective[-1]) if len(self.found) >= self.keep else np.inf

    @property
    def bound(self) -> float:
        """A lower bound on the objective of every design that is still open."""
        return float(self.open.bound.min()) if len(self.open) else np.inf

    @property
    def fits(self) -> bool:
        """Whether what is left can be handed over as one table."""
        return float(self.open.volumes.sum()) <= TABLE_ROWS

    @property
    def hull(self) -> Boxes:
        """The smallest box around everything that is left."""
        return Boxes(
            first=self.open.first.min(axis=0, keepdims=True),
            last=self.open.last.max(axis=0, keepdims=True),
            bound=self.open.bound.min(keepdims=True),
        )

    def run(self, patience: int) -> bool:
        """Shrink until what is left fits.

        Parameters
        ----------
        patience
            How many boxes to bound in all before giving up.

        Returns
        -------
        bool
            Whether it fits; false also where time ran out or Ctrl-C came.
        """
        try:
            if not self.bounded and not self.fits:
                self.open = self._bounded(self.open)
            while not self.fits and self.bounded < patience and self.clock.left > 0:
                self._step()
                self.on_progress(self.bound, self.found)
        except KeyboardInterrupt:
            self.clock.interrupted = True
        return self.fits

    def adopt(self, found: Priced, bound: float) -> None:
        """Take over designs and a bound that another search has found."""
        self.found = found
        raised = Boxes(
            first=self.open.first,
            last=self.open.last,
            bound=np.maximum(self.open.bound, bound),
        )
        self.open = raised.take(raised.bound < self.cutoff)

    def left(self) -> Positions:
        """List every design that is left, and the best found before."""
        return np.unique(np.concatenate([self.found.designs, self.open.designs()]), axis=0)

    def _step(self) -> None:
        batch, rest = self._most_promising()
        small = batch.volumes <= _LEAF
        self._harvest(batch.take(small))
        large = batch.take(~small)
        if len(large):
            self._probe(large)
            children = self._bounded(large.halves(self._axes(large)))
            rest = joined([rest, children])
        self.open = rest.take(rest.bound < self.cutoff)

    def _most_promising(self) -> tuple[Boxes, Boxes]:
        if len(self.open) <= _BATCH:
            return self.open, self.open.take(np.empty(0, np.int64))
        order = np.argpartition(self.open.bound, _BATCH)
        return self.open.take(order[:_BATCH]), self.open.take(order[_BATCH:])

    def _probe(self, boxes: Boxes) -> None:
        """Evaluate the middle of each box, to find good designs early."""
        middle = (boxes.first + boxes.last) // 2
        self._keep(self._evaluated(Boxes(first=middle, last=middle, bound=boxes.bound)))

    def _harvest(self, boxes: Boxes) -> None:
        if len(boxes):
            self._keep(self._evaluated(boxes))

    def _keep(self, priced: Priced) -> None:
        better = priced.take(priced.objective < self.cutoff)
        self.found = self.found.plus(better).distinct().best(self.keep)

    def _evaluated(self, boxes: Boxes) -> Priced:
        designs = boxes.designs()
        self.evaluated += len(designs)
        return self.program.price(designs)

    def _bounded(self, boxes: Boxes) -> Boxes:
        self.bounded += len(boxes)
        return self.program.bound(boxes)

    def _axes(self, boxes: Boxes) -> NDArray[np.int64]:
        """Choose for each box the choice to halve: the best on a sample of boxes."""
        sizes = boxes.last - boxes.first + 1
        scores = self._scores(boxes)
        ranked = np.where(sizes > 1, scores + 1e-9 * np.log2(sizes), -np.inf)
        return np.argmax(ranked, axis=1)

    def _scores(self, boxes: Boxes) -> NDArray[np.float64]:
        """Measure how much halving each choice tightens the bounds of a sample."""
        step = max(1, len(boxes) // _SAMPLE)
        sample = boxes.take(np.arange(0, len(boxes), step)[:_SAMPLE])
        scores = np.zeros(sample.first.shape[1])
        for column in range(len(scores)):
            wide = sample.take(sample.last[:, column] > sample.first[:, column])
            if not len(wide):
                continue
            halves = wide.halves(np.full(len(wide), column))
            kept = self.program.bound(halves)
            kept = kept.take(kept.bound < self.cutoff)
            dropped = 1.0 - len(kept) / len(halves)
            scores[column] = dropped + self._raise(sample, kept)
        return scores

    def _raise(self, parents: Boxes, children: Boxes) -> float:
        """Measure the rise of the bounds, as a share of the distance to the cutoff."""
        if not len(children):
            return 1.0
        low = float(np.median(parents.bound))
        rise = (
            float(np.mean(np.maximum(children.bound, low) - low))
            if np.isfinite(low)
            else (1.0 if np.isfinite(children.bound).all() else 0.0)
        )
        distance = self.cutoff - low
        scale = distance if np.isfinite(distance) and distance > 0 else abs(low) + 1e-300
        return min(1.0, rise / scale) if np.isfinite(rise) else 1.0
