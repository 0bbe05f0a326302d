"""Bound a formula at the corner of a box where it is least, as elasticities tell.

The elasticity of a positive formula in a choice x is d log f / d log x.  It needs no values:
it is 1 for x; of a product the sum, of a quotient the difference, of a sum or of the larger
of two within the hull of what its parts have.  So ``n * (a / n + b)`` is known to rise with
n, and is least at the low end of n, whatever a and b are; its range over a box says so only
where the box is narrow.

A part that is not taken apart (a truth value, a floor, a difference that may cancel) counts
as a number of its own: its elasticity is zero, and it keeps its whole range over the box.
"""

import math
from collections.abc import Callable, Collection, Iterable

from mlsysim.expr.graph import Apply, Choice, Constant, Graph, GraphNode
from mlsysim.expr.operation import (
    Extreme,
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
_Ends = tuple[tuple[str, bool], ...]
"""Choices, each with the end at which it stands: whether it is the upper one."""

_NONE: Elasticity = (0.0, 0.0)
# More than some hundred operations, off by 1.1e-16 each, can add up to.
_ROUNDING = 1e-12
# So many sums are multiplied out for one estimate.
_MOST_SPLITS = 200


class Corners:
    """Finds estimates of nodes that stand at corners of boxes wherever that is known to be right.

    Parameters
    ----------
    graph
        The graph that holds the nodes; estimates are added to it.
    choices
        Positive choices that may be replaced by one of their ends.
    is_positive
        Tells whether a number is nowhere negative.
    is_whole
        Tells whether a number is whole at every design: differences of such are exact.
    """

    def __init__(
        self,
        graph: Graph,
        choices: Collection[str],
        is_positive: Callable[[GraphNode], bool],
        is_whole: Callable[[GraphNode], bool],
    ) -> None:
        self._graph = graph
        self._choices = sorted(choices)
        self._is_positive = is_positive
        self._is_whole = is_whole
        self._elasticities: dict[tuple[int, str, bool], Elasticity] = {}
        self._written: dict[tuple[int, bool, _Ends], GraphNode] = {}
        self._parts: dict[tuple[int, bool, _Ends], GraphNode] = {}
        self._estimates: dict[tuple[int, bool], GraphNode] = {}
        self._splits = 0

    def estimate(self, node: GraphNode, *, up: bool) -> GraphNode:
        """Give a formula whose lower (upper) end over a box is one of a node, rounding included.

        Parameters
        ----------
        node
            The node.
        up
            Whether the upper end is wanted; only that end of the estimate means anything.
        """
        key = (node.position, up)
        if key not in self._estimates:
            self._estimates[key] = self._estimate(node, up=up)
        return self._estimates[key]

    def _estimate(self, node: GraphNode, *, up: bool) -> GraphNode:
        if not isinstance(node, Apply) or node.truth or not node.support & {*self._choices}:
            return node
        if self._is_composite(node):
            self._splits = 0
            found = self._product(*_factors([node], []), up=up, ends=())
            slack = 1.0 + _ROUNDING if up else 1.0 - _ROUNDING
            return self._graph.apply("multiply", found, self._graph.constant(slack))
        name, arguments = node.operation.name, node.arguments
        match node.operation:
            case Sum(coefficients=coefficients):
                parts = [
                    self.estimate(argument, up=up == (own > 0))
                    for argument, own in zip(arguments, coefficients, strict=True)
                ]
                return self._graph.apply(name, *parts)
            case Extreme():
                return self._graph.apply(name, *(self.estimate(a, up=up) for a in arguments))
            case Selection() if arguments[0].truth:
                parts = [self.estimate(argument, up=up) for argument in arguments[1:]]
                return self._graph.apply(name, arguments[0], *parts)
            case _:
                return node

    def _is_composite(self, node: GraphNode) -> bool:  # noqa: PLR0911 - one case per form
        """Tell whether a formula is taken apart: its parts are positive, and none cancels."""
        if not isinstance(node, Apply) or node.truth or not self._is_positive(node):
            return False
        match node.operation:
            case Sum(coefficients=(1, 1)) | Product() | Quotient() | Extreme() | Square():
                return all(map(self._is_positive, node.arguments))
            case Sum(coefficients=(1, -1)):
                return all(self._is_positive(a) and self._is_exact(a) for a in node.arguments)
            case Selection():
                return node.arguments[0].truth and all(map(self._is_positive, node.arguments[1:]))
            case Power():
                base, exponent = node.arguments
                return isinstance(exponent, Constant) and self._is_positive(base)
            case Rounding(below=below, above=above):
                return (below, above) == (0.0, 1.0) and self._is_positive(node.arguments[0])
            case _:
                return False

    def _is_exact(self, node: GraphNode) -> bool:
        """Tell whether a number and its estimates are whole, so that differences round nothing."""
        if isinstance(node, Apply):
            adds = isinstance(node.operation, Product) or (
                isinstance(node.operation, Sum) and node.operation.coefficients == (1, 1)
            )
            return adds and all(map(self._is_exact, node.arguments))
        return self._is_whole(node)

    def _elasticity(self, node: GraphNode, choice: str, *, up: bool) -> Elasticity:
        if choice not in node.support:
            return _NONE
        if isinstance(node, Choice):
            return (1.0, 1.0)
        if not self._is_composite(node) or not isinstance(node, Apply):
            return _NONE
        key = (node.position, choice, up)
        if key not in self._elasticities:
            self._elasticities[key] = self._of_operation(node, choice, up=up)
        return self._elasticities[key]

    def _of_operation(  # noqa: C901, PLR0911 - one case per form
        self, node: Apply, choice: str, *, up: bool
    ) -> Elasticity:
        def of(place: int, *, up: bool = up) -> Elasticity:
            return self._elasticity(node.arguments[place], choice, up=up)

        match node.operation:
            case Product():
                return _plus(of(0), of(1))
            case Quotient():
                return _plus(of(0), _opposite(of(1, up=not up)))
            case Square():
                return _times(2.0, of(0))
            case Power():
                power = _exponent(node)
                return _times(power, of(0, up=up == (power >= 0)))
            case Sum(coefficients=(1, -1)):
                return self._of_difference(node, choice, up=up)
            case Sum() | Extreme():
                return _hull(of(0), of(1))
            case Selection():
                return _hull(of(1), of(2))
            case Rounding():  # its argument where less is safe, one more where more is
                return _hull(of(0), _NONE) if up else of(0)
            case _:
                return _NONE

    def _of_difference(self, node: Apply, choice: str, *, up: bool) -> Elasticity:
        """Give what a difference has: taking away makes the rest weigh more, and turns its own."""
        left, right = node.arguments
        if choice not in right.support:
            low, high = self._elasticity(left, choice, up=up)
            return (low if low >= 0 else -math.inf), (high if high <= 0 else math.inf)
        low, high = self._elasticity(right, choice, up=not up)
        falls = low >= 0 and choice not in left.support
        rises = high <= 0 and choice not in left.support
        return (0.0 if rises else -math.inf), (0.0 if falls else math.inf)

    def _product(
        self, above: list[GraphNode], below: list[GraphNode], *, up: bool, ends: _Ends
    ) -> GraphNode:
        """Bound a quotient of products of positive numbers."""
        above, below = _cancelled(above, below)
        fixed = dict(ends)
        left: list[str] = []
        support: frozenset[str] = frozenset().union(*(n.support for n in (*above, *below)))
        for choice in (name for name in self._choices if name in support - fixed.keys()):
            low, high = self._of_quotient(above, below, choice, up=up)
            if low >= 0 or high <= 0:
                fixed[choice] = up == (low >= 0)
            else:
                left.append(choice)
        settled = tuple(sorted(fixed.items()))
        apart = self._split(above, below, left, up=up, ends=settled)
        if apart is not None:
            return apart
        top, bottom = self._graph.constant(1.0), self._graph.constant(1.0)
        for node in above:
            top = self._graph.apply("multiply", top, self._at(node, settled, up=up))
        for node in below:
            bottom = self._graph.apply("multiply", bottom, self._at(node, settled, up=not up))
        return self._graph.apply("divide", top, bottom)

    def _of_quotient(
        self, above: list[GraphNode], below: list[GraphNode], choice: str, *, up: bool
    ) -> Elasticity:
        total = _NONE
        for node in above:
            total = _plus(total, self._elasticity(node, choice, up=up))
        for node in below:
            total = _plus(total, _opposite(self._elasticity(node, choice, up=not up)))
        return total

    def _split(
        self,
        above: list[GraphNode],
        below: list[GraphNode],
        left: list[str],
        *,
        up: bool,
        ends: _Ends,
    ) -> GraphNode | None:
        """Multiply out a sum in which a choice occurs whose end is not known."""
        # The outermost first: what it divides by may be another factor, as a whole.
        for place in sorted(range(len(above)), key=lambda place: -above[place].position):
            node = above[place]
            if self._splits >= _MOST_SPLITS or node.support.isdisjoint(left):
                continue
            if (
                isinstance(node, Apply)
                and self._is_composite(node)
                and isinstance(node.operation, Sum)
                and node.operation.coefficients == (1, 1)
            ):
                self._splits += 1
                rest = above[:place] + above[place + 1 :]
                parts = [
                    self._product(*_factors([part, *rest], below), up=up, ends=ends)
                    for part in node.arguments
                ]
                return self._graph.apply("add", *parts)
        return None

    def _at(self, node: GraphNode, ends: _Ends, *, up: bool) -> GraphNode:
        """Bound a positive number where some choices stand at an end."""
        mine = tuple(item for item in ends if item[0] in node.support)
        key = (node.position, up, mine)
        if key not in self._written:
            self._written[key] = self._standing(node, mine, up=up)
        return self._written[key]

    def _standing(  # noqa: PLR0911 - one case per form
        self, node: GraphNode, ends: _Ends, *, up: bool
    ) -> GraphNode:
        if isinstance(node, Choice):
            fixed = dict(ends)
            return self._graph.end(node.name, top=fixed[node.name]) if fixed else node
        if not isinstance(node, Apply) or not self._is_composite(node):
            return self.estimate(node, up=up)
        name, arguments = node.operation.name, node.arguments
        match node.operation:
            case Product() | Quotient():
                return self._product(*_factors([node], []), up=up, ends=ends)
            case Sum(coefficients=(1, -1)):
                left, right = arguments
                parts = [self._settled(left, ends, up=up), self._settled(right, ends, up=not up)]
                apart = self._graph.apply(name, *parts)
                return self._graph.apply("maximum", apart, self._graph.constant(0.0))
            case Power():
                sides = [up == (_exponent(node) >= 0), up]
            case Selection():
                parts = [self._settled(argument, ends, up=up) for argument in arguments[1:]]
                return self._graph.apply(name, arguments[0], *parts)
            case Rounding(above=above):
                inner = self._settled(arguments[0], ends, up=up)
                return self._graph.apply("add", inner, self._graph.constant(above)) if up else inner
            case _:
                sides = [up] * len(arguments)
        parts = [
            self._settled(argument, ends, up=side)
            for argument, side in zip(arguments, sides, strict=True)
        ]
        return self._graph.apply(name, *parts)

    def _settled(self, node: GraphNode, ends: _Ends, *, up: bool) -> GraphNode:
        """Bound a part, which may move one way only where the whole does not."""
        if not isinstance(node, Apply) or not self._is_composite(node):
            return self._at(node, ends, up=up)
        mine = tuple(item for item in ends if item[0] in node.support)
        key = (node.position, up, mine)
        if key not in self._parts:
            self._parts[key] = self._product(*_factors([node], []), up=up, ends=mine)
        return self._parts[key]


def _exponent(node: Apply) -> float:
    exponent = node.arguments[1]
    return exponent.value if isinstance(exponent, Constant) else math.nan


def _factors(
    above: Iterable[GraphNode], below: Iterable[GraphNode]
) -> tuple[list[GraphNode], list[GraphNode]]:
    """Write a quotient of products as the factors above and below."""
    found: tuple[list[GraphNode], list[GraphNode]] = ([], [])
    stack = [(node, False) for node in above] + [(node, True) for node in below]
    while stack:
        node, is_below = stack.pop()
        match node:
            case Apply(operation=Product(), arguments=(left, right)):
                stack += [(left, is_below), (right, is_below)]
            case Apply(operation=Quotient(), arguments=(left, right)):
                stack += [(left, is_below), (right, not is_below)]
            case _:
                found[is_below].append(node)
    return found


def _cancelled(
    above: list[GraphNode], below: list[GraphNode]
) -> tuple[list[GraphNode], list[GraphNode]]:
    """Leave out what stands above and below."""
    rest = list(below)
    kept = []
    for node in above:
        if node in rest:
            rest.remove(node)
        else:
            kept.append(node)
    return kept, rest


def _plus(a: Elasticity, b: Elasticity) -> Elasticity:
    low = -math.inf if -math.inf in (a[0], b[0]) else a[0] + b[0]
    high = math.inf if math.inf in (a[1], b[1]) else a[1] + b[1]
    return low, high


def _opposite(a: Elasticity) -> Elasticity:
    return -a[1], -a[0]


def _times(factor: float, a: Elasticity) -> Elasticity:
    if not factor:
        return _NONE
    ends = factor * a[0], factor * a[1]
    return min(ends), max(ends)


def _hull(a: Elasticity, b: Elasticity) -> Elasticity:
    return min(a[0], b[0]), max(a[1], b[1])
