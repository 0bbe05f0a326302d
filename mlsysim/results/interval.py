"""Intervals of predicted figures."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from numbers import Number
from typing import Any

from mlsysim.numeric import TOLERANCE
from mlsysim.results.formatting import with_unit
from mlsysim.units import is_quantity, magnitude, unit_of

_NOTHING = 1e-12  # what is smaller is a rounding error of a difference
_DIGITS = 3


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Between what a figure is expected to turn out.

    Parameters
    ----------
    low, high
        The ends.
    unit
        The unit of both; empty for plain numbers.
    """

    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        low, high = (with_unit(end, self.unit) for end in self.told)
        # One unit is enough where both ends are told in the same.
        return f"{low.removesuffix(high[high.rfind(' ') :]) if ' ' in high else low} to {high}"

    @property
    def told(self) -> tuple[float, float]:
        """The ends as they are written: with three digits, rounded outward."""
        return _rounded(self.low, ROUND_FLOOR), _rounded(self.high, ROUND_CEILING)

    def to_dict(self) -> dict[str, Any]:
        """Give the interval as JSON has it."""
        return {"low": self.low, "high": self.high, "unit": self.unit}


def interval_of(first: Any, second: Any) -> Interval | None:
    """Give the interval between a figure of one level and the same of another.

    Returns
    -------
    Interval or None
        Nothing where they are no numbers, or the same number: it depends on no prediction.

    Examples
    --------
    >>> print(interval_of(3.0, 2.0), interval_of(2, 2))
    2 to 3 None
    """
    unit = unit_of(first) if is_quantity(first) else ""
    values = [magnitude(one, unit) if is_quantity(one) else one for one in (first, second)]
    if not all(isinstance(one, Number) and not isinstance(one, bool) for one in values):
        return None
    low, high = sorted(0.0 if abs(one) < _NOTHING else float(one) for one in values)
    same = math.isclose(low, high, rel_tol=TOLERANCE)
    return None if same else Interval(low=low, high=high, unit=unit)


def _rounded(value: float, rounding: str) -> float:
    """Round to a few significant digits; what has no more stays as it is."""
    if value == 0 or not math.isfinite(value):
        return value
    exact = Decimal(repr(value))
    digit = Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)
    return float(exact.quantize(digit, rounding=rounding))
