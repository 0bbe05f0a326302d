"""What all records of the catalogue have in common: a name, figures, and their support."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from mlsysim.catalog.fields import Field, choice, text
from mlsysim.catalog.figure import Confidence, Figure, Provenance
from mlsysim.errors import CatalogError, UnknownNameError, suggest
from mlsysim.markup import table


class _Checked(type):
    """Refuse arguments that no field takes in our words, not in those of Python."""

    def __call__(cls, *values: Any, **stated: Any) -> Any:
        if values:
            raise CatalogError(
                f"{cls.__name__}: {values[0]!r} has no name; write each figure as name=value, "
                f"e.g. {cls.__name__}(name='Mine', ...)"
            )
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        known = [field.name for field in fields]
        owner = f"{cls.__name__} {stated.get('name', '')!r}"
        for name in stated:
            if name not in known:
                raise CatalogError(f"{owner}: no field is called {name!r}{suggest(name, known)}")
        for field in fields:
            given = field.name in stated
            if not given and field.default is field.default_factory is dataclasses.MISSING:
                described = _descriptor(cls, field.name)
                shown = described.written() if described else "..."
                raise CatalogError(
                    f"{owner}: {field.name} is missing; write e.g. {field.name}={shown}"
                )
        return super().__call__(**stated)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Record(metaclass=_Checked):
    """One frozen entry of the catalogue; base of accelerators, nodes, clusters, models, grids.

    Two records are equal if all that is stated about them is equal.

    Parameters
    ----------
    name
        The identifier, e.g. ``"H100_SXM"``: how results and files refer to the record.
    title
        The name in full, for people.
    source
        Who states the figures, save those in `provenance`.
    confidence
        How far to trust the figures, save those in `provenance`.
    note
        What a reader must know before using the record.
    provenance
        The support of single figures, by field or by ``field.key``.
    """

    name: str = text()
    title: str = text("")
    source: str = text("given by the user")
    confidence: Confidence = choice(Confidence.C)
    note: str = text("")
    provenance: Mapping[str, Provenance] = dataclasses.field(default_factory=dict)

    @classmethod
    def described_fields(cls) -> dict[str, Field]:
        """Give the checked fields by name, in the order in which they are stated."""
        names = (field.name for field in dataclasses.fields(cls))
        found = ((name, _descriptor(cls, name)) for name in names)
        return {name: field for name, field in found if field is not None}

    def has(self, figure: str) -> bool:
        """Tell whether a figure is known, so that reading it raises no error.

        Parameters
        ----------
        figure
            The name of a field, e.g. ``"unit_price"``.

        Raises
        ------
        UnknownNameError
            If records of this kind have no such field.
        """
        return self._stated(figure) not in (None, {})

    def replace(self, **changes: Any) -> Self:
        """Make a record that differs from this one in the fields given.

        Raises
        ------
        UnknownNameError
            If records of this kind have no such field.

        Examples
        --------
        >>> from mlsysim.catalog import Systems
        >>> dear = Systems.Accelerators.H100_SXM.replace(name="H100_dear", unit_price="40 kUSD")
        >>> dear.unit_price.m_as("USD")
        40000.0
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                raise UnknownNameError(
                    f"{type(self).__name__} has no field {name!r}{suggest(name, names)}"
                )
        derived = self.__dict__.get("_derived", ())
        stated = {name: self.__dict__[name] for name in names if name not in derived}
        kept = {
            figure: support
            for figure, support in self.provenance.items()
            if figure.partition(".")[0] not in changes
        }
        given = {name: Provenance(source="given by the user") for name in changes}
        return type(self)(**{**stated, "provenance": kept | given, **changes})

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Every figure stated, with its unit and support; those of tables as ``field.key``."""
        shown: dict[str, Figure] = {}
        for name, field in self.described_fields().items():
            value = self.__dict__[name]
            if not field.is_figure or value is None:
                continue
            if value == field.default and name not in self.provenance:
                continue
            if field.is_table:
                for key, item in value.items():
                    shown[f"{name}.{key}"] = self._figure(f"{name}.{key}", field, item)
            else:
                shown[name] = self._figure(name, field, value)
        return MappingProxyType(shown)

    def _figure(self, name: str, field: Field, value: Any) -> Figure:
        own = self.provenance.get(name) or self.provenance.get(name.partition(".")[0])
        own = own or Provenance()
        return Figure(
            value=field.shown(value),
            unit=field.shown_unit,
            source=own.source or self.source,
            confidence=own.confidence or self.confidence,
            note=own.note,
            date=own.date,
            error=own.error,
        )

    def _stated(self, name: str) -> Any:
        if _descriptor(type(self), name) is None:
            raise UnknownNameError(
                f"{type(self).__name__} has no figure {name!r}"
                f"{suggest(name, self.described_fields())}"
            )
        return self.__dict__[name]

    def _refuse(self, reason: str) -> CatalogError:
        """Phrase what is wrong with the record as a whole."""
        return CatalogError(f"{type(self).__name__} {self.name!r}: {reason}")

    def _derive(self, name: str, value: Any) -> None:
        """Fill in a field that follows from the others, and is to follow them in `replace`."""
        self.__dict__.setdefault("_derived", set()).add(name)
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        # What was worked out on demand is worked out again where the pickle is read.
        ours = [vars(cls) for cls in type(self).__mro__]
        cached = {name for own in ours for name in own if isinstance(own[name], cached_property)}
        return {name: value for name, value in self.__dict__.items() if name not in cached}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in dataclasses.fields(self)]
        return all(_same(self.__dict__[name], other.__dict__[name]) for name in names)

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __str__(self) -> str:
        return self.name

    def _repr_html_(self) -> str:
        rows = [
            (name, f"{figure.value:,}", figure.unit, figure.confidence.value, figure.source)
            for name, figure in self.figures.items()
        ]
        header = ("figure", "value", "unit", "confidence", "source")
        return table(header, rows, f"{type(self).__name__} {self.name}")


def _descriptor(cls: type, name: str) -> Field | None:
    for owner in cls.__mro__:
        found = owner.__dict__.get(name)
        if found is not None:
            return found if isinstance(found, Field) else None
    return None


def _same(one: Any, other: Any) -> bool:
    """Compare values; those of a fit, which tries many at once, are arrays."""
    if one is other:
        return True
    # The numbers of arrays of other lengths cannot be compared.
    alike = getattr(one, "shape", ()) == getattr(other, "shape", ())
    return alike and bool(np.all(one == other))
