"""Inverse interval rules: what a result may be says what its arguments may be.

If ``a + b`` must lie within a range, then ``a`` lies within that range less
``b``.  Read from the conditions down to the choices (Benhamou et al.,
"Revising hull and box consistency", 1999), this cuts off the ends of a
box where a condition cannot hold, without splitting it.  An argument's range
is widened by the rounding of floats, so that nothing that could hold is cut off.
"""

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.operation import Wanted
from mlsysim.expr.ranges import Array, Range, extremes

# Each inverse rule rounds a few times, at 1.1e-16 each.
_SLACK = 1e-14
_LESS, _MORE = 1.0 - _SLACK, 1.0 + _SLACK
# Below this, floats lose digits, down to nothing.
_LEAST = 1e-300
_LEAST_EXPONENT = 0.25


def add(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a + b``."""
    return _minus(z, b), _minus(z, a)


def subtract(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a - b``."""
    back = _minus(a, z)
    return _plus(z, b), back


def negative(z: Range, _: Range) -> Wanted:
    """Narrow the arguments of ``-a``."""
    return (Range(-z.high, -z.low),)


def multiply(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a * b``."""
    return _over(z, b), _over(z, a)


def divide(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a / b``."""
    return _times(z, b), _over(a, z)


def ceil(z: Range, _: Range) -> Wanted:
    """Narrow the arguments of ``ceil(a)``."""
    # ceil(a) >= low exactly where a > ceil(low) - 1.
    return (Range(np.ceil(z.low) - 1.0, np.floor(z.high)),)


def floor(z: Range, _: Range) -> Wanted:
    """Narrow the arguments of ``floor(a)``."""
    return (Range(np.ceil(z.low), np.floor(z.high) + 1.0),)


def maximum(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``maximum(a, b)``."""
    # The one that alone can be as large as the least maximum has to be.
    return (
        Range(np.where(b.high < z.low, z.low, -np.inf), z.high),
        Range(np.where(a.high < z.low, z.low, -np.inf), z.high),
    )


def minimum(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``minimum(a, b)``."""
    return (
        Range(z.low, np.where(b.low > z.high, z.high, np.inf)),
        Range(z.low, np.where(a.low > z.high, z.high, np.inf)),
    )


def where(z: Range, condition: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``where(condition, a, b)``."""
    yes = (condition.low > 0) | (condition.high < 0)
    no = (condition.low == 0) & (condition.high == 0)
    yes = yes | ~no & _apart(z, b)
    no = no | ~yes & _apart(z, a)
    truth = Range(np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0))
    return truth, _if(yes, z), _if(no, z)


def square(z: Range, a: Range) -> Wanted:
    """Narrow the arguments of ``a * a``."""
    root = np.sqrt(np.maximum(z.high, 0.0) + _LEAST)
    low = np.where(a.low >= 0, np.sqrt(np.maximum(z.low - _LEAST, 0.0)), -root)
    return (_wider(low, root),)


def sqrt(z: Range, _: Range) -> Wanted:
    """Narrow the arguments of ``sqrt(a)``."""
    least = np.maximum(z.low, 0.0)
    return (_wider(np.where(z.low > 0, least * least, -np.inf), z.high * z.high),)


def power(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a ** b``."""
    # A positive base and one known exponent, not so small that the root magnifies rounding.
    known = (b.low == b.high) & (np.abs(b.low) >= _LEAST_EXPONENT) & (a.low > 0) & (z.low > _LEAST)
    root = np.where(known, 1.0 / np.where(b.low != 0, b.low, 1.0), 1.0)
    ends = np.power(np.where(known, z.low, 1.0), root), np.power(np.where(known, z.high, 1.0), root)
    return _if(known, _wider(np.minimum(*ends), np.maximum(*ends))), None


def less(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a < b`` or ``a <= b``."""
    holds, fails = z.low > 0, z.high == 0
    return (
        Range(np.where(fails, b.low, -np.inf), np.where(holds, b.high, np.inf)),
        Range(np.where(holds, a.low, -np.inf), np.where(fails, a.high, np.inf)),
    )


def greater(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a > b`` or ``a >= b``."""
    return less(z, b, a)[::-1]


def equal(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a == b``."""
    holds = z.low > 0
    return _if(holds, b), _if(holds, a)


def logical_and(z: Range, _a: Range, _b: Range) -> Wanted:
    """Narrow the arguments of ``a and b``."""
    true = Range(np.where(z.low > 0, 1.0, 0.0), np.ones_like(z.high))
    return true, true


def logical_or(z: Range, a: Range, b: Range) -> Wanted:
    """Narrow the arguments of ``a or b``."""
    false = np.where(z.high == 0, 0.0, 1.0)
    return (
        Range(np.where((z.low > 0) & (b.high == 0), 1.0, 0.0), false),
        Range(np.where((z.low > 0) & (a.high == 0), 1.0, 0.0), false),
    )


def logical_not(z: Range, _: Range) -> Wanted:
    """Narrow the arguments of ``not a``."""
    return (Range(np.where(z.high == 0, 1.0, 0.0), np.where(z.low > 0, 0.0, 1.0)),)


def met(wanted: Range, known: Range) -> Range:
    """Intersect what a value must be with what it can be.

    Where its range is open at an end, it may be infinite or not a number, which
    only the evaluator can judge: nothing is concluded then.
    """
    low, high = np.fmax(wanted.low, known.low), np.fmin(wanted.high, known.high)
    if known.low.min() > -np.inf and known.high.max() < np.inf:
        return Range(low, high)
    settled = np.isfinite(known.low) & np.isfinite(known.high)
    return _if(settled, Range(low, high))


def _plus(a: Range, b: Range) -> Range:
    return _sum(a.low, b.low, a.high, b.high)


def _minus(a: Range, b: Range) -> Range:
    return _sum(a.low, -b.high, a.high, -b.low)


def _sum(low: Array, other_low: Array, high: Array, other_high: Array) -> Range:
    # What cancels leaves the rounding errors of what was there.
    return Range(
        low + other_low - _SLACK * (np.abs(low) + np.abs(other_low)),
        high + other_high + _SLACK * (np.abs(high) + np.abs(other_high)),
    )


def _times(a: Range, b: Range) -> Range:
    a = Range(a.low - _LEAST, a.high + _LEAST)
    return _wider(*extremes([x * y for x in a for y in b]))


def _over(a: Range, b: Range) -> Range:
    """Divide; by what may be zero, nothing is known."""
    a = Range(a.low - _LEAST, a.high + _LEAST)
    if b.low.min() > 0 and a.low.min() >= 0:
        return Range(a.low / b.high * _LESS, a.high / b.low * _MORE)
    through = (b.low <= 0) & (b.high >= 0)
    return _if(~through, _wider(*extremes([x / y for x in a for y in b])))


def _wider(low: Array, high: Array) -> Range:
    return Range(low - _SLACK * np.abs(low) - _LEAST, high + _SLACK * np.abs(high) + _LEAST)


def _if(known: NDArray[np.bool_], a: Range) -> Range:
    return Range(np.where(known, a.low, -np.inf), np.where(known, a.high, np.inf))


def _apart(a: Range, b: Range) -> NDArray[np.bool_]:
    return (a.high < b.low) | (b.high < a.low)
