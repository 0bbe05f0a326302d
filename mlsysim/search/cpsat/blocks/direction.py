"""Which way each value should move: the direction in which a question uses it.

A design is no worse for a smaller cost, whatever else is asked, if cost is
minimised and bounded from above everywhere.  Such directions decide which
rows of a block dominate which.
"""

from collections.abc import Callable, Iterable, Mapping

from mlsysim.expr.graph import Apply, Constant, Node

# Rising in every argument.
_RISING = frozenset(
    {
        "add",
        "maximum",
        "minimum",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "sign",
        "sqrt",
        "cbrt",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "logical_and",
        "logical_or",
    }
)
# Rising in the first argument, falling in the second.
_FALLING_SECOND = frozenset({"subtract", "greater", "greater_equal"})
_FALLING_FIRST = frozenset({"less", "less_equal"})
_FALLING = frozenset({"negative", "logical_not"})


def directions(
    roots: Iterable[tuple[Node, int]],
    ends: Iterable[Node],
    is_positive: Callable[[Node], bool],
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
            factors = _factors(node, is_positive)
            stack.extend(
                (argument, way * factor)
                for argument, factor in zip(node.arguments, factors, strict=True)
            )
    return {position: way or 0 for position, way in found.items()}


def _factors(node: Apply, is_positive: Callable[[Node], bool]) -> tuple[int, ...]:
    """Say how an operation moves with each argument: +1, -1, or 0 for unknown."""
    name, arguments = node.operation.name, node.arguments
    if name in _RISING:
        return (1,) * len(arguments)
    if name in _FALLING:
        return (-1,)
    if name in _FALLING_SECOND:
        return (1, -1)
    if name in _FALLING_FIRST:
        return (-1, 1)
    if name in {"multiply", "divide"}:
        first, second = (_sign(argument, is_positive) for argument in arguments)
        return (second, first) if name == "multiply" else (second, -first * abs(second))
    return (0, 1, 1) if name == "where" else (0,) * len(arguments)


def _sign(node: Node, is_positive: Callable[[Node], bool]) -> int:
    if isinstance(node, Constant):
        return -1 if node.value < 0 else 1
    return int(is_positive(node))
