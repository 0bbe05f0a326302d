"""The lowering rules of products and quotients.

Factors keep few enough bits for the solver's 64; what that leaves out, and the
rounding of the evaluator's own floats, is in the slack.
"""

import math
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlsysim.expr.graph import Apply, Constant, GraphNode
from mlsysim.expr.ranges import Array, Range
from mlsysim.search.cpsat.lowering import monomials, pieces
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.scaled import LARGEST, Scaled, power_of_two
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

# A float product or quotient is off by one unit in the last place at most.
_ULP = sys.float_info.epsilon
# Each factor of a product keeps this many bits, so that the product fits.
FACTOR_BITS = 27
WHOLE = 2.0**40
# A product may be this many bits finer than asked for.
_SPARE_BITS = 16


def constant(value: float, wish: float) -> Scaled:
    """Encode a constant."""
    if not math.isfinite(value):
        raise NotLowerableError("a constant is not a number")
    unit = 1.0 if value == round(value) and abs(value) <= WHOLE else power_of_two(wish)
    entry = round(value / unit)
    return Scaled(expression=entry, low=entry, high=entry, unit=unit).off(abs(value - entry * unit))


def multiply(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a * b``."""
    left, right = node.arguments
    if isinstance(left, Constant):
        return by_constant(lowering, right, left.value, wish)
    if isinstance(right, Constant):
        return by_constant(lowering, left, right.value, wish)
    return monomials.encode(lowering, node, wish) or _product(lowering, node, (left, right), wish)


def square(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a * a``."""
    base = node.arguments[0]
    return _product(lowering, node, (base, base), wish)


def power(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a ** c`` for a constant c: a product, or a curve."""
    base, exponent = node.arguments
    if not isinstance(exponent, Constant) and isinstance(base, Constant) and base.value > 0:
        return pieces.encode(lowering, node, wish)
    if not isinstance(exponent, Constant):
        return _by_logarithm(lowering, node, wish)
    index = exponent.value
    if index == 2.0:  # noqa: PLR2004 - the square
        return _product(lowering, node, (base, base), wish)
    lowest = lowering.range(base)[0]
    if lowest < 0 or (lowest == 0 and index < 0):
        raise NotLowerableError("a power of a number that may be negative, or one through zero")
    return pieces.encode(lowering, node, wish)


def _by_logarithm(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a ** b`` for a positive number as ``exp(b log(a))``."""
    base, exponent = node.arguments
    if lowering.range(base)[0] <= 0:
        raise NotLowerableError("a variable power of a number that may be zero or negative")
    graph = lowering.graph
    power_ = graph.apply("multiply", exponent, graph.apply("log", base))
    number = lowering.number(graph.apply("exp", power_), wish)
    # What the logarithm and the product are off by, the exponential multiplies by its own size.
    steps = 8 * (1 + max(map(abs, lowering.range(power_))))
    return number.off(steps * _ULP * (number.size * number.unit + number.slack))


def divide(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode ``a / b``."""
    above, below = node.arguments
    if not isinstance(below, Constant):
        return monomials.encode(lowering, node, wish) or _quotient(lowering, node, wish)
    scaled = by_constant(lowering, above, 1.0 / below.value, wish)
    if abs(math.frexp(below.value)[0]) == 0.5:  # noqa: PLR2004 - a power of two has a reciprocal
        return scaled
    return scaled.off(2 * _ULP * scaled.size * scaled.unit)


def narrow(lowering: "Lowering", node: GraphNode, wish: float, bits: int = FACTOR_BITS) -> Scaled:
    """Lower a number to few enough bits for a product."""
    number = lowering.number(node, wish)
    excess = math.ceil(math.log2(number.size)) - bits - 1
    if excess <= 0:
        return number
    key = (node.position, number.unit * 2.0**excess)
    if key not in lowering.coarse:
        lowering.coarse[key] = _coarser(lowering, number, 1 << excess)
    return lowering.coarse[key]


def coarsened(lowering: "Lowering", number: Scaled, unit: float) -> Scaled:
    """Write a number in no smaller unit than this one."""
    if number.unit >= unit:
        return number
    if number.low == number.high:
        entry = round(number.low * (number.unit / unit))
        error = abs(number.low * number.unit - entry * unit)
        settled = replace(number, expression=entry, low=entry, high=entry, unit=unit, weight=0)
        return settled.off(error)
    return _coarser(lowering, number, round(min(unit / number.unit, LARGEST)))


def _coarser(lowering: "Lowering", number: Scaled, ratio: int) -> Scaled:
    unit = number.unit * ratio
    low, high = number.low // ratio, -(-number.high // ratio)
    target = Scaled(expression=lowering.variable(low, high), low=low, high=high, unit=unit)
    # Posted as it is: what a sum would coarsen is coarsened here.
    half = -(-ratio // 2)
    difference: Any = ratio * target.expression  # OR-Tools' own types do not add up
    lowering.model.add_linear_constraint(difference - number.expression, -half, half)
    spread = number.spread + half * number.unit
    return replace(target, slack=number.slack + unit / 2, spread=spread)


def by_constant(lowering: "Lowering", node: GraphNode, factor: float, wish: float) -> Scaled:
    """Encode a number times a constant."""
    if not math.isfinite(factor):
        raise NotLowerableError("a factor is not a number")
    if factor == 0.0:
        return constant(0.0, wish)
    if factor == round(factor) and abs(factor) < WHOLE:
        inner = lowering.number(node, wish / abs(factor))
        if max(inner.size, inner.weight) * abs(factor) <= LARGEST:
            return inner.times(round(factor)).rounded()
    inner = narrow(lowering, node, wish / abs(factor) / 2)
    unit = power_of_two(max(wish / inner.size / 2, abs(factor) * inner.unit * 2.0**-FACTOR_BITS))
    exact = factor * inner.unit / unit
    scaled = inner.times(round(exact))
    rounding = (abs(exact - round(exact)) + 2 * _ULP * abs(exact)) * unit * inner.size
    size = abs(factor)
    product = replace(scaled, unit=unit, slack=inner.slack * size, spread=inner.spread * size)
    product = product.off(rounding)
    # In a unit so much finer than asked for, a sum of several would not fit.
    spare = math.floor(math.log2(wish / unit))
    return _coarser(lowering, product, 1 << spare) if spare > _SPARE_BITS else product


def _product(
    lowering: "Lowering", node: GraphNode, factors: tuple[GraphNode, GraphNode], wish: float
) -> Scaled:
    largest = [max(map(abs, lowering.range(factor))) for factor in factors]
    if 0.0 in largest:
        return constant(0.0, wish)
    a, b = (
        narrow(lowering, factor, max(wish / (2 * other), own * 2.0**-FACTOR_BITS))
        for factor, own, other in zip(factors, largest, reversed(largest), strict=True)
    )
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    target = lowering.variable(min(ends), max(ends))
    lowering.post(
        lowering.model.add_multiplication_equality(target, [lowering.single(a), lowering.single(b)])
    )
    slack = largest[0] * b.slack + largest[1] * a.slack + a.slack * b.slack
    off = a.spread * b.spread if a.spread and b.spread else 0.0
    spread = off + lowering.ranges.most(
        factors, lambda x, y: _size(x) * b.spread + _size(y) * a.spread
    )
    lowering.record(node, EncodingKind.PRODUCT, 1, slack)
    product = Scaled(
        expression=target,
        low=min(ends),
        high=max(ends),
        unit=a.unit * b.unit,
        slack=slack,
        spread=spread,
    ).rounded()
    # Finer than its own slack, a product would only make later numbers huge,
    # and CP-SAT treats objectives beyond 2**53 in floating point.
    spare = math.floor(math.log2(max(slack, 1e-300) / product.unit))
    return product if spare <= 0 else _coarser(lowering, product, 1 << spare)


def _quotient(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode a quotient by its product: ``quotient * below`` is ``above``, up to rounding."""
    above, below = node.arguments
    low, high = lowering.range(node)
    below_largest = max(map(abs, lowering.range(below)))
    largest = max(abs(low), abs(high))
    unit = power_of_two(max(wish, largest * 2.0**-FACTOR_BITS, 1e-300))
    first, last = math.floor(low / unit), math.ceil(high / unit)
    target = lowering.variable(first, last)
    b = narrow(lowering, below, below_largest * 2.0**-FACTOR_BITS)
    ends = [x * y for x in (first, last) for y in (b.low, b.high)]
    product = lowering.variable(min(ends), max(ends))
    lowering.post(lowering.model.add_multiplication_equality(product, [target, lowering.single(b)]))
    a = lowering.number(above, unit * below_largest / 4)
    encoded = Scaled(expression=product, low=min(ends), high=max(ends), unit=unit * b.unit)
    reach = unit / 2 * (below_largest + b.slack) + b.slack * largest
    reach += 4 * _ULP * largest * below_largest
    off = lowering.tied([encoded, a.times(-1)], reach)
    # Where the divisor is small the quotient is large, and only there.
    spread = lowering.ranges.most(
        (node, below),
        lambda q, d: _over(off + _size(q) * b.spread, np.maximum(d.low, -d.high) - b.spread),
    )
    lowering.record(node, EncodingKind.QUOTIENT, 1, unit / 2)
    return Scaled(expression=target, low=first, high=last, unit=unit, slack=unit / 2, spread=spread)


def _size(bound: Range) -> Array:
    """Bound the absolute value of what lies in a range."""
    return np.maximum(np.abs(bound.low), np.abs(bound.high))


def _over(above: Array, below: Array) -> Array:
    """Bound a quotient by the least of its divisor; without end where that may be zero."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.inf)
