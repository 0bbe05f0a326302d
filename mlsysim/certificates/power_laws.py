"""Bound a formula over a box by power laws of its long choices.

Interval arithmetic forgets where a number came from: over a box, ``cost * time / tokens`` counts
the batch above and below as unrelated numbers.  A power law ``c (x/m)^p (y/n)^q`` remembers, and
products and quotients of such laws are such laws, in which what stands above and below cancels.
A sum of two is bounded by its tangent at the middle of the box: from below by the inequality of
the weighted means, ``a + b >= (a/v)^v (b/w)^w`` for ``v + w = 1``, whose gap shrinks with the
square of the box; from above at the corners, because a sum of power laws is convex in the
logarithms of the choices.

Every bound holds for real numbers, and for what floats make of the formula: each step gives away
2**-50, twice what it can round, and exponents are multiples of 2**-40, whose sums are exact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mlsysim.certificates.rounding import Array, Mask, exponential_above, exponential_below

Exponents = Mapping[str, Array]

_GIVEN = 2.0**-50
_GRID = 2.0**40
_OFF_GRID = 2.0**-38  # what exponents may be off by, for each logarithm of a choice: four times
_STEEPEST = 64.0
# Beyond these, floats lose digits or overflow, and a law is given up.
_LEAST, _GREATEST = 1e-290, 1e290
# Corners of more choices than this are not visited one by one.
_MOST_CORNERED = 3


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """A factor times powers of choices, each relative to the middle of its range.

    Parameters
    ----------
    factor
        The value at the middle, nowhere negative; NaN in boxes where nothing is known.
    exponents
        Choice -> its exponent in each box.
    """

    factor: Array
    exponents: Exponents


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where the long choices of some boxes lie.

    Parameters
    ----------
    middles
        Choice -> the middle of its range in each box.
    ends
        Choice -> the logarithms of the ends of the range, relative to the middle, rounded outward.
    """

    middles: Mapping[str, Array]
    ends: Mapping[str, tuple[Array, Array]]

    @classmethod
    def of(cls, ranges: Mapping[str, tuple[Array, Array]]) -> "Scale":
        """Make the scale of some boxes from the least and greatest value of each choice."""
        middles, ends = {}, {}
        for name, (low, high) in ranges.items():
            single = low == high
            middles[name] = middle = np.where(single, low, np.sqrt(low * high))
            below, above = np.log(low / middle), np.log(high / middle)
            ends[name] = (
                np.where(single, 0.0, below - 2.0**-48 * (1 + np.abs(below))),
                np.where(single, 0.0, above + 2.0**-48 * (1 + np.abs(above))),
            )
        return cls(middles=middles, ends=ends)

    @property
    def width(self) -> Array:
        """The largest logarithms, added up."""
        total = np.zeros(())
        for low, high in self.ends.values():
            total = total + np.maximum(-low, high)
        return total

    def choice(self, name: str) -> PowerLaw:
        """Give the law of a choice itself, which is exact."""
        middle = self.middles[name]
        return PowerLaw(factor=middle, exponents={name: np.ones(np.shape(middle))})

    def least(self, exponents: Exponents) -> Array:
        """Bound the powers from below over each box."""
        total, size = np.zeros(()), np.zeros(())
        for name, exponent in exponents.items():
            low, high = (exponent * end for end in self.ends[name])
            total = total + np.minimum(low, high)
            size = size + np.maximum(np.abs(low), np.abs(high))
        return exponential_below(total, size)

    def greatest(self, exponents: Exponents) -> Array:
        """Bound the powers from above over each box."""
        total, size = np.zeros(()), np.zeros(())
        for name, exponent in exponents.items():
            low, high = (exponent * end for end in self.ends[name])
            total = total + np.maximum(low, high)
            size = size + np.maximum(np.abs(low), np.abs(high))
        return exponential_above(total, size)

    def below(self, law: PowerLaw, exponents: Exponents) -> PowerLaw:
        """Bound a law from below by one of other exponents."""
        rest = self.least(_less(law.exponents, exponents))
        return PowerLaw(factor=smaller(law.factor * rest), exponents=exponents)

    def above(self, law: PowerLaw, exponents: Exponents) -> PowerLaw:
        """Bound a law from above by one of other exponents."""
        rest = self.greatest(_less(law.exponents, exponents))
        return PowerLaw(factor=larger(law.factor * rest), exponents=exponents)

    def sum_below(self, one: PowerLaw, other: PowerLaw) -> PowerLaw:
        """Bound a sum from below, by the inequality of the weighted means."""
        total = one.factor + other.factor
        exponents = _tangent(one, other, total)
        given = 1.0 - _OFF_GRID * self.width
        return PowerLaw(factor=smaller(total * given), exponents=exponents)

    def sum_above(self, one: PowerLaw, other: PowerLaw) -> PowerLaw:
        """Bound a sum from above, at the corners of each box."""
        exponents = _tangent(one, other, one.factor + other.factor)
        parts = [(law.factor, _less(law.exponents, exponents)) for law in (one, other)]
        if len(exponents) > _MOST_CORNERED:
            total = sum(factor * self.greatest(rest) for factor, rest in parts)
            return PowerLaw(factor=larger(np.asarray(total)), exponents=exponents)
        most: Array = np.zeros(())
        for corner in range(1 << len(exponents)):
            tops = {name: corner >> place & 1 for place, name in enumerate(exponents)}
            total = sum(factor * self._at(rest, tops) for factor, rest in parts)
            most = np.maximum(most, total)
        return PowerLaw(factor=larger(most), exponents=exponents)

    def _at(self, exponents: Exponents, tops: Mapping[str, int]) -> Array:
        """Bound powers from above at a corner of each box."""
        terms = [exponent * self.ends[name][tops[name]] for name, exponent in exponents.items()]
        total = sum(terms, np.zeros(()))
        return exponential_above(total, sum(map(np.abs, terms), np.zeros(())))

    def raised(self, law: PowerLaw, power: float, *, up: bool) -> PowerLaw:
        """Raise a law to a positive power; the bound is an upper one or a lower one."""
        exponents = {name: _on_grid(power * own) for name, own in law.exponents.items()}
        factor = np.power(law.factor, power)
        given = _OFF_GRID * self.width
        return PowerLaw(
            factor=larger(factor * (1.0 + given)) if up else smaller(factor * (1.0 - given)),
            exponents=exponents,
        )


def product(one: PowerLaw, other: PowerLaw) -> PowerLaw:
    """Multiply two laws, not rounded to either side yet."""
    names = one.exponents.keys() | other.exponents.keys()
    nothing = np.zeros(())
    exponents = {
        name: one.exponents.get(name, nothing) + other.exponents.get(name, nothing)
        for name in sorted(names)
    }
    return PowerLaw(factor=one.factor * other.factor, exponents=exponents)


def quotient(one: PowerLaw, other: PowerLaw) -> PowerLaw:
    """Divide two laws, not rounded to either side yet."""
    return PowerLaw(
        factor=one.factor / other.factor, exponents=_less(one.exponents, other.exponents)
    )


def smaller(factor: Array) -> Array:
    """Give away what a step may have rounded, downward."""
    return np.where(factor > _LEAST, factor * (1.0 - _GIVEN), factor * 0.0)


def larger(factor: Array) -> Array:
    """Give away what a step may have rounded, upward."""
    return np.where(factor >= _LEAST, factor * (1.0 + _GIVEN), factor * 0.0 + _LEAST)


def chosen(which: Mask, one: PowerLaw, other: PowerLaw) -> PowerLaw:
    """Give one law in some boxes, and the other in the rest."""
    nothing = np.zeros(())
    names = one.exponents.keys() | other.exponents.keys()
    return PowerLaw(
        factor=np.where(which, one.factor, other.factor),
        exponents={
            name: np.where(
                which, one.exponents.get(name, nothing), other.exponents.get(name, nothing)
            )
            for name in sorted(names)
        },
    )


def number(value: Array) -> PowerLaw:
    """Give the law of a number that no choice changes; unknown where it is negative."""
    return PowerLaw(factor=np.where(value >= 0, value, np.nan), exponents={})


def is_safe(law: PowerLaw, least: Array, greatest: Array) -> Mask:
    """Tell where a law and its ends are numbers with which floats can count."""
    safe = np.asarray((law.factor >= 0) & (least > _LEAST) & (greatest < _GREATEST))
    for exponent in law.exponents.values():
        safe = safe & (np.abs(exponent) <= _STEEPEST)
    return np.asarray(safe | (law.factor == 0))


def _tangent(one: PowerLaw, other: PowerLaw, total: Array) -> Exponents:
    """Give the exponents of a sum at the middle of each box."""
    weight = np.where(total > 0, one.factor / total, 0.5)
    weight = np.where(np.isfinite(weight), weight, 0.5)
    nothing = np.zeros(())
    return {
        name: _on_grid(
            weight * one.exponents.get(name, nothing)
            + (1.0 - weight) * other.exponents.get(name, nothing)
        )
        for name in _sorted(one.exponents, other.exponents)
    }


def _sorted(*exponents: Iterable[str]) -> list[str]:
    return sorted({name for names in exponents for name in names})


def _less(one: Exponents, other: Exponents) -> dict[str, Array]:
    nothing = np.zeros(())
    return {name: one.get(name, nothing) - other.get(name, nothing) for name in _sorted(one, other)}


def _on_grid(exponent: Array) -> Array:
    return np.rint(exponent * _GRID) / _GRID
