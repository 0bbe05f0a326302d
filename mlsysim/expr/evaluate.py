"""Read a graph over arrays of designs and over boxes of designs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr import ranges
from mlsysim.expr.columns import Column, Extremes, Positions
from mlsysim.expr.graph import Apply, Choice, Constant, Node, Table, reachable
from mlsysim.expr.ranges import Range

Array = NDArray[np.float64]


def over_designs(
    roots: Iterable[Node], positions: Mapping[str, Positions], columns: Mapping[str, Column]
) -> list[Array]:
    """Evaluate nodes at many designs.

    Parameters
    ----------
    roots
        The nodes wanted.
    positions
        For each choice the position of its value in each design; the shapes
        broadcast together.
    columns
        The values of the numeric choices.

    Returns
    -------
    list
        The values of each root, in float64, rounded as the evaluator rounds
        them on plain floats.
    """
    wanted = list(roots)
    values: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for node in reachable(wanted):
            match node:
                case Constant():
                    value: Any = np.float64(node.value)
                case Choice():
                    value = columns[node.name].at(positions[node.name])
                case Table():
                    value = node.values[tuple(positions[name] for name in node.names)]
                case Apply():
                    inputs = (values[argument.position] for argument in node.arguments)
                    value = np.asarray(node.operation.compute(*inputs), np.float64)
            values[node.position] = value
    return [values[root.position] for root in wanted]


class BoxReader:
    """Bounds nodes over many boxes of designs.

    A box is a range of positions for each choice.

    Parameters
    ----------
    roots
        The nodes wanted.
    columns
        The values of the numeric choices.
    """

    def __init__(self, roots: Iterable[Node], columns: Mapping[str, Column]) -> None:
        self._roots = list(roots)
        self._nodes = reachable(self._roots)
        self._columns = columns
        self._extremes = {
            node.position: Extremes(node.values) for node in self._nodes if isinstance(node, Table)
        }

    def read(
        self,
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
        known: Mapping[int, Range] | None = None,
    ) -> list[Range]:
        """Bound every root over every box.

        Parameters
        ----------
        first, last
            For each choice the first and the last position in each box.
        known
            The ranges of nodes, by position, that are known better than by their arguments.

        Returns
        -------
        list
            One `Range` per root.
        """
        bounds: dict[int, Range] = dict(known or {})
        with np.errstate(all="ignore"):
            for node in self._nodes:
                if node.position in bounds:
                    continue
                match node:
                    case Constant():
                        bound = ranges.point(node.value)
                    case Choice():
                        name = node.name
                        bound = Range(*self._columns[name].extremes(first[name], last[name]))
                    case Table():
                        axes = [(first[name], last[name]) for name in node.names]
                        bound = Range(*self._extremes[node.position].over(axes))
                    case Apply():
                        inputs = (bounds[argument.position] for argument in node.arguments)
                        bound = node.operation.bound(*inputs)
                bounds[node.position] = bound
        return [bounds[root.position] for root in self._roots]
