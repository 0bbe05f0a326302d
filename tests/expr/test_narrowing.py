"""Narrowing a box cuts off nothing that could be allowed."""

import itertools

import numpy as np
import pytest
from expr.test_operations import ARITY, hull
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import graphs, values
from strategies import examples

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.graph import Graph, GraphNode
from mlsysim.expr.inverse import met
from mlsysim.expr.narrowing import BoxNarrower
from mlsysim.expr.operations import OPERATIONS
from mlsysim.expr.ranges import Range


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.inverse])
@given(data=st.data())
@examples(60)
def test_an_inverse_rule_keeps_every_argument(name: str, data: st.DataObject) -> None:
    """Where the result is allowed, each argument is within what the rule leaves of its range."""
    flags = st.sampled_from([0.0, 1.0])
    operation = OPERATIONS[name]
    assert operation.inverse is not None
    columns = [
        data.draw(st.lists(flags if operation.reads_truth(at) else values, min_size=1, max_size=3))
        for at in range(ARITY[name])
    ]
    known = [hull(column) for column in columns]
    arguments = list(itertools.product(*columns))
    with np.errstate(all="ignore"):
        results = [float(operation.compute(*map(np.float64, a))) for a in arguments]
        picked = data.draw(st.lists(st.sampled_from(results), min_size=1, max_size=2))
        forward = operation.bound(*known)
        wanted = met(Range(*(np.array([end(picked)]) for end in (min, max))), forward)
        left = operation.inverse(wanted, *known)
    for argument, result in zip(arguments, results, strict=True):
        if not wanted.low[0] <= result <= wanted.high[0]:
            continue
        for value, before, given_ in zip(argument, known, left, strict=True):
            after = before if given_ is None else met(given_, before)
            assert np.isnan(value) or after.low[0] <= value <= after.high[0], (argument, result)


@given(graphs(), st.data())
@examples(150)
def test_narrowing_keeps_every_allowed_design(
    case: tuple[Graph, dict[str, Column], GraphNode], data: st.DataObject
) -> None:
    """A design whose value is allowed, or not a number, stays in the box."""
    graph, columns, root = case
    grid = np.indices([graph.lengths[name] for name in columns]).reshape(len(columns), -1)
    at = dict(zip(columns, grid, strict=True))
    (found,) = over_designs([root], at, columns)
    found = np.broadcast_to(found, grid.shape[1])
    finite = found[np.isfinite(found)].tolist() or [0.0]
    ends = sorted(data.draw(st.sampled_from(finite)) for _ in range(2))
    allowed = Range(*(np.array(end) for end in ends))
    first = {name: np.zeros(1, np.int64) for name in columns}
    last = {name: np.array([graph.lengths[name] - 1]) for name in columns}
    left = BoxNarrower([root], columns).narrow(first, last, [allowed])
    stays = ((found >= ends[0]) & (found <= ends[1])) | np.isnan(found)
    if stays.any():
        assert len(left.kept) == 1
        for name in columns:
            assert (at[name][stays] >= left.first[name][0]).all()
            assert (at[name][stays] <= left.last[name][0]).all()


def test_a_sum_within_a_budget_narrows_its_terms() -> None:
    """3 x + y <= 10 with y >= 4 leaves x <= 2."""
    graph = Graph({"x": 101, "y": 97})
    columns = {"x": Column(range(101)), "y": Column(range(4, 101))}
    cost = graph.apply(
        "add", graph.apply("multiply", graph.constant(3.0), graph.choice("x")), graph.choice("y")
    )
    whole = {"x": np.array([100]), "y": np.array([96])}
    none = {"x": np.array([0]), "y": np.array([0])}
    allowed = Range(np.array(-np.inf), np.array(10.0))
    left = BoxNarrower([cost], columns).narrow(none, whole, [allowed])
    # x <= (10 - 4) / 3, and y <= 10 stands at position 6.
    assert (left.last["x"].tolist(), left.last["y"].tolist()) == ([2], [6])
