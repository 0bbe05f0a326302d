"""Find blocks of choices and the interfaces between them.

Choices that meet in a product, a look-up or any other operation that mixes
them belong to one block.  Blocks meet only in sums, maxima, comparisons and
logic, and in whatever is made of values that already span several blocks.  A
training job among several that share a budget is such a block; its interface
is what the shared formulas read of it: its cost, its accelerators, its time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from mlsysim.expr.graph import Apply, Constant, GraphNode, reachable


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Blocks of choices.

    Parameters
    ----------
    blocks
        The choices of each block, in the order of the space.
    """

    blocks: tuple[tuple[str, ...], ...]

    def home(self, node: GraphNode) -> int | None:
        """Give the block that a value depends on; nothing if it spans several, or none."""
        homes = {self._homes[name] for name in node.support}
        return homes.pop() if len(homes) == 1 else None

    @cached_property
    def _homes(self) -> dict[str, int]:
        return {name: place for place, names in enumerate(self.blocks) for name in names}


def partition(names: Iterable[str], roots: Iterable[GraphNode]) -> Partition:
    """Divide choices into blocks."""
    names = tuple(names)
    parent = {name: name for name in names}
    for node in reachable(roots):
        if not (isinstance(node, Apply) and _is_loose(node, parent)):
            _unite(parent, node.support)
    leaders = dict.fromkeys(_find(parent, name) for name in names)
    return Partition(
        blocks=tuple(
            tuple(name for name in names if _find(parent, name) == leader) for leader in leaders
        )
    )


def interfaces(
    partition: Partition, roots: Iterable[GraphNode]
) -> Mapping[int, tuple[GraphNode, ...]]:
    """Find what the formulas that span several blocks read of each one.

    Returns
    -------
    dict
        For each block the largest nodes that depend on it alone.
    """
    found: dict[int, dict[int, GraphNode]] = {place: {} for place in range(len(partition.blocks))}
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.position in seen or isinstance(node, Constant):
            continue
        seen.add(node.position)
        home = partition.home(node)
        if home is not None:
            found[home][node.position] = node
        elif isinstance(node, Apply):
            stack.extend(node.arguments)
    return {home: tuple(nodes[at] for at in sorted(nodes)) for home, nodes in found.items()}


def _is_loose(node: Apply, parent: dict[str, str]) -> bool:
    """Tell whether an operation keeps the blocks of its arguments apart."""
    if node.operation.keeps_blocks_apart:
        return True
    spans = [len({_find(parent, name) for name in argument.support}) for argument in node.arguments]
    # One that only meets constants, or sums over several blocks, mixes nothing.
    return sum(span > 0 for span in spans) <= 1 or all(span != 1 for span in spans)


def _find(parent: dict[str, str], name: str) -> str:
    while parent[name] != name:
        parent[name] = name = parent[parent[name]]
    return name


def _unite(parent: dict[str, str], names: Iterable[str]) -> None:
    leaders = [_find(parent, name) for name in names]
    for leader in leaders[1:]:
        parent[_find(parent, leader)] = _find(parent, leaders[0])
