"""The judge of single designs."""

from typing import Any

import numpy as np
import pytest

from mlsysim.errors import Infeasible, MetricError
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


def test_undefined_numbers_matter_only_where_nothing_else_excludes_the_design() -> None:
    """NaN at an impossible design is no error, and counts as broken."""
    point = judge({"cost": float("nan"), "power": float("nan"), "feasible": False})
    assert point.violated == {"cap", "feasible"}
    assert np.isnan(point.objective)
    with pytest.raises(MetricError, match="'cap' compares nan with 10 at the design x=1"):
        judge({"cost": 1.0, "power": float("nan")})
    with pytest.raises(MetricError, match="the objective cost is inf at the design x=1"):
        judge({"cost": float("inf"), "power": 1})


@pytest.mark.parametrize("value", [(-8) ** 0.5, 10**400])
def test_complex_and_boundless_numbers_are_not_finite(value: Any) -> None:
    """Python makes them silently; they have no place on a scale."""
    with pytest.raises(MetricError, match="return a finite number"):
        judge({"cost": value, "power": 1})


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
