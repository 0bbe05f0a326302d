"""The lowering rule of every form of operation that gives a number.

A rule turns one node into an integer expression with a unit and a slack
(`Scaled`).  Each is sound by itself: the true value of every design is within
reach of the constraints that the rule posts.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlsysim.expr.graph import Apply, GraphNode
from mlsysim.expr.operation import (
    Absolute,
    ComparisonOperation,
    Connective,
    Curve,
    Division,
    Extreme,
    Power,
    Product,
    Quotient,
    Rounding,
    Selection,
    Sign,
    Square,
    Sum,
)
from mlsysim.search.cpsat.lowering import pieces, products, steps
from mlsysim.search.cpsat.lowering.group import Array, Group
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.scaled import Scaled
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering


def lower(  # noqa: C901, PLR0911, PLR0912 - one case per form
    lowering: "Lowering", node: Apply, wish: float
) -> Scaled:
    """Encode the number that an operation gives.

    Raises
    ------
    NotLowerableError
        If it has no sound encoding.
    """
    match node.operation:
        case Sum():
            return _linear(lowering, node, wish)
        case Product():
            return products.multiply(lowering, node, wish)
        case Square():
            return products.square(lowering, node, wish)
        case Quotient():
            return products.divide(lowering, node, wish)
        case Division(part=part):
            return steps.divide(lowering, node, part)
        case Power():
            return products.power(lowering, node, wish)
        case Curve():
            return pieces.encode(lowering, node, wish)
        case Rounding(below=below, above=above):
            return steps.rounded(lowering, node, below, above)
        case Sign():
            return steps.sign(lowering, node)
        case Absolute():
            return _absolute(lowering, node, wish)
        case Extreme(way=way):
            return _extreme(lowering, node, way, wish)
        case Selection():
            return _where(lowering, node, wish)
        case ComparisonOperation() | Connective():
            literal = lowering.literal(node)
            return Scaled(
                expression=literal, low=0, high=1, spread=float(node.position in lowering.free)
            )
        case form:
            raise TypeError(f"no lowering rule for the form {type(form).__name__}")


def _linear(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode a sum of any depth term by term, so that the slack is shared out evenly."""
    terms = list(_terms(node))
    share = wish / len(terms)
    parts = list(_parts(lowering, terms, share))
    sum_ = lowering.total(parts)
    size = sum(part.size * part.unit for part in parts) / sum_.unit
    return sum_.rounded(size=math.ceil(size), steps=len(terms))


def _parts(
    lowering: "Lowering", terms: Sequence[tuple[GraphNode, int]], share: float
) -> Iterator[Scaled]:
    """Encode the terms of a sum; what depends on one group is added up before it goes in."""
    tables: dict[int, tuple[Group, Array]] = {}
    for term, sign in terms:
        group = lowering.group(term)
        if group is None:
            yield lowering.number(term, share).times(sign)
        else:
            lowering.tell(term, group)
            _, before = tables.get(id(group), (group, np.zeros(len(group))))
            tables[id(group)] = group, before + sign * group.values(term)
    for group, values in tables.values():
        yield group.number(values, share)


def _terms(node: GraphNode, sign: int = 1) -> Iterator[tuple[GraphNode, int]]:
    """Take sums and differences apart into terms and their signs."""
    if isinstance(node, Apply) and isinstance(node.operation, Sum):
        for argument, own in zip(node.arguments, node.operation.coefficients, strict=True):
            yield from _terms(argument, sign * own)
    else:
        yield node, sign


def _extreme(lowering: "Lowering", node: Apply, way: int, wish: float) -> Scaled:
    a, b = lowering.alike([lowering.number(argument, wish) for argument in node.arguments])
    extreme = max if way > 0 else min
    low, high = extreme(a.low, b.low), extreme(a.high, b.high)
    target = lowering.variable(low, high)
    extreme_of = lowering.model.add_max_equality if way > 0 else lowering.model.add_min_equality
    lowering.post(extreme_of(target, [lowering.single(a), lowering.single(b)]))
    slack = max(a.slack, b.slack)
    lowering.record(node, EncodingKind.EXTREME, 1, slack)
    spread = max(a.spread, b.spread)
    return Scaled(expression=target, low=low, high=high, unit=a.unit, slack=slack, spread=spread)


def _absolute(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    (a,) = lowering.alike([lowering.number(node.arguments[0], wish)])
    target = lowering.variable(0, a.size)
    lowering.post(lowering.model.add_abs_equality(target, lowering.single(a)))
    lowering.record(node, EncodingKind.EXTREME, 1, a.slack)
    return Scaled(
        expression=target, low=0, high=a.size, unit=a.unit, slack=a.slack, spread=a.spread
    )


def _where(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    condition, yes, no = node.arguments
    settled = lowering.is_settled(condition)
    if settled is not None:
        return lowering.number(yes if settled else no, wish)
    if any(_picks_unknown(lowering, condition, one, where=one is yes) for one in (yes, no)):
        # Its range says nothing of such a design, which would be lost.
        raise NotLowerableError("a selection may pick what is not known to be a number")
    a, b = lowering.alike([lowering.number(yes, wish), lowering.number(no, wish)])
    literal = lowering.literal(condition)
    low, high = min(a.low, b.low), max(a.high, b.high)
    target = lowering.variable(low, high)
    for one, side, sign in ((yes, a, literal), (no, b, ~literal)):
        lowering.post(
            lowering.model.add(target == side.expression), sign, *lowering.where_defined(one)
        )
    slack, spread = max(a.slack, b.slack), max(a.spread, b.spread)
    if condition.position in lowering.free:  # at some design it may be either
        spread += (high - low) * a.unit
    lowering.record(node, EncodingKind.LOGICAL, 1, slack)
    return Scaled(expression=target, low=low, high=high, unit=a.unit, slack=slack, spread=spread)


def _picks_unknown(
    lowering: "Lowering", condition: GraphNode, side: GraphNode, *, where: bool
) -> bool:
    """Tell whether a side may be picked at a design where it is not known to be a number.

    Parameters
    ----------
    where
        What the condition has to be for it to be picked.
    """
    known = lowering.ranges.of(side)
    if known.group is None or known.rows is None:
        return known.nowhere
    bound = lowering.ranges.within(condition, known.group)
    if bound is None:
        return True
    holds, fails = (bound.low > 0) | (bound.high < 0), (bound.low == 0) & (bound.high == 0)
    return bool(np.any(~known.rows & ~(fails if where else holds)))
