"""Fleets that mix accelerators: the sums, the dominance, and the proven cheapest plan."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ortools.linear_solver import pywraplp  # type: ignore[import-untyped]

from mlsysim.catalog import Infrastructure
from mlsysim.core.solver import MixedFleetModel
from mlsysim.errors import InfeasibleError, MissingFigureError, ParameterError
from mlsysim.fleets.planning import CHEAPEST, fleet_question, plan_fleet
from mlsysim.stages.fleets.dominance import undominated
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign, pools_of
from mlsysim.units import quantity

SMALL = ReplicaDesign(
    name="S", kind="L4", accelerators=1, rates={"chat": 0.5}, price=0.7, watts=100
)
LARGE = ReplicaDesign(
    name="L",
    kind="H100",
    accelerators=4,
    rates={"chat": 9.0, "code": 4.0},
    price=quantity(1200, "cent/hour"),
    watts=quantity(4, "kW"),
)


def table(kinds: int, designs: int, classes: int, seed: int) -> list[ReplicaDesign]:
    """Make up designs whose price follows their speed, more or less."""
    chooser = np.random.default_rng(seed)
    made = []
    for kind in range(kinds):
        cents = int(chooser.integers(80, 800))
        for design in range(designs):
            accelerators = int(chooser.choice([1, 2, 4, 8]))
            speed = cents / 300 * accelerators ** chooser.uniform(0.85, 1.05)
            rates = speed * chooser.uniform(0.3, 1.2, classes) / np.arange(1, classes + 1)
            made.append(
                ReplicaDesign(
                    name=f"d{kind}_{design}",
                    kind=f"k{kind}",
                    accelerators=accelerators,
                    rates={f"c{place}": round(rate, 4) for place, rate in enumerate(rates)},
                    price=cents * accelerators / 100,
                )
            )
    return made


def by_integer_program(
    designs: list[ReplicaDesign], demand: dict[str, float], available: dict[str, int]
) -> float:
    """Let HiGHS solve the integer program that is written for this question alone."""
    solver = pywraplp.Solver.CreateSolver("HIGHS")
    pools = {
        name: (solver.IntVar(0, available[design.kind] // design.accelerators, name), design, of)
        for name, (design, of) in pools_of(designs).items()
    }
    for of, rate in demand.items():
        solver.Add(sum(n * d.rates[of] for n, d, served in pools.values() if served == of) >= rate)
    for kind, count in available.items():
        solver.Add(sum(n * d.accelerators for n, d, _ in pools.values() if d.kind == kind) <= count)
    solver.Minimize(sum(n * design.price for n, design, _ in pools.values()))
    assert solver.Solve() == pywraplp.Solver.OPTIMAL
    return float(solver.Objective().Value())


def test_sums() -> None:
    """Two small and three large replicas for chat, one large for code."""
    fleet = MixedFleetModel().solve(
        designs=[SMALL, LARGE],
        replicas={"chat_on_S": 2, "chat_on_L": 3, "code_on_L": 1},
        region="US_Average",
        pue=1.5,
    )
    assert fleet.served["chat"].m_as("1/s") == 2 * 0.5 + 3 * 9
    assert fleet.served["code"].m_as("1/s") == 4
    assert fleet.accelerators == {"L4": 2, "H100": 16}
    assert fleet.replicas == 6
    assert fleet.cost_per_hour.m_as("USD/hour") == pytest.approx(2 * 0.7 + 4 * 12)
    assert fleet.power.m_as("kW") == pytest.approx(0.2 + 16)
    intensity = Infrastructure.Grids.US_Average.carbon_intensity.m_as("kg/kWh")
    assert fleet.carbon_per_hour is not None
    assert fleet.carbon_per_hour.m_as("kg/hour") == pytest.approx(16.2 * 1.5 * intensity)


def test_what_is_not_known_is_not_zero() -> None:
    """Power that nobody states, carbon of no region, and a grid without a figure."""
    unknown = ReplicaDesign(name="U", kind="X", accelerators=1, rates={"chat": 1}, price=1)
    fleet = MixedFleetModel().solve(designs=[unknown], replicas={"chat_on_U": 1})
    assert fleet.power is None
    assert fleet.carbon_per_hour is None
    with pytest.raises(MissingFigureError, match="carbon_intensity"):
        MixedFleetModel().solve(designs=[SMALL], replicas={"chat_on_S": 1}, region="Iowa")


def test_dominated_designs_are_left_out() -> None:
    """As fast with more accelerators is worse; slower but smaller, or for another class, is not."""
    like: dict[str, Any] = {"kind": "H100", "price": 12.0, "watts": 4000.0}
    worse = ReplicaDesign(name="worse", accelerators=4, rates={"chat": 8.9, "code": 4.1}, **like)
    twin = ReplicaDesign(name="twin", accelerators=4, rates={"chat": 9.0}, **like)
    kept = {design.name: set(design.rates) for design in undominated([SMALL, LARGE, worse, twin])}
    assert kept == {"S": {"chat"}, "L": {"chat"}, "worse": {"code"}}


DEMAND, AVAILABLE = {"c0": 6.0, "c1": 2.5}, {"k0": 8, "k1": 9}
Sums = dict[str, Any]


def all_fleets(designs: list[ReplicaDesign]) -> Sums:
    """Add up every fleet that there can be, dominated designs and spare replicas included."""
    pools = pools_of(designs)
    ranges = [range(AVAILABLE[d.kind] // d.accelerators + 1) for d, _ in pools.values()]
    counts = np.stack([axis.ravel() for axis in np.meshgrid(*ranges, indexing="ij")])
    sums: Sums = dict(zip(pools, counts, strict=True))
    for of in DEMAND:
        sums[of] = [d.rates[of] * (served == of) for d, served in pools.values()] @ counts
    for kind in AVAILABLE:
        sums[kind] = [d.accelerators * (d.kind == kind) for d, _ in pools.values()] @ counts
    sums["cost"] = np.array([design.price for design, _ in pools.values()]) @ counts
    fits = np.all([sums[of] >= rate for of, rate in DEMAND.items()], axis=0)
    fits &= np.all([sums[kind] <= count for kind, count in AVAILABLE.items()], axis=0)
    return {name: amount[fits] for name, amount in sums.items()}


# Objective, constraint -> what every fleet is worth, smaller being better, and which are allowed.
WISHES: dict[tuple[str, str], Callable[[Sums], tuple[Any, Any]]] = {
    (CHEAPEST, ""): lambda of: (of["cost"], of["cost"] > 0),
    (
        "maximize: MixedFleetModel.served.c0",
        "MixedFleetModel.cost_per_hour <= 60 USD/hour",
    ): lambda of: (-of["c0"], of["cost"] <= 60),
    (CHEAPEST, "MixedFleetModel.served.c0 >= 9 / s"): lambda of: (of["cost"], of["c0"] >= 9),
    (CHEAPEST, "5 <= MixedFleetModel.accelerators.k1"): lambda of: (of["cost"], of["k1"] >= 5),
    (CHEAPEST, "c0_on_d0_0 + c0_on_d1_0 <= 1"): lambda of: (
        of["cost"],
        of["c0_on_d0_0"] + of["c0_on_d1_0"] <= 1,
    ),
    ("minimize: MixedFleetModel.cost_per_hour / MixedFleetModel.served.c0", ""): lambda of: (
        of["cost"] / of["c0"],
        of["cost"] > 0,
    ),
}


@pytest.mark.parametrize("wish", WISHES, ids=" ".join)
@pytest.mark.parametrize("seed", range(4))
def test_a_plan_is_the_best_of_all_fleets(seed: int, wish: tuple[str, str]) -> None:
    """Whatever is asked for, no fleet is better, of dominated designs or with spare replicas."""
    designs = table(2, 2, 2, seed)
    objective, constraint = wish
    goals, allowed = WISHES[wish](all_fleets(designs))
    own = {"own": constraint} if constraint else {}
    plan = plan_fleet(
        designs, DEMAND, AVAILABLE, objective=objective, constraints=own, workers=1, top=1
    )
    if not allowed.any():
        assert plan.result.status == "INFEASIBLE"
        return
    assert plan.result.status == "OPTIMAL"
    best = plan.result.best_objective
    assert abs(best) == pytest.approx(abs(goals[allowed].min()))


def test_spare_replicas_need_an_end() -> None:
    """Who wants more served than the demand is asked how many accelerators there are."""
    most = "maximize: MixedFleetModel.served.chat"
    with pytest.raises(ParameterError, match=r"maximize: .*served\.chat: .* of H100; say how many"):
        plan_fleet([SMALL, LARGE], {"chat": 1}, {"L4": 2}, objective=most)


@pytest.mark.parametrize("seed", range(8))
def test_twice_the_demand_costs_at_most_twice(seed: int) -> None:
    """Two fleets side by side carry twice the demand: one fleet for both is no dearer."""
    designs = table(3, 4, 2, seed)
    once, twice = (
        plan_fleet(designs, {"c0": 7.3 * size, "c1": 3.1 * size}, workers=1, top=1).result
        for size in (1, 2)
    )
    assert twice.best_objective <= 2 * once.best_objective * (1 + 1e-9)


@pytest.mark.parametrize("per_second", [30.0, 2000.0])
def test_six_kinds_forty_designs_three_classes(per_second: float) -> None:
    """Up to thousands of replicas: proven, and no dearer than what an integer program finds."""
    designs = table(6, 40, 3, seed=1)
    demand = {f"c{place}": per_second / (place + 1) for place in range(3)}
    available = {f"k{kind}": 2000 for kind in range(6)}
    plan = plan_fleet(designs, demand, available, time_limit=30, top=1)
    assert plan.result.status == "OPTIMAL"
    best = by_integer_program(designs, demand, available)
    assert plan.result.best_objective <= best * (1 + 1e-9)
    for of, rate in demand.items():
        assert plan.fleet.served[of].m_as("1/s") >= rate
    assert all(count <= 2000 for count in plan.fleet.accelerators.values())


def test_the_plan_in_words() -> None:
    """The plan says what serves what, what it uses, and what it costs."""
    plan = plan_fleet([SMALL, LARGE], {"chat": 21, "code": 3}, {"L4": 64, "H100": 12})
    # 21 chats per second: two large replicas and six small ones; a third large one is for code
    assert plan.replicas == {"chat": {"S": 6, "L": 2}, "code": {"L": 1}}
    assert str(plan).splitlines() == [
        "OPTIMAL: 40.2 USD/hour",
        "  chat: 6 x S, 2 x L; serves 21 of 21 per second",
        "  code: 1 x L; serves 4 of 3 per second",
        "  H100: 12 of 12 accelerators",
        "  L4: 6 of 64 accelerators",
    ]


def test_a_scarce_kind_is_what_an_infeasible_plan_names() -> None:
    """Code runs on H100s alone, of which there are too few: 3 replicas serve 12 of 13."""
    plan = plan_fleet([SMALL, LARGE], {"chat": 1, "code": 13}, {"L4": 64, "H100": 12}, workers=1)
    assert plan.result.status == "INFEASIBLE"
    assert set(plan.result.conflict) == {"demand of code", "accelerators of H100"}
    assert str(plan).startswith("INFEASIBLE")
    (supply,) = [item for item in plan.result.relaxations if item.name == "accelerators of H100"]
    assert supply.value == 16
    with pytest.raises(InfeasibleError, match="accelerators of H100"):
        _ = plan.replicas


def test_a_power_budget_is_a_constraint() -> None:
    """With 4.5 kW there is one large replica, and small ones do the rest: 9 + 5 * 0.5 >= 11."""
    site = {"site": "MixedFleetModel.power <= 4500 W"}
    plan = plan_fleet([SMALL, LARGE], {"chat": 11}, {"L4": 64, "H100": 12}, constraints=site)
    assert plan.replicas == {"chat": {"S": 4, "L": 1}}


def test_no_pool_is_larger_than_its_class() -> None:
    """21 chats per second need 42 small replicas or 3 large ones; no more are considered."""
    question = fleet_question([SMALL, LARGE], {"chat": 21}, {"H100": 8})
    assert question.space == {"chat_on_S": range(43), "chat_on_L": range(4)}
    assert set(question.constraints) == {"demand of chat", "accelerators of H100"}


@pytest.mark.parametrize(
    ("demand", "available", "error", "message"),
    [
        ({"chat": -1}, {}, ParameterError, "demand of chat is -1"),
        ({"chta": 1}, {}, InfeasibleError, "'chta'; did you mean 'chat'"),
        ({"chat": 1}, {"H10": 8}, ParameterError, "'H10'.*did you mean 'H100'"),
        ({"chat": 1}, {"H100": 0.5}, ParameterError, "available H100 is 0.5"),
    ],
)
def test_bad_demands(
    demand: dict[str, Any], available: dict[str, Any], error: type[Exception], message: str
) -> None:
    """A class that nothing serves, and a limit of what there is not, are errors."""
    with pytest.raises(error, match=message):
        plan_fleet([SMALL, LARGE], demand, available)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a b"}, "'a b'"),
        ({"accelerators": 0}, "S.accelerators is 0"),
        ({"rates": {"chat": -1.0}}, r"S.rates.chat is -1\.0"),
        ({"price": float("nan")}, "S.price is nan"),
    ],
)
def test_bad_designs(changes: dict[str, Any], message: str) -> None:
    """A table with a number out of range is refused, with design and column."""
    start: dict[str, Any] = {
        "name": "S",
        "kind": "L4",
        "accelerators": 1,
        "rates": {"chat": 0.5},
        "price": 0.7,
    }
    with pytest.raises(ParameterError, match=message):
        ReplicaDesign(**{**start, **changes})


def test_names_are_told_apart() -> None:
    """Two designs of one name, and counts of what there is not, are refused."""
    with pytest.raises(ParameterError, match="two replica designs make 'chat_on_S'"):
        plan_fleet([SMALL, SMALL], {"chat": 1})
    with pytest.raises(ParameterError, match="did you mean 'chat_on_S'"):
        MixedFleetModel().solve(designs=[SMALL], replicas={"chat_on_T": 1})
    assert list(itertools.islice(pools_of([SMALL, LARGE]), 3)) == [
        "chat_on_S",
        "chat_on_L",
        "code_on_L",
    ]
