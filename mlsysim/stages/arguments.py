"""Checks of arguments, made on plain numbers only.

An array or a traced value stands for many designs at once; what is out of
range among them shows when a design is evaluated on plain numbers.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from mlsysim.catalog.accelerator import Precision
from mlsysim.catalog.builtin import Models
from mlsysim.errors import ParameterError, UnitError, suggest
from mlsysim.expr.alternatives import Alternatives
from mlsysim.units import amount, is_quantity, magnitude, quantity, unit_of

_NUMBERS = (int, float, np.number, np.bool_)
_TRUTHS = (bool, np.bool_)
_EXACT = 2.0**53
# These can never stand for a number; what else is not plain may be an array or a traced value.
_MOST_BITS = 1024
_NEVER_NUMBERS = (str, bytes, type(None), list, tuple, dict, set)


def check_whole(name: str, value: Any, *, least: int = 1, most: float = math.inf) -> None:
    """Refuse what is not a whole number in a range.

    Raises
    ------
    ParameterError
        If a plain value is no whole number, or too small or too large, or beyond 2**53, where
        floats have no digit for each.
    """
    wanted = _range(least, most, "a whole number")
    _refuse_strangers(name, value, wanted)
    if isinstance(value, _NUMBERS):
        number = _as_float(value)
        if isinstance(value, _TRUTHS) or not (least <= number <= most and number.is_integer()):
            raise ParameterError(f"{name} is {_shown(value)}; it must be {wanted}")
        if number > _EXACT:
            raise ParameterError(
                f"{name} is {_shown(value)}; it must be at most 2**53: beyond it, whole numbers "
                "are not exact"
            )


def check_number(
    name: str, value: Any, *, least: float = 0.0, most: float = math.inf, above: bool = False
) -> None:
    """Refuse what is not a number in a range.

    Raises
    ------
    ParameterError
        If a plain value is no finite number, or too small or too large.
    """
    wanted = _range(least, most, "a number", above=above)
    _refuse_strangers(name, value, wanted)
    if isinstance(value, _NUMBERS):
        number = _as_float(value)
        fits = math.isfinite(number) and least <= number <= most and not (above and number == least)
        if isinstance(value, _TRUTHS) or not fits:
            raise ParameterError(f"{name} is {_shown(value)}; it must be {wanted}")


def check_flag(name: str, value: Any) -> None:
    """Refuse a plain value that is neither true nor false (arrays hold 0 and 1).

    Raises
    ------
    ParameterError
        If it is another number or a text.
    """
    _refuse_strangers(name, value, "True or False")
    if isinstance(value, _NUMBERS) and value not in (0, 1):
        raise ParameterError(f"{name} is {_shown(value)}; it must be True or False")


def check_option(name: str, value: Any, options: Iterable[str | int]) -> None:
    """Refuse a plain value that is not among the options.

    Raises
    ------
    ParameterError
        If it is not an option; the message lists them.
    """
    known = tuple(options)
    plain = isinstance(value, (*_NUMBERS, *_NEVER_NUMBERS)) or is_quantity(value)
    if plain and value not in known:
        names = [str(option) for option in known]
        listed = suggest(str(value), names) or f"; known: {', '.join(map(repr, sorted(names)))}"
        raise ParameterError(f"{name} is {_shown(value)}, which is not an option{listed}")


def check_precision(name: str, value: Any, options: Iterable[str], *, kept: str = "") -> None:
    """Refuse a plain value that is no precision of arithmetic.

    Parameters
    ----------
    name
        The argument.
    value
        What it was given.
    options
        The precisions.
    kept
        The argument, if there is one, that says in what format weights are kept.

    Raises
    ------
    ParameterError
        If it is not an option; where it is a format of weights, the message says in what
        precision those are multiplied.
    """
    known = tuple(options)
    found = Models.Formats.get(value) if isinstance(value, str) else None
    if found is not None and value not in known and found.arithmetic != value:
        fed = found.arithmetic or Precision.BF16
        further = f", {kept} = {value}" if kept else ""
        raise ParameterError(
            f"{name} is {value!r}, a format in which numbers are kept; no accelerator states a "
            f"peak for it, and its products run in {fed!s}: write {name} = {fed!s}{further}"
        )
    check_option(name, value, known)


def in_unit(name: str, value: Any, unit: str) -> Any:
    """Read an argument that is a plain number in a unit, or an amount of that dimension.

    Raises
    ------
    UnitError
        If it is of another dimension.
    ParameterError
        If it is a text that is no number with a unit.

    Examples
    --------
    >>> from mlsysim.units import quantity
    >>> in_unit("days", quantity(48, "hour"), "day"), in_unit("days", 3, "day")
    (2.0, 3)
    >>> in_unit("days", "48 hour", "day")
    2.0
    """
    if isinstance(value, str):
        found = amount(value)
        if found is None or not found[1]:
            raise ParameterError(
                f"{name} is {_shown(value)}; write a number with a unit, e.g. '2 {unit}'"
            )
        value = quantity(*found)
    if not is_quantity(value):
        return value
    try:
        return magnitude(value, unit)
    except UnitError:
        raise UnitError(f"{name} is in {unit_of(value)}; it must be in {unit}") from None


def check_record(name: str, value: Any, *kinds: type[Any]) -> None:
    """Refuse what is not a record of one of some kinds; a choice among records passes.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if isinstance(value, (*kinds, Alternatives)):
        return
    *others, last = (
        f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}" for kind in kinds
    )
    listed = f"{', '.join(others)} or {last}" if others else last
    raise ParameterError(
        f"{name} is {_shown(value)}; it must be {listed} of the catalogue, or one that you made"
    )


def _refuse_strangers(name: str, value: Any, wanted: str) -> None:
    if isinstance(value, _NEVER_NUMBERS) or is_quantity(value):
        raise ParameterError(f"{name} is {_shown(value)}; it must be {wanted}")


def _range(least: float, most: float, kind: str, *, above: bool = False) -> str:
    start = f"{kind} above {least:g}" if above else f"{kind} from {least:g}"
    return start if most == math.inf else f"{start} to {most:g}"


def _as_float(value: Any) -> float:
    """Give a number as a float; infinity where it is larger than any."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _shown(value: Any) -> str:
    """Write a value for a message; of a number that is too long, only its length."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a whole number of {value.bit_length():,} bits"
    return repr(value)
