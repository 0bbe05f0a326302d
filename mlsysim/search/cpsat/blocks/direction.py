"""Which way each value should move: the direction in which a question uses it.

A design is no worse for a smaller cost, whatever else is asked, if cost is
minimised and bounded from above everywhere.  Such directions decide which
rows of a block dominate which.
"""

from collections.abc import Callable, Iterable, Mapping

from mlsysim.expr.graph import Apply, Constant, GraphNode


def directions(
    roots: Iterable[tuple[GraphNode, int]],
    ends: Iterable[GraphNode],
    is_positive: Callable[[GraphNode], bool],
) -> Mapping[int, int]:
    """Find the direction in which some values should move.

    Parameters
    ----------
    roots
        Pairs of a node and +1 if it should be large (or true), -1 if small.
    ends
        The values in question.
    is_positive
        Tells whether a number is nowhere negative.

    Returns
    -------
    dict
        Position of each end -> +1, -1, or 0 where neither is safe.
    """
    found: dict[int, int | None] = {node.position: None for node in ends}
    seen: set[tuple[int, int]] = set()
    stack = list(roots)
    while stack:
        node, way = stack.pop()
        if (node.position, way) in seen:
            continue
        seen.add((node.position, way))
        if node.position in found:
            known = found[node.position]
            found[node.position] = way if known in {None, way} else 0
        elif isinstance(node, Apply):
            signs = tuple(_sign(argument, is_positive) for argument in node.arguments)
            factors = node.operation.moves(signs)
            stack.extend(
                (argument, way * factor)
                for argument, factor in zip(node.arguments, factors, strict=True)
            )
    return {position: way or 0 for position, way in found.items()}


def _sign(node: GraphNode, is_positive: Callable[[GraphNode], bool]) -> int:
    if isinstance(node, Constant):
        return -1 if node.value < 0 else 1
    return int(is_positive(node))
