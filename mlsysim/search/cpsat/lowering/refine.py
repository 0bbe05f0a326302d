"""Minimise a program through its lowered formulas, refining them where it matters.

A local search finds what is to be beaten.  The optimum of the relaxation is evaluated
exactly, kept if it is good, and cut off in any case; as the value to beat falls, the model
is built anew with fewer combinations and finer numbers.  Where the relaxation was better
than the truth because a curve went in approximately, the curve is encoded more closely
around it.  The search ends when the relaxation has nothing left below the best found.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from mlsysim.search.cpsat.local import LocalSearch
from mlsysim.search.cpsat.lowering.lowered import (
    RESOLUTION,
    Aim,
    Lowered,
    check_magnitudes,
    lower,
)
from mlsysim.search.cpsat.lowering.ratio import Ratio, as_ratio
from mlsysim.search.cpsat.lowering.shrinking import left_by_boxes
from mlsysim.search.cpsat.presolve import MARGIN
from mlsysim.search.cpsat.program.boxes import Boxes, Positions, Tables, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.cpsat.solving import solver
from mlsysim.search.cpsat.solving.clock import Clock, StoppedError

# How many designs to evaluate at most around one that the solver proposes.
_MOST_NEIGHBOURS = 1 << 12
# A model is built anew when the value to beat has fallen by this share, or ...
_WORTH_REBUILDING = 1e-3
# ... when it has fallen at all, and so many proposals were no better than what is known.
_PATIENCE = 4
# So many designs that are as good as those found are looked at, for the first in the grid.
_MOST_TIES = 16
# A model of fewer literals is quicker solved than built anew.
_SMALL = 256


class LoweredSearch:
    """A search that can be interrupted and gone on with; nothing is done before it is run.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many best designs are wanted.
    found
        Designs that are known already.
    clock
        The time that there is; it gathers the counters.
    box
        The one box that holds every better design; everything if left out.
    tables
        Choices of a block -> the combinations of interest, by position, where a question
        falls into blocks.
    """

    def __init__(
        self,
        program: Program,
        keep: int,
        found: Rows,
        clock: Clock,
        *,
        box: Boxes | None = None,
        tables: Tables | None = None,
    ) -> None:
        self.found = found
        self.bound = -np.inf
        self._program = program
        self._keep = keep
        self._clock = clock
        self._box = box or whole(list(program.lengths.values()))
        self._boxes = self._box
        self._tables = tables
        self._ratio: Ratio | None = None
        if tables is not None:
            is_positive = program.estimates.rearranger.is_positive
            self._ratio = as_ratio(program.graph, program.objectives[0], is_positive)
        self._margin = max(MARGIN, program.nearly)
        self._seen: dict[tuple[int, ...], None] = {}
        self._marks: dict[str, frozenset[int]] = {}
        self._missed = 0
        self._ties = 0
        self._until = np.inf
        self._local: LocalSearch | None = None
        if tables is None:
            self._local = LocalSearch(
                program=program, box=self._box, seed=clock.seed, check=self._check
            )
        self._begun = False
        self._lowered: Lowered | None = None

    @property
    def cutoff(self) -> float:
        """The objective that a further design has to beat."""
        return float(self.found.values[-1, 0]) if len(self.found) >= self._keep else np.inf

    def run(self, seconds: float) -> bool:
        """Search for a while.

        Raises
        ------
        NotLowerableError
            If an expression has no sound encoding, or overflows the solver's integers.
        """
        self._until = self._clock.elapsed + seconds
        try:
            return self._proves()
        except StoppedError:
            self._lowered = None  # it may lack a design that was seen since
            return False

    def _proves(self) -> bool:
        """Solve until nothing better is left."""
        lowered = self._lowered or self._begin()
        while True:
            self._check()
            check_magnitudes(lowered.model)
            outcome = solver.run(
                lowered.model,
                self._clock,
                self._until - self._clock.elapsed,
                gap=self._program.nearly / 2,
            )
            if outcome.solver is None:
                # Stopped before its first solution the solver reports a bound of zero.
                self.bound = np.inf if outcome.solved else self.bound
                return outcome.solved
            self._raise_bound(lowered, outcome.bound)
            lowered = self._lowered = self._after(lowered, lowered.design(outcome.solver))
            goal = self._goal
            if outcome.solved and (
                self.bound > goal if self._looks_for_ties else self.bound >= goal
            ):
                return True

    def _check(self) -> None:
        self._clock.check(self._until)

    def _begin(self) -> Lowered:
        """Find good designs to begin with, and make the model."""
        if self._local is not None and not self._begun:
            with self._clock.phase("presolve"), self._keeping(self._local) as local:
                local.run()
        self._begun = True
        with self._clock.phase("compile"):
            return self._build()

    @contextmanager
    def _keeping(self, local: LocalSearch) -> Iterator[LocalSearch]:
        """Take over what a local search finds, also where it is stopped."""
        before = len(local.seen)
        try:
            yield local
        finally:
            self._clock.counters["designs"] += len(local.seen) - before
            self._seen |= dict.fromkeys(local.seen)
            self.found = self.found.plus(local.rows).undominated(self._keep)

    def _after(self, lowered: Lowered, design: list[int]) -> Lowered:
        """Evaluate a design exactly; give the model to go on with, without it."""
        around = self._around(design)
        rows = self._program.rows(around)
        self._clock.counters["designs"] += len(around)
        values, cutoff = rows.values[:, 0], self.cutoff
        better = rows.take(values < cutoff)
        if np.any(values <= cutoff):  # of equals the first in the grid is kept
            self.found = self.found.plus(rows).undominated(self._keep)
        asked_for_ties = self._looks_for_ties
        self._ties = 0 if len(better) else self._ties + int(np.any(values == cutoff))
        self._missed = 0 if len(better) else self._missed + 1
        fresh = [at for at in map(tuple, around.tolist()) if at not in self._seen]
        self._seen |= dict.fromkeys(fresh)
        if len(better) and self._local is not None:
            known = len(self._seen)
            with self._clock.phase("presolve"), self._keeping(self._local) as local:
                local.improve(tuple(design))
            fresh += list(self._seen)[known:]
        approximate = lowered.lowering.is_approximate and not len(better)
        if approximate:
            self._mark(design)
        if approximate or self._is_outdated(lowered):
            with self._clock.phase("compile"):
                return self._build()
        for at in fresh:
            lowered.forbid(at)
        if len(better) or asked_for_ties is not self._looks_for_ties:
            self._cut(lowered)
        return lowered

    def _is_outdated(self, lowered: Lowered) -> bool:
        """Tell whether a model for the present value to beat would be a much better one."""
        literals = sum(map(len, lowered.lowering.groups))
        if self._tables is not None or literals < _SMALL or not self.cutoff < self._built_for:
            return False
        gain = self._built_for - self.cutoff
        return self._missed >= _PATIENCE or gain > _WORTH_REBUILDING * abs(self.cutoff)

    def _around(self, design: Sequence[int]) -> Positions:
        """List a design, and of those around it the more the longer nothing better came up."""
        at = np.array(design)
        count = min(1 << self._missed, _MOST_NEIGHBOURS)
        reach = int(count ** (1 / len(design)) - 1 + 1e-9) // 2
        if self._tables is not None or not reach:
            return at[None, :]
        near = Boxes(
            first=np.maximum(at - reach, self._box.first),
            last=np.minimum(at + reach, self._box.last),
            bound=self._box.bound,
        )
        return near.designs()

    def _mark(self, design: Sequence[int]) -> None:
        """Have curves encoded closely around a design: ever less so farther away."""
        for (name, length), at in zip(self._program.lengths.items(), design, strict=True):
            steps = [0, *(1 << power for power in range(length.bit_length()))]
            near = {at + sign * step for step in steps for sign in (-1, 1)}
            inside = frozenset(place for place in near if 0 <= place < length)
            self._marks[name] = self._marks.get(name, frozenset()) | inside

    def _build(self) -> Lowered:
        self._built_for = self.cutoff
        if self._tables is None:
            self._boxes = left_by_boxes(self._program, self._boxes, self._goal, self._clock)
            least = float(self._boxes.bound.min(initial=np.inf))
            self.bound = max(self.bound, min(least, self._goal))
        lowered = lower(
            self._program,
            boxes=self._boxes,
            tables=self._tables,
            marks=self._marks,
            cutoff=self._goal,
            check=self._check,
        )
        self._aim = lowered.aim
        known = lowered.lowering.ranges.of(self._program.objectives[0])
        if not known.nowhere and known.group is None:  # what stands before the first solution
            self.bound = max(self.bound, min(known.low, self._goal))
        for design in self._seen:
            self._check()
            lowered.forbid(design)
        self._cut(lowered)
        proto = lowered.model.proto
        self._clock.counters["variables"] = len(proto.variables)
        self._clock.counters["constraints"] = len(proto.constraints)
        return lowered

    def _raise_bound(self, lowered: Lowered, bound: float) -> None:
        low = self._aim.objective(bound)
        if self._aim is lowered.aim:
            self.bound = max(self.bound, low)
        elif low > 0:
            self.bound = max(self.bound, self._goal)  # no design has a smaller ratio

    @property
    def _goal(self) -> float:
        """What a further design has to be below: to be better, or as good for a while."""
        if not np.isfinite(self.cutoff):
            return np.inf
        if self._program.nearly:
            return self.cutoff - self._margin * abs(self.cutoff)
        # Whatever is worse by no more than rounding may be an equal that stands before.
        margin = -MARGIN if self._looks_for_ties else self._margin
        return self._program.goal(self.cutoff, margin)

    @property
    def _looks_for_ties(self) -> bool:
        # In joint questions the blocks' tables keep one row of equals, and ties are countless.
        return self._tables is None and not self._program.nearly and self._ties < _MOST_TIES

    def _cut(self, lowered: Lowered) -> None:
        """Ask for designs that are better than those found."""
        if not np.isfinite(self._goal):
            return
        lowering = lowered.lowering
        if self._ratio is None:
            lowering.between([self._aim.number], -np.inf, self._aim.limit(self._goal))
            return
        excess = self._ratio.excess(self._goal)
        size = max(map(abs, lowering.range(excess)))
        self._aim = Aim(number=lowering.number(excess, size * RESOLUTION))
        lowering.between([self._aim.number], -np.inf, 0.0)
        lowered.model.minimize(self._aim.number.expression)
