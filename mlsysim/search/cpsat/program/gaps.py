"""How far comparisons are from holding, as formulas that bound boxes well.

``days <= 30`` fails all over a box where the least ``days`` is above 30.  The
difference of the two sides, rearranged, shows that in far larger boxes than
the sides themselves, and its least value says how much is missing, so that
boxes can be cut where it grows most.
"""

from collections.abc import Iterator

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.search.cpsat.program.rearrange import Rearranger

_UPWARD = frozenset({"less", "less_equal"})
_DOWNWARD = frozenset({"greater", "greater_equal"})


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
    left, *rest = truth.arguments
    match truth.operation.name:
        case "logical_and":
            yield from gaps(left, by)
            yield from gaps(rest[0], by)
        case name if name in _UPWARD:
            yield from _difference(left, rest[0], by)
        case name if name in _DOWNWARD:
            yield from _difference(rest[0], left, by)
        case "equal":
            yield from _difference(left, rest[0], by)
            yield from _difference(rest[0], left, by)
        case _:
            pass


def _difference(small: Node, large: Node, by: Rearranger) -> Iterator[Node]:
    estimate = by.below(by.graph.apply("subtract", small, large))
    if not isinstance(estimate, Constant):
        yield estimate
