"""How far comparisons are from holding, as formulas that bound boxes well.

``days <= 30`` fails all over a box where the least ``days`` is above 30.  The
difference of the two sides, rearranged, shows that in far larger boxes than
the sides themselves, and its least value says how much is missing, so that
boxes can be cut where it grows most.
"""

from collections.abc import Iterator

from mlsysim.expr.graph import Apply, GraphNode
from mlsysim.expr.operation import ComparisonOperation, Connection, Connective, Order


def differences(truth: GraphNode) -> Iterator[tuple[GraphNode, GraphNode]]:
    """Give pairs of numbers of which the first is not larger where a condition holds.

    Parameters
    ----------
    truth
        The condition: comparisons, or several of them that must all hold.
    """
    if not isinstance(truth, Apply):
        return
    match truth.operation:
        case Connective(connection=Connection.ALL):
            for argument in truth.arguments:
                yield from differences(argument)
        case ComparisonOperation(relation=relation):
            left, right = truth.arguments
            if relation in {Order.LESS, Order.LESS_EQUAL, Order.EQUAL}:
                yield left, right
            if relation in {Order.GREATER, Order.GREATER_EQUAL, Order.EQUAL}:
                yield right, left
        case _:
            pass
