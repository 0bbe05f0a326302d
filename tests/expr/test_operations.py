"""Every operation has its rules, and its interval rule encloses its values."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import graphs, values
from strategies import examples

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import BoxReader, over_designs
from mlsysim.expr.graph import Graph, GraphNode
from mlsysim.expr.operation import Operation
from mlsysim.expr.operations import OPERATIONS
from mlsysim.expr.ranges import Range

ARITY = {name: operation.arity for name, operation in OPERATIONS.items()}


def contains(bound: Range, value: np.ndarray) -> np.ndarray:
    """Tell where a range holds a value; not a number lies only in the range of everything."""
    everything = np.isneginf(bound.low) & np.isposinf(bound.high)
    return everything | ((bound.low <= value) & (value <= bound.high))


def hull(column: list[float]) -> Range:
    """Give the range of some values: everything if one of them is not a number."""
    if np.isnan(column).any():
        return Range(np.array([-np.inf]), np.array([np.inf]))
    return Range(np.array([min(column)]), np.array([max(column)]))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda row: row.name)
def test_every_operation_is_numpys(operation: Operation) -> None:
    """The meaning of an operation is NumPy's function of its name, and it can be printed."""
    assert operation.compute is getattr(np, operation.name)
    assert operation.arity == operation.text.count("{")
    arguments = "abc"[: ARITY[operation.name]]
    assert all(argument in operation.text.format(*arguments) for argument in arguments)


@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
@examples(40)
def test_an_interval_rule_encloses_every_value(name: str, data: st.DataObject) -> None:
    """Whatever values the arguments take in their ranges, the result lies in its range."""
    operation = OPERATIONS[name]
    columns = [data.draw(st.lists(values, min_size=1, max_size=4)) for _ in range(ARITY[name])]
    if name == "divide":  # a zero below has one sign: plain Python divides by neither
        columns[1] = [value + 0.0 for value in columns[1]]
    with np.errstate(all="ignore"):
        bound = operation.bound(*(hull(column) for column in columns))
        results = np.asarray(operation.compute(*np.meshgrid(*columns)), np.float64)
    assert contains(bound, results).all(), (bound, results)


def operands(graph: Graph, name: str) -> Iterator[GraphNode]:
    """Make as many arguments as an operation has."""
    for place in range(ARITY[name]):
        yield graph.choice("xyz"[place])


@given(graphs(), st.data())
@examples(300)
def test_a_box_encloses_its_designs(
    drawn: tuple[Graph, dict[str, Column], GraphNode], data: st.DataObject
) -> None:
    """The range of a random graph over a random box holds the value of every design in it."""
    graph, columns, root = drawn
    first, last = {}, {}
    for name, length in graph.lengths.items():
        ends = sorted(data.draw(st.integers(0, length - 1)) for _ in range(2))
        first[name], last[name] = (np.array([end]) for end in ends)
    axes = [np.arange(first[name][0], last[name][0] + 1) for name in "xyz"]
    at = dict(zip("xyz", np.meshgrid(*axes, indexing="ij"), strict=True))
    (computed,) = over_designs([root], at, columns)
    (bound,) = BoxReader([root], columns).read(first, last)
    assert contains(bound, computed).all()


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"where"}))
def test_constants_are_folded(name: str) -> None:
    """An operation on constants is the constant that NumPy computes, to the bit."""
    graph = Graph({})
    numbers = [2.75, 0.5][: ARITY[name]]
    node = graph.apply(name, *(graph.constant(number) for number in numbers))
    (value,) = over_designs([node], {}, {})
    assert value == float(getattr(np, name)(*numbers))


def test_equal_expressions_are_one_node() -> None:
    """Ask for x + y twice: it is one node; x * 1 and x + 0 are x itself."""
    graph = Graph({"x": 2, "y": 2})
    x, y = operands(graph, "add")
    assert graph.apply("add", x, y) is graph.apply("add", x, y)
    assert graph.apply("multiply", x, graph.constant(1.0)) is x
    assert graph.apply("add", graph.constant(0.0), x) is x


def test_a_number_below_zero_counts_as_true() -> None:
    """where(-1, a, b) is a, as for NumPy: the range must not take it for b."""
    condition = Range(np.array([-1.0]), np.array([-1.0]))
    yes, no = Range(np.array([5.0]), np.array([5.0])), Range(np.array([7.0]), np.array([7.0]))
    assert OPERATIONS["where"].bound(condition, yes, no) == yes
