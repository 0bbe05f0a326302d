"""A block of choices in a model: one Boolean per row, exactly one of them true.

What the rest of the model reads of the block is then a weighted sum of
Booleans, which is also what the solver's linear relaxation bounds best.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Node
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.lowering.scaled import NotLowerableError, Scaled, power_of_two
from mlsysim.search.cpsat.program.boxes import Positions

# Up to here, whole numbers are kept as they are.
_WHOLE = 2.0**40


class RowBlock:
    """The rows of one block.

    Parameters
    ----------
    model
        Where the Booleans go.
    names
        The choices of the block.
    designs
        One row of positions per combination of interest.
    columns
        The values of the numeric choices.
    """

    def __init__(
        self,
        model: cp_model.CpModel,
        names: Sequence[str],
        designs: Positions,
        columns: Mapping[str, Column],
    ) -> None:
        self.names = tuple(names)
        self.designs = designs
        self._columns = columns
        self._model = model
        self._chosen = [model.new_bool_var("") for _ in designs]
        model.add_exactly_one(self._chosen)

    def chosen(self, solution: cp_model.CpSolver) -> list[int]:
        """Read off a solution the positions of the row that it chooses."""
        row = next(at for at, one in enumerate(self._chosen) if solution.boolean_value(one))
        return [int(position) for position in self.designs[row]]

    def differs(self, design: Sequence[int]) -> cp_model.BoolVarT:
        """Give a literal that is false where the block takes a certain row."""
        (row,) = np.flatnonzero(np.all(self.designs == np.array(design), axis=1))
        return ~self._chosen[row]

    def holds(self, node: Node) -> bool:
        """Tell whether a value depends on this block alone."""
        return node.support <= set(self.names)

    def range(self, node: Node) -> Range:
        """Give the range of a value over the rows."""
        values = self._values(node)
        return Range(np.array([values.min()]), np.array([values.max()]))

    def number(self, node: Node, wish: float) -> Scaled:
        """Encode a number.

        Raises
        ------
        NotLowerableError
            If it is not finite in some row.
        """
        values = self._values(node)
        if not np.all(np.isfinite(values)):
            raise NotLowerableError("a value of a block is not a number in some row")
        unit = 1.0
        if np.any(values != np.rint(values)) or np.max(np.abs(values)) > _WHOLE:
            # Conditions may leave a much smaller range than the rows have.
            unit = power_of_two(max(wish, float(np.max(np.abs(values))) / _WHOLE))
        entries = [round(value) for value in values / unit]
        error = float(np.max(np.abs(values - np.array(entries) * unit)))
        return Scaled(
            expression=cp_model.LinearExpr.weighted_sum(self._chosen, entries),
            low=min(entries),
            high=max(entries),
            unit=unit,
            slack=error,
        )

    def literal(self, node: Node) -> cp_model.BoolVarT:
        """Encode a truth value."""
        truths = self._values(node) != 0
        literal = self._model.new_bool_var("")
        rows = [chosen for chosen, truth in zip(self._chosen, truths, strict=True) if truth]
        self._model.add(cp_model.LinearExpr.sum(rows) == literal)
        return literal

    def _values(self, node: Node) -> NDArray[np.float64]:
        at = dict(zip(self.names, self.designs.T, strict=True))
        (values,) = over_designs([node], at, self._columns)
        return np.broadcast_to(values, len(self.designs))
