"""Presolve loses none of the best designs, wherever it stops."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples

from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat import presolve
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program.boxes import Boxes, whole
from mlsysim.search.cpsat.program.program import Program, UndefinedError
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


def shrunk(program: Program, keep: int, *, rows: int = 1, leaf: float = 1.0) -> Presolve:
    """Presolve until so many rows are left, by boxes down to so many designs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presolve, "WALK", rows)
        patch.setattr(presolve, "_LEAF", leaf)
        patch.setattr(presolve, "_BATCH", 8)
        state = Presolve(
            program=program, keep=keep, clock=Clock(SearchOptions()), on_progress=lambda _: None
        )
        assert state.run(10**9)
    return state


def left(state: Presolve) -> np.ndarray:
    """List every design that is left, and the best found before."""
    designs = np.concatenate([state.found.designs, state.open.designs()])
    return np.unique(designs, axis=0)


def everything(program: Program) -> np.ndarray:
    """List every design."""
    return whole(list(program.lengths.values())).designs()


@given(cases(), st.integers(1, 50), st.sampled_from([1.0, 2.0, 8.0]), st.integers(1, 6))
@examples(60)
def test_the_best_designs_are_never_lost(case: Case, rows: int, leaf: float, keep: int) -> None:
    """Whatever fits in the table, the k best designs are in it, with their ties by value."""
    program = TracedQuestion(case.problem, case).program()
    state = shrunk(program, keep, rows=rows, leaf=leaf)
    expected = program.rows(everything(program)).sorted().values[:keep]
    assert program.rows(left(state)).sorted().values[:keep].tolist() == expected.tolist()
    assert state.left_over <= rows


@given(cases(), st.data())
@examples(50)
def test_a_box_is_bounded_by_its_designs(case: Case, data: st.DataObject) -> None:
    """What is cut off a box meets no condition or misses the cutoff; nothing is below the bound."""
    program = TracedQuestion(case.problem, case).program()
    ends = [
        sorted(data.draw(st.integers(0, length - 1)) for _ in range(2))
        for length in program.lengths.values()
    ]
    first, last = (np.array([side], np.int64) for side in zip(*ends, strict=True))
    box = Boxes(first=first, last=last, bound=np.array([[-np.inf]]))
    inside = program.rows(box.designs()).sorted()
    cutoff = data.draw(st.sampled_from([np.inf, *inside.values[:, 0].tolist()]))
    kept = program.bound(box, cutoff)
    wanted = inside.take(inside.values[:, 0] < cutoff)
    if len(wanted):
        assert len(kept) == 1
        assert ((kept.first[0] <= wanted.designs) & (wanted.designs <= kept.last[0])).all()
        # The estimates of rearranged formulas leave the rounding of floats out.
        value = wanted.values.min()
        assert kept.bound[0, 0] <= value + 1e-9 * abs(value)


def no_worse(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether one tuple of values is nowhere above another."""
    return bool(np.all(one <= other))


@given(st.data(), st.integers(1, 3), st.integers(1, 3))
@examples(50)
def test_dominated_rows_are_those_of_nested_loops(
    data: st.DataObject, width: int, keep: int
) -> None:
    """What fewer than k others dominate is kept; of equals the first in the grid dominate."""
    values = data.draw(
        st.lists(st.lists(st.integers(0, 4), min_size=width, max_size=width), max_size=25)
    )
    table = np.array(values, np.float64).reshape(len(values), width)
    rows = Rows(designs=np.arange(len(values))[:, None], values=table)
    expected = [
        place
        for place, mine in enumerate(table)
        if sum(
            no_worse(yours, mine) and (not no_worse(mine, yours) or other < place)
            for other, yours in enumerate(table)
        )
        < keep
    ]
    assert sorted(rows.undominated(keep).designs[:, 0].tolist()) == expected


def question(
    space: Any, evaluate: Callable[[dict[str, Any]], Any], *constraints: str
) -> TracedQuestion:
    """Ask for the smallest cost."""
    return TracedQuestion(Problem.of(space, "minimize: cost", list(constraints)), evaluate)


def test_a_design_without_a_number_is_no_design() -> None:
    """At x = 2 the formula is 0/0."""

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        return {"cost": (params["x"] - 2) / (params["x"] - 2)}

    program = question({"x": [1, 2, 3]}, evaluate).program()
    assert program.tabulate(everything(program)).feasible.designs.tolist() == [[0], [2]]
    with pytest.raises(UndefinedError):
        replace(program, strict=True).tabulate(everything(program))


def test_a_box_that_may_have_no_number_is_never_dropped() -> None:
    """Below x = 97 the logarithm is no number; there it is infinite, and the maximum is 102."""

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        x = params["x"]
        return {"cost": np.maximum(5.0 + x, np.log(x - 97.0))}

    problem = Problem.of({"x": range(100)}, "minimize: cost", ["x >= 0"])
    program = TracedQuestion(problem, evaluate).program()
    state = shrunk(program, 1)
    assert program.rows(left(state)).sorted().values[0, 0] == 102.0


def test_a_broken_constraint_excuses_a_missing_number() -> None:
    """At x = 2 the cost is 0/0, but x != 2 is demanded, so that nobody asks."""

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        return {"cost": (params["x"] - 2) / (params["x"] - 2)}

    program = question({"x": [1, 2, 3]}, evaluate, "x != 2").program()
    table = program.tabulate(everything(program))
    assert table.feasible.designs.tolist() == [[0], [2]]


def test_a_large_space_shrinks_without_being_walked() -> None:
    """Of 1e12 designs with cost (x - 7)² + y only those next to x = 7, y = 0 are looked at."""
    space = {"x": range(10**6), "y": range(10**6)}
    program = question(
        space, lambda params: {"cost": (params["x"] - 7) ** 2 + params["y"]}
    ).program()
    state = shrunk(program, 3, rows=10, leaf=32.0)
    best = program.rows(left(state)).sorted()
    # 0 at (7, 0); 1 at (7, 1), (6, 0) and (8, 0).
    assert best.values[:3, 0].tolist() == [0.0, 1.0, 1.0]
    assert best.designs[0].tolist() == [7, 0]
    assert state.evaluated + state.bounded < 100_000
    assert state.bound >= state.cutoff


def test_factors_that_cancel_prove_nothing() -> None:
    """As floats 0.1 + 0.2 - 0.3 is 5.6e-17; yet 0.1 n + 0.2 n <= 0.3 n holds for some n.

    Rounding decides for which: the first one is taken from plain floats.
    """

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        n = params["n"]
        used, quota = 0.1 * n + 0.2 * n, 0.3 * n
        return {"cost": n * n + abs(params["a"] - 5), "used": used, "quota": quota}

    first = next(n for n in range(1, 401) if 0.1 * n + 0.2 * n <= 0.3 * n)
    program = question({"n": range(1, 401), "a": range(32)}, evaluate, "used <= quota").program()
    best = program.rows(left(shrunk(program, 1, rows=4))).sorted()
    assert best.values[0, 0] == first**2
