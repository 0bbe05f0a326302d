"""Pareto fronts are complete and hold nothing that is dominated, whichever method finds them."""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples, spaces, terms

from mlsysim.core.dse import DSE
from mlsysim.errors import Infeasible, MetricError, ObjectiveError, ParameterError, TracingError
from mlsysim.expr.functions import maximum, select
from mlsysim.results import ParetoFront, Status
from mlsysim.search.cpsat import minimize, pareto, presolve
from mlsysim.search.goals import Goals, undominated, vector
from mlsysim.units import quantity

Params = dict[str, Any]
METHODS = ("cp-sat", "exhaustive")
GOALS = ("minimize: cost", "maximize: gain")


def forced(patch: pytest.MonkeyPatch, *, patience: int = 1 << 62) -> None:
    """Leave nothing to be walked, and few boxes to the branch and bound."""
    patch.setattr(presolve, "WALK", 3)
    patch.setattr(presolve, "_LEAF", 2.0)
    patch.setattr(presolve, "_BATCH", 8)
    patch.setattr(minimize, "WALK", 3)
    patch.setattr(pareto, "PATIENCE", patience)


def vectors(question: DSE, evaluate: Any, objectives: Sequence[str]) -> list[list[float]]:
    """Evaluate all feasible designs by nested loops, as numbers to be minimised."""
    goals = Goals.of(question.problem, objectives)
    space = question.problem.space
    found = []
    for values in itertools.product(*(tuple(domain.values) for domain in space.domains)):
        points = goals.judge(evaluate, dict(zip(space, values, strict=True)))
        if points[0].is_feasible:
            units = [point.reading.unit for point in points if point.reading is not None]
            own = vector(points, units)
            found.append([sign * value for sign, value in zip(goals.signs, own, strict=True)])
    return found


def above(one: float, other: float) -> bool:
    """Tell whether a number is greater by more than 1e-9 of it."""
    return one > other + 1e-9 * max(abs(one), abs(other))


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether one design is nowhere worse than another, and somewhere better."""
    pairs = list(zip(one, other, strict=True))
    return not any(above(a, b) for a, b in pairs) and any(above(b, a) for a, b in pairs)


def check_front(question: DSE, evaluate: Any, objectives: Sequence[str], front: Any) -> None:
    """Insist that a front is that of nested loops, as a set of vectors to 1e-9."""
    everything = vectors(question, evaluate, objectives)
    assert front.status is (Status.OPTIMAL if everything else Status.INFEASIBLE)
    signs = Goals.of(question.problem, objectives).signs
    mine = [
        [sign * value for sign, value in zip(signs, point.objective_values, strict=True)]
        for point in front
    ]
    for one, other in itertools.pairwise(mine):  # sorted, what agrees to rounding being equal
        differing = next(
            pair for pair in zip(one, other, strict=True) if above(*pair) or above(*pair[::-1])
        )
        assert differing[0] < differing[1]
    for vector_ in mine:
        assert vector_ in everything
        assert not any(dominates(other, vector_) for other in everything)
    # Complete: no design is better than all points somewhere, beyond rounding.
    for other in everything:
        assert any(not any(map(above, vector_, other)) for vector_ in mine)
    for one, other in itertools.combinations(mine, 2):
        assert any(above(a, b) or above(b, a) for a, b in zip(one, other, strict=True))


@st.composite
def questions(draw: st.DrawFn, *, most: int = 5) -> tuple[Case, list[str]]:
    """Draw a question and two or three objectives."""
    case = draw(cases(most=most))
    senses = draw(st.lists(st.sampled_from(["minimize", "maximize"]), min_size=2, max_size=3))
    metrics = ["gain", "load", "load - 2 * gain"]
    return case, [f"{s}: {m}" for s, m in zip(senses, metrics, strict=False)]


@given(questions(), st.sampled_from(["whole", "shrunk"]))
@examples(60)
def test_random_fronts_are_those_of_nested_loops(drawn: tuple[Case, list[str]], way: str) -> None:
    """Both methods give the front that brute force gives, also where nothing may be walked."""
    case, objectives = drawn
    question = DSE(case.space, "minimize: gain", case.constraints)
    with pytest.MonkeyPatch.context() as patch:
        if way == "shrunk":
            forced(patch)
        solved = question.pareto(case, objectives, method="cp-sat", workers=1)
    walked = question.pareto(case, objectives, method="exhaustive")
    check_front(question, case, objectives, solved)
    check_front(question, case, objectives, walked)
    assert solved.units == walked.units or solved.status is Status.INFEASIBLE
    assert set(solved.conflict) == set(walked.conflict)


@given(st.data(), st.integers(2, 3))
@examples(25)
def test_joint_fronts_are_those_of_nested_loops(data: st.DataObject, count: int) -> None:
    """A sum over two blocks, one minimisation per point, has the front that brute force has."""
    parts = [data.draw(spaces(4, 2)) for _ in range(2)]
    space = {f"{name}{part}": v for part, own in enumerate(parts) for name, v in own.items()}
    formulas = [[data.draw(terms(own, 4)) for _ in range(count)] for own in parts]
    names = ["cost", "time", "power"][:count]

    def evaluate(params: Params) -> dict[str, Any]:
        own = [{name: params[f"{name}{part}"] for name in parts[part]} for part in range(2)]
        return {
            name: formulas[0][place](own[0]) + formulas[1][place](own[1])
            for place, name in enumerate(names)
        }

    question = DSE(space, "minimize: cost")
    objectives = [f"minimize: {name}" for name in names]
    with pytest.MonkeyPatch.context() as patch:
        forced(patch, patience=0)
        front = question.pareto(evaluate, objectives, method="cp-sat", workers=1)
    check_front(question, evaluate, objectives, front)


def jobs(count: int) -> tuple[dict[str, Any], Callable[[Params], dict[str, Any]]]:
    """Make a question of several jobs, each with 912 designs of its own, that share GPUs."""
    space: dict[str, Any] = {}
    for job in range(count):
        space |= {f"n{job}": [1, 2, 4, 8, 16, 32], f"b{job}": range(1, 20), f"k{job}": range(1, 9)}

    def evaluate(params: Params) -> dict[str, Any]:
        hours, gpus = 0, 0
        for job in range(count):
            n, b, k = (params[f"{name}{job}"] for name in "nbk")
            hours += np.ceil((50 + 9 * job) * (1 + b / 40) / n * 10 + 40 / b + abs(k - 5) / 10)
            gpus += n
        return {"hours": hours, "gpus": gpus}

    return space, evaluate


def test_a_large_joint_question_goes_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The front of 6e11 designs in four blocks is the one of the blocks' own best rows."""
    space, evaluate = jobs(4)
    # One row per job and number of GPUs, the fewest hours: 6 to the 4th are few enough to list.
    rows = []
    for job in range(4):
        least: dict[int, float] = {}
        for n, b, k in itertools.product(*(space[f"{name}{job}"] for name in "nbk")):
            params = {name: values[0] for name, values in space.items()}
            params |= {f"n{job}": n, f"b{job}": b, f"k{job}": k}
            t = math.ceil((50 + 9 * job) * (1 + b / 40) / n * 10 + 40 / b + abs(k - 5) / 10)
            least[n] = min(t, least.get(n, math.inf))
        rows.append(sorted(least.items()))
    sums = np.array([np.sum(pick, axis=0)[::-1] for pick in itertools.product(*rows)])
    expected = sums[undominated(sums)].tolist()
    monkeypatch.setattr(pareto, "PATIENCE", 0)
    objectives = ["minimize: hours", "minimize: gpus"]
    front = DSE(space, "minimize: hours").pareto(evaluate, objectives, method="cp-sat", workers=1)
    assert front.status is Status.OPTIMAL
    assert [list(point.objective_values) for point in front] == expected
    assert front.statistics.solver["regions"] >= len(front)
    # A bound that the model does not hold to would be met one design after the other.
    assert front.statistics.solver["solves"] <= 3 * front.statistics.solver["regions"]


def trade(params: Params) -> dict[str, Any]:
    """Cost 3 x + y buys x²; y buys nothing."""
    return {"cost": 3 * params["x"] + params["y"], "gain": params["x"] * params["x"]}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", ["whole", "shrunk"])
def test_the_first_of_equals_is_taken(
    method: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the ten gains is cheapest at y = 0; z has no effect, so its first value stands."""
    if way == "shrunk":
        forced(monkeypatch)
    space = {"z": [5, 1, 3], "x": range(10), "y": range(10), "w": ["b", "a"]}
    front = DSE(space, "minimize: cost").pareto(trade, GOALS, method=method, workers=1)
    expected = [{"z": 5, "x": x, "y": 0, "w": "b"} for x in range(10)]
    assert [dict(point.params) for point in front] == expected
    assert [point.objective_values for point in front] == [(3 * x, x * x) for x in range(10)]


@pytest.mark.parametrize("method", METHODS)
def test_rounding_makes_no_points(method: str) -> None:
    """(0.1 + 0.2, 1) and (0.3, 2) differ in the last bit of the cost only: the second dominates."""
    costs, gains = {"a": 0.1 + 0.2, "b": 0.3, "c": 0.3}, {"a": 2.0, "b": 1.0, "c": 2.0}
    assert costs["a"] > costs["b"]

    def evaluate(params: Params) -> dict[str, Any]:
        return {"cost": select(params["m"], costs), "gain": select(params["m"], gains)}

    for choices in (["a", "b"], ["a", "b", "c"]):
        question = DSE({"m": choices}, "minimize: cost")
        front = question.pareto(evaluate, GOALS, method=method)
        assert [dict(point.params) for point in front] == [{"m": "a"}]


@pytest.mark.parametrize("method", METHODS)
def test_units_are_told(method: str) -> None:
    """Each objective keeps the unit of its own metric."""

    def evaluate(params: Params) -> dict[str, Any]:
        latency = quantity(8, "ms") + quantity(2, "ms") * params["batch"]
        return {"latency": latency, "rate": params["batch"] / latency}

    objectives = ["minimize: latency", "maximize: rate"]
    question = DSE({"batch": [1, 2, 4]}, "minimize: latency", ["latency <= 14 ms"])
    front = question.pareto(evaluate, objectives, method=method)
    # 10 ms and 12 ms; one in 10 ms is 0.1/ms.
    assert front.units == ("ms", "1/ms")
    assert front[0].objective_values == pytest.approx((10, 0.1), rel=1e-12)
    assert len(front) == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_objective_leaves_the_other(method: str) -> None:
    """Where the gain is always 1, the cheapest design is the whole front."""
    question = DSE({"x": range(1, 9)}, "minimize: cost")
    front = question.pareto(lambda p: {"cost": 2 * p["x"], "gain": 1}, GOALS, method=method)
    assert [point.objective_values for point in front] == [(2, 1)]


@pytest.mark.parametrize("method", METHODS)
def test_infeasible_is_explained(method: str) -> None:
    """The conflict is that of a search, and so is its relaxation."""
    limits = {"budget": "cost <= 5", "goal": "gain >= 16"}
    question = DSE({"x": range(10), "y": range(3)}, "minimize: cost", limits)
    front = question.pareto(trade, GOALS, method=method)
    assert front.status is Status.INFEASIBLE
    assert not front.points
    assert set(front.conflict) == {"budget", "goal"}
    # Gain 16 costs 12; cost 5 buys x = 1, gain 1.
    assert {item.name: item.value for item in front.relaxations} == {"budget": 12, "goal": 1}
    assert "best reachable 12" in str(front)
    assert front.to_dict()["relaxations"][0]["limit"] == 5


@pytest.mark.parametrize("method", METHODS)
def test_a_design_without_one_of_the_objectives_is_on_no_front(method: str) -> None:
    """The second objective is log(0) at x = 0, which nothing else excludes."""

    def evaluate(params: Params) -> dict[str, Any]:
        with np.errstate(all="ignore"):
            return {"cost": params["x"], "gain": np.log(params["x"])}

    front = DSE({"x": range(40)}, "minimize: cost").pareto(evaluate, GOALS, method=method)
    assert sorted(point.params["x"] for point in front) == list(range(1, 40))
    none = DSE({"x": range(40)}, "minimize: cost", ["x <= 0"])
    front = none.pareto(evaluate, GOALS, method=method)
    assert front.conflict == ("x <= 0", "Undefined")
    assert front.conflict_reasons["Undefined"] == "the objective gain is not a finite number"


@pytest.mark.parametrize("method", METHODS)
def test_a_misspelt_objective_is_an_error(method: str) -> None:
    """The message proposes the metric that exists."""
    question = DSE({"x": range(3), "y": range(3)}, "minimize: cost")
    with pytest.raises(MetricError, match="did you mean 'gain'"):
        question.pareto(trade, ["minimize: cost", "maximize: gian"], method=method)


def test_what_cannot_be_traced_is_walked() -> None:
    """An evaluator that branches is searched exhaustively, and the front says why."""

    def evaluate(params: Params) -> dict[str, Any]:
        if params["x"] == 4:
            raise Infeasible("four")
        return trade(params)

    question = DSE({"x": range(10), "y": range(2)}, "minimize: cost")
    front = question.pareto(evaluate, GOALS)
    assert front.method == "exhaustive"
    assert front.statistics.fallback_reason
    assert [point.params["x"] for point in front] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    with pytest.raises(TracingError):
        question.pareto(evaluate, GOALS, method="cp-sat")


@pytest.mark.parametrize(
    ("objectives", "told"),
    [
        (["minimize: cost"], "for a single one use search"),
        ([], "no objective"),
        ("minimize: cost", "write a list"),
        (["minimize: cost", "maximize: gain", "minimize:  cost"], "same metric; leave one out"),
        (["minimize: cost", "maximize: cost"], "same metric; leave one out"),
        (["minimize: cost", "gain"], "it has no sense"),
    ],
)
def test_bad_objectives_are_refused(objectives: Any, told: str) -> None:
    """The message says what is wrong and what to write."""
    with pytest.raises(ObjectiveError, match=told):
        DSE({"x": [1], "y": [1]}, "minimize: cost").pareto(trade, objectives)


def test_bad_options_are_refused() -> None:
    """Options are those of a search, checked the same."""
    question = DSE({"x": [1], "y": [1]}, "minimize: cost")
    with pytest.raises(ParameterError, match="time_limit"):
        question.pareto(trade, GOALS, time_limit=-1)
    with pytest.raises(ParameterError, match="not a way to search"):
        question.pareto(trade, GOALS, method="cpsat")


@pytest.mark.parametrize("method", METHODS)
def test_a_time_limit_is_kept_and_told(method: str) -> None:
    """Of 1e12 designs some points are found in time, none dominated by another, and no proof."""

    def evaluate(params: Params) -> dict[str, Any]:
        x, y = params["x"], params["y"]
        slow = maximum(abs(x - 4e5), abs(y - 5e5)) + (31 * x) % 997
        return {"cost": x + y + (x * 7919 + y * 104729) % 1009, "gain": -slow}

    space = {"x": range(1, 10**6), "y": range(1, 10**6)}
    front = DSE(space, "minimize: cost").pareto(evaluate, GOALS, method=method, time_limit=0.5)
    assert front.status is Status.FEASIBLE
    assert "others may be missing" in str(front)
    assert "stopped by time limit" in str(front)
    values = [(p.objective_values[0], -p.objective_values[1]) for p in front]
    assert not any(dominates(a, b) for a, b in itertools.permutations(values[:40], 2))
    assert front.statistics.total_seconds < 6


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupt_keeps_what_was_found(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C counts as a time limit that has come."""
    forced(monkeypatch)
    told = itertools.count()

    def progress(_: Any) -> None:
        if next(told) >= 1:
            raise KeyboardInterrupt

    space = {"x": range(400), "y": range(400)}
    question = DSE(space, "minimize: cost")
    front = question.pareto(trade, GOALS, method=method, progress=progress)
    assert front.status in {Status.FEASIBLE, Status.UNKNOWN}
    assert front.statistics.stopped_by == "interrupt"


@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(-3, 3), min_size=width, max_size=width), min_size=1, max_size=40
        )
    )
)
@examples(80)
def test_undominated_rows_are_those_of_nested_loops(rows: list[list[int]]) -> None:
    """Sorted by value, of equals the first."""
    table = np.array(rows, np.float64)
    expected = [
        place
        for place, row in enumerate(rows)
        if not any(dominates(other, row) for other in rows) and row not in rows[:place]
    ]
    assert undominated(table) == sorted(expected, key=lambda place: rows[place])


@pytest.fixture(name="front")
def small_front() -> ParetoFront:
    """Give a front of three points."""
    return DSE({"x": range(3), "y": range(2)}, "minimize: cost").pareto(trade, GOALS)


def test_a_front_is_a_sequence(front: ParetoFront) -> None:
    """It has a length, an order and slices; a point is a mapping."""
    assert len(front) == 3
    assert [point["params"]["x"] for point in front] == [0, 1, 2]
    assert front[-1].objective_values == (6, 4)
    assert front[1:] == front.points[1:]
    assert repr(front) == "<ParetoFront OPTIMAL of 3 points by branch-and-bound>"


def test_a_front_prints_and_serializes(front: ParetoFront) -> None:
    """Text, HTML and JSON hold the objectives and every point."""
    text = str(front).splitlines()
    assert text[0].startswith(
        "OPTIMAL (proven): the Pareto front has 3 points: minimize: cost, maximize: gain; 6 designs"
    )
    assert text[2].split() == ["#", "x", "y", "cost", "gain"]
    assert text[5].split() == ["3", "2", "0", "6", "4"]
    assert front._repr_html_().count("<tr>") == 4
    data = json.loads(front.to_json())
    assert data["objectives"] == list(GOALS)
    assert data["points"][2]["objective_values"] == [6, 4]
    assert data["status"] == "OPTIMAL"


def test_points_are_re_evaluated() -> None:
    """An evaluator that changes its mind after the trace is refused, not reported."""
    calls = itertools.count()

    def evaluate(params: Params) -> dict[str, Any]:
        bonus = 0 if next(calls) < 4 else 1
        return {"cost": params["x"] + bonus, "gain": params["x"] * 2}

    question = DSE({"x": range(5)}, "minimize: cost")
    with pytest.raises(Exception, match="plain numbers"):
        question.pareto(evaluate, GOALS, method="cp-sat")
