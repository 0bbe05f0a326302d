"""Checked fields: one description of a record's field serves Python, TOML and the tables shown.

A `Field` is a data descriptor that a dataclass takes as one of its fields.
Whatever is assigned to it, by the constructor or by the loader of TOML files,
passes through `parse`, which checks it and brings it to the form in which it
is kept.  A field that may be missing is kept as None, and reading it raises
`MissingFigureError`: a missing price is never a price of zero.
"""

import enum
import math
import numbers
from typing import Any

from mlsysim.errors import CatalogError, InputError, MissingFigureError, suggest


class Presence(enum.Enum):
    """What it means that a field is not given."""

    REQUIRED = "the record cannot be made"
    OPTIONAL = "the figure is missing, and asking for it is an error"
    DEFAULT = "the field has its default value"


class Field:
    """A field of a record that checks what is put into it.

    Parameters
    ----------
    presence
        What it means that the field is not given.
    default
        Its value then, where `presence` says that there is one.
    """

    is_figure = False
    is_table = False
    shown_unit = ""

    def __init__(self, presence: Presence = Presence.REQUIRED, default: Any = None) -> None:
        self.name = ""
        self.presence = presence
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:  # dataclass asks the class for the default
            if self.presence is Presence.REQUIRED:
                raise AttributeError(self.name)
            return self.default
        value = record.__dict__[self.name]
        if value is None:
            raise MissingFigureError(
                f"{record.name}: {self.name} is not known to the catalogue; if you know it, use "
                f"{record.name}.replace({self.name}={self.example()!r}) with your figure"
            )
        return value

    def __set__(self, record: Any, value: object) -> None:
        if value is not None or self.presence is Presence.REQUIRED:
            try:
                value = self.parse(value)
            except InputError as error:
                place = f"{type(record).__name__} {record.__dict__.get('name', '')!r}: {self.name}"
                raise type(error)(f"{place}: {error}") from None
        record.__dict__[self.name] = value

    def parse(self, value: Any) -> Any:
        """Check a value and bring it to the form in which it is kept.

        Raises
        ------
        CatalogError, UnitError
            If the value does not fit; the caller adds the place.
        """
        raise NotImplementedError

    def example(self) -> object:
        """Show what could be written, for the end of a message."""
        raise NotImplementedError

    def in_file(self) -> object:
        """Show what could be written in a file."""
        return self.example()

    def written(self) -> str:
        """Show the example as it is written in Python."""
        return repr(self.example())

    def shown(self, value: Any) -> float:
        """Give a value as the number to show, in `shown_unit`."""
        return value


class TextField(Field):
    """A line of text that is not blank."""

    def parse(self, value: object) -> str:
        """Accept text."""
        if not isinstance(value, str) or (not value.strip() and self.presence is Presence.REQUIRED):
            raise CatalogError(f"{value!r} is not a text; write e.g. {self.example()!r}")
        return value

    def example(self) -> str:
        """Show a text."""
        return "some text"


class ChoiceField(Field):
    """One member of a closed set, given by its value."""

    def __init__(self, options: type[enum.StrEnum], default: enum.StrEnum) -> None:
        super().__init__(Presence.DEFAULT, default)
        self.options = options

    def parse(self, value: Any) -> enum.StrEnum:
        """Accept a member or its text."""
        try:
            return self.options(value)
        except ValueError:
            known = [option.value for option in self.options]
            raise CatalogError(
                f"{value!r} is not one of {', '.join(known)}{suggest(str(value), known)}"
            ) from None

    def example(self) -> str:
        """Show the first option."""
        return next(iter(self.options)).value


class FlagField(Field):
    """True or false."""

    def parse(self, value: object) -> bool:
        """Accept a truth value."""
        if not isinstance(value, bool):
            raise CatalogError(f"{value!r} is neither true nor false")
        return value

    def example(self) -> bool:
        """Show a truth value."""
        return True


class Count(Field):
    """A whole number that is not negative.

    Parameters
    ----------
    least
        The smallest number accepted.
    """

    is_figure = True

    def __init__(self, presence: Presence, default: int | None, *, least: int) -> None:
        super().__init__(presence, default)
        self.least = least

    def parse(self, value: object) -> int:
        """Accept a whole number from `least` on."""
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise CatalogError(f"{value!r} is not a whole number; write e.g. {self.example()}")
        if value < self.least:
            raise CatalogError(f"{value!r} is too small; it must be at least {self.least}")
        return int(value)

    def example(self) -> int:
        """Show a number."""
        return max(self.least, 1)


class NumberField(Field):
    """A plain number within bounds.

    Parameters
    ----------
    least, most
        The bounds, both of them allowed.
    """

    is_figure = True

    def __init__(
        self,
        presence: Presence = Presence.OPTIONAL,
        default: float | None = None,
        *,
        least: float = 0.0,
        most: float = math.inf,
    ) -> None:
        super().__init__(presence, default)
        self.least = least
        self.most = most

    def parse(self, value: object) -> float:
        """Accept a finite number within the bounds."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise CatalogError(f"{value!r} is not a plain number; write e.g. {self.example()}")
        number = float(value)
        if not math.isfinite(number) or not self.least <= number <= self.most:
            bounds = f"from {self.least:g}" + (f" to {self.most:g}" if self.most < math.inf else "")
            raise CatalogError(f"{value!r} is out of range; it must be a number {bounds}")
        return number

    def example(self) -> float:
        """Show a number."""
        return min(max(self.least, 1.0), self.most)


def count(default: int | None = None, *, least: int = 1, optional: bool = False) -> Any:
    """Declare a whole number: required, unless it has a default or is optional."""
    return Count(_presence(default, optional=optional), default, least=least)


def number(default: float | None = None, *, least: float = 0.0, most: float = math.inf) -> Any:
    """Declare a plain number: optional, unless it has a default."""
    presence = Presence.OPTIONAL if default is None else Presence.DEFAULT
    return NumberField(presence, default, least=least, most=most)


def choice(default: enum.StrEnum) -> Any:
    """Declare a member of a closed set, with its default."""
    return ChoiceField(type(default), default)


def flag(*, default: bool = False) -> Any:
    """Declare a truth value, false unless it is given or has another default."""
    return FlagField(Presence.DEFAULT, default=default)


def text(default: str | None = None) -> Any:
    """Declare a text: required, unless it has a default."""
    return TextField(_presence(default, optional=False), default)


def _presence(default: object, *, optional: bool) -> Presence:
    if optional:
        return Presence.OPTIONAL
    return Presence.REQUIRED if default is None else Presence.DEFAULT
