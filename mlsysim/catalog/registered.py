"""Catalogues of installed packages, under the entry-point group ``mlsysim.catalogues``.

The entry point names a path, or a function without arguments that gives one, of a file for
`mlsysim.load_catalog`::

    [project.entry-points."mlsysim.catalogues"]
    acme = "acme_machines:CATALOG"          # CATALOG = Path(__file__).with_name("machines.toml")

Its records then have names like ours: ``Systems.Clusters.Acme_512``, ``fleet = "Acme_512"``.
They are read when a name is asked for that ours do not have, or when all are listed.
"""

import functools
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from os import PathLike
from typing import TYPE_CHECKING, Any

from mlsysim.errors import CatalogError

if TYPE_CHECKING:
    from mlsysim.catalog.record import Record
    from mlsysim.catalog.tree import Tree

GROUP = "mlsysim.catalogues"
"""The group of entry points under which packages register catalogue files."""

_reading = False


def trees(kind: "type[Record]") -> "Sequence[Tree[Any]]":
    """Give the trees of one kind that installed packages add.

    Parameters
    ----------
    kind
        The class of the records.

    Raises
    ------
    CatalogError
        If a registered catalogue cannot be found or read, or two use one name; the message names
        the package's entry point.
    """
    global _reading  # noqa: PLW0603 - a registered file refers to our records while it is read
    if _reading:
        return ()
    _reading = True
    try:
        return _by_kind().get(kind, ())
    finally:
        _reading = False


@functools.cache
def _by_kind() -> "dict[type[Record], tuple[Tree[Any], ...]]":
    found: dict[type[Record], tuple[Tree[Any], ...]] = {}
    owners: dict[str, str] = {}
    for entry in entry_points(group=GROUP):
        for kind, tree in _read(entry).items():
            for name in tree:
                if name in owners:
                    raise CatalogError(
                        f"the registered catalogues {owners[name]!r} and {entry.name!r} both call "
                        f"something {name!r}; uninstall one, or rename its record"
                    )
                owners[name] = entry.name
            found[kind] = (*found.get(kind, ()), tree)
    return found


def _read(entry: EntryPoint) -> "dict[type[Record], Tree[Any]]":
    # The reader of such files looks records up in the catalogue of the package, which asks here.
    from mlsysim.catalog.user import KINDS, load_catalog  # noqa: PLC0415

    place = f"the registered catalogue {entry.name!r} ({entry.value})"
    try:
        target = entry.load()
    except (ImportError, AttributeError) as error:
        raise CatalogError(
            f"{place} cannot be imported: {error}; repair or uninstall its package"
        ) from error
    path = target() if callable(target) else target
    if not isinstance(path, str | PathLike):
        raise CatalogError(f"{place} gives {path!r}, which is no path of a file")
    catalog = load_catalog(path)
    return {kind: getattr(catalog, table) for table, kind in KINDS.items()}
