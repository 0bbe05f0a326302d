"""Every record of the catalogue, by reflection: support, names, references, missing figures."""

from collections import Counter
from typing import Any

import pytest

from mlsysim.catalog import Branch, Cluster, Confidence, Record, Tree
from mlsysim.catalog.builtin import BRANCHES, TREES, find
from mlsysim.catalog.fields import Presence
from mlsysim.catalog.measures import QuantityField, TableField
from mlsysim.catalog.reference import Reference
from mlsysim.errors import MissingFigureError
from mlsysim.units import magnitude, unit_of

RECORDS: list[Record] = [record for tree in TREES.values() for record in tree.values()]


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("Systems.Accelerators", 30),
        ("Models.Language", 70),
        ("Models.Vision", 5),
        ("Models.Formats", 15),
        ("Systems.Nodes", 34),
        ("Systems.Fabrics", 20),
        ("Systems.Clusters", 18),
        ("Infrastructure.Grids", 12),
    ],
)
def test_how_much_there_is(path: str, least: int) -> None:
    """No part of the catalogue gets lost unnoticed."""
    tree = next(tree for tree in TREES.values() if tree.path == path)
    assert len(tree) >= least


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_every_figure_has_a_source_and_a_confidence(record: Record) -> None:
    """Nobody has to ask where a number comes from."""
    assert record.figures
    for name, figure in record.figures.items():
        assert figure.source.strip(), name
        assert figure.source != "given by the user", name
        assert isinstance(figure.confidence, Confidence), name
        assert figure.value >= 0, name


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_provenance_names_figures_that_exist(record: Record) -> None:
    """A note on a figure that is not there would be a slip of the pen."""
    assert set(record.provenance) <= set(record.figures)


def test_names_are_unique_over_the_whole_catalogue() -> None:
    """A name alone says which record is meant, so that question files need no path."""
    counts = Counter(record.name for record in RECORDS)
    assert [name for name, times in counts.items() if times > 1] == []
    for record in RECORDS:
        assert find(record.name) is record


def test_every_tree_hangs_on_a_branch() -> None:
    """What `find` searches is what can be reached by dots, no more and no less."""
    reached: list[Tree[Any]] = []
    for branch in BRANCHES:
        assert isinstance(branch, Branch)
        reached.extend(branch.trees().values())
    assert {tree.path for tree in reached} == {tree.path for tree in TREES.values()}


@pytest.mark.parametrize("cluster", TREES[Cluster].values(), ids=str)
def test_every_cluster_resolves(cluster: Cluster) -> None:
    """A cluster leads to its accelerator, and its network is as fast as its slower end."""
    assert cluster.accelerators == cluster.nodes * cluster.node.accelerators
    assert cluster.accelerator is cluster.node.accelerator
    assert cluster.inter_node_bandwidth <= cluster.node.nic_bandwidth
    assert cluster.scale_up_domain >= cluster.node.accelerator.scale_up_domain or (
        cluster.scale_up_domain == cluster.node.accelerators
    )


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_a_missing_figure_is_an_error_and_never_zero(record: Record) -> None:
    """Every figure that nobody states raises when it is read, and says how to supply it."""
    for name, field in record.described_fields().items():
        if field.presence is not Presence.OPTIONAL or isinstance(field, Reference | TableField):
            continue
        if record.has(name):
            assert magnitude(getattr(record, name), unit_of(getattr(record, name))) >= 0
        else:
            with pytest.raises(MissingFigureError, match=rf"{record.name}: {name} .*replace\("):
                getattr(record, name)


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_amounts_are_kept_in_base_units(record: Record) -> None:
    """Formulas may multiply without converting."""
    for name, field in record.described_fields().items():
        if isinstance(field, QuantityField) and record.has(name):
            value = getattr(record, name)
            assert value.units == value.to_base_units().units, name
            assert isinstance(value.magnitude, float), name
