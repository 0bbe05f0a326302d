"""What is known of a number over each of many boxes."""

from dataclasses import dataclass

import numpy as np

from mlsysim.certificates.power_laws import PowerLaw, Scale, is_safe, number
from mlsysim.certificates.rounding import Array, Mask


@dataclass(frozen=True, kw_only=True)
class Enclosure:
    """Bounds of a number at all designs of a box where it is a number.

    Parameters
    ----------
    low, high
        It lies between these.
    undefined
        Whether it may be no number at some design.
    below, above
        Power laws that are nowhere above it, and nowhere below it, if any are known.
    """

    low: Array
    high: Array
    undefined: Mask
    below: PowerLaw | None = None
    above: PowerLaw | None = None

    @property
    def has_laws(self) -> bool:
        """Whether a power law says more than the ends."""
        return self.below is not None

    @property
    def law_below(self) -> PowerLaw:
        """A law that is nowhere above; unknown where the number may be negative."""
        return number(self.low) if self.below is None else self.below

    @property
    def law_above(self) -> PowerLaw:
        """A law that is nowhere below; unknown where the number is negative everywhere."""
        return number(self.high) if self.above is None else self.above

    @property
    def is_true(self) -> Mask:
        """Where it counts as true at every design: anything but zero does, even no number."""
        return np.asarray((self.low > 0) | (self.high < 0))

    @property
    def may_be_true(self) -> Mask:
        """Where it counts as true at some design, for all that is known."""
        return np.asarray((self.low != 0) | (self.high != 0) | self.undefined)


def truth(*, surely: Mask, possibly: Mask) -> Enclosure:
    """Enclose a truth value."""
    return Enclosure(
        low=np.asarray(surely, np.float64),
        high=np.asarray(possibly, np.float64),
        undefined=np.zeros((), np.bool_),
    )


def enclosed(low: Array, high: Array, undefined: Mask) -> Enclosure:
    """Enclose by two ends; one that is not a number says nothing."""
    return Enclosure(
        low=np.where(np.isnan(low), -np.inf, low),
        high=np.where(np.isnan(high), np.inf, high),
        undefined=undefined,
    )


def with_laws(
    scale: Scale, plain: Enclosure, below: PowerLaw | None, above: PowerLaw | None
) -> Enclosure:
    """Let ends and power laws tighten each other.

    Where an end says more than its law does at the middle of the box, it becomes the law.
    """
    if below is None or above is None:
        return plain
    least, most = scale.least(below.exponents), scale.greatest(below.exponents)
    known = is_safe(below, below.factor * least, below.factor * most)
    low = np.where(known, np.maximum(plain.low, below.factor * least * (1.0 - 2.0**-50)), plain.low)
    below = _either(known & (below.factor > low), below, low)
    least, most = scale.least(above.exponents), scale.greatest(above.exponents)
    known = is_safe(above, above.factor * least, above.factor * most)
    high = np.where(
        known, np.minimum(plain.high, above.factor * most * (1.0 + 2.0**-50)), plain.high
    )
    above = _either(known & (above.factor < high), above, high)
    return Enclosure(low=low, high=high, undefined=plain.undefined, below=below, above=above)


def _either(which: Mask, law: PowerLaw, end: Array) -> PowerLaw:
    """Keep a law where it says more than an end."""
    return PowerLaw(
        factor=np.where(which, law.factor, np.where(end >= 0, end, np.nan)),
        exponents={name: np.where(which, own, 0.0) for name, own in law.exponents.items()},
    )
