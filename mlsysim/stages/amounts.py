"""Attach the units in which stages report; the formulas work in s, byte and flop."""

from typing import Annotated, Any

from mlsysim.units import Amount, Quantity, as_unit

Milliseconds = Annotated[Amount, "ms"]
Gigabytes = Annotated[Amount, "GB"]
PerSecond = Annotated[Amount, "1/s"]
Kilowatts = Annotated[Amount, "kW"]
DollarsPerHour = Annotated[Amount, "USD/h"]

_MILLISECOND = as_unit("ms")
_GIGABYTE = as_unit("GB")
_RATE = as_unit("1/s")


def milliseconds(seconds: Any) -> Any:
    """Report a time."""
    return Quantity(1e3 * seconds, _MILLISECOND)


def gigabytes(amount: Any) -> Any:
    """Report an amount of bytes."""
    return Quantity(amount / 1e9, _GIGABYTE)


def per_second(count: Any) -> Any:
    """Report a rate of tokens, sequences or images."""
    return Quantity(count, _RATE)
