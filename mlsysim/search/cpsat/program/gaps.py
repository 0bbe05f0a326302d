"""How far comparisons are from holding, as formulas that bound boxes well.

``days <= 30`` fails all over a box where the least ``days`` is above 30.  The
difference of the two sides, rearranged, shows that in far larger boxes than
the sides themselves, and its least value says how much is missing, so that
boxes can be cut where it grows most.
"""

from collections.abc import Iterator

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.expr.operation import Comparison, Connection, Connective, Relation
from mlsysim.search.cpsat.program.rearrange import Rearranger


def gaps(truth: Node, by: Rearranger) -> Iterator[Node]:
    """Give formulas that are nowhere above zero where a condition holds.

    Parameters
    ----------
    truth
        The condition: comparisons, or several of them that must all hold.
    by
        Rearranges the differences.
    """
    if not isinstance(truth, Apply):
        return
    match truth.operation:
        case Connective(connection=Connection.ALL):
            for argument in truth.arguments:
                yield from gaps(argument, by)
        case Comparison(relation=relation):
            left, right = truth.arguments
            if relation in {Relation.LESS, Relation.LESS_EQUAL, Relation.EQUAL}:
                yield from _difference(left, right, by)
            if relation in {Relation.GREATER, Relation.GREATER_EQUAL, Relation.EQUAL}:
                yield from _difference(right, left, by)
        case _:
            pass


def _difference(small: Node, large: Node, by: Rearranger) -> Iterator[Node]:
    estimate = by.below(by.graph.apply("subtract", small, large))
    if not isinstance(estimate, Constant):
        yield estimate
