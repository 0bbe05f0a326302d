"""Rearrange a formula into one that is never larger but bounds boxes better.

The range of ``batch / (a * batch + b)`` over a box is overestimated, because
``batch`` counts as two unrelated numbers.  Dividing term by term, cancelling
what stands above and below, and replacing ``ceil(x)`` by ``x`` where less is
safe, gives formulas in which each choice occurs less often: tighter bounds
from the same arithmetic.  On a training question of 1e12 designs this is the
difference between a minute and a second.
"""

from collections.abc import Callable

import numpy as np

from mlsysim.expr.graph import Apply, Constant, Graph, GraphNode
from mlsysim.expr.operation import (
    Operation,
    Product,
    Quotient,
    Rounding,
    Selection,
    Signs,
    Square,
    Sum,
)
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.program import terms
from mlsysim.search.cpsat.program.terms import Terms

# More than some hundred operations, off by 1.1e-16 each, can add up to.
_ROUNDING = 1e-12


class Rearranger:
    """Finds estimates of nodes as sums of monomials.

    An estimate *up* is nowhere smaller than the node; one *down* nowhere larger.

    Parameters
    ----------
    graph
        The graph that holds the nodes; estimates are added to it.
    range_of
        Gives the range of a node over all designs.
    """

    def __init__(self, graph: Graph, range_of: Callable[[GraphNode], Range]) -> None:
        self.graph = graph
        self.range_of = range_of
        self._estimates: dict[tuple[int, bool], Terms] = {}
        self._positive: dict[int, bool] = {}

    def below(self, node: GraphNode) -> GraphNode:
        """Give a formula that is nowhere larger than a node, rounding included."""
        estimate = self.estimate(node, up=False)
        if not all(self.is_positive(self.graph.nodes[atom]) for atom in estimate.atoms):
            return self._below_of_any_sign(node, estimate)
        if estimate.is_clean and estimate.is_positive:
            estimate = estimate.scaled(1.0 - _ROUNDING)
        elif estimate.is_clean and estimate.scaled(-1.0).is_positive:
            estimate = estimate.scaled(1.0 + _ROUNDING)
        else:  # terms of both signs cancel, their rounding errors do not
            estimate = estimate.plus(estimate.size.scaled(-_ROUNDING))
        return estimate.node(self.graph)

    def _below_of_any_sign(self, node: GraphNode, estimate: Terms) -> GraphNode:
        """Take away a share of the size of every term, whatever its sign is."""
        if estimate == terms.atom(node):
            return node
        total = estimate.node(self.graph)
        for monomial, mass in estimate.masses.items():
            term = Terms({monomial: mass}, {monomial: mass}).node(self.graph)
            slack = self.graph.apply("absolute", term), self.graph.constant(_ROUNDING)
            total = self.graph.apply("subtract", total, self.graph.apply("multiply", *slack))
        return total

    def estimate(self, node: GraphNode, *, up: bool) -> Terms:
        """Estimate a node; where nothing better is known, by itself."""
        key = (node.position, up)
        if key not in self._estimates:
            self._estimates[key] = self._new(node, up=up)
        return self._estimates[key]

    def nonnegative(self, node: GraphNode, *, up: bool) -> Terms:
        """Estimate a node that is nowhere negative by something that is not either."""
        estimate = self.estimate(node, up=up)
        known = estimate.is_positive and estimate.is_clean and estimate.coefficients
        return estimate if known else terms.atom(node)

    def is_positive(self, node: GraphNode) -> bool:
        """Tell whether a number is nowhere negative, by its range or by its form."""
        known = self._positive.get(node.position)
        if known is None:
            by_range = bool(np.all(self.range_of(node).low >= 0))
            known = by_range or (isinstance(node, Apply) and self._sign_by_form(node) > 0)
            self._positive[node.position] = known
        return known

    def _new(self, node: GraphNode, *, up: bool) -> Terms:
        if isinstance(node, Constant) and np.isfinite(node.value):
            return terms.number(node.value)
        if isinstance(node, Apply):
            found = _rearranged(self, node.operation, node.arguments, up=up)
            if found is not None:
                return found
        return terms.atom(node)

    def _sign_by_form(self, node: Apply) -> int:
        return node.operation.sign(tuple(int(self.is_positive(one)) for one in node.arguments))


def _rearranged(  # noqa: PLR0911 - one case per form
    by: Rearranger, operation: Operation, arguments: tuple[GraphNode, ...], *, up: bool
) -> Terms | None:
    """Estimate the result of one operation; give nothing where nothing better is known."""
    match operation:
        case Sum(coefficients=coefficients):
            return _sum(by, arguments, coefficients, up=up)
        case Product():
            return _multiply(by, arguments, up=up)
        case Square():
            return _multiply(by, arguments * 2, up=up)
        case Quotient():
            return _divide(by, arguments, up=up)
        case Rounding(below=below, above=above):
            offset = above if up else below
            # Less a constant it would no longer be known to be positive.
            if offset < 0:
                return None
            return by.estimate(arguments[0], up=up).plus(terms.number(offset))
        case Selection():
            return _where(by, arguments, up=up)
        case _:
            return None


def _sum(
    by: Rearranger, arguments: tuple[GraphNode, ...], coefficients: Signs, *, up: bool
) -> Terms:
    total = terms.number(0.0)
    for argument, coefficient in zip(arguments, coefficients, strict=True):
        same = up if coefficient > 0 else not up
        total = total.plus(by.estimate(argument, up=same).scaled(float(coefficient)))
    return total


def _multiply(by: Rearranger, arguments: tuple[GraphNode, ...], *, up: bool) -> Terms | None:
    for factor, other in (arguments, arguments[::-1]):
        if isinstance(factor, Constant):
            return _by_constant(by, other, factor.value, up=up)
    if not all(map(by.is_positive, arguments)):
        return None
    left, right = (by.nonnegative(argument, up=up) for argument in arguments)
    return left.times(right)


def _divide(by: Rearranger, arguments: tuple[GraphNode, ...], *, up: bool) -> Terms | None:
    above, below = arguments
    if isinstance(below, Constant) and below.value:
        return _by_constant(by, above, 1.0 / below.value, up=up)
    if not (by.is_positive(above) and by.is_positive(below)):
        return None
    dividend, divisor = by.nonnegative(above, up=up), by.nonnegative(below, up=not up)
    if divisor.is_single:
        return dividend.times(divisor.to_the(-1.0))
    if dividend.is_single:
        # 1 / (b1/a + b2/a + ...): every term of the divisor meets the dividend.
        inverse = divisor.times(dividend.to_the(-1.0))
        if inverse is not None and inverse.is_clean:
            one = by.graph.constant(1.0)
            return terms.atom(by.graph.apply("divide", one, inverse.node(by.graph)))
    return dividend.times(terms.atom(below).to_the(-1.0))


def _where(by: Rearranger, arguments: tuple[GraphNode, ...], *, up: bool) -> Terms | None:
    condition, *branches = arguments
    if not condition.truth:
        return None
    yes, no = (by.estimate(branch, up=up) for branch in branches)
    # What the branches share does not depend on the condition; the rest is
    # switched on by it, or by its opposite.
    common = yes.shared(no)
    switches = (condition, by.graph.apply("logical_not", condition))
    total = common
    for branch, switch in zip((yes, no), switches, strict=True):
        part = branch.less(common).times(terms.atom(switch))
        if part is None:
            return None
        total = total.plus(part)
    return total


def _by_constant(by: Rearranger, node: GraphNode, factor: float, *, up: bool) -> Terms | None:
    if not np.isfinite(factor):
        return None
    return by.estimate(node, up=up if factor >= 0 else not up).scaled(factor)
