"""Whatever is wrong with a question, the error names culprit, place and cure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mlsysim.errors import (
    ConstraintError,
    InputError,
    MetricError,
    ObjectiveError,
    ParameterError,
    SpaceError,
    UnitError,
)
from mlsysim.problem import Check, Problem, read
from mlsysim.search.options import SearchOptions
from mlsysim.units import quantity

SPACE = {"tp": [1, 2, 4], "precision": ["fp16", "fp8"]}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage's result."""

    step_latency_total: Any = 0.04
    throughput: Any = 3.0
    nothing: Any = None
    word: Any = "fast"

    def method(self) -> float:
        """Be callable."""
        return 1.0


RESULT = {"Model": Stage(step_latency_total=quantity(0.04, "s")), "cost": quantity(5.0, "USD")}


def space(choices: Any) -> Callable[[], Any]:
    """Build a problem over a space."""
    return lambda: Problem.of(choices, "minimize: cost")


def objective(text: Any) -> Callable[[], Any]:
    """Build a problem with an objective."""
    return lambda: Problem.of(SPACE, text)


def constraint(*texts: Any) -> Callable[[], Any]:
    """Build a problem with constraints, and read a result with it."""
    return lambda: read(
        Problem.of(SPACE, "minimize: cost", list(texts)), {"tp": 2, "precision": "fp8"}, RESULT
    )


def metric(text: str, result: Any = None) -> Callable[[], Any]:
    """Read a metric off a result."""
    shown = RESULT if result is None else result
    return lambda: read(Problem.of({"x": [1, 2]}, f"minimize: {text}"), {"x": 1}, shown)


CASES: list[tuple[Callable[[], Any], type[InputError], str]] = [
    # the space
    (space({}), SpaceError, "the space has no choices; write at least one"),
    (space([1, 2]), SpaceError, "the space is a list; write a dict"),
    (space({"tp": []}), SpaceError, "choice 'tp' has no values; give at least one"),
    (space({"tp": range(4, 4)}), SpaceError, "choice 'tp' has no values"),
    (space({"tp": [1, 2, 1]}), SpaceError, "'tp' lists 1 twice (values 1 and 3); leave one out"),
    (space({"tp": [1, 1.0]}), SpaceError, "'tp' lists 1.0 twice"),
    (space({"tp": [1, "2"]}), SpaceError, "'tp' mixes numbers (1) with strings (2); make them all"),
    (space({"tp": [True, 2]}), SpaceError, "'tp' mixes truth values (True) with numbers (2)"),
    (space({"tp": [None, 2, "2"]}), SpaceError, "'tp' mixes numbers (2) with strings (2)"),
    (space({"x": [1.0, float("nan")]}), SpaceError, "'x': value 2 is nan, not a finite number"),
    (space({"x": [float("inf")]}), SpaceError, "'x': value 1 is inf, not a finite number"),
    (space({"x": [1j]}), SpaceError, "'x': value 1 is 1j, not a finite number"),
    (space({"x": [[1], [2]]}), SpaceError, "'x': value 1 is a list, which cannot be told"),
    (space({"x": 8}), SpaceError, "'x' is a single value; write 'x': [8]"),
    (space({"x": "fp16"}), SpaceError, "'x' is a single value; write 'x': ['fp16']"),
    (space({"x": {1, 2}}), SpaceError, "'x' is a set, which has no order of values; write a list"),
    (space({"x": (i for i in (1, 2))}), SpaceError, "'x' is a generator, which may never end"),
    (space({"x": np.ones((2, 2))}), SpaceError, "'x' is an array of 2 dimensions"),
    (space({"tp size": [1]}), SpaceError, "'tp size': the name must be an identifier"),
    (space({"tp-size": [1]}), SpaceError, "write 'tp_size'"),
    (space({"class": [1]}), SpaceError, "'class': the word is reserved; write 'class_'"),
    (space({1: [1]}), SpaceError, "the name of a choice must be a string, not 1"),
    # the objective
    (objective("cost"), ObjectiveError, "it has no sense; write 'maximize: cost'"),
    (objective(""), ObjectiveError, "it is empty; write e.g. 'minimize:"),
    (objective("maximise: cost"), ObjectiveError, "write 'maximize: cost'"),
    # TRAPS B6: this was taken for a minimisation.
    (
        objective("maximize minimized_cost"),
        ObjectiveError,
        "the colon is missing; write 'maximize: minimized_cost'",
    ),
    (objective("minimize:"), ObjectiveError, "there is no metric after 'minimize:'"),
    (objective("minimize: cost <= 3"), ObjectiveError, "'<=' belongs into a constraint"),
    (objective("minimize: 3"), ObjectiveError, "it names no metric and no choice"),
    (objective(3), ObjectiveError, "the objective is a int; write it as a string"),
    (objective("minimize: cost +"), ObjectiveError, "is missing at the end"),
    # the syntax of constraints (TRAPS B4, B5)
    (
        constraint("latency =< 50 ms"),
        ConstraintError,
        "constraint 'latency =< 50 ms': '=<' is not a relation; write 'latency <= 50 ms'",
    ),
    (constraint("latency = 50"), ConstraintError, "write 'latency == 50'"),
    (constraint("latency < = 5"), ConstraintError, "'< =' has a gap; write 'latency <= 5'"),
    (constraint("tp ≤ 4"), ConstraintError, "'≤' is not a relation; write 'tp <= 4'"),
    (constraint("1 < tp < 4"), ConstraintError, "two constraints: '1 < tp' and 'tp < 4'"),
    (constraint("tp <"), ConstraintError, "there is nothing after '<'"),
    (constraint("<= 4"), ConstraintError, "there is nothing before '<='"),
    (constraint(""), ConstraintError, "it is empty; write e.g."),
    (constraint("tp"), ConstraintError, "it has no relation (one of <, <=, >, >=, ==, !=)"),
    (constraint("tp < 4 and tp > 1"), ConstraintError, "'and' joins two conditions"),
    (constraint("tp < 2^2"), ConstraintError, "'^' is not an operator; write 'tp < 2**2'"),
    (constraint("(tp < 4"), ConstraintError, "the parenthesis at position 1 is never closed"),
    (constraint("tp) < 4"), ConstraintError, "the ')' at position 3 was never opened"),
    (constraint("tp < 4,000"), ConstraintError, "write large numbers without it, e.g. 1_000"),
    (constraint("mx(tp, 1) < 4"), ConstraintError, "'mx' is not a function; did you mean 'max'?"),
    (constraint("max(tp) < 4"), ConstraintError, "max takes at least two arguments, not 1"),
    (constraint("ceil() < 4"), ConstraintError, "ceil() needs something between"),
    (constraint("tp 2 < 4"), ConstraintError, "an operator is missing before '2' at position 4"),
    (constraint("tp < 4 tp"), ConstraintError, "'tp' after 4 is not a unit"),
    (constraint("util >= 40 %"), ConstraintError, "write 'util >= 40 percent'"),
    (constraint("tp < 1e999"), ConstraintError, "the number 1e999 is too large"),
    (constraint("4 ms**2 < x"), ConstraintError, "write '(4 ms) **2 < x'"),
    (constraint("x[0] < 3"), ConstraintError, "reach into a result with dots"),
    (constraint("cost < $5"), ConstraintError, "write 'USD' after the number"),
    (constraint("precision == 'fp8"), ConstraintError, "the quote ' is never closed"),
    (constraint("1 < 2"), ConstraintError, "it mentions no metric and no choice"),
    (constraint("(" * 90 + "tp" + ")" * 90 + "<1"), ConstraintError, "nested more than 60 levels"),
    (constraint(5), ConstraintError, "is a int; write it as a string"),
    (constraint("tp < 4", "tp<4"), ConstraintError, "'tp < 4' is given twice"),
    (lambda: Problem.of(SPACE, "minimize: x", "tp<4"), ConstraintError, "write a list:"),
    (
        lambda: Problem.of(SPACE, "minimize: x", {"Model.feasible": "tp < 4"}),
        ConstraintError,
        "'Model.feasible': the name is kept for the verdicts of models",
    ),
    # what is compared
    (
        constraint("precision == 'fp18'"),
        ConstraintError,
        "'fp18' is not a value of 'precision'; did you mean 'fp8' or 'fp16'?",
    ),
    (constraint("precision < 'fp8'"), ConstraintError, "texts have no order"),
    (constraint("tp == '4'"), ConstraintError, "write them without quotes, e.g. 'tp == 1'"),
    (constraint("precision > 8"), ConstraintError, "compares the text 'fp8' with a plain number"),
    (constraint("precision * 2 > 8"), UnitError, "calculates with the text 'fp8'"),
    (
        constraint("Model.step_latency_total <= 50"),
        UnitError,
        (
            "'Model.step_latency_total <= 50' compares a time with a plain number; "
            "write 'Model.step_latency_total <= 50 s'"
        ),
    ),
    (constraint("5 >= cost"), UnitError, "write '5 USD >= cost'"),
    (constraint("1 / Model.step_latency_total >= 8"), UnitError, "_total >= 8 /s'"),
    (constraint("cost <= 5 ms"), UnitError, "compares money with a time (USD with ms)"),
    (constraint("cost <= 5 dolar"), ConstraintError, "'dolar' after 5 is not a unit"),
    (constraint("cost + 1 <= 5 USD"), UnitError, "'cost + 1' puts money and a plain number"),
    (constraint("max(cost, 1 s) <= 5 USD"), UnitError, "compares money with a time"),
    (constraint("2 ** cost <= 5"), UnitError, "has money in the exponent; write a number"),
    (
        constraint("ceil(Model.step_latency_total) <= 5 s"),
        UnitError,
        "divide first, e.g. 'ceil(Model.step_latency_total / 1 s)'",
    ),
    # metrics
    (
        constraint("Model.step_latencytotal <= 50 ms"),
        MetricError,
        "'Model.step_latencytotal' does not exist; did you mean 'Model.step_latency_total'",
    ),
    (metric("throughput"), MetricError, "did you mean 'Model.throughput'?"),
    (metric("Model.nothing"), MetricError, "metric 'Model.nothing' is None at this design"),
    (metric("Model.word"), MetricError, "Model.word is the text 'fast', not a number"),
    (metric("Model.method"), MetricError, "metric 'Model.method' is a method, not a number"),
    (metric("Model"), MetricError, "is a Stage, not a number; it contains Model.step_latency"),
    (metric("cost", 3.5), MetricError, "the evaluator returned the bare number 3.5; return it"),
    (metric("fits", {"fits": True}), MetricError, "fits is a truth value, not a number"),
    (
        metric("cost", {"cost": 1.0, "feasible": "PASS"}),
        MetricError,
        "feasible is 'PASS', which is neither true nor false",
    ),
    (
        lambda: Check.at_most(quantity(1.0, "byte"), quantity(1.0, "s")),
        UnitError,
        "a check compares an amount of memory with a time",
    ),
    # options
    (lambda: SearchOptions(top=0), ParameterError, "top = 0 is too small; the least is top=1"),
    (lambda: SearchOptions(top=2.5), ParameterError, "top = 2.5 is not a whole number"),  # type: ignore[arg-type]
    (lambda: SearchOptions(time_limit=-1), ParameterError, "must be a finite number of seconds"),
    (lambda: SearchOptions(time_limit=math.nan), ParameterError, "must be a finite number of"),
    (lambda: SearchOptions(time_limit=math.inf), ParameterError, "leave it out for no limit"),
    (lambda: SearchOptions(time_limit=10**400), ParameterError, "leave it out for no limit"),
    (lambda: SearchOptions(workers=0), ParameterError, "the least is workers=1"),
    (lambda: SearchOptions(workers=100_000), ParameterError, "the most is workers=1024"),
    (lambda: SearchOptions(seed=3_000_000_000), ParameterError, "the most is seed=2147483647"),
    (lambda: SearchOptions(progress=True), ParameterError, "hand in a function of one Progress"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    ("provoke", "error", "message"), CASES, ids=[str(number) for number in range(len(CASES))]
)
def test_the_message_names_the_culprit_and_the_cure(
    provoke: Callable[[], Any], error: type[InputError], message: str
) -> None:
    """Each bad input raises our own error, whose text holds the phrase of the table."""
    with pytest.raises(error) as caught:
        provoke()
    assert message in str(caught.value)


def test_an_evaluator_without_return_is_told_so() -> None:
    """A result of None is not a metric that is misspelt."""
    problem = Problem.of({"x": [1]}, "minimize: cost")
    with pytest.raises(MetricError, match="does it lack a return statement"):
        read(problem, {"x": 1}, None)


def test_options_of_other_number_types_become_pythons_own() -> None:
    """NumPy's integers and floats are numbers, too."""
    options = SearchOptions(top=np.int8(3), seed=np.uint64(7), time_limit=np.float32(0.5))  # type: ignore[arg-type]
    assert [type(value) for value in (options.top, options.seed, options.time_limit)] == [
        int,
        int,
        float,
    ]
