"""The lowering rule of every operation that gives a number.

A rule turns one node into an integer expression with a unit and a slack
(`Scaled`).  Each is sound by itself: the true value of every design is within
reach of the constraints that the rule posts.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.search.cpsat import pieces
from mlsysim.search.cpsat.model import Kind
from mlsysim.search.cpsat.scaled import (
    NotLowerableError,
    Scaled,
    aligned,
    power_of_two,
    total,
)

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering import Lowering

Rule = Callable[["Lowering", Apply, float], Scaled]

# A float product or quotient is off by one unit in the last place at most.
_ULP = float(np.finfo(np.float64).eps)
# Each factor of a product keeps this many bits, so that the product fits.
_FACTOR_BITS = 28
_WHOLE = 2.0**40


def constant(value: float, wish: float) -> Scaled:
    """Encode a constant."""
    if not math.isfinite(value):
        raise NotLowerableError("a constant is not a number")
    unit = 1.0 if value == round(value) and abs(value) <= _WHOLE else power_of_two(wish)
    entry = round(value / unit)
    return Scaled(
        expression=entry, low=entry, high=entry, unit=unit, slack=abs(value - entry * unit)
    )


def _add(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    left, right = (lowering.number(argument, wish / 2) for argument in node.arguments)
    return total([left, right])


def _subtract(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    left, right = (lowering.number(argument, wish / 2) for argument in node.arguments)
    return total([left, right.times(-1)])


def _negative(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return lowering.number(node.arguments[0], wish).times(-1)


def _multiply(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    left, right = node.arguments
    if isinstance(left, Constant):
        return _by_constant(lowering, right, left.value, wish)
    if isinstance(right, Constant):
        return _by_constant(lowering, left, right.value, wish)
    product = _product(lowering, left, right, wish)
    lowering.record(node, Kind.PRODUCT, 1, product.slack)
    return product


def _square(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    (argument,) = node.arguments
    product = _product(lowering, argument, argument, wish)
    lowering.record(node, Kind.PRODUCT, 1, product.slack)
    return product


def _divide(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    above, below = node.arguments
    if isinstance(below, Constant):
        return _by_constant(lowering, above, 1.0 / below.value, wish)
    return _quotient(lowering, node, wish)


def _by_constant(lowering: "Lowering", node: Node, factor: float, wish: float) -> Scaled:
    if factor == 0.0:
        return constant(0.0, wish)
    if factor == round(factor) and abs(factor) < _WHOLE:
        return lowering.number(node, wish / abs(factor)).times(round(factor))
    inner = lowering.number(node, wish / abs(factor) / 2)
    unit = power_of_two(max(wish / inner.size / 2, abs(factor) * inner.unit * 2.0**-_FACTOR_BITS))
    exact = factor * inner.unit / unit
    scaled = inner.times(round(exact))
    rounding = (abs(exact - round(exact)) + 2 * _ULP * abs(exact)) * unit * inner.size
    return Scaled(
        expression=scaled.expression,
        low=scaled.low,
        high=scaled.high,
        unit=unit,
        slack=inner.slack * abs(factor) + rounding,
    )


def _product(lowering: "Lowering", left: Node, right: Node, wish: float) -> Scaled:
    largest = [max(map(abs, lowering.range(node))) for node in (left, right)]
    if 0.0 in largest:
        return constant(0.0, wish)
    a, b = (
        _narrow(lowering, node, max(wish / (2 * other), own * 2.0**-_FACTOR_BITS))
        for node, own, other in zip((left, right), largest, reversed(largest), strict=True)
    )
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    target = lowering.variable(min(ends), max(ends))
    lowering.model.add_multiplication_equality(target, [a.expression, b.expression])
    slack = largest[0] * b.slack + largest[1] * a.slack + a.slack * b.slack
    rounding = 2 * _ULP * largest[0] * largest[1] if slack else 0.0
    return Scaled(
        expression=target,
        low=min(ends),
        high=max(ends),
        unit=a.unit * b.unit,
        slack=slack + rounding,
    )


def _narrow(lowering: "Lowering", node: Node, wish: float) -> Scaled:
    """Lower a number to few enough bits for a product."""
    number = lowering.number(node, wish)
    excess = math.ceil(math.log2(number.size)) - _FACTOR_BITS - 1
    if excess <= 0:
        return number
    return _rounded_to(lowering, number, number.unit * 2.0**excess)


def _rounded_to(lowering: "Lowering", number: Scaled, unit: float) -> Scaled:
    ratio = round(unit / number.unit)
    low, high = number.low // ratio, -(-number.high // ratio)
    target = lowering.variable(low, high)
    rounded = Scaled(expression=target, low=low, high=high, unit=unit)
    lowering.between([rounded, number.times(-1)], -unit / 2, unit / 2)
    return Scaled(
        expression=target, low=low, high=high, unit=unit, slack=number.slack + unit / 2
    )


def _quotient(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode a quotient by its product: ``quotient * below`` is ``above``, up to rounding."""
    above, below = node.arguments
    low, high = lowering.range(node)
    below_largest = max(map(abs, lowering.range(below)))
    largest = max(abs(low), abs(high))
    unit = power_of_two(max(wish, largest * 2.0**-_FACTOR_BITS, 1e-300))
    first, last = math.floor(low / unit), math.ceil(high / unit)
    target = lowering.variable(first, last)
    b = _narrow(lowering, below, below_largest * 2.0**-_FACTOR_BITS)
    ends = [x * y for x in (first, last) for y in (b.low, b.high)]
    product = lowering.variable(min(ends), max(ends))
    lowering.model.add_multiplication_equality(product, [target, b.expression])
    a = lowering.number(above, unit * below_largest / 4)
    encoded = Scaled(expression=product, low=min(ends), high=max(ends), unit=unit * b.unit)
    reach = unit / 2 * (below_largest + b.slack) + b.slack * largest
    reach += 4 * _ULP * largest * below_largest
    lowering.between([encoded, a.times(-1)], -reach, reach)
    lowering.record(node, Kind.QUOTIENT, 1, unit / 2)
    return Scaled(expression=target, low=first, high=last, unit=unit, slack=unit / 2)


def _floor(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return _step(lowering, node, lowering.number(node.arguments[0], 2.0**-20), -1.0, 0.0)


def _ceil(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return _step(lowering, node, lowering.number(node.arguments[0], 2.0**-20), 0.0, 1.0)


def _rint(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return _step(lowering, node, lowering.number(node.arguments[0], 2.0**-20), -0.5, 0.5)


def _trunc(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return _step(lowering, node, lowering.number(node.arguments[0], 2.0**-20), -1.0, 1.0)


def _sign(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    low, high = (round(end) for end in lowering.range(node))
    return Scaled(expression=lowering.variable(low, high), low=low, high=high)


def _step(
    lowering: "Lowering", node: Apply, inner: Scaled, below: float, above: float
) -> Scaled:
    """Encode a whole number that lies from `below` to `above` of another number."""
    low, high = (round(end) for end in lowering.range(node))
    target = Scaled(expression=lowering.variable(low, high), low=low, high=high)
    lowering.between([target, inner.times(-1)], below, above)
    lowering.record(node, Kind.ROUNDED, 1, 0.0)
    return target


def _floor_divide(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a // b`` as the whole k with ``a - b k`` between 0 and b."""
    return _euclid(lowering, node)[0]


def _remainder(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a % b`` as what ``b k`` leaves of a."""
    return _euclid(lowering, node)[1]


def _euclid(lowering: "Lowering", node: Apply) -> tuple[Scaled, Scaled]:
    above, below = node.arguments
    (low, high), (least, most) = lowering.range(above), lowering.range(below)
    if least <= 0:
        raise NotLowerableError("a remainder by a divisor that may be zero or negative")
    first, last = math.floor(min(low / least, low / most)), math.floor(max(high / least, high / most))
    a, b = lowering.number(above, 2.0**-20), _narrow(lowering, below, most * 2.0**-_FACTOR_BITS)
    count = lowering.variable(first, last)
    ends = [x * y for x in (first, last) for y in (b.low, b.high)]
    product = lowering.variable(min(ends), max(ends))
    lowering.model.add_multiplication_equality(product, [count, b.expression])
    slack = b.slack * max(abs(first), abs(last))
    multiple = Scaled(
        expression=product, low=min(ends), high=max(ends), unit=b.unit, slack=slack
    )
    rest = total([a, multiple.times(-1)])
    exact = rest.exact and a.unit == b.unit == 1.0
    lowering.between([rest], 0.0, math.inf)
    lowering.between([rest, b.times(-1)], -math.inf, -1.0 if exact else 0.0)
    lowering.record(node, Kind.PRODUCT, 1, rest.slack)
    return Scaled(expression=count, low=first, high=last), rest


def _maximum(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a, b = aligned([lowering.number(argument, wish) for argument in node.arguments])
    low, high = max(a.low, b.low), max(a.high, b.high)
    target = lowering.variable(low, high)
    lowering.model.add_max_equality(target, [a.expression, b.expression])
    return _extreme(lowering, node, a, b, Scaled(expression=target, low=low, high=high))


def _minimum(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a, b = aligned([lowering.number(argument, wish) for argument in node.arguments])
    low, high = min(a.low, b.low), min(a.high, b.high)
    target = lowering.variable(low, high)
    lowering.model.add_min_equality(target, [a.expression, b.expression])
    return _extreme(lowering, node, a, b, Scaled(expression=target, low=low, high=high))


def _extreme(
    lowering: "Lowering", node: Apply, a: Scaled, b: Scaled, target: Scaled
) -> Scaled:
    slack = max(a.slack, b.slack)
    lowering.record(node, Kind.EXTREME, 1, slack)
    return Scaled(
        expression=target.expression, low=target.low, high=target.high, unit=a.unit, slack=slack
    )


def _absolute(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    a = lowering.number(node.arguments[0], wish)
    target = lowering.variable(0, a.size)
    lowering.model.add_abs_equality(target, a.expression)
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


def _truth(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return Scaled(expression=lowering.literal(node), low=0, high=1)


def _power(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    base, exponent = node.arguments
    if isinstance(exponent, Constant) and exponent.value == 2.0:  # noqa: PLR2004
        product = _product(lowering, base, base, wish)
        lowering.record(node, Kind.PRODUCT, 1, product.slack)
        return product
    if not isinstance(exponent, Constant):
        raise NotLowerableError("a power with a variable exponent over many values")
    power = exponent.value
    if lowering.range(base)[0] <= 0:
        raise NotLowerableError("a power of a number that may be zero or negative")
    return pieces.encode(lowering, node, wish, lambda x: np.power(x, power))


def _curve(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    return pieces.encode(lowering, node, wish, node.operation.compute)


RULES: dict[str, Rule] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "power": _power,
    "negative": _negative,
    "absolute": _absolute,
    "sign": _sign,
    "floor": _floor,
    "ceil": _ceil,
    "trunc": _trunc,
    "rint": _rint,
    "square": _square,
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
