"""The combinations of the choices that a sub-formula depends on, within a box."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import GraphNode
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.program.boxes import Boxes
from mlsysim.search.cpsat.program.program import Program


class CellReader:
    """Lists, evaluates and addresses combinations of choices.

    Parameters
    ----------
    program
        What is minimised.
    model
        Where variables go.
    positions
        The position of each choice.
    box
        The one box that holds every design of interest.
    """

    def __init__(
        self,
        program: Program,
        model: cp_model.CpModel,
        positions: Mapping[str, cp_model.IntVar],
        box: Boxes,
    ) -> None:
        self._program = program
        self._model = model
        self._positions = positions
        self._box = box
        self._flat: dict[tuple[str, ...], cp_model.LinearExprT] = {}

    def sizes(self, node: GraphNode) -> list[int]:
        """Count the positions of each choice that a node depends on."""
        box = self._box
        return [int(box.last[0, c] - box.first[0, c]) + 1 for c in self._columns(node)]

    def starts(self, node: GraphNode) -> list[int]:
        """Give the first position of each choice that a node depends on."""
        return [int(self._box.first[0, column]) for column in self._columns(node)]

    def values(self, node: GraphNode) -> NDArray[np.float64]:
        """Evaluate a node at every combination of its choices, in grid order."""
        starts, sizes = self.starts(node), self.sizes(node)
        axes = [start + np.arange(size) for start, size in zip(starts, sizes, strict=True)]
        grids = np.meshgrid(*axes, indexing="ij")
        at = {name: grid.ravel() for name, grid in zip(self._support(node), grids, strict=True)}
        (values,) = over_designs([node], at, self._program.columns)
        return np.broadcast_to(values, math.prod(sizes))

    def place(self, node: GraphNode) -> cp_model.LinearExprT:
        """Give the position of the present combination in `values`, as a linear expression."""
        names = self._support(node)
        if names not in self._flat:
            self._flat[names] = self._flattened(node)
        return self._flat[names]

    def _flattened(self, node: GraphNode) -> cp_model.LinearExprT:
        place: Any = 0  # OR-Tools' own types do not add up
        sizes = self.sizes(node)
        for name, start, size in zip(self._support(node), self.starts(node), sizes, strict=True):
            place = place * size + (self._positions[name] - start)
        if len(sizes) == 1:
            return place
        flat = self._model.new_int_var(0, math.prod(sizes) - 1, "")
        self._model.add(flat == place)
        return flat

    def _support(self, node: GraphNode) -> tuple[str, ...]:
        return tuple(sorted(node.support, key=self._places.__getitem__))

    def _columns(self, node: GraphNode) -> list[int]:
        return [self._places[name] for name in self._support(node)]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._program.names)}
