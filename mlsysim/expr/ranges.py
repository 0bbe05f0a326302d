"""Interval rules: the range of an operation over whole boxes of designs.

A `Range` is a pair of arrays (lowest, highest), one entry per box; a truth
value is a range within 0 and 1.  The rules follow the *floating-point*
meaning of an operation: rounding to nearest is monotone, so the ends of a
monotone operation, computed as floats, enclose every float that it returns.
Functions that the mathematics library only approximates are widened by a few
units in the last place.  Where a value may not be a number the range is
everything, so that no box is ever dropped for it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# exp, log and power are accurate to about one unit in the last place (2.2e-16).
_SLACK = 8 * np.finfo(np.float64).eps
_LEAST = 8 * np.finfo(np.float64).smallest_subnormal
_LARGE = 2.0**51


class Range(NamedTuple):
    """The lowest and the highest value over each box."""

    low: Array
    high: Array


def point(value: float) -> Range:
    """Give the range of a constant: not a number means that it may be anything."""
    return _hull(np.asarray(value), np.asarray(value))


def add(a: Range, b: Range) -> Range:
    """Bound ``a + b``."""
    return _hull(a.low + b.low, a.high + b.high)


def subtract(a: Range, b: Range) -> Range:
    """Bound ``a - b``."""
    return _hull(a.low - b.high, a.high - b.low)


def multiply(a: Range, b: Range) -> Range:
    """Bound ``a * b``; zero times infinity is not a number."""
    if nonnegative(a) and nonnegative(b):
        return Range(a.low * b.low, a.high * b.high)
    bound = _hull(*extremes([x * y for x in a for y in b]))
    if _is_finite(a) and _is_finite(b):
        return bound
    return _free(bound, _zero_in(a) & _endless(b) | _endless(a) & _zero_in(b))


def divide(a: Range, b: Range) -> Range:
    """Bound ``a / b``; everything where the divisor can be zero.

    A positive number over one that is nowhere negative is an exception: it is
    positive, and infinite at worst.
    """
    if b.low.min() > 0 and nonnegative(a) and b.high.max() < np.inf:
        return Range(a.low / b.high, a.high / b.low)
    through_zero = (b.low <= 0) & (b.high >= 0)
    bound = _free(_hull(*extremes([x / y for x in a for y in b])), through_zero)
    ends = np.isfinite(a.high) | np.isfinite(b.high)
    one_sided = through_zero & (a.low > 0) & (b.low >= 0) & ~np.signbit(b.low) & ends
    return Range(np.where(one_sided, a.low / b.high, bound.low), bound.high)


def floor_divide(a: Range, b: Range) -> Range:
    """Bound ``a // b``: the floor of the true quotient, which is extreme at the corners."""
    through_zero = (b.low <= 0) & (b.high >= 0)
    if nonnegative(a) and nonnegative(b):
        low, high = np.floor_divide(a.low, b.high), np.floor_divide(a.high, b.low)
    else:
        low, high = extremes([np.floor_divide(x, y) for x in a for y in b])
    # Beyond 2**51 the float algorithm misses the true floor by one at times.
    large = np.maximum(np.abs(low), np.abs(high)) >= _LARGE
    whole = _widen(_hull(low, high))
    bound = _hull(np.where(large, whole.low, low), np.where(large, whole.high, high))
    return _free(bound, through_zero | _endless(a))


def remainder(a: Range, b: Range) -> Range:
    """Bound ``a % b``: within the divisor, and exact where both are single values."""
    low = np.where(b.low < 0, b.low, 0.0)
    high = np.where(b.high > 0, b.high, 0.0)
    small = (a.low >= 0) & (b.low > 0)
    high = np.where(small, np.minimum(high, a.high), high)
    keeps = small & (a.high < b.low)
    single = (a.low == a.high) & (b.low == b.high)
    value = np.remainder(a.low, b.low)
    low, high = np.where(keeps, a.low, low), np.where(keeps, a.high, high)
    bounded = _hull(np.where(single, value, low), np.where(single, value, high))
    return _free(bounded, (b.low <= 0) & (b.high >= 0) | _endless(a))


def power(a: Range, b: Range) -> Range:
    """Bound ``a ** b`` from its corners; even powers turn at zero."""
    corners = _hull(*extremes([np.power(x, y) for x in a for y in b]))
    turns = (a.low < 0) & (a.high > 0)
    low = np.where(turns, np.minimum(corners.low, 0.0), corners.low)
    whole = (b.low == b.high) & (b.low == np.rint(b.low)) & (b.low >= 0)
    unknown = ((a.low < 0) & ~whole) | ((a.low <= 0) & (a.high >= 0) & (b.low < 0))
    return _free(_widen(Range(low, corners.high)), unknown | _anything(a) | _anything(b))


def negative(a: Range) -> Range:
    """Bound ``-a``."""
    return Range(-a.high, -a.low)


def absolute(a: Range) -> Range:
    """Bound ``abs(a)``."""
    highest = np.maximum(np.abs(a.low), np.abs(a.high))
    nearest = np.minimum(np.abs(a.low), np.abs(a.high))
    bounded = Range(np.where((a.low <= 0) & (a.high >= 0), 0.0, nearest), highest)
    return _free(bounded, _anything(a))


def square(a: Range) -> Range:
    """Bound ``a * a``."""
    size = absolute(a)
    return _free(_hull(size.low * size.low, size.high * size.high), _anything(a))


def rising(
    function: Callable[[Array], Array], *, from_: float = -np.inf
) -> Callable[[Range], Range]:
    """Make the rule of a nondecreasing function that is rounded correctly.

    Parameters
    ----------
    function
        The function.
    from_
        Where its domain begins; ranges that reach below are left open.
    """

    def bound(a: Range) -> Range:
        bounded = _hull(function(a.low), function(a.high))
        if from_ == -np.inf and _is_finite(a):
            return bounded
        return _free(bounded, (a.low < from_) | _anything(a))

    return bound


def smooth(
    function: Callable[[Array], Array], *, from_: float = -np.inf
) -> Callable[[Range], Range]:
    """Make the rule of a nondecreasing function that is approximated to an ulp or so."""
    exact = rising(function, from_=from_)
    return lambda a: _widen(exact(a))


def maximum(a: Range, b: Range) -> Range:
    """Bound ``maximum(a, b)``."""
    bounded = Range(np.maximum(a.low, b.low), np.maximum(a.high, b.high))
    if _is_finite(a) and _is_finite(b):
        return bounded
    return _free(bounded, _anything(a) | _anything(b))


def minimum(a: Range, b: Range) -> Range:
    """Bound ``minimum(a, b)``."""
    bounded = Range(np.minimum(a.low, b.low), np.minimum(a.high, b.high))
    if _is_finite(a) and _is_finite(b):
        return bounded
    return _free(bounded, _anything(a) | _anything(b))


def where(condition: Range, a: Range, b: Range) -> Range:
    """Bound ``where(condition, a, b)``: one branch if the condition is settled, else both."""
    yes, no = _surely(condition), ~_possibly(condition)
    low = np.where(yes, a.low, np.where(no, b.low, np.minimum(a.low, b.low)))
    high = np.where(yes, a.high, np.where(no, b.high, np.maximum(a.high, b.high)))
    return Range(low, high)


def less(a: Range, b: Range) -> Range:
    """Bound ``a < b``."""
    return _truth(surely=a.high < b.low, possibly=a.low < b.high)


def less_equal(a: Range, b: Range) -> Range:
    """Bound ``a <= b``."""
    known = ~(_anything(a) | _anything(b))
    return _truth(surely=known & (a.high <= b.low), possibly=a.low <= b.high)


def greater(a: Range, b: Range) -> Range:
    """Bound ``a > b``."""
    return less(b, a)


def greater_equal(a: Range, b: Range) -> Range:
    """Bound ``a >= b``."""
    return less_equal(b, a)


def equal(a: Range, b: Range) -> Range:
    """Bound ``a == b``."""
    single = (a.low == a.high) & (b.low == b.high) & (a.low == b.low)
    return _truth(surely=single, possibly=(a.low <= b.high) & (b.low <= a.high))


def not_equal(a: Range, b: Range) -> Range:
    """Bound ``a != b``."""
    return logical_not(equal(a, b))


def logical_and(a: Range, b: Range) -> Range:
    """Bound ``a and b``."""
    return _truth(surely=_surely(a) & _surely(b), possibly=_possibly(a) & _possibly(b))


def logical_or(a: Range, b: Range) -> Range:
    """Bound ``a or b``."""
    return _truth(surely=_surely(a) | _surely(b), possibly=_possibly(a) | _possibly(b))


def logical_xor(a: Range, b: Range) -> Range:
    """Bound ``a xor b``."""
    settled = (_surely(a) | ~_possibly(a)) & (_surely(b) | ~_possibly(b))
    differ = _surely(a) != _surely(b)
    return _truth(surely=settled & differ, possibly=~settled | differ)


def logical_not(a: Range) -> Range:
    """Bound ``not a``."""
    return _truth(surely=~_possibly(a), possibly=~_surely(a))


def nonnegative(a: Range) -> bool:
    """Tell whether a range is finite and not below zero in any box, where half the work will do."""
    low, high = np.minimum.reduce(a.low, axis=None), np.maximum.reduce(a.high, axis=None)
    return bool(low >= 0 and high < np.inf)


def _is_finite(a: Range) -> bool:
    """Tell whether a range is finite in every box: no value can be not a number for it."""
    low, high = np.minimum.reduce(a.low, axis=None), np.maximum.reduce(a.high, axis=None)
    return bool(low > -np.inf and high < np.inf)


def extremes(ends: Sequence[Array]) -> tuple[Array, Array]:
    """Give the lowest and the highest of the four corners."""
    one, two, three, four = ends
    return (
        np.minimum(np.minimum(one, two), np.minimum(three, four)),
        np.maximum(np.maximum(one, two), np.maximum(three, four)),
    )


def _surely(a: Range) -> NDArray[np.bool_]:
    # Any number but zero counts as true, as it does for NumPy.
    return (a.low > 0) | (a.high < 0)


def _possibly(a: Range) -> NDArray[np.bool_]:
    return (a.low != 0) | (a.high != 0)


def _truth(*, surely: NDArray[np.bool_], possibly: NDArray[np.bool_]) -> Range:
    return Range(surely.astype(np.float64), possibly.astype(np.float64))


def _anything(a: Range) -> NDArray[np.bool_]:
    """Tell where a value is not known at all, and may thus be not a number."""
    return (a.low == -np.inf) & (a.high == np.inf)


def _endless(a: Range) -> NDArray[np.bool_]:
    return (a.low == -np.inf) | (a.high == np.inf)


def _zero_in(a: Range) -> NDArray[np.bool_]:
    return (a.low <= 0) & (a.high >= 0)


def _hull(low: Array, high: Array) -> Range:
    """Pair two ends; an end that is not a number becomes infinite."""
    return Range(np.fmax(low, -np.inf), np.fmin(high, np.inf))


def _free(bounded: Range, unknown: NDArray[np.bool_]) -> Range:
    """Open the range to everything where the value may not exist."""
    return Range(np.where(unknown, -np.inf, bounded.low), np.where(unknown, np.inf, bounded.high))


def _widen(a: Range) -> Range:
    # Zero is met exactly, and must not turn into a number below the domain of a root.
    low = np.where(a.low == 0, 0.0, a.low - _SLACK * np.abs(a.low) - _LEAST)
    high = np.where(a.high == 0, 0.0, a.high + _SLACK * np.abs(a.high) + _LEAST)
    return _hull(low, high)  # infinity less a share of itself is not a number
