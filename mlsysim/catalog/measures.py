"""Fields that hold quantities with units, kept in base units; and tables of figures."""

import functools
import math
import numbers
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from mlsysim.catalog.fields import Field, Presence
from mlsysim.errors import CatalogError, UnitError, suggest
from mlsysim.units import (
    amount,
    base_quantity,
    is_quantity,
    magnitude,
    quantity,
    same_dimension,
    unit_of,
)


class QuantityField(Field):
    """A quantity with a unit: ``"80 GiB"`` in text, or a quantity in Python.

    It is kept in base units (s, byte, flop, USD, watt, gram, liter), so that
    formulas never convert.

    Parameters
    ----------
    shown_unit
        The unit in which the figure is usually quoted; it sets the dimension.
    presence
        What it means that the field is not given.
    zero
        Whether zero is a sensible value.
    """

    is_figure = True

    def __init__(self, shown_unit: str, presence: Presence, *, zero: bool) -> None:
        super().__init__(presence)
        self.shown_unit = shown_unit
        self.zero = zero

    def parse(self, value: object) -> Any:
        """Accept an amount in any unit of the right dimension."""
        number, unit = self._split(value)
        if not same_dimension(scale(unit), scale(self.shown_unit)):
            raise UnitError(
                f"{value!s} is in {unit or 'no unit'}, which does not measure this; "
                f"write e.g. {self.example()!r}"
            )
        if not math.isfinite(number) or number < 0 or (number == 0 and not self.zero):
            raise CatalogError(
                f"{value!s} is not a {'sensible' if self.zero else 'positive'} amount; "
                f"write e.g. {self.example()!r}, or leave the key out where the figure is unknown"
            )
        return number * scale(unit)

    def _split(self, value: object) -> tuple[float, str]:
        if is_quantity(value):
            number = magnitude(value, unit_of(value))
            if not isinstance(number, numbers.Real):
                raise CatalogError(f"{value!r} is not a single amount")
            return float(number), unit_of(value)
        if isinstance(value, str):
            found = amount(value)
            if found is None:
                raise UnitError(
                    f"{value!r} is not a number with a unit; write e.g. {self.example()!r}"
                )
            return found
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            raise UnitError(f"{value!r} has no unit; write '{value} {self.shown_unit}'")
        raise UnitError(f"{value!r} is not an amount; write e.g. {self.example()!r}")

    def example(self) -> str:
        """Show an amount."""
        return f"100 {self.shown_unit}"

    def shown(self, value: Any) -> float:
        """Give the number in `shown_unit`."""
        return float(magnitude(value / scale(self.shown_unit)))


class TableField(Field):
    """Several figures of one kind by name, such as prices by provider.

    Parameters
    ----------
    item
        What each of the figures is.
    keys
        The names allowed; empty for any.
    presence
        What it means that the field is not given: an empty table, or an error.
    """

    is_figure = True
    is_table = True

    def __init__(self, item: Field, keys: Iterable[str], presence: Presence) -> None:
        super().__init__(presence)
        self.item = item
        self.keys = tuple(keys)
        self.shown_unit = item.shown_unit

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            return super().__get__(record, owner)
        return MappingProxyType(record.__dict__[self.name] or {})

    def parse(self, value: object) -> dict[str, Any]:
        """Accept a mapping from names to figures."""
        if not isinstance(value, Mapping):
            raise CatalogError(f"{value!r} is not a table; write e.g. {self.example()!r}")
        if not value and self.presence is Presence.REQUIRED:
            raise CatalogError(f"an empty table; write e.g. {self.example()!r}")
        return {key: self.parse_item(key, item) for key, item in value.items()}

    def parse_item(self, key: object, item: object) -> Any:
        """Check one figure of the table."""
        if not isinstance(key, str) or (self.keys and key not in self.keys):
            raise CatalogError(f"{key!r} is not a name here{suggest(str(key), self.keys)}")
        try:
            return self.item.parse(item)
        except (CatalogError, UnitError) as error:
            raise type(error)(f"{key}: {error}") from None

    def example(self) -> dict[str, object]:
        """Show a table with one figure."""
        return {self.keys[0] if self.keys else "some_name": self.item.example()}

    def shown(self, value: Any) -> float:
        """Give the number of one of the figures."""
        return self.item.shown(value)


@functools.cache
def scale(unit: str) -> Any:
    """Give one of a unit in base units; converting is slow, so each is converted once."""
    return base_quantity(1.0, unit) if unit else quantity(1.0, unit)


def measure(shown_unit: str, *, optional: bool = False, zero: bool = False) -> Any:
    """Declare a quantity: required, unless it is optional."""
    presence = Presence.OPTIONAL if optional else Presence.REQUIRED
    return QuantityField(shown_unit, presence, zero=zero)


def table(item: Field, keys: Iterable[str] = (), *, optional: bool = True) -> Any:
    """Declare a table of figures: empty where it is not given, unless it is required."""
    return TableField(item, keys, Presence.OPTIONAL if optional else Presence.REQUIRED)
