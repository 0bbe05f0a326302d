"""Results are mappings, records, tables and JSON alike."""

import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from mlsysim.errors import InfeasibleError, NoAnswerError, UnknownNameError
from mlsysim.problem import Constraint
from mlsysim.results import (
    Candidate,
    Relaxation,
    SearchResult,
    Statistics,
    Status,
    minimal_conflict,
    relative_gap,
    relaxation_of,
)
from mlsysim.units import quantity


@dataclass(frozen=True)
class Fleet:
    """A catalogue object."""

    name: str


@dataclass(frozen=True)
class Stage:
    """A stage's result."""

    latency: Any
    odd: Any
    fleet: Fleet


STAGE = Stage(latency=quantity(0.05, "s"), odd=math.inf, fleet=Fleet("A"))
CANDIDATES = tuple(
    Candidate(
        params={"tp": tp, "fleet": Fleet("A")}, objective_value=1200.5 * tp, result={"M": STAGE}
    )
    for tp in (8, 4)
)
FOUND = SearchResult(
    status=Status.OPTIMAL,
    objective="maximize: M.rate",
    unit="1/s",
    top_candidates=CANDIDATES,
    bound=9604.0,
    gap=0.0,
    method="exhaustive",
    statistics=Statistics(
        grid_size=48,
        points_evaluated=48,
        feasible_points=12,
        rejected={"M.feasible": 36},
        seconds={"total": 0.25},
    ),
)
IMPOSSIBLE = SearchResult(
    status=Status.INFEASIBLE,
    objective="maximize: M.rate",
    method="cp-sat",
    statistics=Statistics(grid_size=48, seconds={"total": 0.25}),
    conflict=("sla", "M.feasible"),
    conflict_reasons={"sla": "M.latency <= 50 ms", "M.feasible": "memory"},
    relaxations=(Relaxation(name="sla", text="sla: best reachable 61.3 ms at tp=8, pp=4"),),
)


def test_the_keys_of_the_tutorial_are_there() -> None:
    """A result reads like the tutorial's dict, and so do its candidates."""
    assert list(FOUND) == ["best_params", "best_objective", "best_result", "top_candidates"]
    assert FOUND["best_params"]["tp"] == 8
    assert FOUND["best_objective"] == FOUND.best_objective == 9604.0
    assert [item["params"]["tp"] for item in FOUND["top_candidates"][:3]] == [8, 4]
    assert FOUND["top_candidates"][0]["result"]["M"] is STAGE
    assert set(FOUND["top_candidates"][0]) == {"params", "objective_value", "result"}
    assert FOUND.status == "OPTIMAL"


def test_a_misspelt_key_is_told_the_nearest() -> None:
    """Of results and candidates."""
    with pytest.raises(UnknownNameError, match="did you mean 'best_params'"):
        FOUND["best_param"]
    with pytest.raises(UnknownNameError, match="did you mean 'params'"):
        CANDIDATES[0]["param"]


def test_asking_an_infeasible_result_for_its_best_raises_the_explanation() -> None:
    """By key, by attribute and through the mapping's own methods."""
    with pytest.raises(InfeasibleError) as caught:
        IMPOSSIBLE["best_params"]
    assert str(caught.value).splitlines() == [
        "INFEASIBLE (proven): none of the 48 designs meets every requirement.",
        "These exclude them all; without any one of them, the rest would not:",
        "  sla: M.latency <= 50 ms",
        "  M.feasible: memory",
        "What each would have to become, with all others kept:",
        "  sla: best reachable 61.3 ms at tp=8, pp=4",
    ]
    assert "best_params" in IMPOSSIBLE
    assert IMPOSSIBLE["top_candidates"] == ()
    assert not IMPOSSIBLE
    unknown = replace(
        IMPOSSIBLE,
        status=Status.UNKNOWN,
        statistics=Statistics(grid_size=1, stopped_by="interrupt"),
    )
    with pytest.raises(NoAnswerError, match="stopped by interrupt"):
        _ = unknown.best_objective


def test_json_holds_quantities_names_and_no_infinity() -> None:
    """What JSON cannot hold becomes null, a name, or a value with its unit."""
    data = json.loads(FOUND.to_json())
    assert data["best_params"] == {"tp": 8, "fleet": "A"}
    assert data["best_result"]["M"] == {
        "latency": {"value": 0.05, "unit": "s"},
        "odd": None,
        "fleet": "A",
    }
    assert data["statistics"]["rejected"] == {"M.feasible": 36}
    assert json.loads(IMPOSSIBLE.to_json())["best_params"] is None
    odd = replace(FOUND, statistics=Statistics(grid_size=1, extra={"a": np.arange(2), "b": {3}}))
    assert odd.to_dict()["statistics"]["extra"] == {"a": [0, 1], "b": [3]}


def test_a_result_prints_its_verdict_and_a_table() -> None:
    """Status, objective, proof and effort first; then what became of every design."""
    lines = str(FOUND).splitlines()
    assert lines[0] == (
        "OPTIMAL (proven): maximize: M.rate = 9604 1/s; 48 designs in 0.25 s by exhaustive"
    )
    assert lines[1] == "48 of 48 designs evaluated: 12 feasible, 36 break M.feasible"
    assert lines[3].split() == ["#", "tp", "fleet", "M.rate", "[1/s]"]
    assert lines[4].split() == ["1", "8", "A", "9604"]
    assert "<table>" in FOUND._repr_html_()
    assert repr(FOUND) == "<SearchResult OPTIMAL 9604.0 by exhaustive>"


def test_an_unproven_result_says_how_far_it_may_be_off() -> None:
    """Bound, gap and what stopped it; the gap, 4.12 %, is rounded upward."""
    stopped = replace(FOUND.statistics, stopped_by="time limit")
    found = replace(FOUND, status=Status.FEASIBLE, bound=10000.0, gap=0.0412, statistics=stopped)
    assert "bound 10,000 1/s, gap 4.2 %; stopped by time limit" in str(found)
    assert "no bound known" in str(replace(found, bound=None, gap=None))
    assert relative_gap(8000, 9604) == pytest.approx(0.2005)
    unknown = replace(found, status=Status.UNKNOWN, top_candidates=())
    assert str(unknown).startswith("UNKNOWN: no feasible design found yet; stopped by time limit")


def test_html_is_escaped() -> None:
    """A constraint contains `<`, which a notebook must not take for a tag."""
    html = IMPOSSIBLE._repr_html_()
    assert "M.latency &lt;= 50 ms" in html


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        # a and b together exclude everything: some design breaks only a, some only b.
        ([{"a"}, {"b"}, {"a", "b", "v"}], ("a", "b")),
        # Every design breaks v: a model's verdict goes before a user's wish.
        ([{"a", "v"}, {"b", "v"}], ("v",)),
        # {a, b}, {b, c}, {a, c}: any two meet all three; the later constraints go first.
        ([{"a", "b"}, {"b", "c"}, {"a", "c"}], ("a", "b")),
        ([{"c"}], ("c",)),
    ],
)
def test_a_minimal_conflict_meets_every_way_of_failing(
    patterns: list[set[str]], expected: tuple[str, ...]
) -> None:
    """And no member can be left out."""
    assert minimal_conflict(patterns, ("a", "b", "c", "v"), constraints=3) == expected


@pytest.mark.parametrize(
    ("text", "left", "right", "unit", "expected"),
    [
        # 0.0613 s is 61.3 ms, the unit in which the user thinks.
        ("latency <= 50 ms", 0.0613, 0.05, "s", "best reachable 61.3 ms at tp=8"),
        ("tp >= 16", 8, 16, "", "best reachable 8 at tp=8"),
        ("tp == 5", 4, 5, "", "nearest reachable 4 at tp=8"),
        ("tp != 8", 8, 8, "", "would have to be waived, e.g. for tp=8"),
        ("latency <= budget", 0.3, 0.2, "s", "best reachable 300 ms against 0.2 s at tp=8"),
    ],
)
def test_a_relaxation_speaks_the_units_of_the_user(
    text: str, left: float, right: float, unit: str, expected: str
) -> None:
    """Value and limit are in the unit that the constraint was written in."""
    constraint = Constraint.parse(text)
    found = relaxation_of(
        constraint.name,
        constraint=constraint,
        left=left,
        right=right,
        unit=unit,
        params={"tp": 8},
    )
    assert found.text == f"{text}: {expected}"
    assert str(found) == found.text


def test_a_relaxation_of_a_verdict_names_its_reason() -> None:
    """Memory in a handy unit, with the limit that it breaks."""
    found = relaxation_of(
        "M.feasible",
        constraint=None,
        reason="memory",
        left=91.2e9,
        right=80e9,
        unit="B",
        params={"tp": 8},
    )
    assert found.text == (
        "M.feasible (memory): best reachable 91.2 GB against a limit of 80 GB at tp=8"
    )
    none = relaxation_of("M.feasible", constraint=None)
    assert "no value of it is enough" in none.text
    assert none.params is None
