"""The lowered model is a relaxation: it loses no design, and its bound is a bound."""

import itertools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from strategies import Case, cases, examples

from mlsysim.errors import DisagreementError
from mlsysim.expr.columns import Column
from mlsysim.expr.functions import ceil, maximum
from mlsysim.expr.graph import Graph
from mlsysim.expr.operation import Operation, Power
from mlsysim.expr.operations import OPERATIONS
from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat.lowering import growing, listing, shrinking, tables
from mlsysim.search.cpsat.lowering.lowered import Lowered, check_magnitudes, lower
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.refine import LoweredSearch
from mlsysim.search.cpsat.lowering.scaled import (
    LARGEST,
    LARGEST_SUM,
    Scaled,
    power_of_two,
    total,
)
from mlsysim.search.cpsat.lowering.shrinking import left_by_boxes
from mlsysim.search.cpsat.program.boxes import whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving import solver
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.cpsat.solving.model import EncodingKind
from mlsysim.search.options import SearchOptions

# Sub-formulas of so few designs are tables: with 1, every rule is exercised.
CELLS = st.sampled_from([1, 1, 2, 4, 64])
# With so few, all combinations are listed at once; else they are grown.
_LISTED = {2, 64}


def clock() -> Clock:
    """Give a clock without a limit."""
    return Clock(SearchOptions(workers=2))


def best_of(program: Program) -> Rows:
    """Evaluate every design, and sort the feasible ones."""
    return program.rows(whole(list(program.lengths.values())).designs()).sorted()


def at_design(lowered: Lowered, design: Sequence[int]) -> float:
    """Give the model's bound at one design; two workers, as one may creep along a product."""
    model: Any = lowered.model.clone()
    positions: Any = lowered.positions.values()
    for position, at in zip(positions, design, strict=True):
        model.add(model.get_int_var_from_proto_index(position.index) == int(at))
    outcome = solver.run(model, Clock(SearchOptions(workers=2)))
    assert outcome.solver is not None, f"{design} is lost"
    return lowered.aim.objective(outcome.bound)


def formulas(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """Have no more than so many combinations tabulated, and groups of no more."""
    monkeypatch.setattr(tables, "CELLS", cells)
    monkeypatch.setattr(growing, "_MOST_CELLS", cells)
    monkeypatch.setattr(growing, "_SHORT", cells)
    monkeypatch.setattr(listing, "_MOST_CELLS", cells if cells in _LISTED else 0)
    monkeypatch.setattr(listing, "_MOST_DESIGNS", 1024 if cells in _LISTED else 0)


@given(cases(most=4, width=2, size=8), CELLS, st.randoms(use_true_random=False))
@examples(40)
def test_no_design_is_lost(case: Case, cells: int, random: Random) -> None:
    """Fixed to any feasible design the model has a solution, and its bound is no higher."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        formulas(monkeypatch, cells)
        program = TracedQuestion(case.problem, case).program()
        try:
            lowered = lower(program)
        except NotLowerableError:
            return
        best = best_of(program)
        for place in random.sample(range(len(best)), min(3, len(best))):
            assert at_design(lowered, best.designs[place].tolist()) <= best.values[place, 0]


@given(cases(most=4, width=2, size=8), CELLS, st.sampled_from([1.0, 4.0, 16.0]), st.data())
@examples(40)
def test_no_design_that_matters_is_lost_to_boxes(
    case: Case, cells: int, enough: float, data: st.DataObject
) -> None:
    """Made of what boxes leave, the model has every design below what is to be beaten."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        formulas(monkeypatch, cells)
        monkeypatch.setattr(shrinking, "_ENOUGH", enough)
        program = TracedQuestion(case.problem, case).program()
        best = best_of(program)
        everything = whole(list(program.lengths.values()))
        ends = [np.inf, *best.values[:, 0].tolist()]
        cutoff = data.draw(st.sampled_from(ends))
        boxes = left_by_boxes(program, everything, cutoff, clock())
        left = {tuple(design) for design in boxes.designs().tolist()}
        try:
            lowered = lower(program, boxes=boxes, cutoff=cutoff)
        except NotLowerableError:
            return
        wanted = best.take(best.values[:, 0] < cutoff)
        assert left >= {tuple(design) for design in wanted.designs.tolist()}
        for place in range(min(2, len(wanted))):
            assert at_design(lowered, wanted.designs[place].tolist()) <= wanted.values[place, 0]


@given(
    cases(most=4, width=2, size=8), CELLS, st.integers(1, 4), st.sampled_from([1.0, 8.0, np.inf])
)
@examples(40)
def test_formulas_alone_find_the_best_designs(
    case: Case, cells: int, keep: int, enough: float
) -> None:
    """Whatever boxes leave, the lowered formulas find the k best designs and prove it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        formulas(monkeypatch, cells)
        monkeypatch.setattr(shrinking, "_ENOUGH", enough)
        program = TracedQuestion(case.problem, case).program()
        try:
            search = LoweredSearch(program, keep, no_rows(len(program.names), 1), clock())
            assert search.run(30.0)
        except NotLowerableError:
            return
        expected = best_of(program).values[:keep, 0]
        assert np.sort(search.found.values[:, 0]) == pytest.approx(expected, rel=1e-9, abs=0)


@given(cases(most=5, width=2, size=6), CELLS, st.data())
@examples(20)
def test_a_box_narrows_the_search(case: Case, cells: int, data: st.DataObject) -> None:
    """Given the box of the designs of interest, the best in that box is found."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        formulas(monkeypatch, cells)
        program = TracedQuestion(case.problem, case).program()
        everything = whole(list(program.lengths.values()))
        ends = [
            sorted(data.draw(st.integers(0, length - 1)) for _ in range(2))
            for length in program.lengths.values()
        ]
        everything.first[0], everything.last[0] = zip(*ends, strict=True)
        try:
            search = LoweredSearch(
                program, 2, no_rows(len(program.names), 1), clock(), box=everything
            )
            assert search.run(30.0)
        except NotLowerableError:
            return
        expected = program.rows(everything.designs()).sorted().values[:2, 0]
        assert np.sort(search.found.values[:, 0]) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_every_operation_is_lowered(
    monkeypatch: pytest.MonkeyPatch, row: Operation, way: float
) -> None:
    """With nothing tabulated, each operation loses no design, and its extreme is found."""
    formulas(monkeypatch, 1)
    graph = Graph({"x": 5, "y": 4})
    columns = {"x": Column(range(1, 6)), "y": Column(range(2, 10, 2))}
    x, y = graph.choice("x"), graph.choice("y")
    mixed = graph.apply("multiply", x, y)
    above = graph.apply("divide", graph.apply("add", mixed, graph.constant(1.0)), y)
    below = graph.apply("divide", graph.apply("add", mixed, y), graph.constant(3.0))
    exponent = graph.constant(1.5)
    arguments = {1: [above], 2: [above, below], 3: [graph.apply("greater", x, y), above, below]}
    picked = [above, exponent] if isinstance(row, Power) else arguments[row.arity]
    objective = graph.apply("multiply", graph.apply(row.name, *picked), graph.constant(way))
    program = Program(
        graph=graph, lengths=graph.lengths, columns=columns, objectives=(objective,), conditions=()
    )
    best = best_of(program)
    lowered = lower(program)
    for place in range(0, len(best), 3):
        assert at_design(lowered, best.designs[place].tolist()) <= best.values[place, 0]
    search = LoweredSearch(program, 1, no_rows(2, 1), clock())
    assert search.run(30.0)
    assert search.found.values[0, 0] == pytest.approx(best.values[0, 0], rel=1e-9, abs=1e-12)


FORMS: dict[str, tuple[Callable[[Any, Any], Any], EncodingKind]] = {
    "line": (lambda x, y: 3 * x + y, EncodingKind.LINEAR),
    "product": (lambda x, y: x * y, EncodingKind.PRODUCT),
    "product of fractions": (lambda x, y: (x / 3) * (y * 0.7), EncodingKind.PRODUCT),
    "nothing": (lambda x, y: x + 0 * y / (y + 1), EncodingKind.LINEAR),
    "square": (lambda x, y: (x - y) ** 2, EncodingKind.PRODUCT),
    "quotient": (lambda x, y: x / (y + 1), EncodingKind.QUOTIENT),
    "root": (lambda x, y: (x * y + 1) ** 0.5, EncodingKind.PIECEWISE_LINEAR),
    "root from zero": (lambda x, y: (x * y) ** 0.5, EncodingKind.PIECEWISE_LINEAR),
    "constant to a power": (lambda x, y: 0.7 ** (x * y / 3), EncodingKind.PIECEWISE_LINEAR),
    "reciprocal power": (lambda x, y: (x * y + 1) ** -1.5, EncodingKind.PIECEWISE_LINEAR),
    "exponential": (lambda x, y: np.exp(x * y / 100), EncodingKind.PIECEWISE_LINEAR),
    "variable power": (lambda x, y: (x + 1.0) ** (y / 3), EncodingKind.PIECEWISE_LINEAR),
    "logarithm": (lambda x, y: np.log2(x * y + 1), EncodingKind.PIECEWISE_LINEAR),
    "ceiling": (lambda x, y: ceil(x * y / 7), EncodingKind.ROUNDED),
    "truncation": (lambda x, y: np.trunc((x - y) / 3), EncodingKind.ROUNDED),
    "nearest": (lambda x, y: np.rint((x - y) / 4), EncodingKind.ROUNDED),
    "sign": (lambda x, y: np.sign(x - y) * x, EncodingKind.PRODUCT),
    "remainder": (lambda x, y: (x * y) % (y + 2), EncodingKind.PRODUCT),
    "whole quotient": (lambda x, y: (x - 2 * y) // (y + 1), EncodingKind.PRODUCT),
    "fractional remainder": (lambda x, y: (x * y) % 0.7, EncodingKind.PRODUCT),
    "maximum": (lambda x, y: maximum(x - y, y - x) * 1.5, EncodingKind.EXTREME),
    "minimum": (lambda x, y: -np.minimum(x, y), EncodingKind.EXTREME),
    "absolute": (lambda x, y: abs(x - y), EncodingKind.EXTREME),
    "choice": (lambda x, y: np.where(x * y > 6, x, -y), EncodingKind.LOGICAL),
    "exclusive or": (lambda x, y: np.where((x > y) ^ (x > 3), x, -y), EncodingKind.LOGICAL),
    "choice of truths": (
        lambda x, y: np.where(np.where(x > y, x > 4, y > 2), x, y),
        EncodingKind.LOGICAL,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_every_form_is_solved(monkeypatch: pytest.MonkeyPatch, form: str, sense: str) -> None:
    """Each kind of formula goes in as stated, and its three best designs are found."""
    function, kind = FORMS[form]
    formulas(monkeypatch, 1)
    problem = Problem.of({"x": range(8), "y": range(6)}, f"{sense}: value", ["x + y >= 2"])
    program = TracedQuestion(
        problem, lambda params: {"value": function(params["x"], params["y"])}
    ).program()
    search = LoweredSearch(program, 3, no_rows(2, 1), clock())
    assert search.run(30.0)
    expected = best_of(program).values[:3, 0]
    assert np.sort(search.found.values[:, 0]) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert kind in {encoding.kind for encoding in lower(program).lowering.encodings}


ROUNDED: dict[str, Callable[[Any], Any]] = {
    # 1 // 0.1 is 9, though 1 / 0.1 rounds to 10.
    "whole quotient": lambda x: x // 0.1,
    "quotient": lambda x: x / 0.1,
    # 55 bits are more than a float has.
    "product": lambda x: (x * 134217729.0) * (x + 134217731.0),
    # Added to 2**54 an odd number is rounded to even.
    "sum": lambda x: (x + 2.0**54) - 2.0**54,
    "large factor": lambda x: x * 1.1e12,
    "wide sum": lambda x: x * 0.3 + x / 7,
    "remainder": lambda x: x % 0.1 - x,
}


@pytest.mark.parametrize("form", ROUNDED)
@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_float_rounding_is_within_the_slack(
    monkeypatch: pytest.MonkeyPatch, form: str, sense: str
) -> None:
    """Where floats round, the model still has every design within its bound."""
    value = ROUNDED[form]
    formulas(monkeypatch, 1)
    problem = Problem.of({"x": range(1, 40)}, f"{sense}: value", None)
    program = TracedQuestion(problem, lambda params: {"value": value(params["x"])}).program()
    lowered = lower(program)
    for design, true in zip(best_of(program).designs, best_of(program).values[:, 0], strict=True):
        assert at_design(lowered, design.tolist()) <= true


UNSOUND: dict[str, Callable[[Any, Any], Any]] = {
    "through zero": lambda x, y: 1.0 / (x - y),
    "root of a negative": lambda x, y: np.sqrt(x - y),
    "remainder by zero": lambda x, y: x % (y - x),
    "variable exponent": lambda x, y: (x + 0.0) ** y,
    "too wide": lambda x, y: (x * y) * 1e9 + (y * 1e-12) * x,
}


@pytest.mark.parametrize("form", UNSOUND)
def test_what_has_no_sound_encoding_is_told(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """An expression that may have no number, or spans too many bits, is not lowered at all."""
    formulas(monkeypatch, 1)
    problem = Problem.of({"x": range(8), "y": range(6)}, "minimize: value", ["x >= 0"])
    graph_of = TracedQuestion(problem, lambda p: {"value": UNSOUND[form](p["x"], p["y"])})
    try:
        lowered = lower(graph_of.program())
    except NotLowerableError:
        return
    assert form == "too wide"
    assert lowered.aim.number.slack > 0


SELECTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "open": lambda x, y: np.where(x * y > 6, x * y / 3, y - x),
    "settled": lambda x, y: np.where(x * y >= 0, x * y / 3, y - x),
    "undefined where it is not picked": lambda x, y: np.where(x > 0, x * y / x, y - 5),
    "nested": lambda x, y: np.where(x > y, np.where(x * y > 6, x * 2, y), x * y),
}


@pytest.mark.parametrize("form", SELECTIONS)
@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_a_selection_is_what_it_picks(
    monkeypatch: pytest.MonkeyPatch, form: str, sense: str
) -> None:
    """At every design, and from both sides, a bound holds and is as near as is stated."""
    function = SELECTIONS[form]
    formulas(monkeypatch, 1)
    space = {"x": range(5), "y": range(1, 5)}
    problem = Problem.of(space, f"{sense}: value")
    question = TracedQuestion(problem, lambda p: {"value": function(p["x"], p["y"])})
    program = question.program()
    if form.startswith("undefined"):  # of the product nothing is known where it is picked
        with pytest.raises(NotLowerableError, match="may pick what is not known"):
            lower(program)
        return
    lowered = lower(program)
    logical = any(one.kind is EncodingKind.LOGICAL for one in lowered.lowering.encodings)
    assert logical is (form != "settled")
    for x, y in itertools.product(range(5), range(4)):
        told = at_design(lowered, [x, y])
        true = program.rows(np.array([[x, y]])).values[0, 0]
        assert told <= true + 1e-9
        assert told >= true - 2 * lowered.aim.error - 1e-9


def test_a_side_without_a_number_is_no_design() -> None:
    """At x = 0 the ratio is 0/0, so that x = 1 is the least; y / x is guarded, and harmless."""

    def evaluate(p: dict[str, Any]) -> dict[str, Any]:
        guarded = np.where(p["x"] > 0, p["y"] / p["x"], p["y"])
        return {"sum": p["x"] + guarded, "ratio": p["x"] / p["x"]}

    space = {"x": [0, 1, 2], "y": [2, 3]}
    problem = Problem.of(space, "minimize: sum", ["ratio <= 1"])
    program = TracedQuestion(problem, evaluate).program()
    lowered = lower(program)
    assert at_design(lowered, [1, 0]) <= 3.0  # 1 + 2 / 1
    search = LoweredSearch(program, 3, no_rows(2, 1), clock())
    assert search.run(30.0)
    # (1, 2) and (2, 2) give 3, (2, 3) gives 3.5.
    assert search.found.values[:, 0].tolist() == [3.0, 3.0, 3.5]
    free = TracedQuestion(Problem.of(space, "minimize: sum"), evaluate).program()
    assert at_design(lower(free), [0, 0]) <= 2.0  # the guard leaves y itself


def test_scaled_numbers_do_not_overflow() -> None:
    """More than 61 bits are refused where they arise, before the solver could overflow."""
    one = Scaled(expression=1, low=1, high=1)
    tiny = Scaled(expression=1, low=1, high=1, unit=2.0**-62)
    with pytest.raises(NotLowerableError, match="different size"):
        total([one, tiny])
    with pytest.raises(NotLowerableError, match="61 bits"):
        one.times(LARGEST_SUM + 1)


def test_zero_can_be_written_in_any_unit() -> None:
    """0 / (1 + y) is 0 with the smallest unit there is; added to 1 it does not overflow."""
    one = Scaled(expression=1, low=1, high=1, unit=2.0**-1060)
    assert total([Scaled(expression=0, low=0, high=0), one]).unit == 2.0**-1060
    with pytest.raises(NotLowerableError, match="different size"):
        total([Scaled(expression=1, low=1, high=1), one])


def test_a_sum_of_scaled_numbers_is_exact() -> None:
    """3 halves and 5 quarters are 11 quarters; slacks add up."""
    halves = Scaled(expression=3, low=3, high=3, unit=0.5, slack=0.01)
    quarters = Scaled(expression=5, low=5, high=5, unit=0.25, slack=0.02)
    both = total([halves, quarters])
    assert (both.low, both.unit) == (11, 0.25)
    assert both.slack == pytest.approx(0.03)
    assert both.times(-2).low == -22


def test_exact_numbers_are_rounded_as_floats_are() -> None:
    """Up to 53 bits a float is exact; beyond, its rounding goes into the slack."""
    assert Scaled(expression=0, low=0, high=1 << 53).rounded().exact
    wide = Scaled(expression=0, low=0, high=(1 << 54) + 2).rounded()
    assert wide.slack >= 2.0


@pytest.mark.parametrize("length", [4_000, 100_000])
def test_a_condition_on_a_choice_stays_in_the_model(length: int) -> None:
    """Also where it alone limits a choice of many values: the best of x <= 5 is 5."""
    problem = Problem.of({"x": range(length), "y": range(10)}, "maximize: g", ["x <= 5"])
    program = TracedQuestion(problem, lambda p: {"g": p["x"] + p["y"]}).program()
    model = lower(program)
    outcome = solver.run(model.model, Clock(SearchOptions(workers=1)))
    assert outcome.solver is not None
    assert model.design(outcome.solver) == [5, 9]


def test_rows_far_outside_the_conditions_are_lowered() -> None:
    """Of the rows 0.1 and 1e10 the condition leaves one; the other must not overflow."""
    problem = Problem.of({"x": [0.1, 1e10], "y": [1, 2]}, "minimize: cost", ["cost <= 2"])
    program = TracedQuestion(problem, lambda p: {"cost": p["x"] + p["y"]}).program()
    tables: dict[tuple[str, ...], np.ndarray] = {("x",): np.array([[0], [1]])}
    search = LoweredSearch(program, 1, no_rows(2, 1), clock(), tables=tables)
    assert search.run(30.0)
    assert search.found.designs.tolist() == [[0, 0]]  # 0.1 + 1


def test_a_sum_beyond_the_range_of_floats_is_refused() -> None:
    """A serving question whose waits have no end was once an OverflowError."""
    endless = Scaled(expression=0, low=0, high=10**12, unit=1e300)
    assert power_of_two(0.3) == 0.25
    with pytest.raises(NotLowerableError, match="beyond the range of floats"):
        power_of_two(endless.size * endless.unit)


def test_a_model_that_overflows_is_refused_before_the_solver_sees_it() -> None:
    """Each variable fits 64 bits, and so does each term; 40 of them do not."""
    model = cp_model.CpModel()
    check_magnitudes(model)
    model.add(sum(model.new_int_var(0, LARGEST, f"x{n}") for n in range(40)) >= 1)
    with pytest.raises(NotLowerableError, match="the solver's integers do not hold it"):
        check_magnitudes(model)
    with pytest.raises(DisagreementError, match="is invalid"):
        solver.run(model, Clock(SearchOptions(workers=1)))
