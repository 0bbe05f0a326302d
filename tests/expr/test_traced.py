"""Traced values: arithmetic grows the graph, and what needs one number is refused."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlsysim.errors import TracingError
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Graph
from mlsysim.expr.text import describe
from mlsysim.expr.traced import Traced
from mlsysim.units import magnitude, quantity, unit_of

VALUES = [1.5, -2.0, 4.0]

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
    np.maximum,
    np.minimum,
    np.add,
    np.true_divide,
    np.mod,
    np.less_equal,
]
UNARY = [
    operator.neg,
    operator.pos,
    abs,
    math.ceil,
    math.floor,
    math.trunc,
    round,
    np.ceil,
    np.rint,
    np.sign,
    np.square,
    np.cbrt,
    np.exp,
    np.fabs,
    np.positive,
]


def traced(values: list[float]) -> tuple[Any, Callable[[Any], list[float]]]:
    """Trace a choice x; also give a function that reads a result at every value of it."""
    graph = Graph({"x": len(values)})
    columns = {"x": Column(values)}

    def read(result: Any) -> list[float]:
        (row,) = over_designs([result.node], {"x": np.arange(len(values))}, columns)
        return np.broadcast_to(row, len(values)).tolist()

    return Traced(graph, graph.choice("x")), read


@pytest.mark.parametrize("function", BINARY, ids=repr)
def test_binary_operators_are_those_of_floats(function: Callable[[Any, Any], Any]) -> None:
    """An operator on a traced value and a number, on either side, is the one on floats."""
    x, read = traced(VALUES)
    assert read(function(x, 3.0)) == [float(function(value, 3.0)) for value in VALUES]
    assert read(function(3.0, x)) == [float(function(3.0, value)) for value in VALUES]
    assert read(function(x, np.float64(3))) == read(function(x, 3))
    assert read(function(np.float64(3), x)) == read(function(3, x))


@pytest.mark.parametrize("function", UNARY, ids=repr)
def test_unary_functions_are_those_of_floats(function: Callable[[Any], Any]) -> None:
    """A function of a traced value is the one of floats, to the bit."""
    x, read = traced(VALUES)
    assert read(function(x)) == [float(function(np.float64(value))) for value in VALUES]


def test_powers_are_those_of_floats() -> None:
    """Read x ** 2 and 2 ** x: squares and powers of two are exact in floating point."""
    x, read = traced([1.0, 2.0, 3.0])
    assert read(x**2) == [1.0, 4.0, 9.0]
    assert read(2**x) == [2.0, 4.0, 8.0]


def test_numpy_functions_are_traced() -> None:
    """np.where, np.clip and np.round see a traced value as NumPy sees a number."""
    x, read = traced([1.125, -2.0, 4.0])
    assert read(np.where(x > 1, x, 0.5)) == [1.125, 0.5, 4.0]
    assert read(np.clip(x, 0, 3)) == [1.125, 0.0, 3.0]
    assert read(np.clip(x, None, 3)) == [1.125, -2.0, 3.0]
    assert read(np.round(x, 2)) == [float(np.round(value, 2)) for value in (1.125, -2.0, 4.0)]
    assert read(np.round(x, -1)) == [0.0, 0.0, 0.0]


def test_connectives_join_truth_values() -> None:
    """& | ^ between comparisons are and, or, xor."""
    x, read = traced(VALUES)  # 1.5, -2, 4
    assert read((x > 0) & (x < 2)) == [1.0, 0.0, 0.0]
    assert read((x > 0) | (x < -1)) == [1.0, 1.0, 1.0]
    assert read((x > 0) ^ (x < 2)) == [0.0, 1.0, 1.0]
    assert read(True & (x > 0)) == [1.0, 0.0, 1.0]
    assert read(np.invert(x > 0)) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("left", [True, False])
def test_quantities_keep_their_units(left: bool) -> None:  # noqa: FBT001
    """A quantity and a traced value multiply in either order, and convert as numbers do."""
    x, read = traced(VALUES)
    size = quantity(2.0, "GB")
    product = size * x if left else x * size
    assert read(magnitude(product, "MB")) == [2000 * value for value in VALUES]
    rate = (product / quantity(4.0, "s")).to("GB/s")
    assert unit_of(rate) == "GB/s"
    assert read(magnitude(rate, "GB/s")) == [value / 2 for value in VALUES]


def test_quantities_compare_and_combine() -> None:
    """1500 ms + x s, compared with 2 s and taken the maximum of, minds the units."""
    x, read = traced([0.25, 1.0])
    total = quantity(1500.0, "ms") + quantity(x, "s")
    assert read(magnitude(total, "ms")) == [1750.0, 2500.0]
    assert read(total <= quantity(2.0, "s")) == [1.0, 0.0]
    assert read(magnitude(np.maximum(total, quantity(2.0, "s")), "s")) == [2.0, 2.5]
    chosen = np.where(x > 0.5, quantity(1.0, "s"), quantity(7.0, "ms"))
    assert read(magnitude(chosen, "ms")) == [7.0, 1000.0]


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "if": (lambda x: 1 if x else 2, "where"),
    "chained comparison": (lambda x: 1 < x < 3, "logical_and"),
    "not": (lambda x: not x, "logical_not"),
    "max": (lambda x: max(x, 3), "maximum"),
    "min of two": (lambda x: min(x, x + 1), "minimum"),
    "in a list": (lambda x: x in [1, 2], "where"),
    "float": (float, "sqrt"),
    "math.sqrt": (math.sqrt, "sqrt"),
    "int": (int, "floor"),
    "range": (range, "select"),
    "index of a list": (lambda x: [1, 2, 3][x], "select"),
    "key of a dict": (lambda x: {1: 2}[x], "select"),
    "in a set": (lambda x: x in {1, 2}, "select"),
    "loop": (list, "arithmetic"),
    "sum": (sum, "arithmetic"),
    "array": (lambda x: x + np.array([1.0, 2.0]), "one number"),
    "array on the left": (lambda x: np.array([1.0, 2.0]) * x, "one number"),
    "bits": (lambda x: x & 1, "%"),
    "bits on the left": (lambda x: 3 | x, "%"),
    "bits by NumPy": (lambda x: np.bitwise_xor(x, 1), "%"),
    "tilde": (lambda x: ~(x > 1), "logical_not"),
    "digits": (lambda x: round(x, 2), "np.round"),
    "ufunc with options": (lambda x: np.add(x, 1, where=True), "in this form"),
    "ufunc without a rule": (np.arctan, "traceable"),
    "function without a rule": (np.median, "exhaustive"),
    "another trace": (lambda x: x + traced(VALUES)[0], "two searches"),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.filterwarnings("ignore:Bitwise inversion")
def test_what_needs_one_number_is_refused_with_a_remedy(name: str) -> None:
    """A branch, a float, a key, a loop, bits: each is refused, and the message tells what to do."""
    action, remedy = REFUSALS[name]
    x, _ = traced(VALUES)
    with pytest.raises(TracingError, match=remedy):
        action(x)


def test_what_is_no_number_is_left_to_python() -> None:
    """Adding a string is Python's own TypeError, and x == 'a' is False as for a float."""
    x, _ = traced(VALUES)
    with pytest.raises(TypeError, match="unsupported operand"):
        x + "a"
    assert (x == "a") is False
    assert (x != None) is True  # noqa: E711


def test_expressions_print_for_people() -> None:
    """ceil((x + 1) / 3) prints as it was written; deep expressions are cut."""
    x, _ = traced(VALUES)
    assert describe(np.ceil((x + 1) / 3).node) == "ceil(((x + 1) / 3))"
    assert "…" in describe((((((x + 1) * x) + 1) * x) + 1).node)
    assert repr(x) == "<traced value of x>"


def test_a_truth_value_counts_as_one_or_zero() -> None:
    """A traced truth value can be multiplied: 3 * flag is 0 or 3."""
    graph = Graph({"flag": 2})
    on: Any = Traced(graph, graph.choice("flag", truth=True))
    (row,) = over_designs([(3 * on).node], {"flag": np.arange(2)}, {"flag": Column([False, True])})
    assert row.tolist() == [0.0, 3.0]
