"""What a question brings along: catalogue files, and clusters described where they are used.

``catalog = ["my_fleet.toml"]``, and a table of node, nodes and fabric in the place of a fleet.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from mlsysim.catalog.builtin import resolve
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.catalog.user import load_catalog
from mlsysim.errors import CatalogError, InputError, QuestionError, UnknownNameError, suggest
from mlsysim.files.assembly import located
from mlsysim.files.schema import QuestionFile


def with_own_records(
    content: QuestionFile, records: Mapping[str, Record], place: str
) -> QuestionFile:
    """Put the records of the question's own catalogue files in place of their names.

    No name can mean two things: a catalogue file cannot take a name of the package.  A table with
    a `node`, `nodes` or a `fabric` is a cluster.

    Parameters
    ----------
    content
        The file.
    records
        What `own_records` gave for it.
    place
        What stands before its keys in messages: the file, and the key of what it is a part of.

    Raises
    ------
    QuestionError
        If a table is no cluster; the message names the key.
    """
    fleets = {
        name: msgspec.structs.replace(table, of=_put(table.of or name, records, place))
        if (table.of or name) in records
        else table
        for name, table in content.fleet.items()
    }
    return msgspec.structs.replace(
        content,
        fixed={
            name: _put(value, records, f"{place}fixed.{name}")
            for name, value in content.fixed.items()
        },
        space={
            name: _put(value, records, f"{place}space.{name}")
            for name, value in content.space.items()
        },
        fleet=fleets,
    )


def own_records(files: Iterable[str], path: Path) -> dict[str, Record]:
    """Read the catalogue files that a question names: name -> entry.

    Parameters
    ----------
    files
        Their names.
    path
        Where the question lies; its catalogue files are looked for from its folder.

    Raises
    ------
    QuestionError
        If two of the files use one name.
    CatalogError, UnitError, UnknownNameError
        If one of the files cannot be read; the message begins with it.
    """
    found: dict[str, Record] = {}
    for file in files:
        place = path.parent / file
        try:
            catalog = load_catalog(place)
        except CatalogError as error:
            if place.is_file():
                raise
            raise QuestionError(f"{path}: catalog: {error}") from None
        for tree in vars(catalog).values():
            for name, record in tree.items():
                if name in found:
                    raise QuestionError(
                        f"{path}: catalog: two of its files call something {name!r}; rename one"
                    )
                found[name] = record
    return found


def _put(value: Any, records: Mapping[str, Record], place: str) -> Any:
    if isinstance(value, str):
        return records.get(value, value)
    if isinstance(value, tuple):
        return tuple(_put(item, records, place) for item in value)
    if isinstance(value, Mapping):
        if value.keys() & _PARTS.keys():
            try:
                return cluster_of(value, records)
            except InputError as error:
                raise located(error, place) from None
        return {key: _put(item, records, place) for key, item in value.items()}
    return value


_PARTS = {"node": "DGX_H100", "nodes": 40, "fabric": "IB_NDR"}
"""What a cluster in a table needs, and how it is written."""
_KINDS: Mapping[str, type[Record]] = {"node": Node, "fabric": Fabric}


def cluster_of(table: Mapping[str, Any], records: Mapping[str, Record]) -> Cluster:
    """Make a cluster of a table of its fields, named after them unless it has a name.

    Parameters
    ----------
    table
        Field -> value.
    records
        Name -> entry of the question's own catalogues.

    Raises
    ------
    CatalogError
        If a field is unknown or missing, or does not fit.
    UnknownNameError
        If there is no such node or fabric.
    """
    fields = [field.name for field in dataclasses.fields(Cluster)]
    for field in table:
        if field not in fields:
            raise CatalogError(f"{field}: a cluster has no such field{suggest(field, fields)}")
    for field, example in _PARTS.items():
        if field not in table:
            shown = f'"{example}"' if isinstance(example, str) else example
            raise CatalogError(f"{field} is missing; write e.g. {field} = {shown}")
    given = {
        **table,
        **{field: _part_of(field, table[field], records) for field in _KINDS},
    }
    given.setdefault("name", "_".join(str(table[field]) for field in ("nodes", "node", "fabric")))
    return Cluster(**given)


def _part_of(field: str, name: Any, records: Mapping[str, Record]) -> Record:
    """Find the node or the fabric of a cluster by its name."""
    shown = f"'mlsysim list {field}s' shows them"
    if isinstance(name, Record):
        return name
    if not isinstance(name, str):
        raise CatalogError(f"{field}: {name!r} is no text; write a name; {shown}")
    if name in records:
        return records[name]
    try:
        return cast("Record", resolve(_KINDS[field], name))
    except UnknownNameError as error:
        cure = "" if "did you mean" in str(error) else f"; {shown}"
        raise UnknownNameError(f"{field}: {error}{cure}") from None
