"""Conflicts and relaxations of random infeasible questions, against every subset."""

import itertools
import math
from collections.abc import Callable, Collection
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlsysim.core.dse import DSE
from mlsysim.errors import Infeasible
from mlsysim.expr.functions import select
from mlsysim.problem.verdict import Check
from mlsysim.results import SearchResult, Status
from mlsysim.search.comparison import compare

Params = dict[str, Any]
Row = dict[str, tuple[float, float]]

# Requirement -> what is compared: the left side has to stay at or below the right one.
LEFTS: dict[str, Callable[[Params], Any]] = {
    "load": lambda p: p["x"] + 2.0 * p["y"],
    "loss": lambda p: 30.0 - p["x"] * p["y"],
    "slip": lambda p: p["x"] - 3.0 * p["y"],
    "drag": lambda p: 2.0 * p["y"] - p["x"],
}


def evaluate_with(capacity: float) -> Any:
    """Make an evaluator whose model has so much memory."""

    def evaluate(params: Params) -> Params:
        metrics = {name: left(params) for name, left in LEFTS.items()}
        memory = Check.at_most(1.0 * params["x"] + params["y"], capacity)
        return {**metrics, "model": {"checks": {"memory": memory}}}

    return evaluate


def excludes_all(rows: list[Row], names: Collection[str]) -> bool:
    """Tell by walking every design whether some requirements together exclude them all."""
    return not any(all(row[name][0] <= row[name][1] for name in names) for row in rows)


@given(
    xs=st.lists(st.integers(1, 12), min_size=1, max_size=5, unique=True),
    ys=st.lists(st.integers(1, 12), min_size=1, max_size=5, unique=True),
    limits=st.lists(st.integers(-20, 25), min_size=len(LEFTS), max_size=len(LEFTS)),
    capacity=st.integers(2, 24),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_conflicts_are_minimal(
    xs: list[int], ys: list[int], limits: list[int], capacity: int
) -> None:
    """SEMANTICS 4 and 5: all subsets of a conflict leave a design, itself leaves none."""
    bounds = dict(zip(LEFTS, limits, strict=True))
    designs = [{"x": x, "y": y} for x, y in itertools.product(xs, ys)]
    rows: list[Row] = [
        {
            **{name: (left(p), float(bounds[name])) for name, left in LEFTS.items()},
            "model.feasible": (p["x"] + p["y"], capacity),
        }
        for p in designs
    ]
    assume(excludes_all(rows, rows[0]))
    explorer = DSE(
        {"x": xs, "y": ys},
        "minimize: load",
        {name: f"{name} <= {limit}" for name, limit in bounds.items()},
    )
    for method in ("cp-sat", "exhaustive"):
        result = explorer.search(evaluate_with(capacity), method=method)
        check_conflict(result, rows)


def check_conflict(result: SearchResult, rows: list[Row]) -> None:
    """Compare a conflict and its relaxations with every subset and every design."""
    assert result.status is Status.INFEASIBLE
    conflict = set(result.conflict)
    assert excludes_all(rows, conflict)
    for size in range(len(conflict)):
        for subset in itertools.combinations(sorted(conflict), size):
            assert not excludes_all(rows, subset)
    assert [item.name for item in result.relaxations] == list(result.conflict)
    for item in result.relaxations:
        # The least left side among the designs that meet everything else.
        others = [name for name in rows[0] if name != item.name]
        reachable = [
            row[item.name][0]
            for row in rows
            if all(row[name][0] <= row[name][1] for name in others)
        ]
        if not reachable:
            assert item.value is None
            assert item.params is None
        else:
            assert item.value is not None
            assert math.isclose(item.value, min(reachable), rel_tol=1e-9, abs_tol=1e-12)


def test_a_block_that_raises_infeasible_has_a_relaxation() -> None:
    """A kind that is refused whole breaks nothing else: waiving that would be enough."""

    def refuse(params: dict[str, Any]) -> dict[str, Any]:
        checked = select(params["kind"], {"new": lambda: 1.0, "old": _refused})
        return {"cost": params["x"] * checked()}

    space = {"kind": ["new", "old"], "x": range(1, 2001)}
    question = DSE(space, "minimize: cost", {"limit": "cost <= 0.5"})
    answers = {
        method: question.search(refuse, method=method)
        for method in ("cp-sat", "branch-and-bound", "exhaustive")
    }
    assert compare(answers), compare(answers)
    found = {item.name: item for item in answers["exhaustive"].relaxations}
    assert found["Infeasible"].params == {"kind": "old", "x": 1}


def _refused() -> float:
    raise Infeasible("old machines are not for sale")
