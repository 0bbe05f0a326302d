"""What is known of the formulas of a question over all its designs: it serves all its programs.

A search asks one question in many forms: without this requirement or that, or for what is
missing to a third.  They share their formulas, and so all that is found out about these.
"""

from collections.abc import Mapping

import numpy as np

from mlsysim.expr.columns import Column
from mlsysim.expr.ends import Ends
from mlsysim.expr.graph import Graph
from mlsysim.search.cpsat.program.corners import Corners
from mlsysim.search.cpsat.program.rearrange import Rearranger

# A choice of fewer positions is soon a single one, and needs no corners.
_FEWEST_POSITIONS = 16


class Estimates:
    """Finds formulas that bound others well over boxes.

    Parameters
    ----------
    graph
        The graph that holds the formulas; estimates are added to it.
    columns
        The values of the numeric choices.

    Attributes
    ----------
    ends
        Which ends of numbers depend on which.
    rearranger
        Estimates as sums of monomials.
    corners
        Estimates at corners of boxes.
    """

    def __init__(self, graph: Graph, columns: Mapping[str, Column]) -> None:
        self.ends = Ends(columns, graph.lengths)
        self.rearranger = Rearranger(graph, self.ends.range_of)
        names = [name for name in graph.lengths if _has_corners(graph, columns, name)]
        self.corners = Corners(graph, names, self.rearranger.is_positive)


def _has_corners(graph: Graph, columns: Mapping[str, Column], name: str) -> bool:
    """Tell whether a choice is long enough for its ends to say more, and positive."""
    column, length = columns.get(name), graph.lengths[name]
    if column is None or length < _FEWEST_POSITIONS or not column.is_monotone:
        return False
    return bool(np.all(column.at(np.array([0, length - 1])) > 0))
