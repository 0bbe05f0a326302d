"""How values of each dimension are called in messages."""

from typing import Any

from mlsysim.units import is_quantity, quantity, same_dimension, unit_of

_KINDS = (
    ("s", "a time"),
    ("byte", "an amount of memory"),
    ("byte/s", "a bandwidth"),
    ("flop", "an amount of computation"),
    ("flop/s", "a speed of computation"),
    ("USD", "money"),
    ("watt", "a power"),
    ("joule", "an energy"),
    ("gram", "a mass"),
    ("liter", "a volume"),
    ("1/s", "a rate per time"),
    ("USD/hour", "a price per time"),
)


def kind_of(value: Any) -> str:
    """Name the kind of a value for a message: ``"a time"``, ``"a plain number"``."""
    if isinstance(value, str):
        return f"the text {value!r}"
    if not is_quantity(value):
        return "a plain number"
    for unit, kind in _KINDS:
        if same_dimension(value, quantity(1.0, unit)):
            return kind
    return f"a value in {unit_of(value)!r}" if unit_of(value) else "a plain number"


def listed(names: Any, limit: int = 8) -> str:
    """Join a few names for a message, and count the rest."""
    shown = [str(name) for name in list(names)[:limit]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
