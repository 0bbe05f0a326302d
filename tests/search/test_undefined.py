"""What is undefined at some designs has one meaning for every method.

See `mlsysim.search.verify`: a comparison holds only between finite numbers, a
design without a finite objective is none, and what nobody uses does not matter.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import Term, combined, examples

from mlsysim.core.dse import DSE
from mlsysim.errors import MetricError
from mlsysim.expr.functions import exp, log, maximum, minimum, sqrt, where
from mlsysim.problem.problem import Problem
from mlsysim.results import SearchResult, Status
from mlsysim.search.comparison import compare, compare_fronts
from mlsysim.search.cpsat import minimize, presolve
from mlsysim.search.verify import evaluate_point

Params = dict[str, Any]

# Each has poles or ends on the whole numbers around zero.
UNARY: Mapping[str, Callable[[Any], Any]] = {
    "(1 / {0})": lambda a: 1 / a,
    "({0} ** -1)": lambda a: a**-1,
    "(({0} - {0}) / {0})": lambda a: (a - a) / a,
    "log({0})": log,
    "sqrt({0})": sqrt,
    # Complex in Python; NumPy's root of -0.0 is -0.0, though its power is 0.0.
    "({0} ** 0.5 + 0)": lambda a: a**0.5 + 0,
    "exp(300 * {0})": lambda a: exp(300 * a),
    "(10.0 ** (200 * {0}))": lambda a: 10.0 ** (200 * a),
    "(7 % {0})": lambda a: 7 % a,
    "(7 // {0})": lambda a: 7 // a,
    "(-{0})": lambda a: -a,
    "({0} * {0})": lambda a: a * a,
}
BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "({0} + {1})": lambda a, b: a + b,
    "({0} - {1})": lambda a, b: a - b,
    "({0} * {1})": lambda a, b: a * b,
    "({0} / {1})": lambda a, b: a / b,
    "maximum({0}, {1})": maximum,
    "minimum({0}, {1})": minimum,
    "where({0} > 0, {0}, {1})": lambda a, b: where(a > 0, a, b),
    "where({0} > 1, 1 / ({0} - 1), {1})": lambda a, b: where(a > 1, 1 / (a - 1), b),
}


def formulas() -> st.SearchStrategy[Term]:
    """Draw a formula with poles over two choices."""
    leaves = st.sampled_from(
        [
            Term("p['x']", lambda p: p["x"]),
            Term("p['y']", lambda p: p["y"]),
            Term("(p['x'] - 1)", lambda p: p["x"] - 1),
        ]
    )

    def extend(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        unary = st.sampled_from(sorted(UNARY.items(), key=lambda row: row[0]))
        binary = st.sampled_from(sorted(BINARY.items(), key=lambda row: row[0]))
        return st.one_of(
            st.builds(lambda row, a: combined(*row, a), unary, inner),
            st.builds(lambda row, a, b: combined(*row, a, b), binary, inner, inner),
        )

    return st.recursive(leaves, extend, max_leaves=5)


@dataclass(frozen=True)
class Question:
    """A question about formulas with poles.

    Parameters
    ----------
    objective, side, check, unused
        What is minimised, what is constrained, what a model compares with a limit of 2
        (nothing if left out), and what nobody asks for.
    constraint
        The constraint on `side`.
    """

    objective: Term
    side: Term
    check: Term | None
    unused: Term
    constraint: str

    def __call__(self, params: Params) -> dict[str, Any]:
        """Evaluate a design."""
        result = {
            "objective": self.objective(params),
            "side": self.side(params),
            "unused": self.unused(params),
        }
        if self.check is not None:
            result["model"] = {"feasible": self.check(params) <= 2}
        return result

    def plain(self, params: Params) -> dict[str, Any]:
        """Evaluate a design, but no array."""
        if any(isinstance(value, np.ndarray) for value in params.values()):
            raise TypeError("no arrays")
        return self(params)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Question, dict[str, Any], str]:
    """Draw a question, a space around zero, and a sense."""
    relation = draw(st.sampled_from(["<=", ">=", "<", ">", "!=", "=="]))
    limit = draw(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 1e9]))
    text = draw(
        st.sampled_from(
            [
                f"side {relation} {limit}",
                f"1 / side {relation} {limit}",
                f"min(1 / side, 3) {relation} {limit}",
            ]
        )
    )
    question = Question(
        objective=draw(formulas()),
        side=draw(formulas()),
        check=draw(st.none() | formulas()),
        unused=draw(formulas()),
        constraint=text,
    )
    space = {
        "x": draw(st.sampled_from([range(-3, 4), range(5), [1, 2], [-0.5, 0.0, 1.0, 2.5]])),
        "y": draw(st.sampled_from([range(-2, 3), [0, 1], range(8)])),
    }
    return question, space, draw(st.sampled_from(["minimize", "maximize"]))


def allowed(question: Question, space: Mapping[str, Any]) -> list[float]:
    """Give the objectives of all designs, by the definition, on NumPy's floats."""
    sides: Mapping[str, Callable[[Any], Any]] = {
        "s": lambda side: side,
        "1": lambda side: 1 / side,
        "m": lambda side: np.minimum(1 / side, 3),
    }
    relation, limit = question.constraint.split()[-2:]
    found = []
    for x, y in itertools.product(*space.values()):
        params = {"x": np.float64(x), "y": np.float64(y)}
        with np.errstate(all="ignore"):
            objective = np.float64(question.objective(params))
            side = np.float64(sides[question.constraint[0]](np.float64(question.side(params))))
            checked = question.check is None or bool(question.check(params) <= 2)
        holds = bool(eval(f"side {relation} {limit}", {"side": side}))  # noqa: S307 - our own text
        if math.isfinite(objective) and math.isfinite(side) and holds and checked:
            found.append(float(objective))
    return found


def has_one_meaning(question: Question, space: Mapping[str, Any]) -> bool:
    """Tell whether whole numbers and floats agree, although floats have a negative zero."""
    problem = Problem.of(space, "minimize: objective", {"limit": question.constraint})
    for x, y in itertools.product(*space.values()):
        with np.errstate(all="ignore"):
            floats = evaluate_point(problem, question, {"x": np.float64(x), "y": np.float64(y)})
        plain = evaluate_point(problem, question, {"x": x, "y": y})
        if (plain.broken, plain.is_undefined) != (floats.broken, floats.is_undefined):
            return False
        if plain.is_feasible and not math.isclose(plain.objective, floats.objective):
            return False
    return True


def by_each_method(
    question: Question, space: Mapping[str, Any], sense: str, rows: int
) -> list[SearchResult | str]:
    """Answer by arrays, by plain numbers, by a table and by boxes."""
    explorer = DSE(space, f"{sense}: objective", {"limit": question.constraint})

    def asked(evaluate: Callable[[Params], Any], method: str) -> SearchResult | str:
        try:
            return explorer.search(evaluate, method=method, top=3)
        except MetricError as error:
            return str(error)

    answers = [asked(question, "exhaustive"), asked(question.plain, "exhaustive")]
    answers.append(asked(question, "cp-sat"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presolve, "WALK", rows)
        patch.setattr(minimize, "WALK", rows)
        patch.setattr(presolve, "_LEAF", 2.0)
        answers.append(asked(question, "cp-sat"))
    return answers


@given(questions(), st.sampled_from([1, 4]))
@examples(150)
def test_every_method_gives_poles_the_same_meaning(
    drawn: tuple[Question, dict[str, Any], str], rows: int
) -> None:
    """The best three by the definition, or the same conflict, or the same error."""
    question, space, sense = drawn
    assume(has_one_meaning(question, space))
    best = sorted(allowed(question, space), reverse=sense == "maximize")[:3]
    answers = by_each_method(question, space, sense, rows)
    first = answers[0]
    if isinstance(first, str):
        assert "not a finite number at any design" in first
        assert not best
        assert answers == [first] * 4
        return
    for answer in answers:
        assert not isinstance(answer, str), answer
        values = [candidate.objective_value for candidate in answer.top_candidates]
        assert values == pytest.approx(best, rel=1e-9)
        assert answer.status is (Status.OPTIMAL if best else Status.INFEASIBLE)
        assert compare({"one": answer, "first": first}).differences == ()
    assert first.statistics.undefined == answers[1].statistics.undefined  # type: ignore[union-attr]


@given(questions())
@examples(40)
def test_fronts_give_poles_the_same_meaning(drawn: tuple[Question, dict[str, Any], str]) -> None:
    """A point of a front has a number for each objective."""
    question, space, sense = drawn
    assume(has_one_meaning(question, space))
    explorer = DSE(space, f"{sense}: objective", {"limit": question.constraint})
    goals = [f"{sense}: objective", "minimize: unused"]
    fronts = []
    for method in ("cp-sat", "exhaustive"):
        try:
            fronts.append(explorer.pareto(question, goals, method=method))
        except MetricError as error:
            fronts.append(str(error))  # type: ignore[arg-type]
    if isinstance(fronts[1], str):
        assert fronts[0] == fronts[1]
    else:
        assert compare_fronts(dict(zip("ab", fronts, strict=True))) == []
