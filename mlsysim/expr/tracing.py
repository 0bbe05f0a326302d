"""Begin a trace: one traced parameter per choice."""

from collections.abc import Mapping
from typing import Any, Protocol

from mlsysim.expr.alternatives import Alternatives
from mlsysim.expr.graph import Graph
from mlsysim.expr.traced import Traced


class TracedDomain(Protocol):
    """A domain as tracing needs it."""

    @property
    def is_numeric(self) -> bool:
        """Whether every value is a number or a truth value."""

    @property
    def is_boolean(self) -> bool:
        """Whether every value is a truth value."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int) -> Any: ...


def parameters(space: Mapping[str, TracedDomain]) -> tuple[Graph, dict[str, Any]]:
    """Start a graph and make the parameters that an evaluator is to be called with.

    Returns
    -------
    Graph
        The graph that the evaluator's arithmetic will grow.
    dict
        A traced number per numeric choice; a stand-in per other choice; and the
        only value itself where there is no choice.
    """
    graph = Graph({name: len(domain) for name, domain in space.items()})
    return graph, {name: _parameter(graph, name, domain) for name, domain in space.items()}


def _parameter(graph: Graph, name: str, domain: TracedDomain) -> Any:
    if len(domain) == 1:
        return domain[0]
    if domain.is_numeric:
        return Traced(graph, graph.choice(name, truth=domain.is_boolean))
    return Alternatives(graph, (name,), [domain[place] for place in range(len(domain))])
