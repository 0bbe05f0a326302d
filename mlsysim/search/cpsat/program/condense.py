"""Replace sub-formulas of few choices by tables: exact over boxes, and cheap.

The range of a long formula over a box is wider than its values, and costs one
operation after the other.  Where its choices have few combinations together, a
look-up of the least and the greatest entry is both exact and quick.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Apply, Graph, Node, reachable

# The extremes between all pairs of corners are tabulated: the square of this.
_MOST_CELLS = 256
# A look-up costs about as much as so many operations.
_FEWEST_OPERATIONS = 8


def condense(graph: Graph, roots: Sequence[Node], columns: Mapping[str, Column]) -> list[Node]:
    """Rewrite formulas with tables for the parts that depend on few combinations.

    Parameters
    ----------
    graph
        The graph that holds the formulas; the new ones are added to it.
    roots
        The formulas.
    columns
        The values of the numeric choices.

    Returns
    -------
    list of Node
        Formulas that have the same values, in the same order.
    """
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
    written: dict[int, Node] = {}
    for node in nodes:
        if node.position in tabulated:
            written[node.position] = _table(graph, node, columns)
        elif node.position in wanted and isinstance(node, Apply):
            arguments = [written[argument.position] for argument in node.arguments]
            written[node.position] = graph.apply(node.operation.name, *arguments)
        else:
            written[node.position] = node
    return [written[root.position] for root in roots]


def _lengths(nodes: Sequence[Node]) -> dict[int, int]:
    """Count the operations of formulas, a shared one as often as it is used."""
    lengths: dict[int, int] = {}
    for node in nodes:
        inner = [lengths[a.position] for a in node.arguments] if isinstance(node, Apply) else [-1]
        lengths[node.position] = 1 + sum(inner)
    return lengths


def _is_small(graph: Graph, node: Node) -> bool:
    return not node.truth and math.prod(graph.lengths[name] for name in node.support) <= _MOST_CELLS


def _table(graph: Graph, node: Node, columns: Mapping[str, Column]) -> Node:
    names = tuple(sorted(node.support))
    shape = [graph.lengths[name] for name in names]
    grid = np.indices(shape).reshape(len(shape), -1)
    (values,) = over_designs([node], dict(zip(names, grid, strict=True)), columns)
    return graph.table(names, np.broadcast_to(values, grid.shape[1]).reshape(shape))
