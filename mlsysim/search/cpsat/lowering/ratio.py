"""Objectives that are ratios, such as dollars per token over a whole fleet.

A ratio of sums has no good linear bound, but it need not have one: asking for
``above / below < best`` is asking for ``above - best * below < 0``, which is
linear, and so is minimising that difference (Dinkelbach 1967).  A few rounds
with the best value found so far reach the optimum, and the last one proves it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mlsysim.expr.graph import Apply, Constant, Graph, GraphNode
from mlsysim.expr.operation import Product, Quotient, Sum


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """An objective ``above / below`` with a positive divisor."""

    graph: Graph
    above: GraphNode
    below: GraphNode

    def excess(self, value: float) -> GraphNode:
        """Give ``above - value * below``, negative exactly where the ratio is smaller."""
        scaled = self.graph.apply("multiply", self.graph.constant(value), self.below)
        return self.graph.apply("subtract", self.above, scaled)


def as_ratio(
    graph: Graph, node: GraphNode, is_positive: Callable[[GraphNode], bool]
) -> Ratio | None:
    """Read an objective as a ratio of two numbers that both vary; nothing if it is none."""
    if not isinstance(node, Apply):
        return None
    if isinstance(node.operation, Quotient) and not isinstance(node.arguments[1], Constant):
        above, below = node.arguments
        if above.support and is_positive(below):
            return Ratio(graph=graph, above=above, below=below)
        return None
    for inner, rebuild in _factors(graph, node):
        ratio = as_ratio(graph, inner, is_positive)
        if ratio is not None:
            return Ratio(graph=graph, above=rebuild(ratio.above), below=ratio.below)
    return None


def _factors(graph: Graph, node: Apply) -> list[tuple[GraphNode, Callable[[GraphNode], GraphNode]]]:
    """List the arguments that a node is a constant multiple of, and how to rebuild it."""
    match node:
        case Apply(operation=Sum(coefficients=(-1,)), arguments=(inner,)):
            return [(inner, lambda inner: graph.apply("negative", inner))]
        case Apply(operation=Quotient(), arguments=(inner, Constant() as divisor)):
            return [(inner, lambda inner: graph.apply("divide", inner, divisor))]
        case (
            Apply(operation=Product(), arguments=(Constant() as factor, inner))
            | Apply(operation=Product(), arguments=(inner, Constant() as factor))
        ):
            return [(inner, lambda inner: graph.apply("multiply", factor, inner))]
        case _:
            return []
