"""Read a graph as text."""

from mlsysim.expr.graph import Apply, Choice, Constant, GraphNode, Table

_DEPTH = 4


def describe(node: GraphNode, depth: int = _DEPTH) -> str:
    """Write an expression for people, cut off below a depth.

    Examples
    --------
    >>> from mlsysim.expr.graph import Graph
    >>> graph = Graph({"x": 3})
    >>> describe(graph.apply("add", graph.choice("x"), graph.constant(2)))
    '(x + 2)'
    """
    if isinstance(node, Constant):
        return f"{node.value:g}"
    if isinstance(node, Choice):
        return node.name
    if isinstance(node, Table):
        return f"table[{', '.join(node.names)}]"
    if isinstance(node, Apply) and depth > 0:
        inner = (describe(argument, depth - 1) for argument in node.arguments)
        return node.operation.text.format(*inner)
    return "…"
