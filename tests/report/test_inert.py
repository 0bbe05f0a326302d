"""Choices without effect on the best design are named, and have their first value."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlsysim.core.dse import DSE
from mlsysim.files.question import load
from mlsysim.report import report_of
from mlsysim.report.data import schema
from mlsysim.report.inert import inert_choices

QUESTION = """
question = "Which layout?"
objective = "maximize: DistributedModel.effective_throughput"
[pipeline]
stages = ["DistributedModel"]
[fixed]
model = "Llama3_8B"
fleet = "Production_2K"
nodes = 4
batch_size = 64
precision = "bf16"
[space]
schedule = {schedules}
tp_size = [1, 2, 4]
scatter_gather = [true, false]
"""


@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
@pytest.mark.parametrize("schedules", [["1f1b", "zero-bubble"], ["zero-bubble", "1f1b"]])
def test_the_plainest_value_of_an_inert_choice_wins(
    tmp_path: Path, method: str, schedules: list[str]
) -> None:
    """The schedule and the sends of a pipeline that is none: the first value each."""
    path = tmp_path / "question.toml"
    path.write_text(QUESTION.format(schedules=schedules), encoding="utf-8")
    question = load(path)
    result = question.solve(method=method)
    report = report_of(question, result)
    assert report.inert == ("schedule", "scatter_gather")
    assert result.best_params["schedule"] == schedules[0]
    assert result.best_params["scatter_gather"] is True
    line = "Without effect on this design: schedule, scatter_gather"
    assert line in str(report)
    assert line in report.to_page()
    data = report.to_dict()
    jsonschema.validate(data, schema())
    assert data["inert"] == ["schedule", "scatter_gather"]


def evaluate(params: dict[str, Any]) -> dict[str, Any]:
    """Let y matter to a metric that is no objective, and z to nothing."""
    return {"gain": params["x"], "other": params["y"] + 0 * params["z"]}


def test_a_choice_that_moves_any_metric_is_not_inert() -> None:
    """That the objective is the same does not make a choice one without effect."""
    dse = DSE({"x": [1, 2], "y": [5, 6], "z": [7, 8], "w": [3]}, "maximize: gain")
    best = dse.search(evaluate).best_params
    assert best == {"x": 2, "y": 5, "z": 7, "w": 3}
    assert inert_choices(dse.problem.space, evaluate, best) == ("z",)
