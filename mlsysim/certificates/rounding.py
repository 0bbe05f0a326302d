"""Rounding outward: numbers that are certainly below, or above, what was to be computed.

A float operation returns the float next to the true value.  Whoever wants a lower bound of both
takes the float below the computed one; where the computed one is known to be exact, as it is for
whole numbers below 2**53, nothing is taken away.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

EXACT = 2.0**53
"""Whole numbers up to here are floats, and so are their sums and products."""

_NOWHERE = np.zeros((), np.bool_)
_LIBRARY = 2.0**-49
# Libraries differ in exponentials, logarithms and powers by an ulp or two (2**-52); this is 8.


def is_whole(value: Array) -> Mask:
    """Tell which numbers are whole, and small enough for floats to be exact."""
    return np.asarray((value == np.rint(value)) & (np.abs(value) <= EXACT))


def downward(value: Array, exact: Mask = _NOWHERE) -> Array:
    """Give a number below what was rounded to a value."""
    return np.where(exact, value, np.nextafter(value, -np.inf))


def upward(value: Array, exact: Mask = _NOWHERE) -> Array:
    """Give a number above what was rounded to a value."""
    return np.where(exact, value, np.nextafter(value, np.inf))


def well_below(value: Array) -> Array:
    """Give a number below what any library makes of a function whose value is this."""
    return np.where(value == 0, value, np.nextafter(value - _LIBRARY * np.abs(value), -np.inf))


def well_above(value: Array) -> Array:
    """Give a number above what any library makes of a function whose value is this."""
    return np.where(value == 0, value, np.nextafter(value + _LIBRARY * np.abs(value), np.inf))


def exponential_below(exponent: Array, size: Array) -> Array:
    """Bound an exponential from below.

    Parameters
    ----------
    exponent
        The exponent, a sum of products of floats.
    size
        The sum of their sizes: its rounding error is a small share of it.
    """
    return np.asarray(np.exp(exponent - 2.0**-48 * size - 2.0**-48))


def exponential_above(exponent: Array, size: Array) -> Array:
    """Bound an exponential from above; see `exponential_below`."""
    return np.asarray(np.exp(exponent + 2.0**-48 * size + 2.0**-48))
