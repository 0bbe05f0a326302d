"""Minimise a program through its lowered formulas.

The solver's optimum of the relaxation is evaluated exactly, kept if it is
good, and cut off in any case; the search goes on until the relaxation has
nothing left below the best designs found.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from ortools.sat.python import cp_model

from mlsysim.search.cpsat import logic, solver
from mlsysim.search.cpsat.boxes import Boxes, Positions
from mlsysim.search.cpsat.choices import add_choices
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.lowering import Lowering
from mlsysim.search.cpsat.model import CompiledModel
from mlsysim.search.cpsat.program import Program
from mlsysim.search.cpsat.rowblock import RowBlock
from mlsysim.search.cpsat.rows import Rows
from mlsysim.search.cpsat.scaled import NotLowerableError, Scaled

# The objective is resolved to this share of its range at first.
_RESOLUTION = 2.0**-36
# CP-SAT keeps bounds on the objective in floating point.
_LARGEST_OBJECTIVE = 2**52
# Designs that are better by less than this, relative, count as ties.
_MARGIN = 1e-10
# CP-SAT reports its bound as a float, which is exact up to here.
_EXACT = 2.0**53

Tables = Mapping[tuple[str, ...], Positions]
_NO_TABLES: Tables = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A program as constraints.

    Parameters
    ----------
    compiled
        The model.
    lowering
        What made it; it can add to it.
    objective
        What is minimised.
    blocks
        The choices that go in as rows.
    """

    compiled: CompiledModel
    lowering: Lowering
    objective: Scaled
    blocks: Sequence[RowBlock]

    def forbid(self, design: Sequence[int]) -> None:
        """Cut off one design.

        (A forbidden assignment of all variables at once would say the same,
        but lets the presolve of CP-SAT 9.15 lose other designs.)
        """
        names = self.lowering.names
        at = dict(zip(names, design, strict=True))
        others = [block.differs([at[name] for name in block.names]) for block in self.blocks]
        for name, position in self.compiled.positions.items():
            differs = self.compiled.model.new_bool_var("")
            self.compiled.model.add(position != at[name]).only_enforce_if(differs)
            others.append(differs)
        self.compiled.model.add_bool_or(others)

    def design(self, solution: cp_model.CpSolver) -> list[int]:
        """Read a design off a solution."""
        at = {name: solution.value(var) for name, var in self.compiled.positions.items()}
        for block in self.blocks:
            at |= dict(zip(block.names, block.chosen(solution), strict=True))
        return [at[name] for name in self.lowering.names]


def lower(program: Program, box: Boxes | None = None, tables: Tables = _NO_TABLES) -> Lowered:
    """Build the model of a program out of its formulas.

    Parameters
    ----------
    program
        What is minimised.
    box
        The one box that holds every design of interest; all of them if left out.
    tables
        Choices of a block -> the combinations of interest, by position.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding.
    """
    model = cp_model.CpModel()
    blocks = [RowBlock(model, names, designs, program.columns) for names, designs in tables.items()]
    tabulated = {name for names in tables for name in names}
    free = {name: n for name, n in program.lengths.items() if name not in tabulated}
    variables, positions = add_choices(model, free, program.columns)
    lowering = Lowering(program, model, positions, box, blocks)
    low, high = lowering.range(program.objectives[0])
    resolution = max((high - low) * _RESOLUTION, 1e-300)
    objective = lowering.number(program.objectives[0], resolution)
    if objective.size > _LARGEST_OBJECTIVE:
        raise NotLowerableError("the objective spans more than 52 bits")
    for condition in program.conditions:
        for side in condition.sides:
            lowering.check_defined(side)
        logic.demand(lowering, condition.node)
    model.minimize(objective.expression)
    compiled = CompiledModel(
        model=model,
        variables=variables,
        positions=positions,
        encodings=tuple(lowering.encodings),
        objective=objective.expression,
    )
    return Lowered(compiled=compiled, lowering=lowering, objective=objective, blocks=blocks)


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
        tables: Tables = _NO_TABLES,
    ) -> None:
        self.found = found
        self.bound = -np.inf
        self._program = program
        self._keep = keep
        self._lowered = lower(program, box, tables)
        self._model = self._lowered.compiled.model
        if box is not None:
            for name, position in self._lowered.compiled.positions.items():
                place = program.names.index(name)
                self._model.add_linear_constraint(
                    position, int(box.first[0, place]), int(box.last[0, place])
                )
        self._cut()

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
        """
        until = clock.elapsed + seconds
        while clock.left > 0 and clock.elapsed < until:
            outcome = solver.run(self._model, clock, until - clock.elapsed)
            if outcome.solver is None:
                # Stopped before its first solution the solver reports a bound of zero.
                self.bound = np.inf if outcome.solved else self.bound
                return outcome.solved
            self._raise_bound(outcome.bound)
            design = self._lowered.design(outcome.solver)
            self._lowered.forbid(design)
            self._keep_if_better(design)
            if outcome.solved and self.bound >= self._goal:
                return True
        return False

    def _keep_if_better(self, design: list[int]) -> None:
        rows = self._program.rows(np.array([design], np.int64))
        better = rows.take(rows.values[:, 0] < self.cutoff)
        if len(better):
            self.found = self.found.plus(better).undominated(self._keep)
            self._cut()

    def _raise_bound(self, bound: float) -> None:
        objective = self._lowered.objective
        lowest = bound * objective.unit - objective.slack
        if not objective.exact or abs(bound) >= _EXACT:  # rounded as a float
            lowest -= 2 * sys.float_info.epsilon * abs(lowest)
        self.bound = max(self.bound, lowest)

    @property
    def _goal(self) -> float:
        """What counts as better than the designs found: by more than rounding."""
        return self.cutoff - _MARGIN * abs(self.cutoff) if np.isfinite(self.cutoff) else np.inf

    def _cut(self) -> None:
        """Ask for designs that are better than those found."""
        if np.isfinite(self._goal):
            self._lowered.lowering.between([self._lowered.objective], -np.inf, self._goal)
