"""Arithmetic of expressions, on numbers, arrays, traced values and quantities.

Quantities are taken apart, computed on and put together again, so that
whatever they hold meets plain operators and NumPy's dispatch only.  That also
keeps the unit of the left operand, which the user will recognise.  Plain
numbers follow IEEE 754 as arrays do: a division by zero gives what no
comparison accepts, not an exception.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.errors import UnitError
from mlsysim.problem.wording import kind_of
from mlsysim.units import as_float, is_quantity, magnitude, quantity, same_dimension, unit_of

_LARGEST_EXPONENT = 64
"""Above it a power of whole numbers is taken of floats, lest it fill the memory."""


def aligned(left: Any, right: Any) -> tuple[Any, Any, str] | None:
    """Read two values in the unit of the left one.

    Returns
    -------
    tuple or None
        Both magnitudes and the unit; nothing where the dimensions differ.
    """
    if not is_quantity(left) and not is_quantity(right):
        return left, right, ""
    if is_quantity(left) and is_quantity(right) and left.units == right.units:
        return left.magnitude, right.magnitude, unit_of(left)
    if not same_dimension(left, right):
        return None
    unit = unit_of(left)
    return magnitude(left, unit), magnitude(right, unit), unit


def is_plain(value: Any) -> bool:
    """Tell whether a value is one ordinary number."""
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def binary(sign: str, left: Any, right: Any, text: str) -> Any:
    """Apply an operator.

    Parameters
    ----------
    sign
        The operator.
    left, right
        The operands.
    text
        The operation as the user knows it, for messages.

    Raises
    ------
    UnitError
        If the operands are of different dimensions, or an exponent has a unit.
    """
    if isinstance(left, str) or isinstance(right, str):
        word = left if isinstance(left, str) else right
        raise UnitError(
            f"'{text}' calculates with the text {word!r}; a text can only be compared, "
            f"e.g. \"precision == 'fp16'\""
        )
    if sign == "**":
        return _power(left, right, text)
    if sign in _PRODUCTS:
        return _operate(_PRODUCTS[sign], left, right)
    pair = aligned(left, right)
    if pair is None:
        raise UnitError(
            f"'{text}' puts {kind_of(left)} and {kind_of(right)} together; "
            "give both the same unit, e.g. '5 ms'"
        )
    value = _operate(_SAME_UNIT[sign], pair[0], pair[1])
    return quantity(value, pair[2]) if is_quantity(left) and sign != "//" else value


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of the grammar of constraints.

    Parameters
    ----------
    name
        What the user writes.
    least
        How many arguments it needs at least; one that needs one takes no more.
    compute
        Its meaning on two magnitudes of one unit, or on one value.
    keeps_unit
        Whether the outcome has the unit of the arguments; where it has not, they must
        have none, or it would depend on the unit that they happen to be written in.
    """

    name: str
    least: int
    compute: Callable[..., Any]
    keeps_unit: bool

    def __call__(self, values: list[Any], text: str) -> Any:
        """Apply the function.

        Parameters
        ----------
        values
            Its arguments.
        text
            The call as the user knows it, for messages.

        Raises
        ------
        UnitError
            If several arguments are of different dimensions, or what is to be rounded has
            a unit.
        """
        if any(isinstance(value, str) for value in values):
            raise UnitError(f"'{text}' is about a text; {self.name} needs numbers")
        result, *others = values
        for value in others:
            pair = aligned(result, value)
            if pair is None:
                raise UnitError(f"'{text}' compares {kind_of(result)} with {kind_of(value)}")
            outcome = self.compute(pair[0], pair[1])
            result = quantity(outcome, pair[2]) if is_quantity(result) else outcome
        if others:
            return result
        return self.compute(result if self.keeps_unit else self._bare(result, text))

    def _bare(self, value: Any, text: str) -> Any:
        if not is_quantity(value):
            return value
        if not same_dimension(value, 1.0):
            raise UnitError(
                f"'{text}' rounds {kind_of(value)}, and the outcome would depend on its unit; "
                f"divide first, e.g. '{self.name}({text[len(self.name) + 1 : -1]} / 1 "
                f"{unit_of(value)})'"
            )
        return magnitude(value, "")


_PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {"*": operator.mul, "/": operator.truediv}
_SAME_UNIT: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _power(base: Any, exponent: Any, text: str) -> Any:
    if is_quantity(exponent):
        if not same_dimension(exponent, 1.0):
            raise UnitError(f"'{text}' has {kind_of(exponent)} in the exponent; write a number")
        exponent = magnitude(exponent, "")
    if is_quantity(base) and not is_plain(exponent):
        raise UnitError(f"'{text}': the unit of the outcome would differ from design to design")
    if isinstance(base, int) and isinstance(exponent, int) and exponent > _LARGEST_EXPONENT:
        base = float(base)
    return _operate(operator.pow, base, exponent)


def _operate(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Operate as IEEE 754 has it, as arrays do: what Python refuses is infinite, or no number."""
    with np.errstate(all="ignore"):
        try:
            value = function(left, right)
        except ArithmeticError:
            value = function(_as_floats(left), _as_floats(right))
    if isinstance(value, complex):
        return math.nan
    return value.item() if isinstance(value, np.generic) else value


def _as_floats(value: Any) -> Any:
    if is_quantity(value):
        return quantity(np.float64(as_float(value.magnitude)), unit_of(value))
    return np.float64(as_float(value))


def _extreme(plain: Callable[[Any, Any], Any], array: Any) -> Callable[[Any, Any], Any]:
    def compute(left: Any, right: Any) -> Any:
        if is_plain(left) and is_plain(right) and not (math.isnan(left) or math.isnan(right)):
            return plain(left, right)
        return array(left, right)

    return compute


def _rounded(plain: Callable[[float], int], array: Any) -> Callable[[Any], Any]:
    def compute(value: Any) -> Any:
        if isinstance(value, (bool, int)):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return plain(value)
        return array(value)

    return compute


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(name="min", least=2, compute=_extreme(min, np.minimum), keeps_unit=True),
        Function(name="max", least=2, compute=_extreme(max, np.maximum), keeps_unit=True),
        Function(name="ceil", least=1, compute=_rounded(math.ceil, np.ceil), keeps_unit=False),
        Function(name="floor", least=1, compute=_rounded(math.floor, np.floor), keeps_unit=False),
        Function(name="abs", least=1, compute=abs, keeps_unit=True),
    )
}
"""The functions of the grammar, one row each, with all that anyone needs to know of them."""
