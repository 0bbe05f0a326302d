"""The reference is its definitions, and the exhaustive search by arrays is the reference."""

import itertools
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples

from mlsysim.core.dse import DSE
from mlsysim.errors import Infeasible, MetricError
from mlsysim.problem.problem import Problem
from mlsysim.problem.verdict import Check
from mlsysim.results import SearchResult, Status
from mlsysim.search import arrays, reference
from mlsysim.search.comparison import compare, compare_fronts
from mlsysim.search.goals import Goals
from mlsysim.search.options import SearchOptions

Params = dict[str, Any]


def answer(problem: Problem, evaluate: Any, **options: Any) -> SearchResult:
    """Ask the reference."""
    return reference.search(problem, evaluate, SearchOptions(**options))


def check_same(walked: SearchResult, plain: SearchResult) -> None:
    """Insist on the same answer: the same designs in the same order, the same counts and words."""
    assert compare({"arrays": walked, "reference": plain}).differences == ()
    assert walked.status is plain.status
    assert walked.unit == plain.unit
    assert [c.params for c in walked.top_candidates] == [c.params for c in plain.top_candidates]
    assert walked.conflict == plain.conflict
    assert walked.conflict_reasons == plain.conflict_reasons
    assert (walked.bound, walked.gap) == (plain.bound, plain.gap)
    for name in ("grid_size", "points_evaluated", "feasible_points", "undefined", "rejected"):
        assert getattr(walked.statistics, name) == getattr(plain.statistics, name), name


@given(cases(), st.integers(1, 7))
@examples(80)
def test_the_exhaustive_search_is_the_reference(case: Case, top: int) -> None:
    """Status, best designs in their order, bound, conflict, reasons, relaxations and counts."""
    walked = arrays.search(case.problem, case, SearchOptions(top=top))
    check_same(walked, answer(case.problem, case, top=top))


@given(cases(), st.integers(2, 3))
@examples(60)
def test_the_exhaustive_front_is_the_references(case: Case, count: int) -> None:
    """The same designs and vectors in the same order, for two and for three objectives."""
    metrics = ["gain", "load", "load - 2 * gain"][:count]
    senses = [case.sense, "minimize", "maximize"]
    texts = [f"{sense}: {metric}" for sense, metric in zip(senses, metrics, strict=False)]
    goals = Goals.of(case.problem, texts)
    walked = arrays.front(goals, case, SearchOptions())
    plain = reference.front(goals, case, SearchOptions())
    assert compare_fronts({"arrays": walked, "reference": plain}) == []
    assert [point.params for point in walked] == [point.params for point in plain]
    assert walked.status is plain.status
    assert walked.conflict == plain.conflict


@given(cases(), st.integers(1, 4))
@examples(40)
def test_the_reference_is_its_definitions(case: Case, top: int) -> None:
    """The best are the least by any count, a conflict is minimal, a relaxation exists."""
    points = list(case.points())
    sign = 1 if case.sense == "minimize" else -1
    feasible = [sign * point.objective for point in points if point.is_feasible]
    found = answer(case.problem, case, top=top)
    if feasible:
        assert found.status is Status.OPTIMAL
        assert [sign * c.objective_value for c in found.top_candidates] == sorted(feasible)[:top]
        return
    assert found.status is Status.INFEASIBLE
    conflict = set(found.conflict)
    assert all(point.violated & conflict for point in points)
    for left_out in conflict:
        assert any(not point.violated & (conflict - {left_out}) for point in points)
    for item in found.relaxations:
        alone = [point for point in points if point.violated == {item.name}]
        assert (item.params is not None) == bool(alone)


def shop(params: Params) -> Params:
    """Price a made-up shop: x counters wait 60/x minutes and cost 4 x + y."""
    return {
        "wait": 60 / params["x"],
        "cost": 4 * params["x"] + params["y"],
        "hall": {"checks": {"space": Check.at_most(params["x"] * params["y"], 12)}},
    }


SHOP = {"x": [1, 2, 3, 4, 5], "y": [1, 2, 3]}


def test_a_question_that_can_be_answered_by_hand() -> None:
    """Waits up to 20 need x >= 3: costs 13, 14, 15 for x = 3, then 17 for x = 4."""
    problem = Problem.of(SHOP, "minimize: cost", ["wait <= 20"])
    found = answer(problem, shop, top=4)
    assert [c.objective_value for c in found.top_candidates] == [13, 14, 15, 17]
    assert (found.bound, found.method) == (13, "reference")
    # x in {1, 2} waits too long: 2 * 3 designs; x y > 12 at (5, 3) alone.
    assert found.statistics.rejected == {"wait <= 20": 6, "hall.feasible": 1}


def test_why_nothing_fits_by_hand() -> None:
    """Waits under 11 ask for x > 5.45; the cap of 100 plays no part; 12 at x = 5 is the nearest."""
    limits = {"cap": "cost <= 100", "wait": "wait <= 11"}
    found = answer(Problem.of(SHOP, "minimize: cost", limits), shop)
    assert (found.status, found.conflict) == (Status.INFEASIBLE, ("wait",))
    assert found.relaxations[0].value == 12
    assert found.relaxations[0].params == {"x": 5, "y": 1}


def test_a_front_by_hand() -> None:
    """More counters wait less and cost more: one point for each number of counters."""
    goals = Goals.of(
        Problem.of(SHOP, "minimize: cost", ["x != 2"]), ["minimize: wait", "minimize: cost"]
    )
    found = reference.front(goals, shop, SearchOptions())
    assert [point.objective_values for point in found] == [(12, 21), (15, 17), (20, 13), (60, 5)]


def test_equal_designs_of_a_front_are_one() -> None:
    """What differs in rounding only is equal, and the first design of the space stands for it."""
    goals = Goals.of(Problem.of({"x": [1, 2, 3]}, "minimize: a"), ["minimize: a", "minimize: b"])
    found = reference.front(goals, lambda p: {"a": 1 + p["x"] * 1e-13, "b": 7.0}, SearchOptions())
    assert [point.params["x"] for point in found] == [1]


def test_whole_numbers_are_exact_beyond_floats() -> None:
    """SEMANTICS 10: 2**80 + 1 is odd, and no float is."""
    problem = Problem.of({"x": [2**40], "y": [0, 1]}, "maximize: sum", ["sum % 2 == 1"])
    found = answer(problem, lambda p: {"sum": p["x"] ** 2 + p["y"]})
    assert found.best_params == {"x": 2**40, "y": 1}


def test_a_limit_is_told() -> None:
    """SEMANTICS 3 and 11: what was found is feasible, and nothing is infeasible before the end."""

    def slow(params: Params) -> Params:
        time.sleep(0.01)
        return {"gain": params["x"]}

    found = answer(Problem.of({"x": range(900)}, "maximize: gain"), slow, time_limit=0.2)
    assert (found.status, found.statistics.stopped_by) == (Status.FEASIBLE, "time limit")
    assert found.bound is None
    assert 1 <= found.statistics.points_evaluated < 100
    none = Problem.of({"x": range(900)}, "maximize: gain", ["gain < 0"])
    assert answer(none, slow, time_limit=0.1).status is Status.UNKNOWN


def test_an_interrupt_keeps_what_was_found() -> None:
    """SEMANTICS 3: Ctrl-C is a limit."""

    def evaluate(params: Params) -> Params:
        if params["x"] == 7:
            raise KeyboardInterrupt
        return {"gain": params["x"]}

    found = answer(Problem.of({"x": range(20)}, "maximize: gain"), evaluate)
    assert (found.status, found.statistics.stopped_by) == (Status.FEASIBLE, "interrupt")
    assert found.best_params == {"x": 6}


DRAWS = itertools.count()


@pytest.mark.parametrize(
    ("evaluate", "message"),
    [
        (lambda _p: {"other": 1.0}, "'gain' does not exist"),
        (lambda _p: {"gain": math.nan}, "not a finite number at any design"),
        (lambda _p: {"gain": next(DRAWS)}, "seeded anew"),
        (lambda _p: {"feasible": False}, "'gain' does not exist"),
    ],
    ids=["misspelt", "undefined", "random", "misspelt where nothing is feasible"],
)
def test_mistaken_questions_are_errors(evaluate: Any, message: str) -> None:
    """SEMANTICS 7 and 12: what no design has is misspelt, and luck is no evaluator."""
    problem = Problem.of({"x": range(5)}, "maximize: gain")
    with pytest.raises(MetricError, match=message):
        answer(problem, evaluate)


def test_what_the_evaluator_raises_is_its_own_and_infeasible_a_verdict() -> None:
    """SEMANTICS 8."""

    def evaluate(params: Params) -> Params:
        if params["x"] < 3:
            raise Infeasible(f"{params['x']} is too few")
        return {"gain": [1.0][params["x"] - 3]}

    with pytest.raises(IndexError) as caught:
        answer(Problem.of({"x": range(5)}, "maximize: gain"), evaluate)
    assert caught.value.__notes__ == ["raised by the evaluator at the design x=4"]
    found = answer(Problem.of({"x": range(3)}, "maximize: gain"), evaluate)
    told = "raised by the evaluator: 0 is too few, 1 is too few, 2 is too few"
    assert found.conflict_reasons == {"Infeasible": told}


def test_small_spaces_are_cross_checked_with_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong reference is told in the same words as a wrong solver."""
    question = DSE(SHOP, "minimize: cost", ["wait <= 20"])
    checked = question.cross_check(shop)
    assert list(checked.answers) == [
        "CP-SAT",
        "branch and bound",
        "the exhaustive search",
        "the reference",
    ]
    assert str(checked) == "CP-SAT and the reference agree (OPTIMAL, 15 designs)"
    with monkeypatch.context() as patch:
        patch.setattr(reference, "FEW", 14)
        large = question.cross_check(shop)
    assert str(large) == "CP-SAT and the exhaustive search agree (OPTIMAL, 15 designs)"
    wrong = answer(question.problem, lambda p: shop(p) | {"cost": p["x"]})
    answers = {**large.answers, "the reference": wrong}
    assert compare(answers).differences[0] == (
        "objective of number 1: 13.0 by the exhaustive search, 3.0 by the reference"
    )
