"""Read a graph over arrays of designs and over boxes of designs."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr import ranges
from mlsysim.expr.columns import Column, Positions
from mlsysim.expr.compiled.reader import CompiledReader, Effort, Inputs, compiled
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
        self._given = {node.position for node in given}
        steps = _with_last_uses(self._roots, self._given)
        self._nodes = [node for node, _ in steps]
        self._steps = [(node.position, _finding(node, columns), done) for node, done in steps]
        self._effort = Effort(len(steps))

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
        values = dict(known or {})
        shapes = {array.shape for array in (*positions.values(), *values.values())}
        is_flat = len(shapes) == 1 and len(min(shapes)) == 1
        if not (is_flat and self._effort.pays(*min(shapes))) or self._compiled is None:
            return [np.asarray(value, np.float64) for value in self._run(values, positions)]

        def number(key: str | int) -> Array:
            return values[key] if isinstance(key, int) else self._columns[key].at(positions[key])

        def places(key: tuple[tuple[str, ...], tuple[int, ...]]) -> Positions:
            names, lengths = key
            return np.ravel_multi_index([positions[name] for name in names], lengths)

        return list(self._compiled.read(shapes.pop()[0], number, places))

    def _run(self, values: dict[int, Any], positions: Mapping[str, Positions]) -> list[Any]:
        with np.errstate(all="ignore"):
            for position, find, done in self._steps:
                if position not in values:
                    values[position] = find(values, positions)
                for other in done:
                    del values[other]
        return [values[root.position] for root in self._roots]

    @cached_property
    def _compiled(self) -> CompiledReader | None:
        """The same for the machine; nothing where there is none, or it cannot do that."""
        inputs = Inputs()
        return compiled(inputs, lambda: self._run(self._leaves(inputs), {}))

    def _leaves(self, inputs: Inputs) -> dict[int, Any]:
        """Give for what is not computed what stands for it."""
        leaves: dict[int, Any] = {}
        for node in self._nodes:
            match node:
                case _ if node.position in self._given:
                    leaves[node.position] = inputs.number(node.position)
                case Choice(name=name):
                    leaves[node.position] = inputs.number(name)
                case Table(names=names, values=entries):
                    key = names, entries.shape
                    leaves[node.position] = inputs.entry(key, entries.reshape(-1))
                case _:
                    pass
        return leaves


def _finding(
    node: GraphNode, columns: Mapping[str, Column]
) -> Callable[[dict[int, Any], Mapping[str, Positions]], Any]:
    """Give what finds the values of a node at designs from those of its arguments."""
    match node:
        case Constant(value=number):
            value = np.float64(number)
            return lambda _values, _positions: value
        case Choice(name=name):
            column = columns[name]
            return lambda _values, positions: column.at(positions[name])
        case Table(names=names, values=entries):
            return lambda _values, positions: entries[tuple(positions[name] for name in names)]
        case Apply(operation=operation, arguments=arguments):
            # Arithmetic on float64 stays float64; what compares does not.
            compute = _as_number(operation.compute) if operation.truth else operation.compute
            places = [argument.position for argument in arguments]
            if len(places) == 1:
                (only,) = places
                return lambda values, _positions: compute(values[only])
            if len(places) == 2:  # noqa: PLR2004 - without a list: most operations are such
                left, right = places
                return lambda values, _positions: compute(values[left], values[right])
            return lambda values, _positions: compute(*[values[place] for place in places])
        case _:
            raise TypeError(f"a design has no {type(node).__name__}")


def _as_number(compute: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *inputs: compute(*inputs).astype(np.float64)


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
