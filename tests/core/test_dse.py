"""CP-SAT answers every question as the exhaustive reference does."""

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples

from mlsysim.core.dse import DSE
from mlsysim.errors import Infeasible, MetricError, ParameterError, TracingError
from mlsysim.expr.functions import maximum, select, where
from mlsysim.problem.verdict import Check
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.search.cpsat import minimize, presolve
from mlsysim.units import quantity

Params = dict[str, Any]


def dse(case: Case) -> DSE:
    """Ask a random question."""
    return DSE(case.space, f"{case.sense}: gain", case.constraints)


def same(one: float | None, other: float | None) -> bool:
    """Tell whether two numbers are the same to 1e-9, or both missing."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9)


def both(question: DSE, evaluate: Callable[[Params], Any], **options: Any) -> SearchResult:
    """Answer by CP-SAT and by the reference, insist on the same, and give CP-SAT's."""
    solved = question.search(evaluate, method="cp-sat", workers=1, **options)
    walked = question.search(evaluate, method="exhaustive", **options)
    assert solved.status is walked.status
    assert solved.unit == walked.unit
    mine = [candidate.objective_value for candidate in solved.top_candidates]
    theirs = [candidate.objective_value for candidate in walked.top_candidates]
    assert mine == pytest.approx(theirs, rel=1e-9, abs=0)
    designs = [tuple(candidate.params.values()) for candidate in solved.top_candidates]
    assert len(set(designs)) == len(designs)
    assert set(solved.conflict) == set(walked.conflict)
    for ours, other in zip(solved.relaxations, walked.relaxations, strict=True):
        assert ours.name == other.name
        assert same(ours.value, other.value)
        assert same(ours.limit, other.limit)
        assert (ours.params is None) == (other.params is None)
    return solved


def check_conflict(case: Case, result: SearchResult) -> None:
    """Insist that a conflict excludes every design, and that no part of it does."""
    violated = [point.violated for point in case.points()]
    assert all(names & set(result.conflict) for names in violated)
    for size in range(len(result.conflict)):
        for part in itertools.combinations(result.conflict, size):
            assert any(not names & set(part) for names in violated), part


def check_candidates(case: Case, result: SearchResult) -> None:
    """Insist that the candidates are the best feasible designs, on plain numbers."""
    feasible = sorted(
        (1 if case.sense == "minimize" else -1) * point.objective
        for point in case.points()
        if point.is_feasible
    )
    values = sorted(
        (1 if case.sense == "minimize" else -1) * candidate.objective_value
        for candidate in result.top_candidates
    )
    assert values == pytest.approx(feasible[: len(values)], rel=1e-9, abs=0)
    assert len(values) == min(5, len(feasible))


@given(cases())
@examples(40)
def test_the_reference_is_matched(case: Case) -> None:
    """Status, unit, the best five, conflicts and relaxations are the reference's."""
    result = both(dse(case), case)
    if result.status is Status.INFEASIBLE:
        check_conflict(case, result)
    else:
        assert result.status is Status.OPTIMAL
        check_candidates(case, result)
        assert result.bound == result.best_objective
        assert result.gap == 0


@given(cases(), st.sampled_from([1, 4, 16]))
@examples(40)
def test_the_reference_is_matched_by_boxes(case: Case, rows: int) -> None:
    """The same holds where the space does not fit in a table and has to be shrunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presolve, "WALK", rows)
        patch.setattr(minimize, "WALK", rows)
        patch.setattr(presolve, "_LEAF", 2.0)
        result = both(dse(case), case)
    if result.status is Status.INFEASIBLE:
        check_conflict(case, result)


def test_fewer_designs_than_asked_for() -> None:
    """Of 4 designs 2 are feasible, so that the best five are two."""
    result = both(DSE({"x": [1, 2, 3, 4]}, "minimize: y", ["x >= 3"]), lambda p: {"y": -p["x"]})
    assert [candidate.params["x"] for candidate in result.top_candidates] == [4, 3]


def test_ties_are_all_optimal() -> None:
    """A constant objective makes every design best; five different ones come back."""
    result = both(DSE({"x": range(9)}, "maximize: y"), lambda _: {"y": 7.0})
    assert [candidate.objective_value for candidate in result.top_candidates] == [7.0] * 5


def test_a_space_of_one_design() -> None:
    """One value per choice: nothing to trace, one answer, plain values for the evaluator."""

    def evaluate(params: Params) -> dict[str, float]:
        return {"y": float({"a": 2}[params["name"]]) * max(params["x"], 1)}

    result = both(DSE({"x": [3], "name": ["a"]}, "minimize: y"), evaluate)
    assert (result.best_params, result.best_objective) == ({"x": 3, "name": "a"}, 6.0)


@pytest.mark.parametrize("huge", [1e20, 5e300, 2.0**63])
def test_huge_whole_numbers(huge: float) -> None:
    """Whole floats beyond 64 bits are choices like any other."""
    result = both(DSE({"x": [huge, 3 * huge]}, "maximize: y"), lambda p: {"y": p["x"] / huge})
    assert result.best_objective == 3.0


@dataclass(frozen=True)
class Result:
    """A result as a record."""

    latency: Any
    model: Any


def test_results_of_every_shape() -> None:
    """A dict, a record, an object with attributes and nested ones are all read."""

    def parts(params: Params) -> tuple[Any, dict[str, Any]]:
        latency = quantity(params["x"] * 3.0, "ms")
        return latency, {"checks": {"fits": Check.at_most(params["x"], 4)}}

    def made(maker: Callable[[Any, Any], Any], params: Params) -> Any:
        return maker(*parts(params))

    makers: list[Callable[[Any, Any], Any]] = [
        lambda latency, model: {"latency": latency, "model": model},
        lambda latency, model: Result(latency=latency, model=model),
        lambda latency, model: SimpleNamespace(latency=latency, model=model),
    ]
    question = DSE({"x": range(1, 9)}, "maximize: latency", ["latency <= 0.0135 s"])
    for maker in makers:
        result = both(question, partial(made, maker))
        # 4.5 * 3 ms are 13.5 ms, and 4 fit: 12 ms.
        assert (result.best_objective, result.unit) == (12.0, "ms")


def test_infeasible_says_what_would_have_to_give() -> None:
    """Load x + 3 is at most 5 only up to x = 2, but the model needs x >= 6: 9 is the nearest."""

    def evaluate(params: Params) -> dict[str, Any]:
        return {"load": params["x"] + 3, "model": {"feasible": params["x"] >= 6}}

    result = both(DSE({"x": range(10)}, "minimize: load", {"cap": "load <= 5"}), evaluate)
    assert set(result.conflict) == {"cap", "model.feasible"}
    cap = next(relaxation for relaxation in result.relaxations if relaxation.name == "cap")
    assert (cap.value, cap.limit, cap.params) == (9, 5, {"x": 6})


def test_infeasible_raised_at_some_designs() -> None:
    """A method that raises Infeasible for one of the alternatives excludes that one."""

    @dataclass(frozen=True)
    class Chip:
        name: str

        def peak(self, precision: str) -> float:
            if (self.name, precision) == ("old", "fp8"):
                raise Infeasible("old has no fp8")
            return {"old": 1.0, "new": 3.0}[self.name] * select(precision, {"bf16": 1, "fp8": 2})

    space = {"chip": [Chip("old"), Chip("new")], "precision": ["bf16", "fp8"]}
    question = DSE(space, "maximize: speed")
    result = both(question, lambda p: {"speed": p["chip"].peak(p["precision"])})
    assert [candidate.objective_value for candidate in result.top_candidates] == [6.0, 3.0, 1.0]
    nothing = DSE(space, "maximize: speed", ["chip == 'old'", "precision == 'fp8'"])
    infeasible = both(nothing, lambda p: {"speed": p["chip"].peak(p["precision"])})
    assert infeasible.status is Status.INFEASIBLE


def test_infeasible_raised_for_every_design() -> None:
    """An evaluator that always raises Infeasible leaves no design, with its own reason."""

    def evaluate(_: Params) -> dict[str, Any]:
        raise Infeasible("no power")

    result = both(DSE({"x": [1, 2]}, "minimize: y"), evaluate)
    assert result.status is Status.INFEASIBLE
    assert "no power" in " ".join(result.conflict_reasons.values())


UNTRACEABLE: dict[str, tuple[Callable[[Params], Any], str]] = {
    "branch": (lambda p: {"y": 1.0 if p["x"] > 3 else 2.0}, "where"),
    "built-in max": (lambda p: {"y": max(p["x"], 3)}, "maximum"),
    "float": (lambda p: {"y": math.sqrt(p["x"])}, "sqrt"),
    "look-up": (lambda p: {"y": {1: 5, 2: 4}.get(p["x"], 9)}, "select"),
    "bits": (lambda p: {"y": p["x"] & 1}, "%"),
    "foreign code": (lambda p: {"y": np.interp(p["x"], [1, 9], [3, 0])}, "np.where"),
    "string method": (lambda p: {"y": len(str(p["s"]))}, "s"),
    "type": (lambda p: {"y": 1 if isinstance(p["x"], (int, float, np.ndarray)) else 2}, "type"),
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_what_cannot_be_traced(name: str) -> None:
    """With cp-sat it is refused with the remedy; auto walks the grid, and says why."""
    evaluate, remedy = UNTRACEABLE[name]
    question = DSE({"x": [1, 2, 5, 7], "s": ["ab", "c"]}, "minimize: y")
    with pytest.raises(TracingError, match=remedy):
        question.search(evaluate, method="cp-sat")
    result = question.search(evaluate)
    assert result.method == "exhaustive"
    assert result.statistics.fallback_reason is not None
    walked = question.search(evaluate, method="exhaustive")
    assert result.best_objective == walked.best_objective


def test_parameters_may_be_changed() -> None:
    """An evaluator that pops its parameters spoils nothing for the next call."""

    def evaluate(params: Params) -> dict[str, Any]:
        x = params.pop("x")
        params["y"] = x
        return {"y": x * 2}

    assert both(DSE({"x": [1, 2, 3]}, "maximize: y"), evaluate).best_params == {"x": 3}


def test_an_exception_is_the_users() -> None:
    """A fault of the evaluator comes out as it is, with the design, and is no verdict."""

    def evaluate(params: Params) -> dict[str, Any]:
        return {"y": params["x"] * params["missing"]}

    for method in ("auto", "cp-sat", "exhaustive"):
        with pytest.raises(KeyError, match="missing") as caught:
            DSE({"x": [1, 2]}, "minimize: y").search(evaluate, method=method)
        assert "x=1" in caught.value.__notes__[0]


@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_metric_that_is_not_finite_is_told(method: str) -> None:
    """An infinite objective is no answer; where no design has a finite one, that is an error."""

    def evaluate(params: Params) -> dict[str, Any]:
        return {"y": where(params["x"] > 2, -math.inf, params["x"])}

    found = DSE({"x": [1, 2, 3]}, "minimize: y").search(evaluate, method=method)
    assert [candidate.params["x"] for candidate in found.top_candidates] == [1, 2]
    only = DSE({"x": [1, 2, 3]}, "minimize: y", ["x >= 3"]).search(evaluate, method=method)
    assert only.conflict == ("x >= 3", "Undefined")
    assert only.conflict_reasons["Undefined"] == "the objective y is not a finite number"
    with pytest.raises(MetricError, match="not a finite number at any design"):
        DSE({"x": [3, 4]}, "minimize: y").search(evaluate, method=method)


def test_an_unknown_metric_is_told_by_either() -> None:
    """A misspelt metric is an error that names the nearest, whatever the method."""
    for method in ("cp-sat", "exhaustive", "auto"):
        with pytest.raises(MetricError, match="latency"):
            DSE({"x": [1, 2]}, "minimize: latencyy").search(
                lambda p: {"latency": p["x"]}, method=method
            )


def test_an_unknown_method_is_refused() -> None:
    """The message lists what there is."""
    with pytest.raises(ParameterError, match="exhaustive"):
        DSE({"x": [1, 2]}, "minimize: x").search(lambda p: p, method="exhaustiv")


@given(cases(most=4), st.floats(0.5, 2.0))
@examples(15)
def test_a_looser_limit_is_never_worse(case: Case, share: float) -> None:
    """With a limit raised or left out the best is at least as good as before."""
    tight, loose = (
        DSE(case.space, f"{case.sense}: gain", {"limit": f"x <= {limit}", **case.constraints})
        for limit in (3, 3 + share)
    )
    before, after = (question.search(case, workers=1) for question in (tight, loose))
    if before.status is Status.OPTIMAL:
        sign = 1 if case.sense == "minimize" else -1
        assert sign * after.best_objective <= sign * before.best_objective


def test_the_seed_and_the_workers_do_not_matter() -> None:
    """1e6 designs with products and a ceiling: the same answer for any seed and workers."""
    question = DSE({"a": range(1, 101), "b": range(1, 101), "c": range(1, 101)}, "minimize: cost")

    def evaluate(params: Params) -> dict[str, Any]:
        a, b, c = params["a"], params["b"], params["c"]
        return {"cost": maximum(9000.0 / (a * b), 3.0 * a + b) + abs(c - 17)}

    answers = [
        question.search(evaluate, method="cp-sat", seed=seed, workers=workers)
        for seed, workers in ((0, 1), (1, 2))
    ]
    walked = question.search(evaluate, method="exhaustive")
    for answer in answers:
        assert answer.best_objective == pytest.approx(walked.best_objective, rel=1e-9)
        assert answer.best_params == answers[0].best_params


def test_cross_check_compares_the_two() -> None:
    """The comparison is true where they agree, and says what was compared."""
    comparison = DSE({"x": range(20)}, "maximize: y").cross_check(lambda p: {"y": 3 * p["x"] % 7})
    assert comparison
    assert "20 designs" in str(comparison)


def test_the_model_is_open_to_its_users() -> None:
    """A compiled model has a variable per choice, under its name, with the choice's values."""
    compiled = DSE({"x": [2, 4, 8], "s": ["a", "b"]}, "minimize: y").compile(
        lambda p: {"y": p["x"] * select(p["s"], {"a": 1, "b": 2})}
    )
    assert set(compiled.variables) == {"x", "s"}
    assert compiled.encodings
    assert "objective" in str(compiled.proto)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda dse: dse.search(_cost, tpo=3), "no option 'tpo'; did you mean 'top'"),
        (lambda dse: dse.search(3), "hand in a function of one dict of choices"),
        (lambda dse: dse.search(_cost, method="cpsat"), "did you mean 'cp-sat'"),
        (lambda dse: dse.explain(_cost, sead=1), "did you mean 'seed'"),
        (lambda dse: dse.cross_check(_cost, wrkers=1), "did you mean 'workers'"),
    ],
)
def test_what_a_search_does_not_take_is_refused(ask: Callable[[DSE], Any], told: str) -> None:
    """An unknown option, or an evaluator that is none, is named with the cure."""
    with pytest.raises(ParameterError, match=re.escape(told)):
        ask(DSE({"x": [1, 2]}, "minimize: x"))


def _cost(params: dict[str, Any]) -> dict[str, Any]:
    return params
