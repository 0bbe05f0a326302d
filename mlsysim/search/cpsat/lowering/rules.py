"""The lowering rule of every operation that gives a number.

A rule turns one node into an integer expression with a unit and a slack
(`Scaled`).  Each is sound by itself: the true value of every design is within
reach of the constraints that the rule posts.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlsysim.expr.graph import Apply, Node
from mlsysim.search.cpsat.lowering import pieces, products, steps
from mlsysim.search.cpsat.lowering.scaled import Scaled, aligned, total
from mlsysim.search.cpsat.solving.model import Kind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

Rule = Callable[["Lowering", Apply, float], Scaled]


def _linear(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode a sum of any depth term by term, so that the slack is shared out evenly."""
    terms = list(_terms(node))
    share = wish / len(terms)
    parts = aligned([lowering.number(term, share).times(sign) for term, sign in terms])
    return total(parts).rounded(size=sum(part.size for part in parts), steps=len(parts))


def _terms(node: Node, sign: int = 1) -> Iterator[tuple[Node, int]]:
    """Take sums and differences apart into terms and their signs."""
    signs = _SIGNS.get(node.operation.name) if isinstance(node, Apply) else None
    if isinstance(node, Apply) and signs is not None:
        for argument, own in zip(node.arguments, signs, strict=True):
            yield from _terms(argument, sign * own)
    else:
        yield node, sign


_SIGNS = {"add": (1, 1), "subtract": (1, -1), "negative": (-1,)}


def _maximum(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a, b = aligned([lowering.number(argument, wish) for argument in node.arguments])
    low, high = max(a.low, b.low), max(a.high, b.high)
    target = lowering.variable(low, high)
    lowering.model.add_max_equality(target, [lowering.single(a), lowering.single(b)])
    return _extreme(lowering, node, a, b, Scaled(expression=target, low=low, high=high))


def _minimum(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a, b = aligned([lowering.number(argument, wish) for argument in node.arguments])
    low, high = min(a.low, b.low), min(a.high, b.high)
    target = lowering.variable(low, high)
    lowering.model.add_min_equality(target, [lowering.single(a), lowering.single(b)])
    return _extreme(lowering, node, a, b, Scaled(expression=target, low=low, high=high))


def _extreme(lowering: "Lowering", node: Apply, a: Scaled, b: Scaled, target: Scaled) -> Scaled:
    slack = max(a.slack, b.slack)
    lowering.record(node, Kind.EXTREME, 1, slack)
    return Scaled(
        expression=target.expression, low=target.low, high=target.high, unit=a.unit, slack=slack
    )


def _absolute(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a = lowering.number(node.arguments[0], wish)
    target = lowering.variable(0, a.size)
    lowering.model.add_abs_equality(target, lowering.single(a))
    lowering.record(node, Kind.EXTREME, 1, a.slack)
    return Scaled(expression=target, low=0, high=a.size, unit=a.unit, slack=a.slack)


def _where(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    condition, yes, no = node.arguments
    a, b = aligned([lowering.number(yes, wish), lowering.number(no, wish)])
    literal = lowering.literal(condition)
    low, high = min(a.low, b.low), max(a.high, b.high)
    target = lowering.variable(low, high)
    lowering.model.add(target == a.expression).only_enforce_if(literal)
    lowering.model.add(target == b.expression).only_enforce_if(~literal)
    slack = max(a.slack, b.slack)
    lowering.record(node, Kind.LOGICAL, 1, slack)
    return Scaled(expression=target, low=low, high=high, unit=a.unit, slack=slack)


def _truth(lowering: "Lowering", node: Apply, _wish: float) -> Scaled:
    return Scaled(expression=lowering.literal(node), low=0, high=1)


def _curve(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return pieces.encode(lowering, node, wish)


def is_curve(node: Apply) -> bool:
    """Tell whether an operation is a smooth curve, which pieces can only approach."""
    return node.operation.name == "power" or RULES[node.operation.name] is _curve


RULES: dict[str, Rule] = {
    "add": _linear,
    "subtract": _linear,
    "multiply": products.multiply,
    "divide": products.divide,
    "floor_divide": steps.floor_divide,
    "remainder": steps.remainder,
    "power": products.power,
    "negative": _linear,
    "absolute": _absolute,
    "sign": steps.sign,
    "floor": steps.floor,
    "ceil": steps.ceil,
    "trunc": steps.trunc,
    "rint": steps.rint,
    "square": products.square,
    "sqrt": _curve,
    "cbrt": _curve,
    "exp": _curve,
    "exp2": _curve,
    "expm1": _curve,
    "log": _curve,
    "log2": _curve,
    "log10": _curve,
    "log1p": _curve,
    "maximum": _maximum,
    "minimum": _minimum,
    "where": _where,
    "less": _truth,
    "less_equal": _truth,
    "greater": _truth,
    "greater_equal": _truth,
    "equal": _truth,
    "not_equal": _truth,
    "logical_and": _truth,
    "logical_or": _truth,
    "logical_xor": _truth,
    "logical_not": _truth,
}
