"""Enclose the results of arithmetic, by what encloses its arguments."""

from collections.abc import Callable

import numpy as np

from mlsysim.certificates import power_laws
from mlsysim.certificates.enclosure import Enclosure, enclosed, with_laws
from mlsysim.certificates.power_laws import PowerLaw, Scale
from mlsysim.certificates.rounding import (
    Array,
    Mask,
    downward,
    is_whole,
    upward,
    well_above,
    well_below,
)

Rule = Callable[..., Enclosure]
"""Takes the scale of the boxes, and the enclosures of the arguments."""

# Beyond this the float algorithm for whole quotients may miss by one.
_LARGE = 2.0**50


def add(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a + b``."""
    plain = _sum(a, b)
    if not (a.has_laws or b.has_laws):
        return plain
    below = scale.sum_below(a.law_below, b.law_below)
    return with_laws(scale, plain, below, scale.sum_above(a.law_above, b.law_above))


def _sum(a: Enclosure, b: Enclosure) -> Enclosure:
    opposite = ((a.high == np.inf) & (b.low == -np.inf)) | ((a.low == -np.inf) & (b.high == np.inf))
    low, high = a.low + b.low, a.high + b.high
    return enclosed(
        downward(low, _is_exact_sum(a.low, b.low, low)),
        upward(high, _is_exact_sum(a.high, b.high, high)),
        a.undefined | b.undefined | opposite,
    )


def _is_exact_sum(a: Array, b: Array, total: Array) -> Mask:
    whole = is_whole(a) & is_whole(b) & is_whole(total)
    return np.asarray(whole | (a == 0) | (b == 0))


def negative(_: Scale, a: Enclosure) -> Enclosure:
    """Enclose ``-a``."""
    return Enclosure(low=-a.high, high=-a.low, undefined=a.undefined)


def subtract(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a - b``."""
    if a is b:  # one number, less itself
        nothing = np.zeros(())
        return Enclosure(low=nothing, high=nothing, undefined=a.undefined | _is_endless(a))
    plain = _sum(a, negative(scale, b))
    if not (a.has_laws or b.has_laws):
        return plain
    # a - b >= a (1 - r) where b is nowhere more than r times a; and the other way round.
    most = scale.above(b.law_above, a.law_below.exponents).factor / a.law_below.factor
    most = most * (1.0 + 2.0**-50)
    below = PowerLaw(
        factor=power_laws.smaller(np.where(most < 1, a.law_below.factor * (1.0 - most), np.nan)),
        exponents=a.law_below.exponents,
    )
    least = scale.below(b.law_below, a.law_above.exponents).factor / a.law_above.factor
    least = least * (1.0 - 2.0**-50)
    above = PowerLaw(
        factor=power_laws.larger(a.law_above.factor * np.maximum(1.0 - least, 0.0)),
        exponents=a.law_above.exponents,
    )
    return with_laws(scale, plain, below, above)


def multiply(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a * b``."""
    ends = [(x, y, x * y) for x in (a.low, a.high) for y in (b.low, b.high)]
    # What is infinite times zero, at a corner, is zero next to it.
    products = [np.where(np.isnan(xy), 0.0, xy) for _, _, xy in ends]
    exact = [_is_exact_product(*end) for end in ends]
    unknown = (_has_zero(a) & _is_endless(b)) | (_is_endless(a) & _has_zero(b))
    low, high = _hull(products, exact)
    plain = enclosed(low, high, a.undefined | b.undefined | unknown)
    if not (a.has_laws or b.has_laws):
        return plain
    below, above = (
        power_laws.product(a.law_below, b.law_below),
        power_laws.product(a.law_above, b.law_above),
    )
    return with_laws(scale, plain, *_rounded(below, above, (a.low >= 0) & (b.low >= 0)))


def _is_exact_product(a: Array, b: Array, result: Array) -> Mask:
    whole = is_whole(a) & is_whole(b) & is_whole(result)
    return np.asarray(whole | (a == 0) | (b == 0) | (np.abs(a) == 1) | (np.abs(b) == 1))


def divide(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a / b``."""
    ends = [(x, y, x / y) for x in (a.low, a.high) for y in (b.low, b.high)]
    exact = [_is_exact_quotient(*end) for end in ends]
    low, high = _hull([q for _, _, q in ends], exact)
    through = _has_zero(b)
    unknown = (through & _has_zero(a)) | (_is_endless(a) & _is_endless(b))
    plain = enclosed(
        np.where(through, -np.inf, low),
        np.where(through, np.inf, high),
        a.undefined | b.undefined | unknown,
    )
    if not (a.has_laws or b.has_laws):
        return plain
    below, above = (
        power_laws.quotient(a.law_below, b.law_above),
        power_laws.quotient(a.law_above, b.law_below),
    )
    return with_laws(scale, plain, *_rounded(below, above, (a.low >= 0) & (b.low > 0)))


def _is_exact_quotient(a: Array, b: Array, result: Array) -> Mask:
    whole = is_whole(a) & is_whole(b) & is_whole(result) & is_whole(result * b)
    return np.asarray((whole & (result * b == a)) | (a == 0) | (np.abs(b) == 1))


def _rounded(below: PowerLaw, above: PowerLaw, holds: Mask) -> tuple[PowerLaw, PowerLaw]:
    """Round two laws outward, which hold in some boxes only."""
    return (
        PowerLaw(
            factor=power_laws.smaller(np.where(holds, below.factor, np.nan)),
            exponents=below.exponents,
        ),
        PowerLaw(
            factor=power_laws.larger(np.where(holds, above.factor, np.nan)),
            exponents=above.exponents,
        ),
    )


def _hull(values: list[Array], exact: list[Mask]) -> tuple[Array, Array]:
    """Give the least and the greatest of some corners, rounded outward where they are not exact."""
    low = np.fmin.reduce([downward(v, e) for v, e in zip(values, exact, strict=True)])
    high = np.fmax.reduce([upward(v, e) for v, e in zip(values, exact, strict=True)])
    return low, high


def _has_zero(a: Enclosure) -> Mask:
    return np.asarray((a.low <= 0) & (a.high >= 0))


def _is_endless(a: Enclosure) -> Mask:
    return np.asarray((a.low == -np.inf) | (a.high == np.inf))


def floor_divide(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose a // b, the floor of the true quotient."""
    found = floor(scale, divide(scale, a, b))
    unknown = _has_zero(b) | _is_endless(a) | (np.abs(found.low) > _LARGE)
    unknown = unknown | (np.abs(found.high) > _LARGE)
    return _open(found, np.asarray(unknown))


def _open(a: Enclosure, unknown: Mask) -> Enclosure:
    """Give up what is known in some boxes."""
    below, above = a.below, a.above
    if below is not None and above is not None:
        nothing, none = np.full((), np.nan), unknown
        below = power_laws.chosen(none, PowerLaw(factor=nothing, exponents={}), below)
        above = power_laws.chosen(none, PowerLaw(factor=nothing, exponents={}), above)
    return Enclosure(
        low=np.where(unknown, -np.inf, a.low),
        high=np.where(unknown, np.inf, a.high),
        undefined=a.undefined | unknown,
        below=below,
        above=above,
    )


def remainder(_: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a % b``."""
    low, high = np.minimum(b.low, 0.0), np.maximum(b.high, 0.0)
    forward = (a.low >= 0) & (b.low > 0)
    high = np.where(forward, np.minimum(high, a.high), high)
    unchanged = forward & (a.high < b.low)
    low, high = np.where(unchanged, a.low, low), np.where(unchanged, a.high, high)
    single = (a.low == a.high) & (b.low == b.high)
    value = np.remainder(a.low, b.low)
    low, high = np.where(single, value, low), np.where(single, value, high)
    unknown = np.asarray(_has_zero(b) | _is_endless(a))
    return _open(enclosed(low, high, a.undefined | b.undefined), unknown)


def power(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose ``a ** b``."""
    # Whole powers have a value below zero, too: even ones are those of the size.
    whole = (b.low == b.high) & (b.low == np.rint(b.low)) & (b.low >= 0)
    even, size = whole & (np.remainder(b.low, 2.0) == 0), absolute(scale, a)
    least, most = np.where(even, size.low, a.low), np.where(even, size.high, a.high)
    corners = [np.power(x, y) for x in (least, most) for y in (b.low, b.high)]
    low, high = well_below(np.minimum.reduce(corners)), well_above(np.maximum.reduce(corners))
    known = whole | (a.low > 0) | ((a.low >= 0) & (b.low >= 0))
    plain = enclosed(
        np.where(least >= 0, np.maximum(low, 0.0), low), high, a.undefined | b.undefined
    )
    plain = _open(plain, np.asarray(~known))
    is_constant = np.size(b.low) == 1 and np.all((b.low == b.high) & (b.low > 0))
    if not (a.has_laws and is_constant):
        return plain
    return _raised(scale, plain, a, float(np.ravel(b.low)[0]))


def _raised(scale: Scale, plain: Enclosure, a: Enclosure, power: float) -> Enclosure:
    below = scale.raised(a.law_below, power, up=False)
    above = scale.raised(a.law_above, power, up=True)
    nothing = PowerLaw(factor=np.full((), np.nan), exponents={})
    return with_laws(scale, plain, below, power_laws.chosen(a.low >= 0, above, nothing))


def square(scale: Scale, a: Enclosure) -> Enclosure:
    """Enclose ``a * a``."""
    size = absolute(scale, a)
    low, high = size.low * size.low, size.high * size.high
    plain = enclosed(
        downward(low, _is_exact_product(size.low, size.low, low)),
        upward(high, _is_exact_product(size.high, size.high, high)),
        a.undefined,
    )
    return _raised(scale, plain, a, 2.0) if a.has_laws else plain


def absolute(_: Scale, a: Enclosure) -> Enclosure:
    """Enclose the distance of a from zero."""
    nearest = np.minimum(np.abs(a.low), np.abs(a.high))
    return enclosed(
        np.where(_has_zero(a), 0.0, nearest),
        np.maximum(np.abs(a.low), np.abs(a.high)),
        a.undefined,
    )


def rising(function: Callable[[Array], Array]) -> Rule:
    """Enclose a function that rises, and is exact."""
    return lambda _, a: enclosed(function(a.low), function(a.high), a.undefined)


def smooth(function: Callable[[Array], Array], *, least: float = -np.inf) -> Rule:
    """Enclose a function that rises from the least number of which there is one."""

    def rule(_: Scale, a: Enclosure) -> Enclosure:
        # Below the least it is no number; what is one lies above the value at the least.
        low = well_below(function(np.maximum(a.low, least)))
        return enclosed(low, well_above(function(a.high)), a.undefined | (a.low < least))

    return rule


def sqrt(scale: Scale, a: Enclosure) -> Enclosure:
    """Enclose the square root."""
    plain = smooth(np.sqrt, least=0.0)(scale, a)
    return _raised(scale, plain, a, 0.5) if a.has_laws else plain


def floor(scale: Scale, a: Enclosure) -> Enclosure:
    """Enclose ``floor(a)``."""
    plain = enclosed(np.floor(a.low), np.floor(a.high), a.undefined)
    if not a.has_laws:
        return plain
    # More than a - 1, which is at least a (1 - 1 / low).
    share = np.where(a.low > 1, 1.0 - upward(1.0 / np.maximum(a.low, 1.0)), np.nan)
    below = PowerLaw(
        factor=power_laws.smaller(a.law_below.factor * share), exponents=a.law_below.exponents
    )
    return with_laws(scale, plain, below, a.law_above)


def ceil(scale: Scale, a: Enclosure) -> Enclosure:
    """Enclose ``ceil(a)``."""
    plain = enclosed(np.ceil(a.low), np.ceil(a.high), a.undefined)
    if not a.has_laws:
        return plain
    above = scale.sum_above(a.law_above, power_laws.number(np.ones(())))
    return with_laws(scale, plain, a.law_below, above)
