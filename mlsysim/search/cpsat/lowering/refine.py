"""Minimise a program through its lowered formulas, refining them where it matters.

The optimum of the relaxation is evaluated exactly, kept if it is good, and cut
off in any case.  Where it was better than the truth because a curve went in
approximately, the curve is encoded more closely around it.  The search ends
when the relaxation has nothing left below the best designs found.
"""

from collections.abc import Sequence

import numpy as np

from mlsysim.search.cpsat.lowering.lowered import (
    NO_TABLES,
    RESOLUTION,
    Lowered,
    Tables,
    check_magnitudes,
    lower,
)
from mlsysim.search.cpsat.lowering.ratio import as_ratio
from mlsysim.search.cpsat.presolve import MARGIN
from mlsysim.search.cpsat.program.boxes import Boxes, Positions, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.cpsat.solving import solver
from mlsysim.search.cpsat.solving.clock import Clock

# How many designs to evaluate around each one that the solver proposes.
_NEIGHBOURS = 1 << 15


class LoweredSearch:
    """A search that can be interrupted and gone on with.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many best designs are wanted.
    found
        Designs that are known already.
    box
        The one box that holds every better design; everything if left out.
    tables
        Choices of a block -> the combinations of interest, by position.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding.
    """

    def __init__(
        self,
        program: Program,
        keep: int,
        found: Rows,
        *,
        box: Boxes | None = None,
        tables: Tables = NO_TABLES,
    ) -> None:
        self.found = found
        self.bound = -np.inf
        self._program = program
        self._keep = keep
        self._box = box
        self._tables = tables
        self._ratio = as_ratio(program.graph, program.objectives[0], program.rearranger.is_positive)
        self._margin = max(MARGIN, program.nearly)
        self._seen: list[list[int]] = []
        self._marks: dict[str, frozenset[int]] = {}
        self._lowered = self._build()

    @property
    def cutoff(self) -> float:
        """The objective that a further design has to beat."""
        return float(self.found.values[-1, 0]) if len(self.found) >= self._keep else np.inf

    def run(self, clock: Clock, seconds: float) -> bool:
        """Search for a while.

        Returns
        -------
        bool
            Whether the designs found are proven to be the best.

        Raises
        ------
        NotLowerableError
            If a refined model has no sound encoding, or overflows the solver's integers.
        """
        until = clock.elapsed + seconds
        while clock.left > 0 and clock.elapsed < until:
            check_magnitudes(self._lowered.compiled.model)
            outcome = solver.run(
                self._lowered.compiled.model,
                clock,
                until - clock.elapsed,
                gap=self._program.nearly / 2,
            )
            if outcome.solver is None:
                # Stopped before its first solution the solver reports a bound of zero.
                self.bound = np.inf if outcome.solved else self.bound
                return outcome.solved
            self._raise_bound(outcome.bound)
            self._take(self._lowered.design(outcome.solver))
            if outcome.solved and self.bound >= self._goal:
                return True
        return False

    def _take(self, design: list[int]) -> None:
        """Evaluate a design exactly, and go on without it."""
        self._seen.append(design)
        rows = self._program.rows(self._around(design))
        better = rows.take(rows.values[:, 0] < self.cutoff)
        if len(better):
            self.found = self.found.plus(better).undominated(self._keep)
        if self._lowered.lowering.is_approximate and not len(better):
            self._mark(design)
            self._lowered = self._build()
            return
        self._lowered.forbid(design)
        if len(better):
            self._cut(self._lowered)

    def _around(self, design: Sequence[int]) -> Positions:
        """List a design and its neighbours: the best one is seldom far from the model's."""
        at = np.array(design)
        box = self._box or whole(list(self._program.lengths.values()))
        reach = int(_NEIGHBOURS ** (1 / len(design)) - 1) // 2
        if self._tables or not reach:
            return at[None, :]
        near = Boxes(
            first=np.maximum(at - reach, box.first),
            last=np.minimum(at + reach, box.last),
            bound=box.bound,
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
        lowered = lower(self._program, box=self._box, tables=self._tables, marks=self._marks)
        self._aim = lowered.objective
        for design in self._seen:
            lowered.forbid(design)
        self._cut(lowered)
        return lowered

    def _raise_bound(self, bound: float) -> None:
        low = bound * self._aim.unit - self._aim.slack
        if self._aim is self._lowered.objective:
            self.bound = max(self.bound, low)
        elif low > 0:
            self.bound = max(self.bound, self._goal)  # no design has a smaller ratio

    @property
    def _goal(self) -> float:
        """What counts as better than the designs found: by more than rounding."""
        if not np.isfinite(self.cutoff):
            return np.inf
        if self._program.nearly:
            return self.cutoff - self._margin * abs(self.cutoff)
        return self._program.goal(self.cutoff, self._margin)

    def _cut(self, lowered: Lowered) -> None:
        """Ask for designs that are better than those found."""
        if not np.isfinite(self._goal):
            return
        lowering = lowered.lowering
        if self._ratio is None:
            lowering.between([self._aim], -np.inf, self._goal)
            return
        excess = self._ratio.excess(self._goal)
        size = max(map(abs, lowering.range(excess)))
        self._aim = lowering.number(excess, size * RESOLUTION)
        lowering.between([self._aim], -np.inf, 0.0)
        lowered.compiled.model.minimize(self._aim.expression)
