"""The catalogue that comes with the package, one data file per tree, and what others add to it."""

from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from mlsysim.catalog import registered
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.grid import Grid
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.loader import Section, read_toml
from mlsysim.catalog.node import Node
from mlsysim.catalog.number_format import NumberFormat
from mlsysim.catalog.record import Record
from mlsysim.catalog.runtime import Runtime
from mlsysim.catalog.tree import Branch, Tree, find_in
from mlsysim.catalog.vision_model import VisionModel
from mlsysim.errors import CatalogError


class _Models(Branch):
    path = "Models"
    Language: Tree[LanguageModel]
    Vision: Tree[VisionModel]
    Formats: Tree[NumberFormat]

    def __init__(self) -> None:
        vars(self)["Language"] = _tree("Models.Language", LanguageModel, "language_models")
        vars(self)["Vision"] = _tree("Models.Vision", VisionModel, "vision_models")
        vars(self)["Formats"] = _tree("Models.Formats", NumberFormat, "number_formats")

    @staticmethod
    def from_hf(path: str | Path, name: str | None = None) -> LanguageModel:
        """Read a language model from a Hugging Face ``config.json`` on disk.

        Parameters
        ----------
        path
            The file, or the folder that holds it.
        name
            How to call the model; as the file or its folder is called, unless given.

        Raises
        ------
        CatalogError
            If the file cannot be read, its architecture is not known, or a key is missing or has
            a value that does not fit.

        Examples
        --------
        >>> Models.from_hf("Llama-3.1-8B/config.json").parameters    # doctest: +SKIP
        8030261248
        """
        from mlsysim.catalog.hugging_face import (  # noqa: PLC0415 - few read any
            model_from_hugging_face,
        )

        return model_from_hugging_face(path, name, formats=Models.Formats)


class _Systems(Branch):
    path = "Systems"
    Accelerators: Tree[Accelerator]
    Calibrations: Tree[Calibration]
    ServingCalibrations: Tree[ServingCalibration]
    Runtimes: Tree[Runtime]
    Nodes: Tree[Node]
    Fabrics: Tree[Fabric]
    Clusters: Tree[Cluster]

    def __init__(self) -> None:
        vars(self)["Accelerators"] = _tree("Systems.Accelerators", Accelerator, "accelerators")
        vars(self)["Calibrations"] = _tree("Systems.Calibrations", Calibration, "calibrations")
        vars(self)["ServingCalibrations"] = _tree(
            "Systems.ServingCalibrations", ServingCalibration, "serving_calibrations"
        )
        vars(self)["Runtimes"] = _tree("Systems.Runtimes", Runtime, "runtimes")
        vars(self)["Nodes"] = _tree("Systems.Nodes", Node, "nodes")
        vars(self)["Fabrics"] = _tree("Systems.Fabrics", Fabric, "fabrics")
        vars(self)["Clusters"] = _tree("Systems.Clusters", Cluster, "clusters")


class _Infrastructure(Branch):
    path = "Infrastructure"
    Grids: Tree[Grid]

    def __init__(self) -> None:
        vars(self)["Grids"] = _tree("Infrastructure.Grids", Grid, "grids")


def _tree(path: str, kind: type[Record], stem: str) -> Any:
    return Tree(path, partial(_section, kind, stem), partial(registered.trees, kind))


def _section(kind: type[Record], stem: str) -> Section:
    file = files("mlsysim.catalog").joinpath("data", f"{stem}.toml")
    label = f"mlsysim/catalog/data/{stem}.toml"
    return Section(
        file=label, prefix="", kind=kind, entries=read_toml(file, label), resolve=resolve
    )


Models = _Models()
Systems = _Systems()
Infrastructure = _Infrastructure()

BRANCHES: tuple[Branch, ...] = (Models, Systems, Infrastructure)
TREES: dict[type[Record], Tree[Any]] = {
    LanguageModel: Models.Language,
    VisionModel: Models.Vision,
    NumberFormat: Models.Formats,
    Accelerator: Systems.Accelerators,
    Calibration: Systems.Calibrations,
    ServingCalibration: Systems.ServingCalibrations,
    Runtime: Systems.Runtimes,
    Node: Systems.Nodes,
    Fabric: Systems.Fabrics,
    Cluster: Systems.Clusters,
    Grid: Infrastructure.Grids,
}


def resolve(kind: type[Record], name: str) -> Any:
    """Find a record of one kind by name.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists the nearest names.
    """
    return TREES[kind][name]


def node_of(name: str) -> Node | None:
    """Find a node by its name, or the first one that is made of the accelerator of a name.

    Parameters
    ----------
    name
        An identifier; nothing is found for those of other kinds.
    """
    nodes: list[Node] = [TREES[Node][one] for one in TREES[Node]]
    return next((node for node in nodes if name in {node.name, node.accelerator.name}), None)


def find(name: str) -> Any:
    """Find a record by name, whatever its kind.

    Parameters
    ----------
    name
        An identifier, such as ``"Frontier_8K"``, or the whole path, such as
        ``"Systems.Clusters.Frontier_8K"``.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists the nearest names.

    Examples
    --------
    >>> find("H100_SXM").year
    2022
    """
    if not isinstance(name, str):
        raise CatalogError(f"{name!r} is not a name of the catalogue; write it as text")
    path, dot, last = name.rpartition(".")
    if dot:
        tree = next((tree for tree in TREES.values() if tree.path == path), None)
        if tree is not None:
            return tree[last]
    return find_in(TREES.values(), name)
