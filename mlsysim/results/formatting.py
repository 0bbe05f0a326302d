"""Numbers as people read them."""

from collections.abc import Mapping
from typing import Any

from mlsysim.problem.domain import label

_SCALES = {
    "B": (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)),
    "B/s": (("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6)),
    "s": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)),
}


def number(value: Any) -> str:
    """Write a number with six significant digits and separated thousands."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return label(value)
    large = isinstance(value, int) or 1e4 <= abs(value) < 1e12  # noqa: PLR2004 - as people write
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if large and value != round(value) else _trimmed(value, large=large)


def with_unit(value: Any, unit: str) -> str:
    """Write a number with its unit; bytes and seconds in a handy multiple."""
    if isinstance(value, (int, float)):
        for scaled, factor in _SCALES.get(unit, ()):
            if abs(value) >= factor:
                return f"{number(value / factor)} {scaled}"
    return f"{number(value)} {unit}".rstrip()


def design(params: Mapping[str, Any]) -> str:
    """Write a design in one line: ``tp=8, pp=4``."""
    return ", ".join(f"{name}={label(value)}" for name, value in params.items())


def seconds(value: float) -> str:
    """Write a duration for a status line."""
    return f"{value:.2f} s" if value >= 0.01 else f"{value * 1e3:.1f} ms"  # noqa: PLR2004


def _trimmed(value: float, *, large: bool) -> str:
    return f"{value:,.0f}" if large else f"{value:.6g}"
