"""How positive numbers grow with choices, relatively: elasticities, which need no values.

The elasticity of a positive formula in a choice x is d log f / d log x.  It is 1 for x; of a
product the sum, of a quotient the difference, of a sum or of the larger of two within the
hull of what its parts have.

What is taken apart stands for its positive part, max(f, 0).  That of a maximum is the maximum
of those of its arguments, so one of these may be a difference of any sign.  A difference of
positive numbers, of which the first grows no slower than the second, grows no slower than the
first.

A part that is not taken apart (a truth value, a remainder) counts as a number of its own: its
elasticity is zero.
"""

import math
from collections.abc import Callable, Iterable

from mlsysim.expr.graph import Apply, Choice, Constant, GraphNode
from mlsysim.expr.operation import (
    Division,
    Extreme,
    Part,
    Power,
    Product,
    Quotient,
    Rounding,
    Selection,
    Square,
    Sum,
)

Elasticity = tuple[float, float]
"""The least and the greatest there is."""

NONE: Elasticity = (0.0, 0.0)
_CEIL, _FLOOR = (0.0, 1.0), (-1.0, 0.0)


class Elasticities:
    """Finds elasticities of the estimates by which a number is bounded.

    Parameters
    ----------
    is_positive
        Tells whether a number is nowhere negative.
    """

    def __init__(self, is_positive: Callable[[GraphNode], bool]) -> None:
        self._is_positive = is_positive
        self._known: dict[tuple[int, str, bool], Elasticity] = {}

    def is_composite(self, node: GraphNode) -> bool:
        """Tell whether a number is taken apart: its positive part is one of its arguments'."""
        if not isinstance(node, Apply) or node.truth:
            return False
        needed = _positive_arguments(node)
        return needed is not None and all(map(self._is_positive, needed))

    def factors(
        self, above: Iterable[GraphNode], below: Iterable[GraphNode]
    ) -> tuple[list[GraphNode], list[GraphNode]]:
        """Write a quotient of products as the factors above and below."""
        found: tuple[list[GraphNode], list[GraphNode]] = ([], [])
        stack = [(node, False) for node in above] + [(node, True) for node in below]
        while stack:
            node, is_below = stack.pop()
            match node:
                case Apply(operation=Product(), arguments=parts) if self.is_composite(node):
                    stack += [(part, is_below) for part in parts]
                case Apply(operation=Quotient(), arguments=parts) if self.is_composite(node):
                    stack += [(parts[0], is_below), (parts[1], not is_below)]
                case _:
                    found[is_below].append(node)
        return found

    def of(self, node: GraphNode, choice: str, *, up: bool) -> Elasticity:
        """Give the elasticity of the estimate that errs upwards, or downwards, of a number."""
        if choice not in node.support:
            return NONE
        if isinstance(node, Choice):
            return (1.0, 1.0)
        if not self.is_composite(node) or not isinstance(node, Apply):
            return NONE
        key = (node.position, choice, up)
        if key not in self._known:
            self._known[key] = self._of_operation(node, choice, up=up)
        return self._known[key]

    def _of_operation(  # noqa: C901, PLR0911 - one case per form
        self, node: Apply, choice: str, *, up: bool
    ) -> Elasticity:
        def of(place: int, *, up: bool = up) -> Elasticity:
            return self.of(node.arguments[place], choice, up=up)

        match node.operation:
            case Product():
                return _plus(of(0), of(1))
            case Quotient():
                return _plus(of(0), _opposite(of(1, up=not up)))
            case Square():
                return _times(2.0, of(0))
            case Power():
                power = exponent(node)
                return _times(power, of(0, up=up == (power >= 0)))
            case Sum(coefficients=(1, -1)):
                return _of_difference(of(0), of(1, up=not up))
            case Sum() | Extreme():
                return _hull(of(0), of(1))
            case Selection():
                return _hull(of(1), of(2))
            case Rounding() | Division():
                smooth = self.of_quotient(node.arguments[:1], node.arguments[1:], choice, up=up)
                return NONE if is_floor(node) and not up else _hull(smooth, NONE)
            case _:
                return NONE

    def of_quotient(
        self, above: Iterable[GraphNode], below: Iterable[GraphNode], choice: str, *, up: bool
    ) -> Elasticity:
        """Give the elasticity of a product of numbers, divided by others."""
        total = NONE
        for node in above:
            total = _plus(total, self.of(node, choice, up=up))
        for node in below:
            total = _plus(total, _opposite(self.of(node, choice, up=not up)))
        return total


def _positive_arguments(node: Apply) -> tuple[GraphNode, ...] | None:
    """Give the arguments that must be positive for a node to be taken apart; else nothing."""
    match node.operation:
        case Extreme():
            return ()
        case Selection() if node.arguments[0].truth:
            return ()
        case Power() if isinstance(node.arguments[1], Constant):
            return node.arguments[:1]
        case Sum(coefficients=(_, _)) | Product() | Quotient() | Square():
            return node.arguments
        case _:
            return node.arguments if is_ceil(node) or is_floor(node) else None


def exponent(node: Apply) -> float:
    """Give the exponent of a power; not a number where it is no constant."""
    power = node.arguments[1]
    return power.value if isinstance(power, Constant) else math.nan


def is_ceil(node: Apply) -> bool:
    """Tell whether a number is rounded up to a whole one."""
    operation = node.operation
    return isinstance(operation, Rounding) and (operation.below, operation.above) == _CEIL


def is_floor(node: Apply) -> bool:
    """Tell whether a number, or a quotient, is rounded down to a whole one."""
    match node.operation:
        case Rounding(below=below, above=above):
            return (below, above) == _FLOOR
        case Division(part=part):
            return part is Part.COUNT
        case _:
            return False


def _plus(a: Elasticity, b: Elasticity) -> Elasticity:
    low = -math.inf if -math.inf in (a[0], b[0]) else a[0] + b[0]
    high = math.inf if math.inf in (a[1], b[1]) else a[1] + b[1]
    return low, high


def _opposite(a: Elasticity) -> Elasticity:
    return -a[1], -a[0]


def _times(factor: float, a: Elasticity) -> Elasticity:
    if not factor:
        return NONE
    ends = factor * a[0], factor * a[1]
    return min(ends), max(ends)


def _of_difference(a: Elasticity, b: Elasticity) -> Elasticity:
    """Give what a difference has: where its first side grows faster, at least as much as that."""
    return (a[0] if a[0] >= b[1] else -math.inf), (a[1] if a[1] <= b[0] else math.inf)


def _hull(a: Elasticity, b: Elasticity) -> Elasticity:
    return min(a[0], b[0]), max(a[1], b[1])
