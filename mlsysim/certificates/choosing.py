"""Enclose the results of comparisons, of logic, and of choices between two numbers.

``maximum`` and ``minimum`` hand on what is no number; a comparison with such does not hold; as a
condition it counts as true, as anything does but zero.
"""

import numpy as np

from mlsysim.certificates import power_laws
from mlsysim.certificates.enclosure import Enclosure, enclosed, truth, with_laws
from mlsysim.certificates.power_laws import PowerLaw, Scale
from mlsysim.certificates.rounding import Mask


def maximum(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose the larger of two numbers."""
    plain = enclosed(
        np.maximum(a.low, b.low), np.maximum(a.high, b.high), a.undefined | b.undefined
    )
    if not (a.has_laws or b.has_laws):
        return plain
    one, other = a.law_below, b.law_below
    below = power_laws.chosen((one.factor >= other.factor) | np.isnan(other.factor), one, other)
    # What is negative everywhere is no more than zero.
    nothing = PowerLaw(factor=np.zeros(()), exponents={})
    one = power_laws.chosen(a.high < 0, nothing, a.law_above)
    other = power_laws.chosen(b.high < 0, nothing, b.law_above)
    return with_laws(
        scale, plain, below, _outer(scale, one, other, one.factor >= other.factor, up=True)
    )


def minimum(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose the smaller of two numbers."""
    plain = enclosed(
        np.minimum(a.low, b.low), np.minimum(a.high, b.high), a.undefined | b.undefined
    )
    if not (a.has_laws or b.has_laws):
        return plain
    one, other = a.law_above, b.law_above
    above = power_laws.chosen((one.factor <= other.factor) | np.isnan(other.factor), one, other)
    one, other = a.law_below, b.law_below
    below = _outer(scale, one, other, one.factor <= other.factor, up=False)
    return with_laws(scale, plain, below, above)


def where(scale: Scale, condition: Enclosure, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose a where a condition holds, and b elsewhere."""
    yes, no = condition.is_true, ~condition.may_be_true
    low = np.where(yes, a.low, np.where(no, b.low, np.minimum(a.low, b.low)))
    high = np.where(yes, a.high, np.where(no, b.high, np.maximum(a.high, b.high)))
    plain = enclosed(low, high, (~no & a.undefined) | (~yes & b.undefined))
    if not (a.has_laws or b.has_laws):
        return plain
    laws = []
    for one, other, up in ((a.law_below, b.law_below, False), (a.law_above, b.law_above, True)):
        first = one.factor >= other.factor if up else one.factor <= other.factor
        outer = _outer(scale, one, other, first, up=up)
        laws.append(power_laws.chosen(yes, one, power_laws.chosen(no, other, outer)))
    return with_laws(scale, plain, laws[0], laws[1])


def _outer(scale: Scale, one: PowerLaw, other: PowerLaw, first: Mask, *, up: bool) -> PowerLaw:
    """Bound two numbers at once by a law with the exponents of one of them."""
    exponents = power_laws.chosen(first, one, other).exponents
    if up:
        factors = [scale.above(law, exponents).factor for law in (one, other)]
        return PowerLaw(factor=np.maximum(*factors), exponents=exponents)
    factors = [scale.below(law, exponents).factor for law in (one, other)]
    return PowerLaw(factor=np.minimum(*factors), exponents=exponents)


def _is_above(scale: Scale, a: Enclosure, b: Enclosure) -> Mask:
    """Tell where one number is larger than another at every design at which both are numbers."""
    above = np.asarray(a.low > b.high)
    if a.has_laws or b.has_laws:
        ratio = power_laws.quotient(a.law_below, b.law_above)
        least = scale.least(ratio.exponents) * a.law_below.factor * (1.0 - 2.0**-50)
        above = above | (least > b.law_above.factor)
    return above


def less(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether a < b."""
    known = ~(a.undefined | b.undefined)
    never = (a.low >= b.high) | _is_above(scale, a, b)
    return truth(surely=known & _is_above(scale, b, a), possibly=~never)


def less_equal(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether a <= b."""
    known = ~(a.undefined | b.undefined)
    always = (a.high <= b.low) | _is_above(scale, b, a)
    return truth(surely=known & always, possibly=~_is_above(scale, a, b))


def equal(scale: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether a == b."""
    known = ~(a.undefined | b.undefined)
    same = (a.low == a.high) & (b.low == b.high) & (a.low == b.low)
    apart = _is_above(scale, a, b) | _is_above(scale, b, a)
    return truth(surely=known & same, possibly=~apart)


def logical_not(_: Scale, a: Enclosure) -> Enclosure:
    """Enclose whether something does not hold."""
    return truth(surely=~a.may_be_true, possibly=~a.is_true)


def logical_and(_: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether both hold."""
    return truth(surely=a.is_true & b.is_true, possibly=a.may_be_true & b.may_be_true)


def logical_or(_: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether one holds at least."""
    return truth(surely=a.is_true | b.is_true, possibly=a.may_be_true | b.may_be_true)


def logical_xor(_: Scale, a: Enclosure, b: Enclosure) -> Enclosure:
    """Enclose whether exactly one holds."""
    settled = (a.is_true | ~a.may_be_true) & (b.is_true | ~b.may_be_true)
    differ = a.is_true != b.is_true
    return truth(surely=settled & differ, possibly=~settled | differ)
