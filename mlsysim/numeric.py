"""What a number is here: NumPy's become Python's where they enter, and some count as equal."""

import functools
from collections.abc import Callable
from types import MappingProxyType, NoneType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from mlsysim.units import Quantity, is_quantity

Given = ParamSpec("Given")
Result = TypeVar("Result")

TOLERANCE = 1e-9
"""Two values of one thing are equal to this, relative: what is worth less is no improvement."""

# Types whose values are given back as they are; what else turns out to be so joins them, because
# closed forms are called some ten thousand times in a search.
_PLAIN: set[type] = {int, float, bool, str, NoneType}


def plain(value: Any) -> Any:
    """Give a number of NumPy as one of Python, alone, in a quantity, a tuple, a list or a table.

    An array of whole numbers, or of floats narrower than 64 bits, becomes one of float64, which
    holds whole numbers up to 2^53 exactly and does not wrap beyond.  Anything else is given back.

    Examples
    --------
    >>> plain(np.int32(4_000_000)) * 4096 * 4096
    67108864000000
    >>> plain(np.array(True)), plain({"L40S": np.float32(0.5)})
    (True, {'L40S': 0.5})
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _from_numpy(value)
    if is_quantity(value):
        size = plain(value.magnitude)
        return value if size is value.magnitude else Quantity(size, value.units)
    if kind is tuple or kind is list:
        return kind(map(plain, value))
    if kind is dict or kind is MappingProxyType:
        return {name: plain(item) for name, item in value.items()}
    _PLAIN.add(kind)
    return value


def from_numpy(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Make a function take NumPy's numbers of fixed width as those of Python."""

    @functools.wraps(function)
    def taking(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        if _PLAIN.issuperset(map(type, args)) and _PLAIN.issuperset(map(type, kwargs.values())):
            return function(*args, **kwargs)
        named = {name: plain(value) for name, value in kwargs.items()}
        return function(*map(plain, args), **named)

    return taking


def _from_numpy(value: Any) -> Any:
    if isinstance(value, np.longdouble):  # no Python number is that wide
        return float(value)
    if value.ndim == 0:
        return value.item()
    narrow = value.dtype.kind == "f" and value.dtype.itemsize < 8  # noqa: PLR2004 - bytes
    return value.astype(np.float64) if narrow or value.dtype.kind in "iu" else value
