"""The reference agrees with nested loops, whatever the evaluator can take."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsysim.errors import Infeasible, InfeasibleError, MetricError, NoAnswerError, UnitError
from mlsysim.problem import Check, Problem
from mlsysim.results import SearchResult, Status
from mlsysim.search.arrays import search
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.units import quantity

Params = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A stage's result."""

    latency: Any
    checks: Any


def answer(
    evaluate: Callable[[Params], Any],
    space: Any,
    objective: str = "minimize: cost",
    constraints: Any = None,
    **options: Any,
) -> SearchResult:
    """Search exhaustively."""
    return search(Problem.of(space, objective, constraints), evaluate, SearchOptions(**options))


def model(params: Params) -> Any:
    """Evaluate a made-up model that works on numbers and arrays alike."""
    x, y, flag = params["x"], params["y"], params["flag"]
    factor = {"slow": 3.0, "fast": 1.0}[params["mode"]]
    latency = factor * (x * x - 3 * x * y) / (1 + y) + 5 * flag
    return {
        "cost": x * 7 % 5 + y * factor,
        "stage": Stage(latency=latency, checks={"fits": Check.at_most(x * y, 12.5)}),
    }


def scalar_model(params: Params) -> Any:
    """Evaluate the same model, but refuse arrays."""
    if params["x"] > 10**6:
        raise AssertionError
    return model(params)


numbers = st.integers(-5, 9) | st.floats(-4, 8).map(lambda value: round(value, 1))
spaces = st.fixed_dictionaries(
    {
        "mode": st.permutations(["slow", "fast"]),
        "x": st.lists(numbers, min_size=1, max_size=7, unique=True),
        "flag": st.permutations([True, False]),
        "y": st.lists(st.integers(0, 9), min_size=1, max_size=7, unique=True),
    }
)


def loops(space: dict[str, list[Any]], limit: float, sign: int) -> tuple[list[Params], set[str]]:
    """List the feasible designs, best first, and how the designs fail, by nested loops."""
    feasible: list[tuple[float, int, Params]] = []
    failures: set[str] = set()
    for values in product(*space.values()):
        params = dict(zip(space, values, strict=True))
        result = model(params)
        broken = [
            name
            for name, holds in (
                ("latency", result["stage"].latency <= limit),
                ("odd", params["x"] + params["y"] != 4),
                ("stage.feasible", params["x"] * params["y"] <= 12.5),
            )
            if not holds
        ]
        if broken:
            failures.add("+".join(broken))
        else:
            feasible.append((sign * result["cost"], len(feasible), params))
    return [params for _, _, params in sorted(feasible, key=lambda row: row[:2])], failures


@given(
    spaces, st.integers(-30, 30), st.sampled_from([1, -1]), st.sampled_from([model, scalar_model])
)
@settings(max_examples=150, deadline=None)
def test_the_search_is_the_nested_loop(
    space: dict[str, list[Any]], limit: float, sign: int, evaluate: Callable[[Params], Any]
) -> None:
    """Best designs with ties in grid order, counts, and minimal conflicts are those of loops."""
    sense = "minimize" if sign > 0 else "maximize"
    constraints = {"latency": f"stage.latency <= {limit}", "odd": "x + y != 4"}
    result = answer(evaluate, space, f"{sense}: cost", constraints, top=4)
    expected, failures = loops(space, limit, sign)
    assert [item.params for item in result.top_candidates] == expected[:4]
    assert result.statistics.feasible_points == len(expected)
    assert result.statistics.points_evaluated == result.statistics.grid_size
    if expected:
        assert result.status is Status.OPTIMAL
        return
    assert result.status is Status.INFEASIBLE
    kinds = [set(failure.split("+")) for failure in failures]
    conflict = set(result.conflict)
    assert all(kind & conflict for kind in kinds)
    for name in conflict:
        assert not all(kind & (conflict - {name}) for kind in kinds)
    for item in result.relaxations:
        if {item.name} in kinds and item.name == "latency":
            reached = model(dict(item.params or {}))["stage"].latency
            assert item.value == reached > limit
            loosened = constraints | {"latency": f"stage.latency <= {reached!r}"}
            assert answer(evaluate, space, f"{sense}: cost", loosened).status is Status.OPTIMAL


BIG = {"a": range(1, 301), "kind": ["p", "q"], "b": range(1, 301), "c": [1, 2, 3]}


def big_model(params: Params) -> Any:
    """Evaluate a model over 540,000 designs with many ties."""
    return {"cost": np.floor(params["a"] / 7) + params["b"] % 11 + (params["kind"] == "p")}


def test_ties_across_blocks_stand_in_grid_order() -> None:
    """Blocks are visited out of grid order where an object sits between numbers."""
    result = answer(big_model, BIG, constraints=["a * b >= 900"], top=7)
    # cost = floor(a/7) + b % 11 for kind "q".  By hand: a * b >= 900 with b <= 300 needs a >= 3;
    # a = 3..6 gives floor 0, and b % 11 = 0 asks for b in 297, 286, 275, ...: a = 3 takes no
    # b = 11 k >= 300 (none up to 300), a = 4 takes b >= 225: 231, 242, 253, ...
    found = [tuple(item.params.values()) for item in result.top_candidates]
    assert found == [
        *[(4, "q", 231, c) for c in (1, 2, 3)],
        *[(4, "q", 242, c) for c in (1, 2, 3)],
        (4, "q", 253, 1),
    ]
    assert result.best_objective == 0
    assert result.statistics.extra["blocks"] == 10
    # 900 combinations of b and c; 72 values of a make 64,800 points, so 5 slices for each kind


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda params: {"cost": max(params["x"], params["y"])},  # refuses arrays
        lambda params: {"cost": np.max([params["x"], params["y"]])},  # mixes the designs up
        lambda params: {"cost": math.sqrt(params["x"]) + params["y"]},
        lambda params: {"cost": params["x"] if params["y"] > 2 else 7},
        lambda params: {"cost": [params["x"]][0] + len(str(params["y"]))},
        lambda params: {"cost": params["x"] + (1 if isinstance(params["y"], int) else 9)},
        lambda params: {"cost": np.sort(np.atleast_1d(params["x"]))[0] + params["y"]},
    ],
    ids=["max", "np.max", "math", "if", "len", "isinstance", "sort"],
)
def test_an_evaluator_that_does_not_vectorise_is_asked_point_by_point(
    evaluate: Callable[[Params], Any],
) -> None:
    """The answer is that of plain numbers, and the statistics say why it took long."""
    space = {"x": [9, 3, 7, 1, 5, 2], "y": [4, 2, 8, 1, 3]}
    result = answer(evaluate, space)
    expected = min(evaluate({"x": x, "y": y})["cost"] for x in space["x"] for y in space["y"])
    assert result.best_objective == expected
    assert result.statistics.points_evaluated == 30
    assert "point_by_point" in result.statistics.extra


def test_an_evaluator_may_change_its_dict() -> None:
    """Neither the next design nor the constraints see what it did."""

    def evaluate(params: Params) -> Any:
        params["x"] *= 2
        cost = params.pop("x") + params["y"]
        params.clear()
        return {"cost": cost}

    result = answer(evaluate, {"x": range(1, 9), "y": range(1, 9)}, constraints=["x >= 3"])
    assert result.best_params == {"x": 3, "y": 1}
    assert result.best_objective == 7  # 2 * 3 + 1


def test_a_metric_may_not_depend_on_any_choice() -> None:
    """A constant comes back from arrays as a single number, and every design ties."""
    result = answer(lambda _params: {"cost": 3.0, "feasible": True}, {"x": range(100)}, top=2)
    assert [item.params["x"] for item in result.top_candidates] == [0, 1]
    assert result.statistics.feasible_points == 100


def test_an_array_metric_is_refused() -> None:
    """One design needs one number."""
    with pytest.raises(MetricError, match=r"cost is an array of shape \(3,\) at one design"):
        answer(lambda params: {"cost": params["x"] * np.ones(3)}, {"x": range(100)})


def test_an_exception_of_the_evaluator_names_the_design() -> None:
    """It is the user's, keeps its type, and carries a note."""

    def evaluate(params: Params) -> Any:
        return {"cost": dict.fromkeys(range(40), 1.0)[params["x"]]}

    with pytest.raises(KeyError) as caught:
        answer(evaluate, {"mode": ["a"], "x": range(64)})
    assert caught.value.__notes__ == ["raised by the evaluator at the design mode=a, x=40"]


@pytest.mark.parametrize(
    "values",
    [
        [*range(1, 60), -1],
        [*range(1, 30), -1, *range(30, 60)],
        [*range(1, 60), 2.5],
        range(60, -1, -1),
    ],
    ids=["negative", "negative among others", "fraction", "zero"],
)
def test_values_that_a_model_refuses_do_not_hide_in_arrays(values: Any) -> None:
    """A model checks plain numbers only; the ends and fractions of a choice are tried."""

    def evaluate(params: Params) -> Any:
        batch = params["batch"]
        if isinstance(batch, (int, float)) and (batch < 1 or batch != int(batch)):
            raise ValueError(f"batch = {batch} is not a positive whole number")
        return {"cost": 100 - batch + params["x"]}

    with pytest.raises(ValueError, match="is not a positive whole number"):
        answer(evaluate, {"x": range(9), "batch": values}, constraints=["batch >= 7"])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_design_whose_objective_is_not_finite_neither_wins_nor_vanishes(bad: float) -> None:
    """TRAPS B6: it is no design, and it is counted; in blocks and one by one alike."""

    def vectorised(params: Params) -> Any:
        return {"cost": np.where(params["x"] == 77, bad, 1.0)}

    def scalar(params: Params) -> Any:
        return {"cost": bad if params["x"] == 77 else 1.0}

    for evaluate in (vectorised, scalar):
        found = answer(evaluate, {"x": range(100)})
        assert (found.best_objective, found.statistics.feasible_points) == (1, 99)
        assert found.statistics.undefined == 1
        assert "1 of them for nothing but a number that is not finite" in str(found)
        excluded = answer(evaluate, {"x": range(100)}, constraints=["x < 77"])
        assert (excluded.best_objective, excluded.statistics.undefined) == (1, 0)
        with pytest.raises(MetricError, match="cost is not a finite number at any"):
            answer(evaluate, {"x": [77]})


def test_a_constraint_on_what_is_not_finite_is_not_met() -> None:
    """The root of x - 3 is no number for x < 3, so that three designs fail the cap."""

    def evaluate(params: Params) -> Any:
        return {"cost": params["x"], "power": np.sqrt(params["x"] - 3.0)}

    with np.errstate(invalid="ignore"):
        found = answer(evaluate, {"x": range(40)}, constraints={"cap": "power <= 4"})
    assert found.best_params == {"x": 3}
    # 16 + 3 = 19 is the last whose root is at most 4.
    assert found.statistics.rejected == {"cap": 3 + 20}
    assert found.statistics.undefined == 3


def test_a_division_by_zero_is_undefined_where_arrays_can_say_so_and_else_the_evaluators() -> None:
    """Plain numbers raise; asked with floats, the evaluator has infinity, or raises again."""
    found = answer(lambda params: {"cost": 1 / params["x"]}, {"x": range(-20, 20)})
    assert (found.best_params, found.statistics.undefined) == ({"x": -1}, 1)
    with pytest.raises(ZeroDivisionError) as caught:
        answer(lambda params: {"cost": 1 / int(params["x"])}, {"x": range(-20, 20)})
    assert "at the design x=0" in caught.value.__notes__[0]


def test_infeasible_is_a_verdict_in_blocks_and_points() -> None:
    """Raised for a plain choice it holds for the block; raised for numbers, point by point."""
    asked = []

    def evaluate(params: Params) -> Any:
        asked.append(params)
        if params["mode"] == "b":
            raise Infeasible("b is out of stock")
        if np.any(params["x"] > 30):
            raise Infeasible(f"{params['x']} is too many")
        return {"cost": -params["x"] * 2}

    result = answer(evaluate, {"mode": ["a", "b"], "x": range(100)})
    assert result.best_params == {"mode": "a", "x": 30}
    assert result.statistics.feasible_points == 31
    assert result.statistics.rejected == {"Infeasible": 169}
    assert len(asked) < 120  # mode b took a few calls for its 100 designs


def test_infeasible_everywhere_is_explained_with_its_reasons() -> None:
    """The conflict is the evaluator's own verdict."""

    def evaluate(params: Params) -> Any:
        raise Infeasible(f"{params['mode']} is out of stock")

    result = answer(evaluate, {"mode": ["a", "b"], "x": range(50)})
    assert result.conflict == ("Infeasible",)
    assert result.conflict_reasons["Infeasible"] == (
        "raised by the evaluator: a is out of stock, b is out of stock"
    )


def test_metrics_may_be_missing_where_a_verdict_says_no() -> None:
    """But not everywhere: then the name is misspelt (TRAPS B5)."""

    def evaluate(params: Params) -> Any:
        if params["x"] < 3:
            return {"feasible": False, "cost": None}
        return {"feasible": True, "cost": params["x"]}

    assert answer(evaluate, {"x": range(6)}).best_params == {"x": 3}
    with pytest.raises(MetricError, match="'cots' does not exist; did you mean 'cost'"):
        answer(lambda _params: {"feasible": False, "cost": 1.0}, {"x": [1, 2]}, "minimize: cots")


def test_a_check_may_compare_something_at_some_designs_only() -> None:
    """What is offloaded fits a host; what is not is no matter of hosts, and has no sides there."""

    def evaluate(params: Params) -> Any:
        x, share = params["x"], params["share"]
        moves = isinstance(share, np.ndarray) or share > 0
        fits = Check.at_most(x * share, 3) if moves else Check(holds=True)
        return {"cost": share - x, "stage": Stage(latency=x, checks={"host": fits})}

    result = answer(evaluate, {"share": [0, 1], "x": range(20)}, top=4)
    assert result.best_params == {"share": 0, "x": 19}
    assert result.statistics.rejected == {"stage.feasible": 16}
    assert "point_by_point" not in result.statistics.extra


def test_units_are_those_of_the_first_design() -> None:
    """TRAPS B6: 900 ms is less than 2 s, and a plain number is neither."""

    def evaluate(params: Params) -> Any:
        return {"cost": quantity(*params["choice"])}

    space = {"choice": [(900.0, "ms"), (2.0, "s"), (800.0, "ms")]}
    result = answer(evaluate, space)
    assert result.best_params == {"choice": (800.0, "ms")}
    assert [item.objective_value for item in result.top_candidates] == [800, 900, 2000]
    with pytest.raises(UnitError, match="in 'ms' for other designs, but in 'USD' at"):
        answer(evaluate, {"choice": [(900.0, "ms"), (2.0, "USD")]})


def test_arrays_are_not_trusted_to_order_ties() -> None:
    """Where rounding alone puts a design behind the last one asked for, plain numbers decide."""

    def evaluate(params: Params) -> Any:
        x = params["x"]
        if isinstance(x, np.ndarray):  # rounds otherwise, as NumPy's powers do
            return {"cost": 1 + x * 1e-13}
        return {"cost": 1.0 if x == 7 else 1 + 1e-12}

    assert answer(evaluate, {"x": range(16)}, top=1).best_params == {"x": 7}


def test_arrays_are_not_trusted_at_equality() -> None:
    """0.1 * 3 is not 0.3, in blocks as little as one by one."""
    result = answer(
        lambda params: {"cost": 0.1 * params["x"]},
        {"x": range(40)},
        constraints=["cost == 0.3"],
    )
    assert result.status is Status.INFEASIBLE
    relaxed = answer(
        lambda params: {"cost": 0.1 * params["x"]}, {"x": range(40)}, constraints=["cost >= 0.3"]
    )
    assert relaxed.best_params == {"x": 3}  # 0.30000000000000004


def test_conflicts_are_minimal_and_relaxations_reachable() -> None:
    """SEMANTICS 4 and 5, on a space that can be read off.

    Latency is 100 / tp ms and memory 10 * tp GB: 50 ms asks for tp >= 2, a
    limit of 15 GB for tp = 1; the budget of 100 is met anyway.
    """

    def evaluate(params: Params) -> Any:
        memory = quantity(10.0 * params["tp"], "GB")
        checks = {"memory": Check.at_most(memory, quantity(15.0, "GB"))}
        return {"M": Stage(latency=quantity(0.1 / params["tp"], "s"), checks=checks)}

    constraints = {"budget": "tp <= 100", "sla": "M.latency <= 50 ms"}
    result = answer(evaluate, {"tp": range(1, 33)}, "minimize: M.latency", constraints)
    assert result.conflict == ("sla", "M.feasible")
    assert result.conflict_reasons == {
        "sla": "M.latency <= 50 ms",
        "M.feasible": "memory (of the nearest design)",
    }
    sla, memory = result.relaxations
    assert (sla.value, sla.unit, sla.limit, sla.params) == (100.0, "ms", 50.0, {"tp": 1})
    assert sla.text == "sla (M.latency <= 50 ms): best reachable 100 ms at tp=1"
    assert (memory.value, memory.unit, memory.limit) == (20.0, "GB", 15.0)
    assert memory.params == {"tp": 2}
    assert memory.objective == 0.05
    with pytest.raises(InfeasibleError, match="best reachable 100 ms at tp=1"):
        result.best_params  # noqa: B018 - asking is what raises


def test_loosening_a_limit_never_worsens_the_optimum() -> None:
    """A ladder of service levels, none of which may undo the one before."""
    space = {"batch": range(1, 200), "tp": [1, 2, 3, 4, 6, 8]}

    def evaluate(params: Params) -> Any:
        latency = 3.0 + params["batch"] / params["tp"] + params["tp"] ** 1.5
        return {"latency": quantity(latency, "ms"), "rate": params["batch"] / latency}

    best = [
        answer(evaluate, space, "maximize: rate", [f"latency <= {limit} ms"]).best_objective
        for limit in (6, 8, 13, 20, 50, 300)
    ]
    assert all(earlier <= later for earlier, later in pairwise(best))


def test_the_time_limit_returns_what_was_found() -> None:
    """FEASIBLE without a bound, or UNKNOWN where nothing was found."""

    def evaluate(params: Params) -> Any:
        time.sleep(0.002)
        return {"cost": float(params["x"])}

    space = {"x": range(10**12)}
    found = answer(evaluate, space, time_limit=0.05)
    assert found.status is Status.FEASIBLE
    assert (found.best_params, found.bound, found.gap) == ({"x": 0}, None, None)
    assert found.statistics.stopped_by == "time limit"
    nothing = answer(evaluate, space, constraints=["x >= 1e11"], time_limit=0.05)
    assert nothing.status is Status.UNKNOWN
    with pytest.raises(NoAnswerError, match="stopped by time limit"):
        nothing.best_params  # noqa: B018 - asking is what raises


def test_an_interrupt_is_like_a_time_limit() -> None:
    """Ctrl-C keeps what was found."""

    def evaluate(params: Params) -> Any:
        if params["x"] == "c":
            raise KeyboardInterrupt
        return {"cost": ord(params["x"])}

    result = answer(evaluate, {"x": ["b", "a", "c", "d"]})
    assert (result.status, result.best_params) == (Status.FEASIBLE, {"x": "a"})
    assert result.statistics.stopped_by == "interrupt"


def test_progress_ends_at_the_size_of_the_grid() -> None:
    """The callback hears how many designs are accounted for."""
    heard: list[Progress] = []
    answer(
        lambda params: {"cost": params["x"]},
        {"x": range(1000)},
        progress=heard.append,
    )
    assert (heard[0].done, heard[0].total) == (0, 1000)
    assert (heard[-1].done, heard[-1].best) == (1000, 0)


def test_objects_are_choices() -> None:
    """What no array can hold is looped over."""
    fleets = [Fleet("A", 3), Fleet("B", 2)]
    result = answer(
        lambda params: {"cost": params["fleet"].price * params["n"] + params["big"] % 2},
        {"fleet": fleets, "big": [2**53 - 1, 2**53], "n": range(1, 50)},
        constraints=["fleet == 'A'", "fleet.price == 3"],
    )
    assert result.best_params == {"fleet": fleets[0], "big": 2**53, "n": 1}
    assert result.to_dict()["best_params"]["fleet"] == "A"


@dataclass(frozen=True)
class Fleet:
    """A fleet with a price."""

    name: str
    price: int


def test_seeds_and_runs_do_not_change_the_answer() -> None:
    """SEMANTICS 9."""
    answers = [
        [dict(item.params) for item in answer(big_model, BIG, seed=seed).top_candidates]
        for seed in (0, 1)
    ]
    assert answers[0] == answers[1]


def test_a_million_designs_take_a_few_dozen_calls() -> None:
    """Python's work goes with the number of blocks, not of designs."""
    calls = []

    def evaluate(params: Params) -> Any:
        calls.append(np.size(params["a"]))
        return {"cost": params["a"] - params["b"], "feasible": params["a"] * params["b"] <= 10**5}

    space = {"a": range(1, 1001), "b": range(1, 1001)}
    result = answer(evaluate, space, constraints=["a + b <= 1500"])
    assert result.best_params == {"a": 1, "b": 1000}
    # 65 values of a with all of b make 65,000 points, so 16 blocks hold the million.
    assert [size for size in calls if size > 1] == [65_000] * 15 + [25_000]
    assert len(calls) < 60
