"""A reading finds metrics and verdicts wherever an evaluator puts them."""

from collections import namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mlsysim.errors import MetricError
from mlsysim.problem import Check, Problem, read
from mlsysim.problem.variant import Variant
from mlsysim.units import quantity


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage's result with checks."""

    latency: Any
    checks: Any = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """Whether all checks hold."""
        return all(check.holds for check in self.checks.values())

    @property
    def double(self) -> Any:
        """A computed metric."""
        return 2 * self.latency

    @property
    def broken(self) -> Any:
        """A metric whose computation fails."""
        return self.latency.no_such_thing


Pair = namedtuple("Pair", ["latency", "feasible"])  # noqa: PYI024 - a user's habit
PROBLEM = Problem.of({"x": [1, 2]}, "minimize: stage.latency", ["stage.latency * x <= 50 ms"])


@pytest.mark.parametrize(
    "result",
    [
        {"stage": {"latency": quantity(0.02, "s"), "feasible": False}},
        {"stage": Pair(quantity(0.02, "s"), feasible=False)},
        {"stage.latency": quantity(0.02, "s"), "stage": {"feasible": np.bool_(0)}},
        SimpleNamespace(stage=SimpleNamespace(latency=quantity(0.02, "s"), feasible=False)),
    ],
)
def test_metrics_and_verdicts_are_found_in_any_container(result: Any) -> None:
    """Mappings, named tuples and objects with attributes are alike."""
    reading = read(PROBLEM, {"x": 2}, result)
    assert (reading.objective, reading.unit) == (0.02, "s")
    assert reading.sides["stage.latency * x <= 50 ms"].left == pytest.approx(0.04)
    assert not reading.verdicts["stage.feasible"]["feasible"].holds


def test_checks_are_read_with_their_reasons() -> None:
    """Each reason is a condition with its two sides."""
    memory = Check.at_most(quantity(90.0, "GB"), quantity(80e9, "byte"))
    checks = {"memory": memory, "divides": Check.that(condition=True), "bare": True}
    reading = read(PROBLEM, {"x": 2}, {"stage": Stage(latency=quantity(1, "s"), checks=checks)})
    found = {(item.name, item.reason): item for item in reading.conditions[1:]}
    assert [bool(item.holds) for item in found.values()] == [False, True, True]
    condition = found["stage.feasible", "memory"]
    assert (condition.left, condition.right, condition.unit) == (90.0, 80.0, "GB")
    assert PROBLEM.requirements(reading.verdicts) == (
        "stage.latency * x <= 50 ms",
        "stage.feasible",
    )


def test_a_verdict_of_the_result_itself_is_called_feasible() -> None:
    """There is no stage to name it after."""
    reading = read(PROBLEM, {"x": 2}, {"stage.latency": quantity(1, "s"), "feasible": True})
    assert list(reading.verdicts) == ["feasible"]


def test_names_are_choices_before_metrics_before_units() -> None:
    """The choice is x, handed back as a metric too; the metric is s, the unit ms."""
    problem = Problem.of({"x": [1, 2]}, "minimize: x + s + ms / ms")
    assert read(problem, {"x": 2}, {"x": 2, "s": 10}).objective == 13  # 2 + 10 + 1


@pytest.mark.parametrize("metric", [100, quantity(2, "ms")])
def test_a_name_with_two_meanings_is_refused(metric: Any) -> None:
    """A metric called like a choice would never be seen; where nobody asks, it may stay."""
    with pytest.raises(MetricError, match="'x' is a choice, and the evaluator returns another"):
        read(Problem.of({"x": [1, 2]}, "minimize: x + s"), {"x": 2}, {"x": metric, "s": 10})
    unasked = read(Problem.of({"x": [1, 2]}, "minimize: s"), {"x": 2}, {"x": metric, "s": 10})
    assert unasked.objective == 10


def test_verdicts_of_nested_pipelines_count() -> None:
    """A plan of two jobs holds the result of a pipeline for each; both have to be possible."""
    tight = Stage(latency=1.0, checks={"memory": Check.at_most(91.0, 80.0)})
    plan = {"chat": {"Model": Stage(latency=2.0)}, "code": {"Model": tight}, "cost": 3.0}
    problem = Problem.of({"x": [1]}, "minimize: cost")
    (condition,) = read(problem, {"x": 1}, plan).conditions
    assert (condition.name, condition.reason) == ("code.Model.feasible", "memory")
    assert not condition.holds
    jobs = {"jobs": [{"Model": tight}], "cost": 3.0}
    (condition,) = read(problem, {"x": 1}, jobs).conditions
    assert condition.name == "jobs.0.Model.feasible"


@pytest.mark.parametrize(
    "wrap", [lambda item: {"code": item}, lambda item: {"code": [item]}], ids=["mapping", "list"]
)
def test_a_verdict_of_a_nested_pipeline_can_be_left_out(wrap: Any) -> None:
    """Without the memory check of the job, the variant's result has its other check only."""
    checks = {"memory": Check.at_most(91.0, 80.0), "heads": Check.that(condition=True)}
    problem = Problem.of({"x": [1]}, "minimize: cost")

    def evaluate(_: Any) -> Any:
        return {**wrap({"Model": Stage(latency=1.0, checks=checks)}), "cost": 3.0}

    (name,) = read(problem, {"x": 1}, evaluate({"x": 1})).verdicts
    variant = Variant(base=problem, evaluator=evaluate, name=name, reason="memory", share=None)
    reading = read(variant.problem, {"x": 1}, variant.evaluate({"x": 1}))
    assert list(reading.verdicts[name]) == ["heads"]


def test_a_method_called_like_a_choice_is_no_metric() -> None:
    """Every mapping has items and values; they are no numbers."""
    assert read(Problem.of({"items": [1, 2]}, "minimize: items"), {"items": 2}, {}).objective == 2


def test_attributes_of_a_chosen_object_can_be_constrained() -> None:
    """fleet.nodes reaches into the choice; fleet alone is its name."""
    fleet = SimpleNamespace(name="A", nodes=4)
    problem = Problem.of(
        {"x": [1]}, "minimize: x", ["fleet.nodes <= 4", "fleet == 'A'", "fleet.name != 'B'"]
    )
    reading = read(problem, {"x": 1, "fleet": fleet}, {})
    assert all(condition.holds for condition in reading.conditions)


def test_computed_metrics_are_metrics() -> None:
    """A property is read, and what it raises is not taken for a missing metric."""
    result = {"stage": Stage(latency=3.0)}
    assert read(Problem.of({"x": [1]}, "minimize: stage.double"), {"x": 1}, result).objective == 6
    with pytest.raises(AttributeError, match="no_such_thing"):
        read(Problem.of({"x": [1]}, "minimize: stage.broken"), {"x": 1}, result)


def test_arrays_flow_through() -> None:
    """A block is read like a design."""
    latency = quantity(np.array([0.01, 0.03]), "s")
    reading = read(PROBLEM, {"x": np.array([2.0, 2.0])}, {"stage": Stage(latency=latency)})
    assert reading.conditions[0].holds.tolist() == [True, False]  # 20 ms, 60 ms against 50 ms


def test_private_attributes_are_no_metrics() -> None:
    """A leading underscore hides a metric."""
    with pytest.raises(MetricError, match="does not exist"):
        read(Problem.of({"x": [1]}, "minimize: _secret"), {"x": 1}, SimpleNamespace(_secret=1))
