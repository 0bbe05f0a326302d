"""The texts of a question file become what the arguments of the models want."""

from typing import Any

import pytest

from mlsysim.catalog import Cluster, Grid, Systems
from mlsysim.errors import QuestionError
from mlsysim.files.schema import RangeTable, Scalar
from mlsysim.files.values import argument, choices
from mlsysim.units import magnitude


def test_catalogue_entry() -> None:
    """Where a record is wanted, a text is the name of one."""
    assert argument("Frontier_8K", Cluster, "here") is Systems.Clusters.Frontier_8K


def test_text() -> None:
    """Where text is wanted, a text is itself, even if it names a catalogue entry."""
    assert argument("Frontier_8K", str, "here") == "Frontier_8K"


def test_entry_or_its_name() -> None:
    """Where a record or its name is wanted, a misspelt name is refused at its key."""
    assert isinstance(argument("Norway", Grid | str, "here"), Grid)
    with pytest.raises(QuestionError, match=r"^here: .* 'Norwey'; did you mean 'Norway'\?"):
        argument("Norwey", Grid | str, "here")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2 hour", "s", 7200),
        ("0.08 USD/kWh", "USD/kWh", 0.08),
        ("1_000 GB/s", "GB/s", 1000),
        ("1e-3 s", "ms", 1),
        (".5 TB", "GB", 500),
    ],
)
def test_quantity(text: str, unit: str, value: float) -> None:
    """Where a number is wanted, a text is a number with a unit."""
    found = argument(text, float | None, "here")
    # Converting between units rounds in the last digit.
    assert magnitude(found, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("value", [8, 0.5, True])
def test_number(value: Scalar) -> None:
    """Numbers and truth values pass as they are."""
    assert argument(value, float, "here") is value


@pytest.mark.parametrize(
    ("value", "annotation", "told"),
    [
        ("8", int, "'8' is no number; drop the quotes"),
        ("eight", int, "'eight' is no number; write one without quotes"),
        ("8 parsecs_", float, "parsecs_"),
        (8, str, "8 is no text; write it in quotes"),
        (8, Cluster, "8 is no text; write the name of a Cluster"),
        ("Frontier_9K", Cluster, "the catalogue has no Cluster 'Frontier_9K'; did you mean"),
        ("H100_SXM", Cluster, "'H100_SXM' is one accelerator; a cluster in a table is {"),
        ("Norway", Cluster, "'Norway' is of kind Grid, not Cluster; 'mlsysim list clusters'"),
    ],
)
def test_misfit(value: Scalar, annotation: Any, told: str) -> None:
    """A value that does not fit the argument is refused at its place."""
    with pytest.raises(QuestionError) as caught:
        argument(value, annotation, "file.toml: fixed.x")
    assert str(caught.value).startswith("file.toml: fixed.x: ")
    assert told in str(caught.value)


def test_range_includes_both_ends() -> None:
    """From 16 to 64 in steps of 16 are four values."""
    found = choices(RangeTable(first=16, last=64, step=16), int, "here")
    assert list(found) == [16, 32, 48, 64]


def test_long_range_is_not_expanded() -> None:
    """A range of 1e12 values stays a range."""
    assert len(choices(RangeTable(first=1, last=10**12), int, "here")) == 10**12


def test_list_names_the_position() -> None:
    """A list is converted value by value, and a misfit is named by its position."""
    assert choices(("Frontier_8K",), Cluster, "here") == (Systems.Clusters.Frontier_8K,)
    with pytest.raises(QuestionError, match=r"^here\[1\]: "):
        choices(("Frontier_8K", "Frontier"), Cluster, "here")
