"""The lowering rules of operations with whole results: rounding, division with remainder."""

import math
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlsysim.expr import ranges
from mlsysim.expr.graph import Apply, GraphNode
from mlsysim.expr.operation import Part, Quotient
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.products import FACTOR_BITS, WHOLE, narrow
from mlsysim.search.cpsat.lowering.scaled import Scaled
from mlsysim.search.cpsat.program.counts import is_whole
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

# What is rounded is resolved to this.
_FINE = 2.0**-20


def sign(lowering: "Lowering", node: Apply) -> Scaled:
    """Encode any sign that a can have."""
    low, high = (round(end) for end in lowering.range(node))
    free = lowering.variable(low, high)
    return Scaled(expression=free, low=low, high=high, spread=float(high - low))


def divide(lowering: "Lowering", node: Apply, part: Part) -> Scaled:
    """Encode ``a // b`` as the whole k with ``a - b k`` between 0 and b, or what is left."""
    count, rest = _euclid(lowering, node)
    return count if part is Part.COUNT else rest


def rounded(lowering: "Lowering", node: Apply, below: float, above: float) -> Scaled:
    """Encode a whole number that lies from `below` to `above` of another; 1 itself is too far."""
    inner = lowering.number(node.arguments[0], _FINE)
    low, high = (round(end) for end in lowering.range(node))
    target = Scaled(expression=lowering.variable(low, high), low=low, high=high)
    least = max(min(inner.unit, 1.0) if inner.exact else 0.0, _gap(lowering, node.arguments[0]))
    below, above = max(below, least - 1.0), min(above, 1.0 - least)
    off = lowering.between([target, inner.times(-1)], below, above)
    lowering.record(node, EncodingKind.ROUNDED, 1, 0.0)
    # Whole numbers within the same two ends, if what is rounded is certain.
    spread = above - below + (off.slack + off.spread + off.unit if not inner.certain else 0.0)
    return replace(target, spread=float(math.floor(min(spread, float(high - low)))))


def _gap(lowering: "Lowering", node: GraphNode) -> float:
    """Tell how far from all whole numbers a value is at least that is none itself.

    ``a / b`` of whole numbers is ``1 / b`` away from the next: whatever rounding its encoding
    has, its floor and its ceiling are certain.
    """
    if not (isinstance(node, Apply) and isinstance(node.operation, Quotient)):
        return 0.0
    least, most = lowering.range(node.arguments[1])
    if least <= 0 or not all(is_whole(one, lowering.program.columns) for one in node.arguments):
        return 0.0
    largest = max(map(abs, lowering.range(node)))
    return max(1.0 / most - sys.float_info.epsilon * (1.0 + largest), 0.0)


def _euclid(lowering: "Lowering", node: Apply) -> tuple[Scaled, Scaled]:
    above, below = node.arguments
    dividend, divisor = (Range(*map(np.asarray, lowering.range(side))) for side in (above, below))
    if divisor.low <= 0:
        raise NotLowerableError("a remainder by a divisor that may be zero or negative")
    # Not the floor of a float quotient: 1 // 0.1 is 9, though 1 / 0.1 rounds to 10.
    counts = ranges.floor_divide(dividend, divisor)
    if not max(abs(counts.low), abs(counts.high)) <= WHOLE:
        raise NotLowerableError("a division with remainder that counts too far")
    first, last = int(counts.low), int(counts.high)
    a = lowering.number(above, _FINE)
    b = narrow(lowering, below, float(divisor.high) * 2.0**-FACTOR_BITS)
    count = lowering.variable(first, last)
    ends = [x * y for x in (first, last) for y in (b.low, b.high)]
    product = lowering.variable(min(ends), max(ends))
    lowering.post(lowering.model.add_multiplication_equality(product, [count, lowering.single(b)]))
    slack = b.slack * max(abs(first), abs(last))
    multiple = Scaled(expression=product, low=min(ends), high=max(ends), unit=b.unit, slack=slack)
    rest = lowering.total([a, multiple.times(-1)]).rounded()
    certain = a.certain and b.certain and rest.exact
    spread = 0.0
    if not certain:
        off = 2 * rest.slack + a.spread + (1 + max(abs(first), abs(last))) * b.spread + rest.unit
        spread = min(math.floor(1.0 + off / float(divisor.low)), last - first)
    loose = a.spread + b.spread * max(abs(first), abs(last)) + spread * float(divisor.high)
    rest = replace(rest, spread=loose)
    lowering.between([rest], 0.0, math.inf)
    gap = min(a.unit, b.unit) if rest.exact else 0.0
    lowering.between([rest, b.times(-1)], -math.inf, -gap)
    lowering.record(node, EncodingKind.PRODUCT, 1, rest.slack)
    return Scaled(expression=count, low=first, high=last, spread=float(spread)), rest
