"""Dotted trees: completion, misspelt names, read-only, and nothing read before its time."""

import subprocess
import sys
from typing import Any

import pytest

from mlsysim.catalog import Infrastructure, Models, Systems, find
from mlsysim.errors import CatalogError, UnknownNameError


def test_three_ways_to_one_record() -> None:
    """An attribute, an item and a search give the same object."""
    by_dot = Models.Language.Llama3_70B
    assert Models.Language["Llama3_70B"] is by_dot
    assert find("Llama3_70B") is by_dot
    assert find("Models.Language.Llama3_70B") is by_dot


@pytest.mark.parametrize(
    ("tree", "name", "meant"),
    [
        (Models.Language, "Lama3_70B", "Llama3_70B"),
        (Models.Language, "llama3_70b", "Llama3_70B"),
        (Systems.Accelerators, "H100", "H100_SXM"),
        (Systems.Clusters, "Frontier8K", "Frontier_8K"),
        (Infrastructure.Grids, "Quebek", "Quebec"),
        (Models, "Langage", "Language"),
        (Systems, "Cluster", "Clusters"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(tree: Any, name: str, meant: str) -> None:
    """No lookup fails without saying what may have been meant."""
    with pytest.raises(UnknownNameError, match=f"{tree.path} has no '{name}'.*'{meant}'"):
        getattr(tree, name)
    assert not hasattr(tree, name)


def test_find_suggests_over_all_trees() -> None:
    """A search that fails proposes names of any kind."""
    with pytest.raises(UnknownNameError, match="'Frontier_8K'"):
        find("Frontier_8k")
    with pytest.raises(CatalogError, match="not a name"):
        find(7)  # type: ignore[arg-type]


def test_completion() -> None:
    """TAB after a dot, and TAB inside brackets, list the names."""
    assert "Llama3_70B" in dir(Models.Language)
    assert "Language" in dir(Models)
    assert "Llama3_70B" in Models.Language._ipython_key_completions_()


def test_a_tree_is_a_mapping() -> None:
    """Trees can be looped over, measured and searched like a mapping."""
    names = list(Systems.Clusters)
    assert len(names) == len(Systems.Clusters)
    assert "Frontier_8K" in Systems.Clusters
    assert Systems.Clusters.get("Nowhere") is None
    assert [record.name for record in Systems.Clusters.values()] == names
    assert list(Systems) == [
        "Accelerators",
        "Calibrations",
        "ServingCalibrations",
        "Runtimes",
        "Nodes",
        "Fabrics",
        "Clusters",
    ]
    assert repr(Models.Vision) == "<Models.Vision: 5 records>"


@pytest.mark.parametrize("owner", [Models, Models.Language, Systems.Accelerators])
def test_trees_are_read_only(owner: Any) -> None:
    """Adding to the catalogue is refused, with the way to do it."""
    with pytest.raises(CatalogError, match=r"read-only.*load_catalog"):
        owner.Mine = 1
    with pytest.raises(CatalogError, match="read-only"):
        del owner.Language


def test_importing_reads_no_file_and_touching_reads_one() -> None:
    """Nobody pays for a catalogue that is not used."""
    script = (
        "import mlsysim.catalog as c\n"
        "states = [tree._found for tree in c.builtin.TREES.values()]\n"
        "assert states == [None] * 11, states\n"
        "hasattr(c.Models.Language, '_repr_html_')\n"
        "assert c.Models.Language._found is None\n"
        "c.Models.Language.Llama3_70B\n"
        "states = [tree.path for tree in c.builtin.TREES.values() if tree._found is not None]\n"
        "assert states == ['Models.Language'], states\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own script
