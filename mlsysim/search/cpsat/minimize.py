"""Find the best designs of a program, with proof.

Presolve shrinks the program to what fits in one table, which CP-SAT then
solves.  Where boxes do not shrink it soon enough, because choices are many
and barely interact, its formulas are lowered to constraints instead; the two
take turns, and each starts from the best designs of the other.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from mlsysim.errors import DisagreementError
from mlsysim.search.cpsat import solver
from mlsysim.search.cpsat.boxes import Positions
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.joint import Blocks
from mlsysim.search.cpsat.lowered import LoweredSearch
from mlsysim.search.cpsat.presolve import TABLE_ROWS, Presolve
from mlsysim.search.cpsat.program import Program, Tabulated
from mlsysim.search.cpsat.rows import Rows, no_rows
from mlsysim.search.cpsat.scaled import NotLowerableError
from mlsysim.search.cpsat.table import table_model

# Boxes to bound before the formulas are tried as constraints.
_PATIENCE = 200_000
_NO_LIMIT = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The best designs of a program.

    Parameters
    ----------
    best
        The best designs found, in order.
    proven
        Whether they are proven to be the best.
    bound
        No design has a lower objective.
    """

    best: Rows
    proven: bool
    bound: float


class Minimizer:
    """Minimises programs of one question, one after the other.

    Parameters
    ----------
    clock
        The time that there is.
    progress
        Told the state of a presolve now and then.
    """

    def __init__(self, clock: Clock, progress: Callable[[Presolve], None]) -> None:
        self._clock = clock
        self._progress = progress
        self._reduced: dict[object, Rows] = {}

    def minimize(self, program: Program, top: int) -> Minimum:
        """Find the best designs.

        Parameters
        ----------
        program
            What is minimised.
        top
            How many designs are wanted.
        """
        return self._by_blocks(program, top) or self._by_boxes(program, top)

    def front(self, program: Program, keep: int = 1) -> Rows | None:
        """Find every design that fewer than `keep` others dominate; nothing if time runs out."""
        key = (program.key, keep)
        if key not in self._reduced:
            presolve = self._presolve(program, keep)
            with self._clock.phase("presolve"):
                finished = presolve.run(_NO_LIMIT) and self._clock.left > 0
            self._count(presolve)
            if not finished:
                return None
            with self._clock.phase("tabulate"):
                rows = self._tabulate(program, presolve.left()).feasible
                self._reduced[key] = rows.undominated(keep)
        return self._reduced[key]

    def _by_blocks(self, program: Program, top: int) -> Minimum | None:
        """Treat a question of several blocks as such; give nothing where it is none."""
        if math.prod(program.lengths.values()) <= TABLE_ROWS:
            return None
        blocks = Blocks(program)
        if len(blocks) < 2:  # noqa: PLR2004 - one block has no interface
            return None
        nothing = no_rows(len(program.names), 1)
        tables = {}
        for block in blocks.programs():
            # A design that is excluded must not displace those it dominates.
            rows = self.front(block, top + len(program.excluded))
            if rows is None or not len(rows):
                proven = rows is not None
                return Minimum(best=nothing, proven=proven, bound=math.inf if proven else -math.inf)
            self._clock.counters["rows"] += len(rows)
            tables[block.names] = rows.designs
        with suppress(NotLowerableError):
            search = LoweredSearch(blocks.program, top, nothing, tables=tables)
            proven = search.run(self._clock, self._clock.left)
            return Minimum(best=search.found, proven=proven, bound=search.bound)
        return None

    def _by_boxes(self, program: Program, top: int) -> Minimum:
        """Shrink a question of one block by boxes, and by its formulas where that is slow."""
        presolve = self._presolve(program, top)
        patience = _PATIENCE
        lowerable = True
        while True:
            with self._clock.phase("presolve"):
                finished = presolve.run(patience)
            if finished or self._clock.left <= 0:
                self._count(presolve)
            if finished and self._clock.left > 0:
                return self._by_table(program, presolve.left(), top)
            if self._clock.left <= 0:
                bound = min(presolve.bound, presolve.cutoff)
                return Minimum(best=presolve.found, proven=False, bound=bound)
            if lowerable:
                try:
                    if self._by_formulas(presolve, top):
                        return _proven(presolve.found)
                except NotLowerableError:
                    lowerable = False
            patience *= 2

    def _by_table(self, program: Program, designs: Positions, top: int) -> Minimum:
        """Let CP-SAT choose among tabulated designs, one after the other."""
        with self._clock.phase("tabulate"):
            table = self._tabulate(program, designs).sorted()
        best: list[int] = []
        if len(designs):
            model = table_model(program, table)
            while len(best) < top:
                outcome = solver.run(model.model, self._clock)
                if outcome.solver is None and not outcome.solved:
                    break
                if outcome.solver is None:
                    return self._rows(table, best, proven=True)
                row = outcome.solver.value(model.objective)
                if not table.holds[:, row].all():
                    raise DisagreementError(f"the solver chose row {row}, which is excluded")
                best.append(row)
                model.model.add(model.objective > row)
        return self._rows(table, best, proven=len(best) == top or not len(designs))

    def _rows(self, table: Tabulated, best: list[int], *, proven: bool) -> Minimum:
        rows = np.array(best, np.int64)
        chosen = Rows(designs=table.designs[rows], values=table.values[rows])
        if proven or len(best):
            return replace(_proven(chosen), proven=proven)
        return Minimum(best=chosen, proven=False, bound=-math.inf)

    def _by_formulas(self, presolve: Presolve, top: int) -> bool:
        """Try the formulas for as long as presolve has taken so far; tell if that settled it."""
        search = LoweredSearch(presolve.program, top, presolve.found, box=presolve.hull)
        proven = search.run(self._clock, self._clock.seconds["presolve"])
        presolve.adopt(search.found, search.bound)
        return proven

    def _presolve(self, program: Program, keep: int) -> Presolve:
        return Presolve(program=program, keep=keep, clock=self._clock, on_progress=self._progress)

    def _tabulate(self, program: Program, designs: Positions) -> Tabulated:
        self._clock.counters["designs"] += len(designs)
        return program.tabulate(designs)

    def _count(self, presolve: Presolve) -> None:
        self._clock.counters["boxes"] += presolve.bounded
        self._clock.counters["designs"] += presolve.evaluated


def _proven(best: Rows) -> Minimum:
    return Minimum(
        best=best, proven=True, bound=float(best.values[0, 0]) if len(best) else math.inf
    )
