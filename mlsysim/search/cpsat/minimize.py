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
from mlsysim.search.cpsat import solver
from mlsysim.search.cpsat.boxes import Positions
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.joint import JointSearch
from mlsysim.search.cpsat.lowered import LoweredSearch
from mlsysim.search.cpsat.presolve import TABLE_ROWS, Presolve
from mlsysim.search.cpsat.program import Program
from mlsysim.search.cpsat.rows import Rows
from mlsysim.search.cpsat.scaled import NotLowerableError
from mlsysim.search.cpsat.table import table_model

Progress = Callable[[Presolve], None]

# Boxes to bound before the formulas are tried as constraints.
_PATIENCE = 200_000


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


def minimize(program: Program, top: int, clock: Clock, progress: Progress) -> Minimum:
    """Find the best designs.

    Parameters
    ----------
    program
        What is minimised.
    top
        How many designs are wanted.
    clock
        The time that there is.
    progress
        Told the bound and what has been found, now and then.
    """
    by_blocks = _by_blocks(program, top, clock, progress)
    return by_blocks or _by_boxes(program, top, clock, progress)


def _by_blocks(program: Program, top: int, clock: Clock, progress: Progress) -> Minimum | None:
    """Treat a question of several blocks as such; give nothing where it is none."""
    if math.prod(program.lengths.values()) > TABLE_ROWS:
        joint = JointSearch(program, top, clock, progress)
        if joint.applies:
            with suppress(NotLowerableError):
                best, proven, bound = joint.run()
                return Minimum(best=best, proven=proven, bound=bound)
    return None


def _by_boxes(program: Program, top: int, clock: Clock, progress: Progress) -> Minimum:
    """Shrink a question of one block by boxes, and by its formulas where that is slow."""
    presolve = Presolve(program=program, keep=top, clock=clock, on_progress=progress)
    patience = _PATIENCE
    lowerable = True
    while True:
        with clock.phase("presolve"):
            finished = presolve.run(patience)
        if finished and clock.left > 0:
            return _by_table(program, presolve.left(), top, clock)
        if clock.left <= 0:
            bound = min(presolve.bound, presolve.cutoff)
            return Minimum(best=presolve.found, proven=False, bound=bound)
        if lowerable:
            try:
                if _by_formulas(presolve, top, clock):
                    return _proven(presolve.found)
            except NotLowerableError:
                lowerable = False
        patience *= 2


def _by_table(program: Program, designs: Positions, top: int, clock: Clock) -> Minimum:
    """Let CP-SAT choose among tabulated designs, one after the other."""
    with clock.phase("tabulate"):
        table = program.tabulate(designs).sorted()
        clock.counters["rows"] += len(designs)
    best: list[int] = []
    if len(designs):
        model = table_model(program, table)
        while len(best) < top:
            outcome = solver.run(model.model, clock)
            if outcome.solver is None and not outcome.solved:
                chosen = Rows(designs=designs[:0], values=table.values[:0])
                return Minimum(best=chosen, proven=False, bound=-np.inf)
            if outcome.solver is None:
                break
            row = outcome.solver.value(model.objective)
            if not table.holds[:, row].all():
                raise DisagreementError(f"the solver chose row {row}, which a condition excludes")
            best.append(row)
            model.model.add(model.objective > row)
    rows = np.array(best, np.int64)
    return _proven(Rows(designs=table.designs[rows], values=table.values[rows]))


def _by_formulas(presolve: Presolve, top: int, clock: Clock) -> bool:
    """Try the formulas for as long as presolve has taken so far; tell whether that settled it."""
    search = LoweredSearch(presolve.program, top, presolve.found, box=presolve.hull)
    proven = search.run(clock, clock.seconds["presolve"])
    presolve.adopt(search.found, search.bound)
    return proven


def _proven(best: Rows) -> Minimum:
    return Minimum(best=best, proven=True, bound=float(best.values[0, 0]) if len(best) else np.inf)
