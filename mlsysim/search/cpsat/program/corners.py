"""Bound a formula at the corner of a box where it is least, as elasticities tell.

``n * (a / n + b)`` is known to rise with n, and is least at the low end of n, whatever a and b
are; its range over a box says so only where the box is narrow.

A rounded number is bounded twice: by what is rounded, which is smooth, and by its own range
over the box, which is exact where the box is narrow.  Whatever is not taken apart keeps its
whole range over the box.
"""

from collections.abc import Callable, Collection

from mlsysim.expr.graph import Apply, Choice, Constant, Graph, GraphNode
from mlsysim.expr.operation import (
    Division,
    Extreme,
    Power,
    Product,
    Quotient,
    Rounding,
    Selection,
    Sum,
)
from mlsysim.search.cpsat.program.elasticities import Elasticities, exponent, is_ceil, is_floor

_Ends = tuple[tuple[str, bool], ...]
"""Choices, each with the end at which it stands: whether it is the upper one."""

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
    """

    def __init__(
        self,
        graph: Graph,
        choices: Collection[str],
        is_positive: Callable[[GraphNode], bool],
    ) -> None:
        self._graph = graph
        self._choices = sorted(choices)
        self._is_positive = is_positive
        self._growth = Elasticities(is_positive)
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
        if self._growth.is_composite(node) and self._is_positive(node):
            self._splits = 0
            return self._with_slack(
                self._product(*self._growth.factors([node], []), up=up, ends=()), up=up
            )
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

    def _with_slack(self, node: GraphNode, *, up: bool) -> GraphNode:
        """Allow for the rounding of a formula in which nothing cancels."""
        slack = 1.0 + _ROUNDING if up else 1.0 - _ROUNDING
        return self._graph.apply("multiply", node, self._graph.constant(slack))

    def _product(
        self, above: list[GraphNode], below: list[GraphNode], *, up: bool, ends: _Ends
    ) -> GraphNode:
        """Bound a quotient of products of positive numbers."""
        above, below = _cancelled(above, below)
        fixed, left = self._settle(above, below, up=up, ends=ends)
        if left:
            smooth = _cancelled(*self._smoothed(above, below, up=up))
            also, fewer = self._settle(*smooth, up=up, ends=ends)
            if len(fewer) < len(left):
                (above, below), fixed, left = smooth, also, fewer
        settled = tuple(sorted(fixed.items()))
        apart = self._split(above, below, left, up=up, ends=settled)
        if apart is not None:
            return apart
        top, bottom = self._graph.constant(1.0), self._graph.constant(1.0)
        # In one order: numbers fold, and what products have in common is read once.
        above, below = (sorted(side, key=_in_order) for side in (above, below))
        for node in above:
            top = self._graph.apply("multiply", top, self._at(node, settled, up=up))
        for node in below:
            bottom = self._graph.apply("multiply", bottom, self._at(node, settled, up=not up))
        return self._graph.apply("divide", top, bottom)

    def _settle(
        self, above: list[GraphNode], below: list[GraphNode], *, up: bool, ends: _Ends
    ) -> tuple[dict[str, bool], list[str]]:
        """Tell at which end each choice of a product stands, and which have no such end."""
        fixed = dict(ends)
        left: list[str] = []
        support: frozenset[str] = frozenset().union(*(n.support for n in (*above, *below)))
        for choice in (name for name in self._choices if name in support - fixed.keys()):
            low, high = self._growth.of_quotient(above, below, choice, up=up)
            if low >= 0 or high <= 0:
                fixed[choice] = up == (low >= 0)
            else:
                left.append(choice)
        return fixed, left

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
                and self._growth.is_composite(node)
                and isinstance(node.operation, Sum)
                and node.operation.coefficients == (1, 1)
            ):
                self._splits += 1
                rest = above[:place] + above[place + 1 :]
                parts = [
                    self._product(*self._growth.factors([part, *rest], below), up=up, ends=ends)
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
        if not isinstance(node, Apply) or not self._growth.is_composite(node):
            found = self.estimate(node, up=up)
            zero = self._graph.constant(0.0)
            return found if self._is_positive(node) else self._graph.apply("maximum", found, zero)
        name, arguments = node.operation.name, node.arguments
        match node.operation:
            case Product() | Quotient():
                return self._product(*self._growth.factors([node], []), up=up, ends=ends)
            case Sum(coefficients=(1, -1)):
                parts = [
                    self._with_slack(self._settled(part, ends, up=side), up=side)
                    for part, side in zip(arguments, (up, not up), strict=True)
                ]
                apart = self._graph.apply(name, *parts)
                return self._graph.apply("maximum", apart, self._graph.constant(0.0))
            case Power():
                sides = [up == (exponent(node) >= 0), up]
            case Selection():
                parts = [self._settled(argument, ends, up=up) for argument in arguments[1:]]
                return self._graph.apply(name, arguments[0], *parts)
            case Rounding() | Division():
                return self._rounded(node, ends, up=up)
            case _:
                sides = [up] * len(arguments)
        parts = [
            self._settled(argument, ends, up=side)
            for argument, side in zip(arguments, sides, strict=True)
        ]
        return self._graph.apply(name, *parts)

    def _rounded(self, node: Apply, ends: _Ends, *, up: bool) -> GraphNode:
        """Bound a rounded number by what is rounded and by its own range, whichever is closer."""
        if is_floor(node) and not up:
            return node
        factors = self._growth.factors(node.arguments[:1], node.arguments[1:])
        smooth = self._product(*factors, up=up, ends=ends)
        if up and not is_floor(node):
            smooth = self._graph.apply("add", smooth, self._graph.constant(1.0))
        return self._graph.apply("minimum" if up else "maximum", smooth, node)

    def _smoothed(
        self, above: list[GraphNode], below: list[GraphNode], *, up: bool
    ) -> tuple[list[GraphNode], list[GraphNode]]:
        """Replace rounded factors by what is rounded, where that errs to the right side."""
        found: tuple[list[GraphNode], list[GraphNode]] = ([], [])
        for is_below, nodes in enumerate((above, below)):
            errs = is_floor if up != bool(is_below) else is_ceil
            for node in nodes:
                parts: tuple[list[GraphNode], list[GraphNode]] = ([node], [])
                if isinstance(node, Apply) and self._growth.is_composite(node) and errs(node):
                    parts = self._growth.factors(node.arguments[:1], node.arguments[1:])
                found[is_below].extend(parts[0])
                found[not is_below].extend(parts[1])
        return found

    def _settled(self, node: GraphNode, ends: _Ends, *, up: bool) -> GraphNode:
        """Bound a part, which may move one way only where the whole does not."""
        if not isinstance(node, Apply) or not self._growth.is_composite(node):
            return self._at(node, ends, up=up)
        mine = tuple(item for item in ends if item[0] in node.support)
        key = (node.position, up, mine)
        if key not in self._parts:
            self._parts[key] = self._product(*self._growth.factors([node], []), up=up, ends=mine)
        return self._parts[key]


def _in_order(node: GraphNode) -> tuple[bool, int]:
    return not isinstance(node, Constant), node.position


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
