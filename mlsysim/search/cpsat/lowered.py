"""Minimise a program through its lowered formulas.

The solver's optimum of the relaxation is evaluated exactly, kept if it is
good, and cut off in any case; the search goes on until the relaxation has
nothing left below the best designs found.
"""

import numpy as np
from ortools.sat.python import cp_model

from mlsysim.search.cpsat import logic, solver
from mlsysim.search.cpsat.boxes import Boxes
from mlsysim.search.cpsat.choices import add_choices
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.lowering import Lowering
from mlsysim.search.cpsat.model import CompiledModel
from mlsysim.search.cpsat.program import Priced, Program
from mlsysim.search.cpsat.scaled import Scaled

# The objective is resolved to this share of its range at first.
_RESOLUTION = 2.0**-34


def lower(program: Program, box: Boxes | None = None) -> tuple[CompiledModel, Lowering, Scaled]:
    """Build the model of a program out of its formulas.

    Parameters
    ----------
    program
        What is minimised.
    box
        The one box that holds every design of interest; all of them if left out.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding.
    """
    model = cp_model.CpModel()
    variables, positions = add_choices(model, program.lengths, program.columns)
    lowering = Lowering(program, model, positions, box)
    low, high = lowering.range(program.objective)
    objective = lowering.number(program.objective, max((high - low) * _RESOLUTION, 1e-300))
    for condition in program.conditions:
        logic.demand(lowering, condition.node)
    model.minimize(objective.expression)
    compiled = CompiledModel(
        model=model,
        variables=variables,
        positions=positions,
        encodings=tuple(lowering.encodings),
        objective=objective.expression,
    )
    return compiled, lowering, objective


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
        The one box that holds every better design.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding.
    """

    def __init__(self, program: Program, keep: int, found: Priced, box: Boxes) -> None:
        self.found = found
        self.bound = -np.inf
        self._program = program
        self._keep = keep
        self._compiled, self._lowering, self._objective = lower(program, box)
        for place, name in enumerate(program.names):
            first, last = int(box.first[0, place]), int(box.last[0, place])
            self._compiled.model.add_linear_constraint(
                self._compiled.positions[name], first, last
            )
        for design in found.designs:
            self._forbid(design.tolist())
        self._cut()

    @property
    def cutoff(self) -> float:
        """The objective that a further design has to beat."""
        return float(self.found.objective[-1]) if len(self.found) >= self._keep else np.inf

    def run(self, clock: Clock, seconds: float) -> bool:
        """Search for a while.

        Returns
        -------
        bool
            Whether the designs found are proven to be the best.
        """
        until = clock.elapsed + seconds
        while clock.left > 0 and clock.elapsed < until:
            outcome = solver.run(self._compiled.model, clock, until - clock.elapsed)
            self._raise_bound(outcome.bound)
            if outcome.solver is None:
                return outcome.solved
            design = [outcome.solver.value(at) for at in self._compiled.positions.values()]
            self._forbid(design)
            self._keep_if_better(design)
            if outcome.solved and self.bound >= self.cutoff:
                return True
        return False

    def _keep_if_better(self, design: list[int]) -> None:
        priced = self._program.price(np.array([design], np.int64))
        better = priced.take(priced.objective < self.cutoff)
        if len(better):
            self.found = self.found.plus(better).best(self._keep)
            self._cut()

    def _raise_bound(self, bound: float) -> None:
        objective = self._objective
        self.bound = max(self.bound, bound * objective.unit - objective.slack)

    def _forbid(self, design: list[int]) -> None:
        self._compiled.model.add_forbidden_assignments(
            list(self._compiled.positions.values()), [design]
        )

    def _cut(self) -> None:
        """Ask for designs that are better than those found."""
        if np.isfinite(self.cutoff):
            self._lowering.between([self._objective], -np.inf, self.cutoff)
