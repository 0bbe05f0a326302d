"""Every way to the minimum - tables, boxes, blocks, formulas - leads to the same designs."""

import functools
import operator
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, Term, cases, combined, examples, spaces, terms, truths

from mlsysim.core.dse import DSE
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.functions import absolute, logical_and
from mlsysim.expr.graph import Graph
from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat import minimize, presolve
from mlsysim.search.cpsat.blocks import product
from mlsysim.search.cpsat.blocks.partition import partition
from mlsysim.search.cpsat.lowering import growing, tables
from mlsysim.search.cpsat.minimize import Minimizer, Minimum
from mlsysim.search.cpsat.program.boxes import whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.question.formulation import is_finite
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


def best_values(program: Program, top: int) -> list[float]:
    """Evaluate every design, and give the best values."""
    rows = program.rows(whole(list(program.lengths.values())).designs()).sorted()
    values: list[float] = rows.values[:top, 0].tolist()
    return values


def forced(
    program: Program,
    top: int,
    *,
    rows: int,
    patience: int = 200_000,
    cells: int = 4096,
    walk: bool = False,
) -> Minimum:
    """Minimise with no more than so many rows in a table, and formulas after so many boxes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presolve, "WALK", rows)
        patch.setattr(minimize, "WALK", rows)
        patch.setattr(minimize, "_PATIENCE", patience)
        patch.setattr(presolve, "_LEAF", 2.0)
        patch.setattr(tables, "CELLS", cells)
        patch.setattr(growing, "_MOST_CELLS", cells)
        patch.setattr(minimize, "QUICK", 0)
        for worth in ("_WORTH", "_WORTH_FOR_SUMS"):
            patch.setattr(product, worth, 10**9 if walk else 0)
        patch.setattr(product, "_AT_A_TIME", 7)
        return Minimizer(Clock(SearchOptions(workers=2)), lambda _: None).minimize(program, top)


def check(found: Minimum, expected: list[float], top: int) -> None:
    """Compare the values; a bound is given where anything is."""
    assert found.proven
    assert found.best.values[:, 0].tolist() == pytest.approx(expected[:top], rel=1e-9, abs=0)
    assert len({tuple(design) for design in found.best.designs.tolist()}) == len(found.best)


@given(cases(), st.integers(1, 6), st.sampled_from([1, 3, 10, 10**6]))
@examples(40)
def test_tables_and_boxes(case: Case, top: int, rows: int) -> None:
    """With a table of any size the k best designs are those of brute force."""
    program = TracedQuestion(case.problem, case).program()
    check(forced(program, top, rows=rows), best_values(program, top), top)


@given(cases(), st.integers(1, 4), st.sampled_from([1, 3, 10]))
@examples(40)
def test_near_ties_beyond_any_table(case: Case, top: int, rows: int) -> None:
    """Designs that differ by a millionth are told apart also where boxes are all there is."""
    offset = combined("({0} + 1e6)", lambda a: a + 1e6, case.gain)
    near = replace(case, gain=offset)
    program = TracedQuestion(near.problem, near).program()
    check(forced(program, top, rows=rows), best_values(program, top), top)


def test_one_design_in_millions_that_is_better_by_a_millionth() -> None:
    """No descent comes near it, and boxes do not drop what they cannot tell from the best."""

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        here = np.where(params["x"] == 123_457, -1.0, 0.0)
        return {"z": 1e6 + params["y"] / 3 + here}

    question = DSE({"x": range(300_000), "y": range(1, 9)}, "minimize: z")
    found = question.search(evaluate, method="branch-and-bound", top=1)
    assert found.best_params == {"x": 123_457, "y": 1}


@given(cases(most=4, width=2, size=8), st.integers(1, 4), st.sampled_from([1, 2, 4]))
@examples(30)
def test_boxes_and_formulas_in_turns(case: Case, top: int, cells: int) -> None:
    """With no patience for boxes, formulas take over, and the two agree with brute force."""
    program = TracedQuestion(case.problem, case).program()
    found = forced(program, top, rows=1, patience=0, cells=cells)
    check(found, best_values(program, top), top)


def _sum(terms: list[Term]) -> Term:
    return functools.reduce(lambda a, b: combined("({0} + {1})", operator.add, a, b), terms)


@st.composite
def joint_cases(draw: st.DrawFn) -> Case:
    """Draw two or three jobs of choices of their own, which meet in sums or ratios and a limit."""
    space: dict[str, Any] = {}
    gains, loads, holds = [], [], []
    for job in range(draw(st.integers(2, 3))):
        own = {f"{name}{job}": values for name, values in draw(spaces(3, 2)).items()}
        own = {n: v for n, v in own.items() if not n.startswith(("mode", "machine"))}
        space |= own
        drawn = terms(own, 4)
        gains.append(draw(drawn))
        loads.append(draw(drawn))
        holds += draw(st.lists(truths(terms(own, 2)), max_size=1))
    joins: dict[str, Callable[[Any, Any], Any]] = {
        "({0} + {1})": lambda a, b: a + b,
        "({0} - {1})": lambda a, b: a - b,
        "maximum({0}, {1})": np.maximum,
        "({0} * {1})": lambda a, b: a * b,
        "where({0} > {1}, {0}, 3)": lambda a, b: np.where(a > b, a, 3),
    }
    gain, load = gains[0], loads[0]
    if draw(st.booleans()):  # dollars per token of all jobs together
        costs, rates = (
            [combined("absolute({0})", absolute, one) for one in part] for part in (gains, loads)
        )
        gain = combined("({0} / (0.5 + {1}))", lambda a, b: a / (0.5 + b), _sum(costs), _sum(rates))
        gains = [gain]
    join = st.sampled_from(sorted(joins.items(), key=lambda row: row[0]))
    for other in gains[1:]:
        gain = combined(*draw(join), gain, other)
    for other in loads[1:]:
        load = combined(*draw(join), load, other)
    verdict = combined("all of {0}", logical_and, *holds) if holds else None
    at = {name: draw(st.sampled_from(list(values))) for name, values in space.items()}
    limit = float(load(at))
    relation = draw(st.sampled_from(["<=", ">=", "<", "!=", "=="]))
    constraints = {"shared": f"load {relation} {limit!r}"} if draw(st.booleans()) else {}
    return Case(
        space=space,
        sense=draw(st.sampled_from(["minimize", "maximize"])),
        gain=gain,
        load=load,
        unit="",
        verdict=verdict,
        constraints=constraints,
    )


@given(joint_cases(), st.integers(1, 4), st.sampled_from([2, 4, 4096]), st.booleans())
@examples(60)
def test_blocks_that_meet_in_shared_formulas(
    case: Case,
    top: int,
    cells: int,
    walk: bool,  # noqa: FBT001 - drawn
) -> None:
    """Jobs with choices of their own are solved by blocks, and agree with brute force."""
    program = TracedQuestion(case.problem, case).program()
    found = forced(program, top, rows=2, cells=cells, walk=walk)
    check(found, best_values(program, top), top)


@given(st.data(), st.integers(1, 3), st.sampled_from(["minimize", "maximize"]), st.booleans())
@examples(40)
def test_ratios_of_sums_over_blocks(
    data: st.DataObject,
    top: int,
    sense: str,
    walk: bool,  # noqa: FBT001 - drawn
) -> None:
    """What all jobs cost together, by what they do together: each job's rows keep the best."""
    number = st.integers(1, 30)
    values = st.lists(number, min_size=2, max_size=4, unique=True)
    jobs = range(data.draw(st.integers(2, 3)))
    space = {f"{name}{job}": data.draw(values) for job in jobs for name in "ab"}
    shares = [data.draw(st.tuples(number, number)) for _ in jobs]

    def cost(p: dict[str, Any]) -> Any:
        return sum(p[f"a{job}"] * p[f"b{job}"] + shares[job][0] for job in jobs)

    def rate(p: dict[str, Any]) -> Any:
        return sum(p[f"a{job}"] + shares[job][1] / p[f"b{job}"] for job in jobs)

    problem = Problem.of(space, f"{sense}: ratio", {"work": f"rate >= {8 * len(jobs)}"})
    question = TracedQuestion(problem, lambda p: {"ratio": cost(p) / rate(p), "rate": rate(p)})
    program = question.program()
    check(forced(program, top, rows=2, walk=walk), best_values(program, top), top)


def test_a_ratio_over_a_million_designs_is_walked() -> None:
    """The product of two blocks with 900 designs each is what an array of all of them says."""
    axis = np.arange(1, 31, dtype=float)
    x0, y0, x1, y1 = np.meshgrid(axis, axis, axis, axis, indexing="ij", sparse=True)
    cost = (x0 + 0.7 * y0 * x0**0.5) + (1.3 * x1 + 0.4 * y1 * x1**0.5)
    rate = (2.1 * x0 / (1 + 0.9 / y0) + 0.2 * y0) + (1.1 * x1 / (1 + 2.5 / y1) + 0.6 * y1)
    allowed = (cost <= 90) & (rate >= 40)
    best = np.sort((cost / rate)[allowed])[:3]

    def evaluate(p: dict[str, Any]) -> dict[str, Any]:
        a, b, c, d = p["x0"], p["y0"], p["x1"], p["y1"]
        c_ = (a + 0.7 * b * a**0.5) + (1.3 * c + 0.4 * d * c**0.5)
        r_ = (2.1 * a / (1 + 0.9 / b) + 0.2 * b) + (1.1 * c / (1 + 2.5 / d) + 0.6 * d)
        return {"ratio": c_ / r_, "cost": c_, "rate": r_}

    space = {name: range(1, 31) for name in ("x0", "y0", "x1", "y1")}
    constraints = {"budget": "cost <= 90", "work": "rate >= 40"}
    program = TracedQuestion(Problem.of(space, "minimize: ratio", constraints), evaluate).program()
    clock = Clock(SearchOptions(workers=2))
    found = Minimizer(clock, lambda _: None).minimize(program, 3)
    check(found, best.tolist(), 3)
    assert not clock.counters["solves"]  # no solver was asked


def test_a_joint_question_that_is_stopped_has_designs() -> None:
    """Time is over before any block is reduced: a few designs that meet all limits are told."""
    space = {f"{name}{job}": range(1, 200) for job in range(3) for name in "ab"}

    def evaluate(p: dict[str, Any]) -> dict[str, Any]:
        costs = [p[f"a{job}"] * p[f"b{job}"] for job in range(3)]
        return {"cost": sum(costs), "work": sum(p[f"a{job}"] + p[f"b{job}"] for job in range(3))}

    problem = Problem.of(space, "minimize: cost", {"work": "work >= 100"})
    clock = Clock(SearchOptions(workers=1, time_limit=1e-6))
    program = TracedQuestion(problem, evaluate).program()
    found = Minimizer(clock, lambda _: None).minimize(program, 3)
    assert not found.proven
    assert len(found.best)
    for design, (cost,) in zip(found.best.designs.tolist(), found.best.values, strict=True):
        values = [place + 1 for place in design]
        assert sum(values) >= 100
        assert cost == sum(a * b for a, b in zip(values[::2], values[1::2], strict=True))


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=2, max_size=40), st.integers(1, 3))
@examples(60)
def test_a_front_holds_the_fronts_over_fewer_numbers(
    values: list[tuple[int, ...]], keep: int
) -> None:
    """They are read off, also where designs are equal, and no design is evaluated again."""
    graph = Graph({"x": len(values)})
    columns = [graph.table(("x",), np.array(own, np.float64)) for own in zip(*values, strict=True)]
    clock = Clock(SearchOptions())
    minimizer = Minimizer(clock, lambda _: None)
    program = Program(
        graph=graph, lengths=graph.lengths, columns={}, objectives=tuple(columns), conditions=()
    )
    assert minimizer.front(program, keep) is not None
    evaluated = clock.counters["designs"]
    for wanted in ([0], [2, 1], [0, 2]):
        part = replace(program, objectives=tuple(columns[place] for place in wanted))
        read = minimizer.front(part, keep)
        whole_part = Minimizer(Clock(SearchOptions()), lambda _: None).front(part, keep)
        assert read is not None
        assert whole_part is not None
        assert read.values.tolist() == whole_part.values.tolist()
    assert clock.counters["designs"] == evaluated


def test_what_boxes_answer_needs_no_solver() -> None:
    """OR-Tools and pandas take longer to import than a question of 1e6 designs to answer."""
    program = (
        "import sys, mlsysim\n"
        "explorer = mlsysim.DSE({'x': range(1000), 'y': range(1000)}, 'maximize: z')\n"
        "found = explorer.search(lambda at: {'z': at['x'] * (999 - at['y'])})\n"
        "assert found.method == 'branch-and-bound', found.method\n"
        "assert not {'ortools', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own text


def test_jobs_whose_cost_may_be_undefined_stay_apart() -> None:
    """Whether a/0 + b/0 is a number is asked of each part: a front has no side for each way."""
    graph = Graph({"a": 4, "b": 4})
    columns = {name: Column(range(4)) for name in graph.lengths}
    one = graph.constant(1.0)
    parts = [graph.apply("divide", one, graph.choice(name)) for name in graph.lengths]
    truth = is_finite(graph, graph.apply("add", graph.apply("add", *parts), one))
    assert partition(tuple(graph.lengths), [truth]).blocks == (("a",), ("b",))
    at = whole([4, 4]).designs()
    (values,) = over_designs([truth], {"a": at[:, 0], "b": at[:, 1]}, columns)
    assert values.tolist() == [float(a > 0 and b > 0) for a, b in at.tolist()]
