"""Read a graph over arrays of designs and over boxes of designs."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr import ranges
from mlsysim.expr.columns import Column, Positions
from mlsysim.expr.graph import Apply, Choice, Constant, End, GraphNode, Table, reachable
from mlsysim.expr.ranges import Range

Array = NDArray[np.float64]


def over_designs(
    roots: Iterable[GraphNode], positions: Mapping[str, Positions], columns: Mapping[str, Column]
) -> list[Array]:
    """Evaluate nodes at many designs, once; see `DesignReader.read`."""
    return DesignReader(roots, columns).read(positions)


class DesignReader:
    """Evaluates nodes at many designs.

    Parameters
    ----------
    roots
        The nodes wanted.
    columns
        The values of the numeric choices.
    given
        Nodes whose values whoever reads will give.
    """

    def __init__(
        self,
        roots: Iterable[GraphNode],
        columns: Mapping[str, Column],
        given: Iterable[GraphNode] = (),
    ) -> None:
        self._roots = list(roots)
        self._columns = columns
        self._steps = _with_last_uses(self._roots, {node.position for node in given})

    def read(
        self, positions: Mapping[str, Positions], known: Mapping[int, Array] | None = None
    ) -> list[Array]:
        """Evaluate every root.

        Parameters
        ----------
        positions
            For each choice the position of its value in each design; the shapes
            broadcast together.
        known
            The values of the nodes that are given, by position in the graph.

        Returns
        -------
        list
            The values of each root, in float64, rounded as the evaluator rounds
            them on plain floats.
        """
        values: dict[int, Any] = {}
        given = known or {}
        with np.errstate(all="ignore"):
            for node, done in self._steps:
                at = node.position
                if at in given:
                    values[at] = given[at]
                elif isinstance(node, Apply):  # most are: a search reads a few designs very often
                    inputs = [values[argument.position] for argument in node.arguments]
                    values[at] = np.asarray(node.operation.compute(*inputs), np.float64)
                else:
                    values[at] = self._leaf(node, positions)
                for position in done:
                    del values[position]
        return [values[root.position] for root in self._roots]

    def _leaf(self, node: GraphNode, positions: Mapping[str, Positions]) -> Any:
        """Look up the values of a node that is made of no other."""
        match node:
            case Constant():
                return np.float64(node.value)
            case Choice():
                return self._columns[node.name].at(positions[node.name])
            case Table():
                return node.values[tuple(positions[name] for name in node.names)]
            case _:
                raise TypeError(f"no design has the value of a {type(node).__name__}")


class BoxReader:
    """Bounds nodes over many boxes of designs.

    A box is a range of positions for each choice.

    Parameters
    ----------
    roots
        The nodes wanted.
    columns
        The values of the numeric choices.
    given
        The positions of nodes whose ranges whoever reads will give.
    """

    def __init__(
        self,
        roots: Iterable[GraphNode],
        columns: Mapping[str, Column],
        given: Collection[int] = (),
    ) -> None:
        self._roots = list(roots)
        self._steps = _with_last_uses(self._roots, given)
        self._columns = columns

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
            for node, done in self._steps:
                if node.position not in bounds:
                    bounds[node.position] = self._bound(node, bounds, first, last)
                for position in done:
                    bounds.pop(position, None)
        return [bounds[root.position] for root in self._roots]

    def read_all(
        self,
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
        known: Mapping[int, Range] | None = None,
    ) -> dict[int, Range]:
        """Bound every root over every box, and all that they are made of, by position."""
        bounds: dict[int, Range] = dict(known or {})
        with np.errstate(all="ignore"):
            for node, _ in self._steps:
                if node.position not in bounds:
                    bounds[node.position] = self._bound(node, bounds, first, last)
        return bounds

    def _bound(
        self,
        node: GraphNode,
        bounds: Mapping[int, Range],
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
    ) -> Range:
        if isinstance(node, Apply):  # most are
            inputs = [bounds[argument.position] for argument in node.arguments]
            return node.operation.bound(*inputs)
        match node:
            case Constant():
                return ranges.point(node.value)
            case Choice():
                name = node.name
                return Range(*self._columns[name].extremes(first[name], last[name]))
            case End(name=name, top=top):
                end = self._columns[name].extremes(first[name], last[name])[top]
                return Range(end, end)
            case Table():
                axes = [(first[name], last[name]) for name in node.names]
                return Range(*node.extremes.over(axes))
            case _:
                raise TypeError(f"a graph holds no {type(node).__name__}")


def _with_last_uses(
    roots: Iterable[GraphNode], ends: Collection[int] = ()
) -> list[tuple[GraphNode, tuple[int, ...]]]:
    """List the nodes that roots need, each with those that nothing after it needs."""
    wanted = {root.position for root in roots}
    nodes = reachable(roots, ends)
    last: dict[int, int] = {}
    for node in nodes:
        if isinstance(node, Apply) and node.position not in ends:
            for argument in node.arguments:
                last[argument.position] = node.position
    done: dict[int, list[int]] = {}
    for position, user in last.items():
        if position not in wanted:
            done.setdefault(user, []).append(position)
    return [(node, tuple(done.get(node.position, ()))) for node in nodes]
