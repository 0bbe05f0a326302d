"""Quantities with units: the only module that imports pint.

A private registry (`units.txt`) makes byte, flop and USD real dimensions, so
that a byte cannot be added to a number and money cannot be compared with
time.  The rest of the package builds quantities with `quantity`, reads them
with `magnitude`, and never meets pint.

A quantity may hold a float, a NumPy array or a traced value; pint passes the
arithmetic on to whatever it holds.  Formulas keep to the base units (s, byte,
flop, USD, watt), because a conversion costs as much as five multiplications.

A quantity that comes out of a pickle belongs to this registry again, in
whichever process that is.
"""

import copyreg
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from tokenize import TokenError
from types import NoneType
from typing import Any, Protocol, TypeGuard

import pint

from mlsysim.errors import UnitError, suggest

_registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
_registry.load_definitions(
    files("mlsysim").joinpath("units.txt").read_text(encoding="utf-8").splitlines()
)

# pint types arithmetic as Any: declared so, what is built with it passes as an `Amount`.
Quantity: Any = _registry.Quantity
Unit = _registry.Unit


class Amount(Protocol):
    """A quantity, as type checkers see it: a number with a unit.

    Of one design the number is a float; while a search reads formulas over many designs at
    once, it is an array or a traced value.
    """

    @property
    def magnitude(self) -> Any:
        """The number, in `units`."""

    @property
    def m(self) -> Any:
        """The number, in `units`."""

    @property
    def units(self) -> Any:
        """The unit."""

    def m_as(self, units: str) -> float:
        """Give the number in a unit of the same dimension."""

    def to(self, units: str) -> "Amount":
        """Give the same amount in another unit."""

    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> bool: ...
    def __le__(self, other: Any, /) -> bool: ...
    def __gt__(self, other: Any, /) -> bool: ...
    def __ge__(self, other: Any, /) -> bool: ...


# What pint would take for a magnitude, or refuse in words that name no cure.
_NO_NUMBERS = (str, bytes, bool, NoneType, dict, set)


def _pickled_unit(unit: Any) -> tuple[Any, ...]:
    return _unpickled_unit, (dict(Quantity(1, unit).unit_items()),)


def _unpickled_unit(powers: Mapping[str, Any]) -> Any:
    return Unit(_registry.UnitsContainer(powers))


def _pickled_quantity(value: Any) -> tuple[Any, ...]:
    return _unpickled_quantity, (value.magnitude, dict(value.unit_items()))


def _unpickled_quantity(size: Any, powers: Mapping[str, Any]) -> Any:
    return Quantity(size, _registry.UnitsContainer(powers))


# By itself pint would attach them to its global registry, which knows no bytes.
copyreg.pickle(Quantity, _pickled_quantity)
copyreg.pickle(Unit, _pickled_unit)


def quantity(value: Any, unit: str = "") -> Any:
    """Attach a unit to a number, an array or a traced value.

    Parameters
    ----------
    value
        The magnitude.
    unit
        A unit in text, e.g. ``"GB/s"``; empty for a plain quantity.

    Raises
    ------
    UnitError
        If the unit is not known, or the value is no number, such as text or a truth value.

    Examples
    --------
    >>> quantity(80, "GiB").m_as("byte")
    85899345920
    """
    if isinstance(value, _NO_NUMBERS):
        raise UnitError(
            f"{value!r} is not a number that could be in {unit or 'no unit'!r}; "
            f"write it as one, e.g. quantity(2.5, {unit!r})"
        )
    return Quantity(value, as_unit(unit))


NUMBER = r"(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?"
"""How a number without a sign is written, in constraints, files and settings alike."""

_CURRENCIES = {"eur", "euro", "euros", "gbp", "cny", "rmb", "jpy", "chf", "dollar", "dollars"}
_LARGE = {"t", "tn", "bn", "million", "billion", "trillion"}
"""Words behind numbers that are no units, in small letters."""

_AMOUNT = re.compile(rf"\s*([-+]?{NUMBER})\s*(.*?)\s*", re.DOTALL)


def amount(text: str) -> tuple[float, str] | None:
    """Take a number with a unit apart, such as ``"80 GiB"``; None if it does not start so.

    Returns
    -------
    tuple of float and str, or None
        The number, and the unit as it is written: empty where there is none.

    Examples
    --------
    >>> amount("80. GiB"), amount("-1_000.5e3"), amount("GiB")
    ((80.0, 'GiB'), (-1000500.0, ''), None)
    """
    match = _AMOUNT.fullmatch(text)
    return (float(match[1]), match[2]) if match else None


def base_quantity(value: Any, unit: str) -> Any:
    """Attach a unit and convert to base units (s, byte, flop, USD, watt, gram, liter).

    Examples
    --------
    >>> base_quantity(400, "Gbit/s").units == as_unit("byte/s")
    True
    """
    return quantity(value, unit).to_base_units()


@lru_cache(maxsize=1024)  # every figure is read in one of a few dozen units, over and over
def as_unit(text: str) -> Any:
    """Parse a unit.

    Raises
    ------
    UnitError
        If a name in it is not a unit; the message lists the nearest ones.
    """
    if "//" in text:  # pint would read it as a plain division
        raise UnitError(f"{text!r} is not a unit: write one '/'")
    if text.startswith("/"):
        raise UnitError(f"{text!r} is not a unit: write '1{text}'")
    try:
        return _registry.Unit(text.replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}"))
    except pint.UndefinedUnitError as error:
        name = str(error.args[0])
        raise UnitError(f"{text!r}: {name!r} is not a unit{near_units(name)}") from None
    except (pint.DefinitionSyntaxError, ValueError) as error:
        raise UnitError(f"{text!r} is not a unit: {error}") from None
    except TypeError:  # how pint takes sums and differences of units, such as "hours-ish"
        raise UnitError(f"{text!r} is not a unit: write one such as 'hour' or 'GB/s'") from None
    except (AssertionError, TokenError):  # how pint takes operators without operands, and "("
        raise UnitError(
            f"{text!r} is not a unit: an operator or parenthesis has nothing to work on; "
            "write e.g. 'GB/s'"
        ) from None


def is_unit(name: str) -> bool:
    """Tell whether one word, such as ``ms`` or ``GiB``, names a unit."""
    try:
        return name in _registry
    except (AttributeError, ValueError):  # leading underscores; "nan", which is a number
        return False


def unit_names() -> list[str]:
    """List the names of the units without prefixes."""
    return sorted(name for name in dir(_registry) if not name.startswith("_") and is_unit(name))


def near_units(name: str) -> str:
    """Say what to write in place of a word that is no unit, for the end of a message.

    Examples
    --------
    >>> near_units("GBps"), near_units("EUR"), near_units("rps")
    ("; did you mean 'GB/s'?", '; money is in USD', "; did you mean '1/s'?")
    """
    folded = name.casefold()
    if folded in _CURRENCIES:
        return "; money is in USD"
    if folded in _LARGE:
        return "; write a large number as 6e12"
    if folded.endswith("ps"):  # per second
        amount = "1" if folded in {"rps", "qps"} else re.sub("b$", "bit", name[:-2])
        if amount == "1" or is_unit(amount):
            return f"; did you mean '{amount}/s'?"
    return suggest(name, unit_names())


def is_quantity(value: object) -> TypeGuard[Any]:
    """Tell whether a value carries a unit."""
    return isinstance(value, Quantity)


def unit_of(value: Any) -> str:
    """Give the unit of a value in short form; empty for a plain number."""
    return _short(value.units) if is_quantity(value) else ""


@lru_cache(maxsize=1024)
def _short(unit: Any) -> str:
    return format(unit, "~C")


def same_dimension(left: Any, right: Any) -> bool:
    """Tell whether two values can be compared: quantities of one dimension, or plain numbers."""
    return _dimension(left) == _dimension(right)


def magnitude(value: Any, unit: str = "") -> Any:
    """Read the number out of a quantity, in a given unit.

    Parameters
    ----------
    value
        A quantity, or a plain number (which has the unit ``""``).
    unit
        The unit wanted.

    Raises
    ------
    UnitError
        If the value is of another dimension.

    Examples
    --------
    >>> magnitude(quantity(0.25, "s"), "ms")
    250.0
    """
    if not is_quantity(value):
        if not unit or _dimension(quantity(1.0, unit)) == _dimension(1.0):
            return value if not unit else value / quantity(1.0, unit).m_as("")
        raise UnitError(f"{value!r} is a plain number where a value in {unit!r} is needed")
    wanted = as_unit(unit)
    if value.units == wanted:  # figures mostly are; a conversion takes five times as long
        return value.magnitude
    try:
        return value.m_as(wanted)
    except pint.DimensionalityError as error:
        raise UnitError(
            f"a value in {unit_of(value)!r} cannot be read in {unit!r}: {error}"
        ) from None


def _dimension(value: Any) -> Any:
    return value.dimensionality if is_quantity(value) else Unit("").dimensionality


def as_float(value: float) -> float:
    """Give a number as a float; whole numbers beyond all floats are infinite.

    Examples
    --------
    >>> as_float(7), as_float(-(10**400))
    (7.0, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
