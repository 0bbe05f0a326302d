"""The designs that no design seen so far dominates."""

from collections.abc import Sequence

import numpy as np

from mlsysim.search.arrays.block_reading import BlockReading, Booleans, Floats
from mlsysim.search.arrays.layout import Block
from mlsysim.search.arrays.others import Others
from mlsysim.search.goals import undominated
from mlsysim.search.verify import Point


class FrontLeaders:
    """Keeps one design for each vector of objectives that is not dominated.

    Parameters
    ----------
    signs
        The factors that make every objective one to be minimised.
    others
        Reads the objectives besides the first off a design.
    """

    def __init__(self, signs: Sequence[int], others: Others) -> None:
        self.indices: list[int] = []
        self.values: Floats = np.empty((0, len(signs)))
        self._signs = signs
        self._others = others

    @property
    def best(self) -> float | None:
        """There is no single best design."""
        return None

    def add_point(self, index: int, objective: float, point: Point) -> None:
        """Offer one design."""
        self._merge([index], np.array([[objective, *self._others.of_point(point)]]) * self._signs)

    def add_block(self, block: Block, reading: BlockReading, feasible: Booleans) -> None:
        """Offer the feasible designs of a block."""
        chosen = np.flatnonzero(feasible)
        columns = (reading.objective, *reading.others)
        values = np.stack([column[chosen] for column in columns], axis=1) * self._signs
        # Within a block the order of the points is that of the grid.
        own = undominated(values)
        self._merge([block.index(int(chosen[row])) for row in own], values[own])

    def absorb(self, other: "FrontLeaders") -> None:
        """Offer what was kept elsewhere."""
        self._merge(other.indices, other.values)

    def _merge(self, indices: list[int], values: Floats) -> None:
        indices = [*self.indices, *indices]
        values = np.concatenate([self.values, values])
        # Positions in the grid may be beyond any integer of NumPy.
        in_order = sorted(range(len(indices)), key=indices.__getitem__)
        kept = [in_order[row] for row in undominated(values[in_order])]
        self.indices = [indices[row] for row in kept]
        self.values = values[kept]
