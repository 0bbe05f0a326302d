"""Replace sub-formulas of few choices by tables: exact over boxes, and cheap.

The range of a long formula over a box is wider than its values, and costs one
operation after the other.  Where its choices have few combinations together, a
look-up of the least and the greatest entry is both exact and quick.

A hole of a table (no such thing exists) leaves every box with it open at both ends.  Where a
condition excludes the designs that meet the hole, its entry decides nothing, and that of a
neighbour takes its place.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Apply, Graph, GraphNode, Table, reachable

Mask = NDArray[np.bool_]

# The extremes between all pairs of corners are tabulated: the square of this.
_MOST_CELLS = 256
# A look-up costs about as much as so many operations.
_FEWEST_OPERATIONS = 8


def condense(
    graph: Graph,
    roots: Sequence[GraphNode],
    columns: Mapping[str, Column],
    conditions: Sequence[GraphNode] = (),
) -> list[GraphNode]:
    """Rewrite formulas with tables for the parts that depend on few combinations.

    Parameters
    ----------
    graph
        The graph that holds the formulas; the new ones are added to it.
    roots
        The formulas.
    columns
        The values of the numeric choices.
    conditions
        What holds for every design that matters.

    Returns
    -------
    list of Node
        Formulas that have the same values at these designs, in the same order.
    """
    guards = [node for node in conditions if isinstance(node, Table)]
    nodes = reachable(roots)
    lengths = _lengths(nodes)
    wanted = {root.position for root in roots}
    tabulated = set()
    for node in reversed(nodes):
        if node.position in wanted and isinstance(node, Apply):
            if lengths[node.position] >= _FEWEST_OPERATIONS and _is_small(graph, node):
                tabulated.add(node.position)
            else:
                wanted |= {argument.position for argument in node.arguments}
    written: dict[int, GraphNode] = {}
    for node in nodes:
        if node.position in tabulated:
            written[node.position] = _filled(graph, _table(graph, node, columns), guards)
        elif node.position in wanted and isinstance(node, Apply):
            arguments = [written[argument.position] for argument in node.arguments]
            written[node.position] = graph.apply(node.operation.name, *arguments)
        else:
            written[node.position] = _filled(graph, node, guards)
    return [written[root.position] for root in roots]


def _lengths(nodes: Sequence[GraphNode]) -> dict[int, int]:
    """Count the operations of formulas, a shared one as often as it is used."""
    lengths: dict[int, int] = {}
    for node in nodes:
        inner = [lengths[a.position] for a in node.arguments] if isinstance(node, Apply) else [-1]
        lengths[node.position] = 1 + sum(inner)
    return lengths


def _is_small(graph: Graph, node: GraphNode) -> bool:
    return not node.truth and math.prod(graph.lengths[name] for name in node.support) <= _MOST_CELLS


def _table(graph: Graph, node: GraphNode, columns: Mapping[str, Column]) -> GraphNode:
    names = tuple(sorted(node.support))
    shape = [graph.lengths[name] for name in names]
    grid = np.indices(shape).reshape(len(shape), -1)
    (values,) = over_designs([node], dict(zip(names, grid, strict=True)), columns)
    return graph.table(names, np.broadcast_to(values, grid.shape[1]).reshape(shape))


def _filled(graph: Graph, node: GraphNode, guards: Sequence[Table]) -> GraphNode:
    """Give the holes of a table that some condition excludes the value of a neighbour."""
    if not isinstance(node, Table) or not np.any(holes := np.isnan(node.values)):
        return node
    excluded = np.zeros(holes.shape, np.bool_)
    for guard in guards:
        if {*guard.names} <= {*node.names}:
            excluded |= _spread(guard.values == 0, guard.names, node.names)
    values = node.values.copy()
    fillable = holes & excluded
    for axis in reversed(range(values.ndim)):
        # Forth and back along the axis: each hole takes what stands before it.
        for way in (1, -1):
            along = np.moveaxis(values, axis, 0)[::way]
            gaps = np.moveaxis(fillable, axis, 0)[::way]
            for place in range(1, len(along)):
                open_ = gaps[place] & np.isnan(along[place])
                along[place] = np.where(open_, along[place - 1], along[place])
    return graph.table(node.names, values, truth=node.truth)


def _spread(cells: Mask, names: Sequence[str], over: Sequence[str]) -> Mask:
    """Repeat a table along the axes that another has beside its own."""
    ordered = np.moveaxis(cells, [names.index(n) for n in over if n in names], range(len(names)))
    return ordered[tuple(slice(None) if name in names else None for name in over)]
