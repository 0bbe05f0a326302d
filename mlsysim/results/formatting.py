"""Numbers as people read them."""

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from mlsysim.problem.domain import label

_SCALES = {
    "B": (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)),
    "B/s": (("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6)),
    "s": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)),
}

# Whole numbers from here on are written as powers of ten.
_WRITTEN_OUT = 10**15
# A change beyond this, relative, is told as a factor.
_MANIFOLD = 10.0
# What floats add to a percentage.
_ROUNDING = Decimal("1e-12")
# So many choices are counts, most of which are zero.
_MANY = 20
# Below this it would round to nothing.
_SLIGHT = 0.0005


def number(value: Any) -> str:
    """Write a number with six significant digits and separated thousands."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return label(value)
    large = isinstance(value, int) or 1e4 <= abs(value) < 1e12  # noqa: PLR2004 - as people write
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < _WRITTEN_OUT else _power(value)
    return f"{value:,.1f}" if large and value != round(value) else _trimmed(value, large=large)


def with_unit(value: Any, unit: str) -> str:
    """Write a number with its unit; bytes and seconds in a handy multiple."""
    if isinstance(value, (int, float)):
        for scaled, factor in _SCALES.get(unit, ()):
            if abs(value) >= factor:
                return f"{number(value / factor)} {scaled}"
    return f"{number(value)} {unit}".rstrip()


def design(params: Mapping[str, Any]) -> str:
    """Write a design in one line: ``tp=8, pp=4``; of many counts only those that are not 0."""
    shown = {name: value for name, value in params.items() if value or value is False}
    if len(params) <= _MANY or len(shown) == len(params):
        return ", ".join(f"{name}={label(value)}" for name, value in params.items())
    listed = [f"{name}={label(value)}" for name, value in shown.items()]
    return ", ".join([*listed, f"{len(params) - len(shown)} others = 0"])


def count(number_of: int, noun: str) -> str:
    """Write a number of things: ``1 design``, ``1,200 designs``.

    Parameters
    ----------
    number_of
        How many.
    noun
        What one of them is called; more than one end with an s.

    Examples
    --------
    >>> count(1, "part"), count(0, "part"), count(1200, "part")
    ('1 part', '0 parts', '1,200 parts')
    """
    return f"{number(number_of)} {noun}{'' if number_of == 1 else 's'}"


def varying(designs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the choices that differ between designs, of which there is at least one."""
    first = designs[0]
    return [name for name in first if any(item[name] != first[name] for item in designs)]


def seconds(value: float) -> str:
    """Write a duration for a status line."""
    return f"{value:.2f} s" if value >= 0.01 else f"{value * 1e3:.1f} ms"  # noqa: PLR2004


def gap(value: float) -> str:
    """Write a relative gap as a percentage, rounded upward: ``0 %`` is proven to be none.

    Examples
    --------
    >>> gap(0.0), gap(0.1201), gap(3e-11)
    ('0 %', '13 %', '3e-09 %')
    """
    if not 0 < value < math.inf:
        return f"{100 * value:.2g} %"
    exact = Decimal(value) * (100 - _ROUNDING)
    digit = Decimal(1).scaleb(exact.adjusted() - 1)
    return f"{float(exact.quantize(digit, rounding=ROUND_CEILING)):,.6g} %"


def share_of(part: float, whole: float) -> str:
    """Write a part as a percentage of the whole: ``64.4 %``."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def change(value: float) -> str:
    """Write a relative change as a percentage with its sign: ``+34.2 %``."""
    if abs(value) >= _MANIFOLD:
        return f"{value + 1:,.3g} times"
    return f"{100 * value:+,.1f} %" if abs(value) >= _SLIGHT else f"{100 * value:+.2g} %"


def _power(value: int) -> str:
    """Write a huge whole number, which may be too large for a float: ``6.08e132``."""
    digits = str(abs(value))
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


def _trimmed(value: float, *, large: bool) -> str:
    return f"{value:,.0f}" if large else f"{value:.6g}"
