"""The designs that few, or none, of those seen so far are better than."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlsysim.search.arrays.block_reading import BlockReading, Booleans, Floats
from mlsysim.search.arrays.layout import GridBlock
from mlsysim.search.arrays.others import Others
from mlsysim.search.goals import undominated
from mlsysim.search.verify import Point


class Leaders:
    """Keeps the best so many designs by one objective, or those that no other dominates by several.

    Parameters
    ----------
    signs
        The factors that make every objective one to be minimised.
    others
        Reads the objectives besides the first off a design.
    keep
        How many designs are kept where there is one objective.

    Attributes
    ----------
    indices
        Their positions in the grid; the best come first, of equal ones the first in the grid.
    values
        Their objectives, to be minimised: one row each.
    """

    def __init__(self, signs: Sequence[int], others: Others, keep: int) -> None:
        self.indices: list[int] = []
        self.values: Floats = np.empty((0, len(signs)))
        self._signs = signs
        self._others = others
        self._keep = keep
        self._points: dict[int, Point] = {}
        self._last = np.inf  # what the single objective of a further design must not exceed

    @property
    def best(self) -> float | None:
        """The objective of the best design so far, where one is best."""
        single = len(self._signs) == 1 and self.indices
        return float(self._signs[0] * self.values[0, 0]) if single else None

    def point(self, index: int) -> Point | None:
        """Give the design as judged on plain numbers, if it has been."""
        return self._points.get(index)

    def add_point(self, index: int, objective: float, point: Point) -> None:
        """Offer one feasible design."""
        if self._signs[0] * objective <= self._last:
            values = np.array([[objective, *self._others.of_point(point)]]) * self._signs
            self._points[index] = point
            self._merge([index], values)

    def add_block(self, block: GridBlock, reading: BlockReading, feasible: Booleans) -> None:
        """Offer the feasible designs of a block."""
        columns = (reading.objective, *reading.others)
        if self._last < np.inf:
            feasible = feasible & (columns[0] * self._signs[0] <= self._last)
        chosen = np.flatnonzero(feasible)
        if len(chosen):
            values = np.stack([column[chosen] for column in columns], axis=1) * self._signs
            # Within a block the order of the points is that of the grid.
            own = self._leading(values)
            self._merge([block.index(int(chosen[row])) for row in own], values[own])

    def absorb(self, other: "Leaders") -> None:
        """Offer what was kept elsewhere."""
        self._points.update(other._points)  # noqa: SLF001 - of the same class
        self._merge(other.indices, other.values)

    def __getstate__(self) -> dict[str, Any]:
        # What an evaluator returned may be large, and is quickly had again.
        return self.__dict__ | {"_points": {}}

    def _merge(self, indices: list[int], values: Floats) -> None:
        indices = [*self.indices, *indices]
        values = np.concatenate([self.values, values])
        # Positions in the grid may be beyond any integer of NumPy.
        in_order = sorted(range(len(indices)), key=indices.__getitem__)
        kept = [in_order[row] for row in self._leading(values[in_order])]
        self.indices = [indices[row] for row in kept]
        self.values = values[kept]
        if len(self._signs) == 1 and len(kept) == self._keep:
            self._last = float(self.values[-1, 0])
        self._points = {i: self._points[i] for i in self.indices if i in self._points}

    def _leading(self, values: Floats) -> list[int]:
        """Find the rows to keep, the first ones of those that tie, and sort them."""
        if values.shape[1] > 1:
            return undominated(values)
        column = values[:, 0]
        if len(column) > self._keep:  # sort no more than needed
            near = np.flatnonzero(column <= np.partition(column, self._keep - 1)[self._keep - 1])
        else:
            near = np.arange(len(column))
        return [int(row) for row in near[np.argsort(column[near], kind="stable")][: self._keep]]
