"""A group of choices in a model: one literal per combination, exactly one of them true.

What depends on these choices alone is then a weighted sum of literals, which needs no
variable of its own and has no better linear relaxation.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import GraphNode
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering.growing import Cells
from mlsysim.search.cpsat.lowering.scaled import Scaled, power_of_two
from mlsysim.search.cpsat.program.boxes import Positions
from mlsysim.search.cpsat.program.program import Program

Array = NDArray[np.float64]

# Up to here, whole numbers are kept as they are.
_WHOLE = 2.0**40


class Group:
    """Some choices, and the literals of their combinations.

    Parameters
    ----------
    model
        Where the literals go.
    program
        What is minimised.
    names
        The choices.
    designs
        Their combinations: one row of positions each.
    literals
        The literal of each; new ones, of which exactly one holds, if left out.
    cells
        What is known of all values in each combination, where that was looked into.
    """

    def __init__(
        self,
        model: cp_model.CpModel,
        program: Program,
        names: Sequence[str],
        designs: Positions,
        *,
        cells: Cells | None = None,
    ) -> None:
        self.names = tuple(names)
        self.designs = designs
        self.cells = cells
        self._columns = program.columns
        self._model = model
        self.literals = [model.new_bool_var("") for _ in designs]
        model.add_exactly_one(self.literals)
        self._known: dict[int, Array] = {}

    @classmethod
    def of(cls, model: cp_model.CpModel, program: Program, cells: Cells) -> "Group":
        """Make the group of the combinations that can matter."""
        columns = [program.names.index(name) for name in cells.names]
        return cls(model, program, cells.names, cells.boxes.first[:, columns], cells=cells)

    def __len__(self) -> int:
        return len(self.literals)

    def chosen(self, solution: cp_model.CpSolver) -> list[int]:
        """Read off a solution the positions of the combination that it chooses."""
        row = next(at for at, one in enumerate(self.literals) if solution.boolean_value(one))
        return [int(position) for position in self.designs[row]]

    def at(self, design: Sequence[int]) -> cp_model.BoolVarT | None:
        """Give the literal of a combination; nothing where it is not among them."""
        return self._places.get(tuple(design))

    def holds(self, node: GraphNode) -> bool:
        """Tell whether a value depends on this group alone."""
        return bool(node.support) and node.support <= self._own

    def values(self, node: GraphNode) -> Array:
        """Evaluate a value in each combination."""
        self.learn([node])
        return self._known[node.position]

    def learn(self, nodes: Iterable[GraphNode]) -> None:
        """Evaluate values in each combination together: what they are made of they share."""
        fresh = [node for node in nodes if node.position not in self._known]
        if fresh:
            at = dict(zip(self.names, self.designs.T, strict=True))
            for node, values in zip(fresh, over_designs(fresh, at, self._columns), strict=True):
                self._known[node.position] = np.broadcast_to(values, len(self))

    def number(self, values: Array, wish: float) -> Scaled:
        """Encode a number by its value in each combination; what is none there is left at 0."""
        values = np.where(np.isfinite(values), values, 0.0)
        largest = float(np.max(np.abs(values), initial=0.0))
        unit = 1.0
        if np.any(values != np.rint(values)) or largest > _WHOLE:
            # Conditions may leave a much smaller range than the combinations have.
            unit = power_of_two(max(wish, largest / _WHOLE, 1e-300))
        entries = [round(value) for value in values / unit]
        error = float(np.max(np.abs(values - np.array(entries) * unit), initial=0.0))
        return Scaled(
            expression=cp_model.LinearExpr.weighted_sum(self.literals, entries),
            low=min(entries),
            high=max(entries),
            unit=unit,
            slack=error,
            spread=error,
            weight=sum(map(abs, entries)),
        )

    def any_of(self, rows: NDArray[np.bool_]) -> cp_model.BoolVarT:
        """Give a literal that says that one of some combinations is chosen."""
        if rows.all() or not rows.any():
            return self._model.new_constant(int(rows[0]))
        literal = self._model.new_bool_var("")
        chosen = [one for one, row in zip(self.literals, rows, strict=True) if row]
        self._model.add(cp_model.LinearExpr.sum(chosen) == literal)
        return literal

    @cached_property
    def _places(self) -> dict[tuple[int, ...], cp_model.IntVar]:
        return dict(zip(map(tuple, self.designs.tolist()), self.literals, strict=True))

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.names)
