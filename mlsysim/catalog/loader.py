"""The strict reader of catalogue files.

A file is TOML: one table per record, under the name by which it is known.  A
figure is a value, or a table that gives its support as well::

    unit_price = "30000 USD"
    unit_price = { value = "30000 USD", source = "quotation", confidence = "B", note = "2025" }

A record may start from another one and state only what differs::

    [accelerators.H100_leased]
    like = "H100_SXM"
    rental_prices = { ours = "1.9 USD/hour" }

Anything that is not understood is refused, with the file, the path of the key
and the cure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.catalog.fields import Field, Presence
from mlsysim.catalog.figure import Confidence, Provenance
from mlsysim.catalog.measures import TableField
from mlsysim.catalog.record import Record
from mlsysim.catalog.reference import Reference
from mlsysim.errors import CatalogError, InputError, suggest
from mlsysim.textfiles import parse_toml, read_text

Resolver = Callable[[type[Record], str], Record]
Origin = Callable[[str], Record]

_LIKE = "like"


class _Supported(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure that gives its own support."""

    value: Any
    source: str = ""
    confidence: Confidence | None = None
    note: str = ""
    date: str = ""
    error: float | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """The records of one kind in one file, not yet built.

    Parameters
    ----------
    file
        The file, for messages.
    prefix
        The path of the table that holds the records; empty for the whole file.
    kind
        The class of the records.
    entries
        What the file says, by name.
    resolve
        Finds the records that these refer to.
    origins
        Keys that name something else to start from, such as a file, and what reads it.
    """

    file: str
    prefix: str
    kind: type[Record]
    entries: Mapping[str, Any]
    resolve: Resolver
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.entries:
            if not name.isidentifier():
                raise CatalogError(
                    f"{self._place(name)}: {name!r} cannot follow a dot in Python; "
                    "use letters, digits and underscores, e.g. 'My_Chip_2_5'"
                )

    def build(self, name: str) -> Record:
        """Make one record.

        Raises
        ------
        CatalogError
            If a key is unknown, missing or has a value that does not fit.
        UnitError
            If an amount has no unit or one of the wrong dimension.
        UnknownNameError
            If it refers to a record that does not exist.
        """
        entry = self.entries[name]
        if not isinstance(entry, Mapping):
            raise CatalogError(f"{self._place(name)}: {entry!r} is not a table; write [{name}]")
        start = next((key for key in (_LIKE, *self.origins) if key in entry), None)
        stated = {key: raw for key, raw in entry.items() if key != start}
        fields = self.kind.described_fields()
        self._check_keys(name, stated, fields, complete=start is None)
        values: dict[str, Any] = {}
        provenance: dict[str, Provenance] = {}
        for key, raw in stated.items():
            values[key] = self._read(name, key, raw, fields[key], provenance)
        if start is None:
            make = partial(self.kind, name=name, provenance=provenance, **values)
        else:
            make = partial(_changed, self._start(name, start), name, values, provenance)
        return _at(self._place(name), make)

    def _start(self, name: str, key: str) -> Record:
        """Find the record that one starts from."""
        origin = self.entries[name][key]
        place = self._place(name, key)
        if not isinstance(origin, str):
            raise CatalogError(f"{place}: {origin!r} is not a text")
        if key != _LIKE:
            return _at(place, self.origins[key], origin)
        seen = [name]
        while isinstance(following := self.entries.get(seen[-1]), Mapping) and _LIKE in following:
            if following[_LIKE] in seen:
                raise CatalogError(
                    f"{place}: {' is like '.join([*seen, following[_LIKE]])}, without a beginning"
                )
            seen.append(following[_LIKE])
        return _at(place, self.resolve, self.kind, origin)

    def _place(self, *keys: str) -> str:
        return f"{self.file}: " + ".".join([self.prefix, *keys] if self.prefix else keys)

    def _check_keys(
        self, name: str, entry: Mapping[str, Any], fields: dict[str, Field], *, complete: bool
    ) -> None:
        known = [key for key in fields if key != "name"]
        for key in entry:
            if key not in known:
                near = suggest(key, [*known, _LIKE, *self.origins])
                raise CatalogError(f"{self._place(name, key)}: unknown key {key!r}{near}")
        for key in known if complete else ():
            if fields[key].presence is Presence.REQUIRED and key not in entry:
                raise CatalogError(
                    f"{self._place(name)}: the key {key!r} is missing; "
                    f"write e.g. {key} = {_toml(fields[key].in_file())}"
                )

    def _read(
        self, name: str, key: str, raw: Any, field: Field, provenance: dict[str, Provenance]
    ) -> Any:
        place = self._place(name, key)
        if not isinstance(field, TableField):
            plain = _plain(place, raw, key, provenance)
            if isinstance(field, Reference) and isinstance(plain, str):
                return _at(place, self.resolve, field.kind, plain)
            return _at(place, field.parse, plain)
        if not isinstance(raw, Mapping):
            raise CatalogError(f"{place}: {raw!r} is not a table; write [{name}.{key}]")
        items = {}
        for item, value in raw.items():
            plain = _plain(f"{place}.{item}", value, f"{key}.{item}", provenance)
            items[item] = _at(place, field.parse_item, item, plain)
        return items


def read_toml(file: Path | Traversable, label: str) -> dict[str, Any]:
    """Read a TOML file as plain tables.

    Parameters
    ----------
    file
        Where it is.
    label
        What to call it in messages.

    Raises
    ------
    CatalogError
        If there is no such file, or it is not TOML, or a name occurs twice.
    """
    # What lies in the package need not be a file of its own.
    text = (
        read_text(file, CatalogError)
        if isinstance(file, Path)
        else file.read_text(encoding="utf-8")
    )
    return parse_toml(text, label, CatalogError)


def _changed(
    start: Record, name: str, values: Mapping[str, Any], provenance: Mapping[str, Provenance]
) -> Record:
    """Make a record that differs from another in what is stated."""
    changed = start.replace(name=name, **values)
    kept = changed.provenance
    if "source" in values:
        # What is stated without support of its own has that of the record.
        fields = start.described_fields()
        stated = [key for key in values if fields[key].is_figure and not fields[key].is_table]
        others = {key: support for key, support in kept.items() if key not in {"name", *values}}
        kept = {**others, **dict.fromkeys(stated, Provenance())}
    return changed.replace(provenance={**kept, **provenance})


def _plain(place: str, raw: Any, path: str, provenance: dict[str, Provenance]) -> Any:
    """Take the support off a figure and keep it."""
    if not isinstance(raw, Mapping):
        return raw
    try:
        supported = msgspec.convert(raw, _Supported)
    except msgspec.ValidationError as error:
        raise CatalogError(
            f"{place}: {error}; a figure is a value, or a table of value, source, confidence "
            "(A, B or C), note, date and error"
        ) from None
    provenance[path] = Provenance(
        source=supported.source,
        confidence=supported.confidence,
        note=supported.note,
        date=supported.date,
        error=supported.error,
    )
    return supported.value


def _at(place: str, read: Callable[..., Any], *arguments: Any) -> Any:
    """Call something, and add the place to what it complains about."""
    try:
        return read(*arguments)
    except InputError as error:
        raise type(error)(f"{place}: {error}") from None


def _toml(example: object) -> str:
    match example:
        case bool():
            return str(example).lower()
        case str():
            return f'"{example}"'
        case Mapping():
            inner = ", ".join(f"{key} = {_toml(value)}" for key, value in example.items())
            return f"{{ {inner} }}"
        case _:
            return str(example)
