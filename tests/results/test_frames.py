"""Answers and the catalogue as tables of pandas."""

import sys
from typing import Any

import pytest

import mlsysim
from mlsysim.errors import OutputError
from mlsysim.units import quantity

pd = pytest.importorskip("pandas")
SPACE = {"x": [1, 2, 3], "kind": ["a", "b"]}


def evaluate(params: dict[str, Any]) -> dict[str, Any]:
    """Take x hours."""
    return {"Run": {"time": quantity(params["x"], "hour"), "cost": 6.0 - params["x"]}}


def test_designs_are_rows_with_choices_objective_and_metrics() -> None:
    """Best first, a column per choice and metric, units beside the table."""
    table = mlsysim.DSE(SPACE, "minimize: Run.cost").search(evaluate, top=2).to_pandas()
    assert table["x"].tolist() == [3, 3]
    assert table["kind"].tolist() == ["a", "b"]
    assert table["Run.cost"].tolist() == [3.0, 3.0]
    assert table["Run.time"].tolist() == [3.0, 3.0]
    assert table.attrs["units"] == {"Run.time": "h"}


def test_a_front_has_a_column_for_each_objective() -> None:
    """Three points trade hours for cost."""
    goals = ["minimize: Run.time", "minimize: Run.cost"]
    front = mlsysim.DSE(SPACE, "minimize: Run.cost").pareto(evaluate, objectives=goals)
    table = front.to_pandas()
    assert sorted(zip(table["Run.time"], table["Run.cost"], strict=True)) == [
        (1.0, 5.0),
        (2.0, 4.0),
        (3.0, 3.0),
    ]


def test_a_sweep_has_a_row_for_each_limit() -> None:
    """What no design meets has a status, and nothing else."""
    explorer = mlsysim.DSE(SPACE, "minimize: Run.cost", {"limit": "Run.time <= 3 hour"})
    table = explorer.sweep(evaluate, over={"limit": ["0.5 hour", "2 hour"]}).to_pandas()
    assert table["status"].tolist() == ["INFEASIBLE", "OPTIMAL"]
    assert table["x"].isna().tolist() == [True, False]


def test_an_infeasible_answer_is_an_empty_table() -> None:
    """There is no design, so there is no row."""
    answer = mlsysim.DSE(SPACE, "minimize: Run.cost", ["Run.cost <= 0"]).search(evaluate)
    assert answer.to_pandas().empty


def test_the_catalogue_is_a_table() -> None:
    """A row per accelerator; what nobody states is missing."""
    tree = mlsysim.Systems.Accelerators
    table = tree.to_pandas().set_index("name")
    assert list(table.index) == list(tree)
    chip = tree.H100_SXM
    assert table.loc["H100_SXM", "peaks.bf16"] == chip.figures["peaks.bf16"].value
    assert tree.to_pandas().attrs["units"]["peaks.bf16"] == chip.figures["peaks.bf16"].unit


def test_without_pandas_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OutputError, match=r"pip install 'mlsysim-solver\[data\]'"):
        mlsysim.Systems.Accelerators.to_pandas()


def test_notebooks_show_what_if_and_the_catalogue() -> None:
    """A table each: both answers side by side; the entries of a tree; the figures of an entry."""
    dse = mlsysim.DSE(SPACE, "minimize: Run.cost")
    told = dse.why_not(evaluate, {"x": 1})
    assert "<td" in told._repr_html_()
    assert str(told).split("\n")[0].split() == ["the", "best", "with", "x=1"]
    tree = mlsysim.Systems.Accelerators
    assert "H100_SXM" in tree._repr_html_()
    assert "memory_capacity" in tree["H100_SXM"]._repr_html_()


def test_whatever_speaks_arrow_reads_answers_and_the_catalogue() -> None:
    """The stream has the columns and the values of the table, missing ones included."""
    arrow = pytest.importorskip("pyarrow")
    explorer = mlsysim.DSE(SPACE, "minimize: Run.cost", {"limit": "Run.time <= 3 hour"})
    goals = ["minimize: Run.time", "minimize: Run.cost"]
    for tabular in (
        explorer.search(evaluate, top=3),
        explorer.pareto(evaluate, objectives=goals),
        explorer.sweep(evaluate, over={"limit": ["0.5 hour", "2 hour"]}),
        mlsysim.Systems.Accelerators,
    ):
        read, table = arrow.table(tabular), tabular.to_pandas()
        assert read.column_names == list(table.columns)
        assert read.num_rows == len(table) > 0
        for name in table.columns:
            held = [None if pd.isna(value) else value for value in table[name].tolist()]
            assert read[name].to_pylist() == held


def test_without_pyarrow_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is loaded for nothing else."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = mlsysim.DSE(SPACE, "minimize: Run.cost").search(evaluate, top=1)
    with pytest.raises(OutputError, match=r"mlsysim-solver\[arrow\]"):
        answer.__arrow_c_stream__()
