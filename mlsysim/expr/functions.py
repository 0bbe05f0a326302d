"""Functions for evaluators that serve every reading.

Each works on Python numbers, NumPy arrays, quantities with units and traced
values alike, where Python's own ``max``, ``if`` or ``math.ceil`` would not.
All follow IEEE 754, as arrays do: what has no value is not a number or
infinite, and never an exception.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlsysim.errors import ParameterError, suggest
from mlsysim.expr.alternatives import Alternatives, combine
from mlsysim.units import as_float

_PLAIN = (int, float)


def maximum(first: Any, *others: Any) -> Any:
    """Give the largest of some values.

    Examples
    --------
    >>> maximum(2, 3, 1)
    3
    """
    values = (first, *others)
    if all(map(_is_plain, values)):
        return next((value for value in values if value != value), max(values))  # noqa: PLR0124
    return functools.reduce(np.maximum, others, first)


def minimum(first: Any, *others: Any) -> Any:
    """Give the smallest of some values.

    Examples
    --------
    >>> minimum(2, 3, 1)
    1
    """
    values = (first, *others)
    if all(map(_is_plain, values)):
        return next((value for value in values if value != value), min(values))  # noqa: PLR0124
    return functools.reduce(np.minimum, others, first)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Give one value where a condition holds and another where it does not.

    Both are computed in every case, so neither may raise.

    Examples
    --------
    >>> where(3 > 2, "yes", "no")
    'yes'
    """
    if isinstance(condition, (bool, np.bool_)):
        return yes if condition else no
    return np.where(condition, yes, no)


def select(key: Any, options: Mapping[Any, Any]) -> Any:
    """Look up a value by a key that may be a choice.

    Parameters
    ----------
    key
        A plain value, an array of numbers, or a traced choice.
    options
        The value for each key.

    Raises
    ------
    ParameterError
        If a plain key is not among the options; the message lists them.

    Examples
    --------
    >>> select("selective", {"none": 0, "selective": 1, "full": 2})
    1
    """
    if isinstance(key, Alternatives):
        return combine(lambda option: _look_up(option, options), key)
    if hasattr(key, "__array_ufunc__") and not np.isscalar(key):
        chosen: Any = math.nan
        for option, value in options.items():
            chosen = where(key == option, value, chosen)
        return chosen
    return _look_up(key, options)


def _look_up(key: Any, options: Mapping[Any, Any]) -> Any:
    try:
        return options[key]
    except KeyError:
        known = [str(option) for option in options]
        raise ParameterError(f"{key!r} is not an option{suggest(str(key), known)}") from None


def logical_and(first: Any, *others: Any) -> Any:
    """Tell whether all conditions hold.

    Examples
    --------
    >>> logical_and(True, 1 < 2, False)
    False
    """
    return _fold(np.logical_and, all, first, others)


def logical_or(first: Any, *others: Any) -> Any:
    """Tell whether any condition holds.

    Examples
    --------
    >>> logical_or(False, 1 < 2)
    True
    """
    return _fold(np.logical_or, any, first, others)


def logical_not(condition: Any) -> Any:
    """Tell whether a condition fails.

    Examples
    --------
    >>> logical_not(False)
    True
    """
    return not condition if isinstance(condition, (bool, np.bool_)) else np.logical_not(condition)


def ceil(value: Any) -> Any:
    """Round up to a whole number.

    Examples
    --------
    >>> ceil(2.1)
    3
    """
    return _total(math.ceil, np.ceil, value)


def floor(value: Any) -> Any:
    """Round down to a whole number.

    Examples
    --------
    >>> floor(2.9)
    2
    """
    return _total(math.floor, np.floor, value)


def absolute(value: Any) -> Any:
    """Give the distance from zero.

    Examples
    --------
    >>> absolute(-3)
    3
    """
    # The root of a negative number is complex in Python, and not a number in an array.
    return math.nan if isinstance(value, complex) else abs(value)


def sqrt(value: Any) -> Any:
    """Give the square root.

    Examples
    --------
    >>> sqrt(9.0)
    3.0
    """
    return _total(math.sqrt, np.sqrt, value)


def exp(value: Any) -> Any:
    """Give e to the power of a value.

    Examples
    --------
    >>> exp(0.0)
    1.0
    """
    return _total(math.exp, np.exp, value)


def expm1(value: Any) -> Any:
    """Give e to the power of a value, less one, to the last digit where the value is small.

    Examples
    --------
    >>> expm1(1e-20)
    1e-20
    """
    return _total(math.expm1, np.expm1, value)


def log(value: Any) -> Any:
    """Give the natural logarithm.

    Examples
    --------
    >>> log(1.0)
    0.0
    """
    return _total(math.log, np.log, value)


def log2(value: Any) -> Any:
    """Give the logarithm to base 2.

    Examples
    --------
    >>> log2(8)
    3.0
    """
    return _total(math.log2, np.log2, value)


def _is_plain(value: Any) -> bool:
    # NumPy's floats derive from Python's, but calculate as arrays do.
    return isinstance(value, _PLAIN) and not isinstance(value, np.generic)


def _total(plain: Callable[[Any], Any], array: np.ufunc, value: Any) -> Any:
    """Apply Python's function where it has a value, and NumPy's elsewhere."""
    if not _is_plain(value):
        return array(value)
    try:
        return plain(value)
    except (ValueError, OverflowError):
        with np.errstate(all="ignore"):
            return float(array(as_float(value)))


def _fold(ufunc: np.ufunc, plain: Callable[..., bool], first: Any, others: tuple[Any, ...]) -> Any:
    if all(isinstance(value, (bool, np.bool_)) for value in (first, *others)):
        return plain((first, *others))
    return functools.reduce(ufunc, others, first)
