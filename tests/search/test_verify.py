"""The judge of single designs."""

from typing import Any

import numpy as np
import pytest

from mlsysim.errors import Infeasible, MetricError
from mlsysim.expr.functions import where
from mlsysim.problem import Check, Problem
from mlsysim.search.verify import evaluate_point
from mlsysim.units import quantity

PROBLEM = Problem.of({"x": [1, 2]}, "minimize: cost", {"cap": "power <= 10"})


def judge(result: Any) -> Any:
    """Judge a design by its result."""
    return evaluate_point(PROBLEM, lambda _params: result, {"x": 1})


def test_a_point_lists_what_it_breaks_with_reasons() -> None:
    """A constraint by its text, a verdict by its reasons."""
    checks = {"memory": Check.at_most(3.0, 2.0), "divides": Check.that(condition=True)}
    point = judge({"cost": quantity(2.0, "USD"), "power": 11, "M": {"checks": checks}})
    assert point.violated == {"cap", "M.feasible"}
    assert point.broken == {("cap", "power <= 10"), ("M.feasible", "memory")}
    assert (point.objective, point.objective_in("cent")) == (2.0, 200.0)
    assert not point.is_feasible


def test_numpy_scalars_are_numbers() -> None:
    """What NumPy returns for one design is read like Python's own."""
    point = judge({"cost": np.array(3.0), "power": np.int64(4), "feasible": np.bool_(1)})
    assert point.is_feasible
    assert point.objective == 3.0


def test_a_number_that_is_undefined_counts_as_broken() -> None:
    """A comparison with NaN does not hold, and an infinite objective is none."""
    point = judge({"cost": float("nan"), "power": float("nan"), "feasible": False})
    assert point.violated == {"cap", "feasible", "Undefined"}
    assert np.isnan(point.objective)
    assert not point.is_undefined  # for the model has said so
    nowhere = judge({"cost": 1.0, "power": float("nan")})
    assert (nowhere.violated, nowhere.is_undefined) == ({"cap"}, True)
    endless = judge({"cost": float("inf"), "power": 1})
    assert endless.broken == {("Undefined", "the objective cost is not a finite number")}
    assert endless.is_undefined
    assert judge({"cost": 1.0, "power": 1, "feasible": float("nan")}).violated == {"feasible"}


@pytest.mark.parametrize("value", [(-8) ** 0.5, 10**400])
def test_complex_and_boundless_numbers_are_not_finite(value: Any) -> None:
    """Python makes them silently; they have no place on a scale."""
    assert judge({"cost": value, "power": 1}).violated == {"Undefined"}


def test_what_python_refuses_is_asked_once_more_of_floats() -> None:
    """A pole outside of what is used leaves the design as it is; other exceptions propagate."""

    def guarded(params: dict[str, Any]) -> Any:
        return {"cost": where(params["x"] > 1, 7 / (params["x"] - 1), 5), "power": 1}

    def rooted(params: dict[str, Any]) -> Any:
        return {"cost": 1.0, "power": (params["x"] - 2) ** 0.5 % 3}

    assert evaluate_point(PROBLEM, guarded, {"x": 1}).objective == 5
    assert evaluate_point(PROBLEM, rooted, {"x": 1}).violated == {"cap"}
    with pytest.raises(KeyError):
        evaluate_point(PROBLEM, lambda params: {}[params["x"]], {"x": 1})


def test_infeasible_is_a_verdict_with_a_reason() -> None:
    """There is nothing to read then."""

    def evaluate(_params: dict[str, Any]) -> Any:
        raise Infeasible("no stock")

    point = evaluate_point(PROBLEM, evaluate, {"x": 1})
    assert point.broken == {("Infeasible", "no stock")}
    assert point.reading is None


def test_a_misspelt_metric_names_the_design() -> None:
    """So that a metric that exists only for some designs can be found."""
    with pytest.raises(MetricError, match="'cost' does not exist; did you mean 'costs'") as caught:
        judge({"costs": 1.0, "power": 1.0} | {"kost": 2})
    assert caught.value.__notes__ == ["at the design x=1"]
