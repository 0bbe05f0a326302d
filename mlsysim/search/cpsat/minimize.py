"""Find the best designs of a program, with proof.

Presolve shrinks the program to what fits in one table, which CP-SAT then
solves.  Where boxes do not shrink it soon enough, because choices are many
and barely interact, its formulas are lowered to constraints instead; the two
take turns, and each starts from the best designs of the other.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from mlsysim.errors import DisagreementError
from mlsysim.search.cpsat.blocks.joint import Blocks
from mlsysim.search.cpsat.lowering.refine import LoweredSearch
from mlsysim.search.cpsat.lowering.scaled import NotLowerableError
from mlsysim.search.cpsat.lowering.table import table_model
from mlsysim.search.cpsat.presolve import TABLE_ROWS, WALK, Presolve
from mlsysim.search.cpsat.program.conditions import Tabulated
from mlsysim.search.cpsat.program.program import Program, UndefinedError
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.solving import solver
from mlsysim.search.cpsat.solving.clock import Clock

# Boxes to bound before the formulas are tried as constraints.
_PATIENCE = 200_000
_NO_LIMIT = 1 << 62
# A design that is better by less than this, relative, is no better (DESIGN semantics 2).
TOLERANCE = 1e-9
# Of designs that all meet every condition, so many of the best are left to CP-SAT.
_BEST_ROWS = 256


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
        No design that is not among them has a lower objective.
    """

    best: Rows
    proven: bool
    bound: float

    @property
    def placed(self) -> int:
        """How many of the best designs are proven to be where they stand."""
        if self.proven:
            return len(self.best)
        values = self.best.values[:, 0]
        return int(np.count_nonzero(values <= self.bound + TOLERANCE * np.abs(values)))


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
        with suppress(UndefinedError):
            found = self._by_blocks(program, top)
            if found is not None:
                return found
        return self._by_boxes(program, top)

    def front(self, program: Program, keep: int = 1) -> Rows | None:
        """Find every design that fewer than `keep` others dominate; nothing if time runs out."""
        key = (program.key, keep)
        if key not in self._reduced:
            presolve = self._presolve(program, keep)
            with self._clock.phase("presolve"):
                finished = presolve.run(_NO_LIMIT) and self._clock.left > 0
            if not finished:
                self._count(presolve)
                return None
            with self._clock.phase("tabulate"):
                finished = presolve.finish(keep)
            self._count(presolve)
            if not finished:
                return None
            self._reduced[key] = presolve.found
        return self._reduced[key]

    def _by_blocks(self, program: Program, top: int) -> Minimum | None:
        """Treat a question of several blocks as such; give nothing where it is none."""
        if math.prod(program.lengths.values()) <= WALK:
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
            try:
                proven = search.run(self._clock, self._clock.left)
            except KeyboardInterrupt:
                self._clock.interrupt()
                proven = False
            if proven:
                return _proven(search.found)
            bound = min(search.bound, search.cutoff)
            return Minimum(best=search.found, proven=False, bound=bound)
        return None

    def _by_boxes(self, program: Program, top: int) -> Minimum:
        """Shrink a question of one block by boxes, and by its formulas where that is slow."""
        presolve = self._presolve(program, top)
        try:
            return self._alternating(presolve, top)
        except KeyboardInterrupt:
            self._clock.interrupt()
            return _stopped(presolve)

    def _alternating(self, presolve: Presolve, top: int) -> Minimum:
        """Let boxes and formulas take turns until one of them is done."""
        patience = _PATIENCE
        lowerable = True
        while True:
            with self._clock.phase("presolve"):
                finished = presolve.run(patience)
            if finished and self._clock.left > 0:
                table = self._table(presolve, top)
                if table is not None:
                    return self._by_table(presolve, table, top)
            if self._clock.left <= 0:
                self._count(presolve)
                return _stopped(presolve)
            if lowerable:
                try:
                    if self._by_formulas(presolve, top):
                        return _proven(presolve.found)
                except NotLowerableError:
                    lowerable = False
            patience *= 2

    def _table(self, presolve: Presolve, top: int) -> Tabulated | None:
        """Tabulate what presolve has left: all of it, or where that is too much, the best.

        Nothing where time runs out.
        """
        program = presolve.program
        with self._clock.phase("tabulate"):
            if presolve.left_over <= TABLE_ROWS:
                designs = presolve.left()
                presolve.evaluated += len(designs)
                table = program.tabulate(designs).sorted()
            else:
                if not presolve.finish(max(top, _BEST_ROWS)):
                    return None
                rows = presolve.found
                holds = np.ones((len(program.conditions) + 1, len(rows)), np.bool_)
                table = Tabulated(designs=rows.designs, values=rows.values, holds=holds)
        self._count(presolve)
        self._clock.counters["rows"] += len(table.designs)
        return table

    def _by_table(self, presolve: Presolve, table: Tabulated, top: int) -> Minimum:
        """Let CP-SAT choose among tabulated designs, one after the other."""
        best: list[int] = []
        complete = True
        if len(table.designs):
            model = table_model(presolve.program, table)
            while len(best) < top and (not best or self._clock.left > 0):
                outcome = solver.run(model.model, self._clock, probing=False)
                if outcome.solver is None:
                    if not (outcome.solved or best):
                        return _stopped(presolve)
                    complete = outcome.solved
                    break
                row = outcome.solver.value(model.objective)
                if not table.holds[:, row].all():
                    raise DisagreementError(f"the solver chose row {row}, which is excluded")
                best.append(row)
                model.model.add(model.objective > row)
            else:
                complete = len(best) == top
        rows = np.array(best, np.int64)
        found = Rows(designs=table.designs[rows], values=table.values[rows])
        if complete:
            return _proven(found)
        # Time ran out among those after the best: none of them is better than the last.
        return Minimum(best=found, proven=False, bound=float(found.values[-1, 0]))

    def _by_formulas(self, presolve: Presolve, top: int) -> bool:
        """Try the formulas for as long as presolve has taken so far; tell if that settled it."""
        search = LoweredSearch(presolve.program, top, presolve.found, box=presolve.hull)
        try:
            return search.run(self._clock, self._clock.seconds["presolve"])
        finally:  # also where Ctrl-C comes
            presolve.adopt(search.found, search.bound)

    def _presolve(self, program: Program, keep: int) -> Presolve:
        return Presolve(program=program, keep=keep, clock=self._clock, on_progress=self._progress)

    def _count(self, presolve: Presolve) -> None:
        self._clock.counters["boxes"] += presolve.bounded
        self._clock.counters["designs"] += presolve.evaluated


def _stopped(presolve: Presolve) -> Minimum:
    """Give what a presolve that ran out of time has found."""
    found = presolve.found
    last = float(found.values[-1, 0]) if len(found) >= presolve.keep else math.inf
    return Minimum(best=found, proven=False, bound=min(presolve.bound, last))


def _proven(best: Rows) -> Minimum:
    return Minimum(
        best=best, proven=True, bound=float(best.values[0, 0]) if len(best) else math.inf
    )
