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
        self._names = tuple(names)
        self._estimates = [len(estimates) for estimates in objectives]
        self._conditions = len(conditions)
        # The place of the condition of each gap.
        gaps = [(place, gap) for place, own in enumerate(conditions) for gap in own.gaps]
        self._own = np.array([place for place, _ in gaps], np.int64)
        wanted = [(node, False) for estimates in objectives for node in estimates]
        wanted += [(condition.truth, top) for top in (False, True) for condition in conditions]
        wanted += [(gap, False) for _, gap in gaps]
        self._reader = EndReader(wanted, ends)

    def bound(self, boxes: Boxes) -> Array:
        """Give a lower bound on each objective in each box, one row per box.

        It is infinite where some condition cannot hold.
        """
        return self._bound(boxes)[0]

    def bound_with_gaps(self, boxes: Boxes) -> tuple[Array, Array]:
        """Bound boxes, and give the least value of each gap.

        Returns
        -------
        array
            As `bound` gives it.
        array
            One row per box: above zero its condition cannot hold; minus infinity where the
            condition holds for certain.
        """
        bound, least, gaps = self._bound(boxes)
        return bound, np.where(least[self._own] > 0, -np.inf, gaps).T

    def _bound(self, boxes: Boxes) -> tuple[Array, Array, Array]:
        """Bound boxes; give the least values of conditions and of gaps, too, one row for each."""
        first, last = (
            dict(zip(self._names, np.ascontiguousarray(side.T), strict=True))
            for side in (boxes.first, boxes.last)
        )
        parts = np.cumsum([*self._estimates, self._conditions, self._conditions])
        *estimates, least, most, gaps = np.split(self._reader.read(first, last), parts)
        impossible = ((most == 0) & (least == 0)).any(axis=0) | (gaps > 0).any(axis=0)
        low = np.stack([own.max(axis=0, initial=-np.inf) for own in estimates], axis=1)
        low = np.where(impossible[:, None], np.inf, np.maximum(boxes.bound, low))
        return low, least, gaps


def corner_gaps(graph: Graph, truth: GraphNode, corners: Corners) -> tuple[GraphNode, ...]:
    """Give formulas at corners that are nowhere above zero where a condition holds."""
    found = (
        graph.apply("subtract", corners.estimate(small, up=False), corners.estimate(large, up=True))
        for small, large in differences(truth)
    )
    return tuple(gap for gap in found if not isinstance(gap, Constant))
