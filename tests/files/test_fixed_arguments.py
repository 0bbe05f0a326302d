"""What is fixed is named in constraints and objectives like what is chosen."""

from pathlib import Path
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel
from mlsysim.errors import MetricError, QuestionError, UnitError
from mlsysim.files.question import load
from mlsysim.results import Status

QUESTION = """
question = "Which layout of 40 nodes?"
objective = "{objective}"

[pipeline]
stages = ["DistributedModel", "EconomicsModel"]
arguments = {{ tp_size = "tp" }}

[fixed]
model = "Llama3_1_70B"
fleet = "Production_2K"
nodes = 40
batch_size = 1024
seq_len = 8192
precision = "bf16"
sequence_parallel = true
duration_days = "30 days"

[space]
tp = [4, 8]
pp_size = [4, 8, 10]
micro_batch_size = [1, 2]

[constraints.asked]
require = "{require}"
"""
THROUGHPUT = "maximize: DistributedModel.effective_throughput"


def question(folder: Path, require: str, objective: str = THROUGHPUT) -> Any:
    """Write a question and load it."""
    path = folder / "question.toml"
    path.write_text(QUESTION.format(objective=objective, require=require), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    "require",
    [
        "batch_size % (micro_batch_size * DistributedModel.data_parallel_size) == 0",
        "tp_size * pp_size * nodes <= 800",  # an argument whose choice has another name
        "seq_len // tp_size >= 2000",
        "model.layers % pp_size == 0",  # a figure of what is fixed
        "precision != 'fp16'",
        "sequence_parallel == true",
        "duration_days <= 5 weeks",
        "fleet == 'Production_2K'",
    ],
)
def test_every_way_to_answer_reads_a_fixed_argument(tmp_path: Path, require: str) -> None:
    """CP-SAT and the reference agree, and the best design meets the constraint."""
    comparison = question(tmp_path, require).cross_check()
    assert not comparison.differences
    assert comparison.solved.status is Status.OPTIMAL


def test_the_replicas_share_the_batch(tmp_path: Path) -> None:
    """Without the constraint 20 replicas win, which cannot share 1,024 sequences."""
    free = question(tmp_path, "tp_size >= 1").solve()
    assert free.best_result["DistributedModel"].data_parallel_size == 20
    shared = "batch_size % (micro_batch_size * DistributedModel.data_parallel_size) == 0"
    found = question(tmp_path, shared).solve()
    assert found.best_result["DistributedModel"].data_parallel_size == 8


def test_a_fixed_argument_that_rules_everything_out_is_the_conflict(tmp_path: Path) -> None:
    """A constraint over fixed arguments alone is true or false of every design."""
    comparison = question(tmp_path, "batch_size % 1000 == 0").cross_check()
    assert not comparison.differences
    assert comparison.solved.conflict == ("asked",)


def test_an_objective_divides_by_a_fixed_argument(tmp_path: Path) -> None:
    """Tokens per second and node are the throughput over 40."""
    whole = question(tmp_path, "tp_size >= 1").solve()
    each = question(tmp_path, "tp_size >= 1", f"{THROUGHPUT} / nodes").solve()
    assert each.best_objective == pytest.approx(whole.best_objective / 40)


def test_a_misspelt_name_is_told_the_fixed_ones(tmp_path: Path) -> None:
    """The nearest name may be a fixed argument."""
    with pytest.raises(QuestionError, match="did you mean 'batch_size'"):
        question(tmp_path, "batch_sise % 8 == 0")


def test_units_of_fixed_arguments_are_checked(tmp_path: Path) -> None:
    """A plain number against a time is refused."""
    with pytest.raises(QuestionError, match="compares a time with a plain number"):
        question(tmp_path, "duration_days <= 35")


def evaluate(params: dict[str, Any]) -> Any:
    """Run a pipeline with fixed arguments, as a Python user writes it."""
    return Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        fleet=Systems.Clusters.Frontier_8K,
        batch_size=2 * params["batch_size"],
        duration_days=30,
        **{name: value for name, value in params.items() if name != "batch_size"},
    )


SPACE = {"tp_size": [4, 8], "pp_size": [4, 8, 16], "batch_size": [1024, 2048]}


def test_a_pipeline_in_python_has_fixed_arguments_too() -> None:
    """30 days are given to the pipeline, not to the space."""
    dse = DSE(SPACE, THROUGHPUT, ["duration_days * tp_size <= 120"])
    assert not dse.cross_check(evaluate).differences
    assert dse.search(evaluate).best_params["tp_size"] == 4


def test_a_choice_comes_before_an_argument_of_its_name() -> None:
    """The evaluator hands on twice the choice; the constraint is about the choice."""
    dse = DSE(SPACE, THROUGHPUT, ["batch_size <= 1024"])
    assert dse.search(evaluate).best_params["batch_size"] == 1024


def test_errors_in_python() -> None:
    """Unknown names and wrong units are told as everywhere."""
    with pytest.raises(MetricError, match="did you mean 'duration_days'"):
        DSE(SPACE, THROUGHPUT, ["duration_day >= 1"]).search(evaluate)
    with pytest.raises(UnitError):
        DSE(SPACE, THROUGHPUT, ["duration_days >= 1 GB"]).search(evaluate)
