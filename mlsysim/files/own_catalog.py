"""What a question brings along: catalogue files, and clusters described where they are used.

``catalog = ["my_fleet.toml"]``, and a table of node, nodes and fabric in the place of a fleet.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.catalog.builtin import resolve
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.catalog.user import load_catalog
from mlsysim.errors import CatalogError, InputError, QuestionError
from mlsysim.files.schema import QuestionFile


def with_own_records(
    content: QuestionFile, records: Mapping[str, Record], file: str
) -> QuestionFile:
    """Put the records of the question's own catalogue files in place of their names.

    No name can mean two things: a catalogue file cannot take a name of the package.  A table with
    a `node` is a cluster.

    Parameters
    ----------
    content
        The file.
    records
        What `own_records` gave for it.
    file
        The name that messages use.

    Raises
    ------
    QuestionError
        If a cluster in a table is malformed; the message names the key.
    """
    fleets = {
        name: msgspec.structs.replace(table, of=_put(table.of or name, records))
        if (table.of or name) in records
        else table
        for name, table in content.fleet.items()
    }
    return msgspec.structs.replace(
        content,
        fixed={
            name: _put_at(value, records, f"{file}: fixed.{name}")
            for name, value in content.fixed.items()
        },
        space={name: _put(value, records) for name, value in content.space.items()},
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


def _put_at(value: Any, records: Mapping[str, Record], place: str) -> Any:
    try:
        return _put(value, records)
    except InputError as error:
        raise QuestionError(f"{place}: {error}") from None


def _put(value: Any, records: Mapping[str, Record]) -> Any:
    if isinstance(value, str):
        return records.get(value, value)
    if isinstance(value, tuple):
        return tuple(_put(item, records) for item in value)
    if isinstance(value, Mapping):
        if "node" in value:
            return cluster_of(value, records)
        return {key: _put(item, records) for key, item in value.items()}
    return value


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
    given = dict(table)
    for field, kind in (("node", Node), ("fabric", Fabric)):
        name = given.get(field)
        if isinstance(name, str):
            given[field] = records[name] if name in records else resolve(kind, name)
    missing = [key for key in ("node", "nodes", "fabric") if key not in given]
    if missing and given.keys() <= Cluster.described_fields().keys():
        raise CatalogError(
            f"the cluster has no {missing[0]!r}; write e.g. "
            '{ node = "DGX_H100", nodes = 40, fabric = "IB_NDR" }'
        )
    parts = (table.get("nodes"), table.get("node"), table.get("fabric"))
    given.setdefault("name", "_".join(map(str, parts)))
    return Cluster(**given)
