"""The functions for evaluators give the same on numbers, arrays, quantities and traces."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MACHINES, Term, examples, spaces, terms, truths

from mlsysim.errors import ParameterError, TracingError
from mlsysim.expr import functions
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.traced import Traced, node_of
from mlsysim.expr.tracing import parameters
from mlsysim.problem.space import SearchSpace
from mlsysim.units import magnitude, quantity


@given(st.data())
@examples(150)
def test_the_three_readings_agree(data: st.DataObject) -> None:
    """A random formula gives the same on plain numbers, on arrays and traced."""
    space = SearchSpace(data.draw(spaces()))
    drawn = terms(space)
    term: Term = data.draw(drawn | truths(drawn))
    graph, params = parameters(space)
    traced = term(params)
    index = data.draw(st.integers(0, space.size - 1))
    point = space.point(index)
    plain = float(term(point))
    node = node_of(graph, traced)
    columns = {name: Column(domain.values) for name, domain in space.items() if domain.is_numeric}
    at = {name: np.array([domain.index(point[name])]) for name, domain in space.items()}
    assert node is not None
    (row,) = over_designs([node], at, columns)
    assert math.isclose(float(np.ravel(row)[0]), plain, rel_tol=1e-12, abs_tol=1e-12)
    arrays = {
        name: np.array([float(value)]) if space[name].is_numeric else value
        for name, value in point.items()
    }
    assert math.isclose(float(np.ravel(term(arrays))[0]), plain, rel_tol=1e-12, abs_tol=1e-12)


PAIRS = [
    (functions.maximum, (2.0, 3.0, 1.0), 3.0),
    (functions.minimum, (2.0, 3.0, 1.0), 1.0),
    (functions.ceil, (2.1,), 3.0),
    (functions.floor, (2.9,), 2.0),
    (functions.absolute, (-3.0,), 3.0),
]


@pytest.mark.parametrize(("function", "values", "expected"), PAIRS)
def test_quantities_keep_their_unit(function: Any, values: Any, expected: float) -> None:
    """A function of quantities is the quantity of the function, alone or in arrays."""
    plain = function(*(quantity(value, "ms") for value in values))
    assert magnitude(plain, "ms") == expected == function(*values)
    arrays = function(*(quantity(np.array([value, value]), "ms") for value in values))
    assert magnitude(arrays, "ms").tolist() == [expected, expected]


def test_where_takes_quantities_of_different_scale() -> None:
    """where(condition, 1 s, 5 ms) converts, whether the condition is plain or an array."""
    yes, no = quantity(1.0, "s"), quantity(5.0, "ms")
    assert magnitude(functions.where(True, yes, no), "ms") == 1000.0  # noqa: FBT003
    both = functions.where(np.array([True, False]), yes, no)
    assert magnitude(both, "ms").tolist() == [1000.0, 5.0]


def test_select_looks_up_plain_keys() -> None:
    """A plain key is looked up; an unknown one is refused with the nearest."""
    assert functions.select("fp8", {"bf16": 1, "fp8": 2}) == 2
    assert functions.select(np.float64(2.0), {1: "a", 2: "b"}) == "b"
    with pytest.raises(ParameterError, match="did you mean 'bf16'"):
        functions.select("bf61", {"bf16": 1, "fp8": 2})


def test_select_looks_up_arrays_and_traced_numbers() -> None:
    """A key of several numbers gives one value for each; a number without one gives none."""
    array = functions.select(np.array([1.0, 4.0, 9.0]), {1: 10.0, 4: 40.0})
    assert array[:2].tolist() == [10.0, 40.0]
    assert np.isnan(array[2])
    space = SearchSpace({"x": [1, 4]})
    graph, params = parameters(space)
    chosen = functions.select(params["x"], {1: quantity(1.0, "s"), 4: quantity(40.0, "ms")})
    node = node_of(graph, magnitude(chosen, "ms"))
    assert node is not None
    (row,) = over_designs([node], {"x": np.arange(2)}, {"x": Column([1, 4])})
    assert row.tolist() == [1000.0, 40.0]


def test_truth_values_combine_plainly() -> None:
    """Plain truth values stay Python's own; arrays go through NumPy."""
    assert functions.logical_and(True, np.True_) is True  # noqa: FBT003
    assert functions.logical_or(False, np.False_) is False  # noqa: FBT003
    assert functions.logical_not(False) is True  # noqa: FBT003
    both = functions.logical_and(np.array([True, False]), True)  # noqa: FBT003
    assert both.tolist() == [True, False]


def test_a_single_value_is_no_choice() -> None:
    """A choice of one value is handed over as it is, so that any code can use it."""
    space = SearchSpace({"x": [3], "machine": [MACHINES[0]], "y": [1, 2]})
    _, params = parameters(space)
    assert params["x"] == 3
    assert params["machine"] is MACHINES[0]
    assert isinstance(params["y"], Traced)
    with pytest.raises(TracingError, match="where"):
        bool(params["y"])
