"""Inverse interval rules: what a result may be says what its arguments may be.

If ``a + b`` must lie within a range, then ``a`` lies within that range less
``b``.  Read from the conditions down to the choices (Benhamou et al.,
"Revising hull and box consistency", 1999), this cuts off the ends of a
box where a condition cannot hold, without splitting it.  An argument's range
is widened by the rounding of floats, so that nothing that could hold is cut off.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.ranges import Array, Range, extremes

Wanted = tuple[Range | None, ...]

# Each inverse rule rounds a few times, at 1.1e-16 each.
_SLACK = 1e-14
_LESS, _MORE = 1.0 - _SLACK, 1.0 + _SLACK
# Below this, floats lose digits, down to nothing.
_LEAST = 1e-300
_LEAST_EXPONENT = 0.25


def _add(z: Range, a: Range, b: Range) -> Wanted:
    return _minus(z, b), _minus(z, a)


def _subtract(z: Range, a: Range, b: Range) -> Wanted:
    back = _minus(a, z)
    return _plus(z, b), back


def _negative(z: Range, _: Range) -> Wanted:
    return (Range(-z.high, -z.low),)


def _multiply(z: Range, a: Range, b: Range) -> Wanted:
    return _over(z, b), _over(z, a)


def _divide(z: Range, a: Range, b: Range) -> Wanted:
    return _times(z, b), _over(a, z)


def _ceil(z: Range, _: Range) -> Wanted:
    # ceil(a) >= low exactly where a > ceil(low) - 1.
    return (Range(np.ceil(z.low) - 1.0, np.floor(z.high)),)


def _floor(z: Range, _: Range) -> Wanted:
    return (Range(np.ceil(z.low), np.floor(z.high) + 1.0),)


def _maximum(z: Range, a: Range, b: Range) -> Wanted:
    # The one that alone can be as large as the least maximum has to be.
    return (
        Range(np.where(b.high < z.low, z.low, -np.inf), z.high),
        Range(np.where(a.high < z.low, z.low, -np.inf), z.high),
    )


def _minimum(z: Range, a: Range, b: Range) -> Wanted:
    return (
        Range(z.low, np.where(b.low > z.high, z.high, np.inf)),
        Range(z.low, np.where(a.low > z.high, z.high, np.inf)),
    )


def _where(z: Range, condition: Range, a: Range, b: Range) -> Wanted:
    yes = (condition.low > 0) | (condition.high < 0)
    no = (condition.low == 0) & (condition.high == 0)
    yes = yes | ~no & _apart(z, b)
    no = no | ~yes & _apart(z, a)
    truth = Range(np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0))
    return truth, _if(yes, z), _if(no, z)


def _square(z: Range, a: Range) -> Wanted:
    root = np.sqrt(np.maximum(z.high, 0.0) + _LEAST)
    low = np.where(a.low >= 0, np.sqrt(np.maximum(z.low - _LEAST, 0.0)), -root)
    return (_wider(low, root),)


def _sqrt(z: Range, _: Range) -> Wanted:
    least = np.maximum(z.low, 0.0)
    return (_wider(np.where(z.low > 0, least * least, -np.inf), z.high * z.high),)


def _power(z: Range, a: Range, b: Range) -> Wanted:
    # A positive base and one known exponent, not so small that the root magnifies rounding.
    known = (b.low == b.high) & (np.abs(b.low) >= _LEAST_EXPONENT) & (a.low > 0) & (z.low > _LEAST)
    root = np.where(known, 1.0 / np.where(b.low != 0, b.low, 1.0), 1.0)
    ends = np.power(np.where(known, z.low, 1.0), root), np.power(np.where(known, z.high, 1.0), root)
    return _if(known, _wider(np.minimum(*ends), np.maximum(*ends))), None


def _less(z: Range, a: Range, b: Range) -> Wanted:
    holds, fails = z.low > 0, z.high == 0
    return (
        Range(np.where(fails, b.low, -np.inf), np.where(holds, b.high, np.inf)),
        Range(np.where(holds, a.low, -np.inf), np.where(fails, a.high, np.inf)),
    )


def _greater(z: Range, a: Range, b: Range) -> Wanted:
    return _less(z, b, a)[::-1]


def _equal(z: Range, a: Range, b: Range) -> Wanted:
    holds = z.low > 0
    return _if(holds, b), _if(holds, a)


def _and(z: Range, _a: Range, _b: Range) -> Wanted:
    true = Range(np.where(z.low > 0, 1.0, 0.0), np.ones_like(z.high))
    return true, true


def _or(z: Range, a: Range, b: Range) -> Wanted:
    false = np.where(z.high == 0, 0.0, 1.0)
    return (
        Range(np.where((z.low > 0) & (b.high == 0), 1.0, 0.0), false),
        Range(np.where((z.low > 0) & (a.high == 0), 1.0, 0.0), false),
    )


def _not(z: Range, _: Range) -> Wanted:
    return (Range(np.where(z.high == 0, 1.0, 0.0), np.where(z.low > 0, 0.0, 1.0)),)


# What is missing here tells nothing about its arguments.
INVERSE: dict[str, Callable[..., Wanted]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "ceil": _ceil,
    "floor": _floor,
    "maximum": _maximum,
    "minimum": _minimum,
    "where": _where,
    "square": _square,
    "sqrt": _sqrt,
    "power": _power,
    "less": _less,
    "less_equal": _less,
    "greater": _greater,
    "greater_equal": _greater,
    "equal": _equal,
    "logical_and": _and,
    "logical_or": _or,
    "logical_not": _not,
}


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
