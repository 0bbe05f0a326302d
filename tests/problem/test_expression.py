"""Expressions mean what the same arithmetic means in Python."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.problem import Constraint, Expression, Relation
from mlsysim.units import magnitude, quantity

NAMES = {"x": 3.5, "y": -2.0, "metric.path": 7.0}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}

Case = tuple[str, float]


def binary(parts: tuple[Case, str, Case]) -> Case:
    """Combine two operands, in text and in Python."""
    (left_text, left), sign, (right_text, right) = parts
    value = OPERATORS[sign](left, right) if right or sign in "+-*" else left
    text = f"({left_text}) {sign} ({right_text})" if right or sign in "+-*" else left_text
    return text, value


leaves: st.SearchStrategy[Case] = st.one_of(
    st.floats(0, 1e6, allow_nan=False).map(lambda value: (repr(value), value)),
    st.integers(0, 10**6).map(lambda value: (f"{value:_}", float(value))),
    st.sampled_from(sorted(NAMES.items())),
)
cases: st.SearchStrategy[Case] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(sorted(OPERATORS)), inner).map(binary),
        inner.map(lambda case: (f"-({case[0]})", -case[1])),
        st.tuples(inner, inner).map(
            lambda two: (f"max({two[0][0]}, {two[1][0]})", max(two[0][1], two[1][1]))
        ),
        inner.map(lambda case: (f"abs({case[0]})", abs(case[1]))),
    ),
    max_leaves=12,
)


@given(cases)
def test_expressions_evaluate_like_python(case: Case) -> None:
    """The value is that of Python's floats, bit for bit."""
    text, expected = case
    assert Expression.parse(text).evaluate(NAMES.__getitem__) == pytest.approx(
        expected, rel=1e-12, nan_ok=True
    )


@given(cases)
def test_the_normal_form_parses_to_itself(case: Case) -> None:
    """Writing an expression and reading it again changes nothing."""
    parsed = Expression.parse(case[0])
    assert Expression.parse(parsed.text) == parsed


@given(cases)
def test_arrays_give_what_single_numbers_give(case: Case) -> None:
    """An expression read on arrays is that expression read on each element."""
    parsed = Expression.parse(case[0])
    names = {name: np.array([value, 2 * value]) for name, value in NAMES.items()}
    with np.errstate(all="ignore"):
        found = np.broadcast_to(parsed.evaluate(names.__getitem__), (2,))
    assert found[0] == pytest.approx(parsed.evaluate(NAMES.__getitem__), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2 ** 2", -4),  # the power binds tighter than the sign
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512),  # from the right: 2 ** 9
        ("7 - 2 - 1", 4),  # from the left
        ("8 / 4 / 2", 1),
        ("7 // 2 * 2", 6),
        ("-7 % 4", 1),  # the sign of the divisor
        ("ceil(7 / 2) + floor(7 / 2)", 7),
        ("min(3, 1, 2)", 1),
        ("1_000 + 1e3 + .5", 2000.5),
        ("+3", 3),
        ("2 ** 100", 2.0**100),
    ],
)
def test_precedence_is_that_of_python(text: str, value: float) -> None:
    """Signs, powers and products bind as in Python."""
    assert Expression.parse(text).evaluate(NAMES.__getitem__) == value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("50 ms", "ms", 50),
        ("50ms", "ms", 50),
        ("100 / 50 ms", "1/ms", 2),  # the unit binds tighter than the division
        ("50 GB/s", "GB/s", 50),
        ("2 USD/hour * 3 hour", "USD", 6),
        ("(2 s) ** 2", "s**2", 4),
        ("abs(-3 ms) + 1 s", "ms", 1003),
        ("max(1 s, 1500 ms)", "s", 1.5),
        ("5 s // 2 s", "", 2),
        ("5 s % 2000 ms", "s", 1),
        ("-5 s", "s", -5),
    ],
)
def test_a_unit_belongs_to_the_number_before_it(text: str, unit: str, value: float) -> None:
    """A number with a unit is one quantity."""

    def names(name: str) -> Any:
        return quantity(1.0, name)

    assert magnitude(Expression.parse(text).evaluate(names), unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a.b<=50ms", "a.b <= 50 ms"),
        ("(tp * pp)<=64", "tp * pp <= 64"),
        ("bw>=50 GB/s", "bw >= 50 GB/s"),
        ("a - (b - c) == 0", "a - (b - c) == 0"),
        ('precision != "fp8"', "precision != 'fp8'"),
        ("recompute == TRUE", "recompute == true"),
        ("(-x) ** 2 > (2 s) ** 2", "(-x) ** 2 > (2 s) ** 2"),
    ],
)
def test_constraints_are_named_by_their_normal_form(text: str, normal: str) -> None:
    """Without a name of its own, a constraint is called by its text."""
    assert Constraint.parse(text).name == normal
    assert Constraint.parse(normal).text == normal


def test_sides_come_in_the_unit_of_the_left() -> None:
    """50 ms against a metric in seconds is 0.05."""
    names = {"latency": quantity(0.04, "s")}
    assert Constraint.parse("latency <= 50 ms").sides(names.__getitem__) == (0.04, 0.05, "s")


def test_a_division_by_zero_is_no_number() -> None:
    """What Python refuses to divide is NaN, as it is in an array."""
    left, right, _ = Constraint.parse("batch % dp == 0").sides({"batch": 8, "dp": 0}.__getitem__)
    assert np.isnan(left)
    assert right == 0


@pytest.mark.parametrize("relation", list(Relation))
def test_every_relation_compares_and_measures(relation: Relation) -> None:
    """A relation that holds needs no excess, but for strict ones at equality."""
    for left, right in ((1.0, 2.0), (2.0, 1.0), (1.0, 1.0)):
        expected = eval(f"{left} {relation} {right}")  # noqa: S307 - the oracle is Python itself
        assert relation.holds(left, right) == expected
        if not expected and left != right:
            assert relation.excess(left, right) == 1.0  # |2 - 1|, whichever way
