"""Random graphs of operations over three choices, with numbers of every kind in them."""

import numpy as np
from hypothesis import strategies as st

from mlsysim.expr.columns import Column
from mlsysim.expr.graph import Graph, GraphNode
from mlsysim.expr.operations import OPERATIONS

# Whole, fractional, tiny, huge, infinite, around zero, and what is not a number.
values = st.one_of(
    st.integers(-6, 6).map(float),
    st.floats(-8, 8, allow_subnormal=False),
    st.sampled_from([1e-6, 0.1, 0.3, 7.5e11, 1e12, -1e12, 2.0**51, 1e-300, 1e300, -1e300]),
    st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan]),
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, dict[str, Column], GraphNode]:
    """Draw a graph over three choices, at random from all operations."""
    names = "xyz"
    finite = st.one_of(
        st.integers(-6, 6).map(float), st.sampled_from([0.1, 1e-6, 1e12, 2.5, -3e7, 1e5])
    )
    columns = {name: draw(st.lists(finite, min_size=1, max_size=5, unique=True)) for name in names}
    graph = Graph({name: len(column) for name, column in columns.items()})
    table = np.array([[draw(values) for _ in columns["y"]] for _ in columns["x"]])
    nodes: list[GraphNode] = [graph.choice(name) for name in names]
    nodes += [graph.table(("x", "y"), table), graph.constant(draw(finite))]
    for _ in range(draw(st.integers(1, 8))):
        operation = draw(st.sampled_from(sorted(OPERATIONS)))
        picked = [draw(st.sampled_from(nodes)) for _ in range(OPERATIONS[operation].arity)]
        nodes.append(graph.apply(operation, *picked))
    return graph, {name: Column(column) for name, column in columns.items()}, nodes[-1]
