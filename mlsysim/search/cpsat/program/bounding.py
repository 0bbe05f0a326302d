"""Bound the objectives of a program over boxes, and tell how far its conditions are from holding.

Each objective has three lower bounds: as it is written, rearranged, and at the corners of the
box; each comparison the last two of its difference.  Only the ends that decide are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlsysim.expr.ends import EndReader, Ends
from mlsysim.expr.graph import Constant, Graph, GraphNode
from mlsysim.search.cpsat.program.boxes import Boxes
from mlsysim.search.cpsat.program.corners import Corners
from mlsysim.search.cpsat.program.gaps import differences
from mlsysim.search.cpsat.program.rows import Array


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """A condition with formulas that are nowhere above zero where it holds.

    Parameters
    ----------
    truth
        The condition.
    gaps
        The formulas.
    """

    truth: GraphNode
    gaps: tuple[GraphNode, ...]


class Bounder:
    """Bounds a program over boxes.

    Parameters
    ----------
    objectives
        For each objective the formulas that are nowhere above it.
    conditions
        What must hold.
    ends
        What is known of the formulas.
    names
        The choices, in the order of the boxes' columns.
    """

    def __init__(
        self,
        objectives: Sequence[Sequence[GraphNode]],
        conditions: Sequence[Comparing],
        ends: Ends,
        names: Sequence[str],
    ) -> None:
        self._estimates = [len(estimates) for estimates in objectives]
        self._gaps = [len(condition.gaps) for condition in conditions]
        self._names = tuple(names)
        wanted = [(node, False) for estimates in objectives for node in estimates]
        for condition in conditions:
            wanted += [(condition.truth, False), (condition.truth, True)]
            wanted += [(gap, False) for gap in condition.gaps]
        self._reader = EndReader(wanted, ends)

    def read(self, boxes: Boxes) -> tuple[Array, Array]:
        """Bound boxes.

        Returns
        -------
        array
            A lower bound on each objective in each box; infinite where a condition cannot hold.
        array
            The least value of each gap: above zero its condition cannot hold; minus infinity
            where the condition holds for certain.
        """
        first = dict(zip(self._names, boxes.first.T, strict=True))
        last = dict(zip(self._names, boxes.last.T, strict=True))
        count = len(boxes)
        ends = (np.broadcast_to(end, count) for end in self._reader.read(first, last))
        low = boxes.bound.copy()
        for column, estimates in enumerate(self._estimates):
            for _ in range(estimates):
                np.maximum(low[:, column], next(ends), out=low[:, column])
        possible = np.ones(count, np.bool_)
        gaps = np.empty((count, sum(self._gaps)))
        place = 0
        for comparisons in self._gaps:
            least, most = next(ends), next(ends)
            possible &= (most != 0) | (least != 0)
            for _ in range(comparisons):
                gap = next(ends)
                possible &= ~(gap > 0)
                gaps[:, place] = np.where(least > 0, -np.inf, gap)
                place += 1
        return np.where(possible[:, None], low, np.inf), gaps


def corner_gaps(graph: Graph, truth: GraphNode, corners: Corners) -> tuple[GraphNode, ...]:
    """Give formulas at corners that are nowhere above zero where a condition holds."""
    found = (
        graph.apply("subtract", corners.estimate(small, up=False), corners.estimate(large, up=True))
        for small, large in differences(truth)
    )
    return tuple(gap for gap in found if not isinstance(gap, Constant))
