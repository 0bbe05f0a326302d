"""Catalogue files of the user's own: `load_catalog`."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from mlsysim.catalog import builtin
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.grid import Grid
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.loader import Origin, Section, read_toml
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.catalog.runtime import Runtime
from mlsysim.catalog.tree import Tree, find_in
from mlsysim.catalog.vision_model import VisionModel
from mlsysim.errors import CatalogError, UnknownNameError, suggest


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The records of one file, in read-only trees by kind.

    Parameters
    ----------
    accelerators, calibrations, serving_calibrations, runtimes, nodes, fabrics, clusters
        The tables of the file.
    models, vision_models, grids
        Likewise; `models` are language models.
    """

    accelerators: Tree[Accelerator]
    calibrations: Tree[Calibration]
    serving_calibrations: Tree[ServingCalibration]
    runtimes: Tree[Runtime]
    nodes: Tree[Node]
    fabrics: Tree[Fabric]
    clusters: Tree[Cluster]
    models: Tree[LanguageModel]
    vision_models: Tree[VisionModel]
    grids: Tree[Grid]

    def find(self, name: str) -> Any:
        """Find a record by name in this file, or else in the catalogue of the package.

        Raises
        ------
        UnknownNameError
            If neither has it.
        """
        for tree in vars(self).values():
            if name in tree:
                return tree[name]
        try:
            return builtin.find(name)
        except UnknownNameError:
            return find_in([*vars(self).values(), *builtin.TREES.values()], name)


KINDS: dict[str, type[Record]] = {
    "accelerators": Accelerator,
    "calibrations": Calibration,
    "serving_calibrations": ServingCalibration,
    "runtimes": Runtime,
    "nodes": Node,
    "fabrics": Fabric,
    "clusters": Cluster,
    "models": LanguageModel,
    "vision_models": VisionModel,
    "grids": Grid,
}
"""The tables of a catalogue file, and what each holds."""


def load_catalog(path: str | PathLike[str]) -> Catalog:
    """Read and check a catalogue file.

    A record may refer to others of the same file and to those of the package, or start from one
    of them (``like = "H100_SXM"``); a model may start from a configuration of Hugging Face on disk
    (``hugging_face = "path/config.json"``, from the folder of the file).

    Parameters
    ----------
    path
        A TOML file with tables such as ``[accelerators.My_Chip]`` and ``[clusters.My_Fleet]``.

    Raises
    ------
    CatalogError
        If the file cannot be read, a key is unknown or missing, a value does not fit, or a name
        is taken; the message gives the file, the path of the key, and the cure.
    UnitError
        If an amount has no unit or one of the wrong dimension.
    UnknownNameError
        If a record refers to one that does not exist.
    """
    file = Path(path)
    tables = read_toml(file, str(path))
    for table in tables:
        if table not in KINDS:
            raise CatalogError(
                f"{path}: {table}: unknown table{suggest(table, KINDS)}; a record is a table "
                "of one of these, e.g. [accelerators.My_Chip]"
            )
    trees: dict[type[Record], Tree[Any]] = {}
    origins: dict[type[Record], dict[str, Origin]] = {
        LanguageModel: {"hugging_face": partial(_from_hugging_face, file.parent)}
    }
    for table, kind in KINDS.items():
        entries = tables.get(table, {})
        if not isinstance(entries, Mapping):
            raise CatalogError(
                f"{path}: {table}: {entries!r} is not a table; write [{table}.My_Name]"
            )
        resolve = partial(_resolve, trees)
        section = Section(
            file=str(path),
            prefix=table,
            kind=kind,
            entries=entries,
            resolve=resolve,
            origins=origins.get(kind, {}),
        )
        trees[kind] = Tree(f"{path}: {table}", partial(_identity, section))
    _refuse_taken_names(str(path), tables)
    for tree in trees.values():
        for record in tree:
            tree[record]  # builds it, so that every error shows now
    return Catalog(**{name: trees[kind] for name, kind in KINDS.items()})


def _from_hugging_face(folder: Path, found: str) -> LanguageModel:
    from mlsysim.catalog.hugging_face import (  # noqa: PLC0415 - few read any
        model_from_hugging_face,
    )

    return model_from_hugging_face(folder / found, formats=builtin.Models.Formats)


def _identity(section: Section) -> Section:
    return section


def _resolve(trees: Mapping[type[Record], Tree[Any]], kind: type[Record], name: str) -> Any:
    if name in trees[kind]:
        return trees[kind][name]
    try:
        return builtin.resolve(kind, name)
    except UnknownNameError:
        known = [*trees[kind], *builtin.TREES[kind]]
        raise UnknownNameError(
            f"no {kind.__name__.lower()} is called {name!r}{suggest(name, known)}"
        ) from None


def _refuse_taken_names(path: str, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a name that means two things: within the file, or here and in the package."""
    owners = {name: tree.path for tree in builtin.TREES.values() for name in tree}
    places = itertools.chain.from_iterable(
        ((section, name) for name in entries) for section, entries in tables.items()
    )
    for section, name in places:
        if name in owners:
            raise CatalogError(
                f"{path}: {section}.{name}: the name is taken by {owners[name]}.{name}; "
                f"choose another, e.g. {'My_' + name!r}"
            )
        owners[name] = f"{path}: {section}"
