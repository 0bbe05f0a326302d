"""Bound sub-formulas whose sign intervals leave open by looking at each of their combinations.

``layers * dense + others * (expert - dense)`` is positive for every layout, but as an interval
it reaches below zero, and whatever is divided by it has no bound.  Where such a formula depends
on few combinations, its least and greatest value over a box can be looked up.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mlsysim.expr.columns import Column, Extremes, Positions
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Apply, Graph, GraphNode, reachable
from mlsysim.expr.ranges import Range

# The extremes between all pairs of corners are tabulated: the square of this.
_MOST_CELLS = 256

Ends = Mapping[str, Positions]


class OpenSigns:
    """The sub-formulas of few combinations whose sign is open.

    Parameters
    ----------
    graph
        The graph of the formulas.
    roots
        The formulas.
    columns
        The values of the numeric choices.
    ranges
        The range of every sub-formula over all designs, by intervals.
    """

    def __init__(
        self,
        graph: Graph,
        roots: Sequence[GraphNode],
        columns: Mapping[str, Column],
        ranges: Mapping[int, Range],
    ) -> None:
        found: dict[tuple[str, ...], list[GraphNode]] = {}
        for node in reachable(roots):
            names = tuple(sorted(node.support))
            cells = math.prod(graph.lengths[name] for name in names)
            if isinstance(node, Apply) and not node.truth and 1 < cells <= _MOST_CELLS:
                bound = ranges[node.position]
                if np.any(bound.low < 0) and np.any(bound.high > 0):
                    found.setdefault(names, []).append(node)
        self._tables: list[tuple[int, tuple[str, ...], Extremes]] = []
        for names, nodes in found.items():
            shape = [graph.lengths[name] for name in names]
            grid = dict(zip(names, np.indices(shape).reshape(len(shape), -1), strict=True))
            for node, values in zip(nodes, over_designs(nodes, grid, columns), strict=True):
                table = np.broadcast_to(values, math.prod(shape)).reshape(shape)
                self._tables.append((node.position, names, Extremes(table)))

    def read(self, first: Ends, last: Ends) -> dict[int, Range]:
        """Bound them over boxes, by position in the graph."""
        return {
            position: Range(*extremes.over([(first[name], last[name]) for name in names]))
            for position, names, extremes in self._tables
        }
