"""A question file becomes a problem and an evaluator that answer it."""

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mlsysim.files.comparison import differences
from mlsysim.files.json_schema import question_schema
from mlsysim.files.question import load
from mlsysim.files.schema import Expected
from mlsysim.files.stage_names import built_in_stages

TUTORIAL = Path(__file__).parents[2] / "models" / "training" / "tutorial.toml"
STRICT = TUTORIAL.parents[1] / "infeasible" / "step_50ms.toml"


def test_tutorial_has_48_designs() -> None:
    """The tutorial's space is 4 x 4 x 3."""
    question = load(TUTORIAL)
    assert question.problem.space.size == 48
    assert list(question.problem.space) == ["batch_size", "tp", "pp"]


def test_evaluator_runs_the_pipeline() -> None:
    """A design is evaluated by all stages, with the choices under the models' own names."""
    result = load(TUTORIAL).evaluate({"batch_size": 64, "tp": 8, "pp": 4})
    assert list(result) == ["DistributedModel", "EconomicsModel"]
    # 8,192 accelerators in replicas of 8 x 4.
    assert result["DistributedModel"].data_parallel_size == 256
    # 64 sequences of 2,048 tokens.
    assert result["DistributedModel"].tokens_per_step == 131_072


def test_without_drops_one_constraint() -> None:
    """Without its only constraint the infeasible question has the tutorial's answer."""
    freed = load(STRICT).without("sla").solve(method="exhaustive")
    answer = load(TUTORIAL).solve(method="exhaustive")
    assert freed.best_params == answer.best_params
    assert freed.best_objective == answer.best_objective


def test_a_requirement_may_be_text_alone(tmp_path: Path) -> None:
    """Without a reason or a confidence, a name and its text are enough, also for the schema."""
    text = TUTORIAL.read_text(encoding="utf-8").partition("[expected]")[0]
    short = 'sla = "DistributedModel.step_latency_total <= 1 s"'
    (tmp_path / "short.toml").write_text(f"{text}[constraints]\n{short}\n", encoding="utf-8")
    told = f"{text}[constraints.sla]\n{short.replace('sla', 'require')}\n"
    (tmp_path / "whole.toml").write_text(told, encoding="utf-8")
    one, other = (load(tmp_path / f"{name}.toml").problem for name in ("short", "whole"))
    assert one.constraints == other.constraints
    Draft202012Validator(question_schema()).validate(tomllib.loads(f"{text}[constraints]\n{short}"))


def test_every_model_can_be_named() -> None:
    """The models of the tutorial and the single node are known to question files."""
    assert set(built_in_stages()) >= {"DistributedModel", "EconomicsModel", "SingleNodeModel"}


@pytest.mark.parametrize(
    ("file", "expected", "told"),
    [
        (TUTORIAL, Expected(status="INFEASIBLE"), "expected.status: INFEASIBLE"),
        (TUTORIAL, Expected(status="OPTIMAL", objective=1.0), "expected.objective: 1.0"),
        (
            TUTORIAL,
            Expected(status="OPTIMAL", parameters={"batch_size": 16, "tp": 1, "pp": 1}),
            "expected.parameters: batch_size=16, tp=1, pp=1",
        ),
        (
            STRICT,
            Expected(status="INFEASIBLE", conflict=("budget",)),
            "expected.conflict: budget, but",
        ),
    ],
)
def test_differences_are_told_for_both(file: Path, expected: Expected, told: str) -> None:
    """An expectation that does not hold is told once for the reference and once for CP-SAT."""
    lines = differences(expected, load(file).cross_check(workers=1))
    assert len(lines) == 2
    assert all(line.startswith(told) for line in lines)


def test_tolerance_is_relative() -> None:
    """An objective within the file's own tolerance is accepted."""
    comparison = load(TUTORIAL).cross_check(workers=1)
    rounded = comparison.reference.best_objective * 1.0005
    near = Expected(status="OPTIMAL", objective=rounded, tolerance=1e-3)
    assert differences(near, comparison) == []
    assert differences(Expected(status="OPTIMAL", objective=rounded), comparison)
