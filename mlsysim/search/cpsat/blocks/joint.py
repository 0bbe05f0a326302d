"""Joint questions: several blocks of choices that meet in shared formulas.

Eight training jobs that share accelerators, power and money have 1e80 designs
together, but what one job's private choices mean to the rest is a few numbers:
its interface.  Each block is reduced to the rows that fewer than k others
dominate in those numbers; then CP-SAT chooses one row per block under the
shared constraints.  The product of the blocks is never walked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlsysim.expr.graph import Constant, GraphNode, is_conjunction
from mlsysim.search.cpsat.blocks.direction import directions
from mlsysim.search.cpsat.blocks.partition import interfaces, partition
from mlsysim.search.cpsat.program.conditions import GraphCondition
from mlsysim.search.cpsat.program.program import Program

Names = tuple[str, ...]


class Blocks:
    """A program, divided into blocks.

    Parameters
    ----------
    program
        What is minimised.

    Attributes
    ----------
    program
        The same with its conditions taken apart, so that each block gets its own.
    """

    def __init__(self, program: Program) -> None:
        self.program = replace(program, conditions=tuple(_flattened(program.conditions)))
        roots = [*program.objectives, *(condition.node for condition in self.program.conditions)]
        self._partition = partition(program.names, roots)

    def __len__(self) -> int:
        return len(self._partition.blocks)

    def programs(self) -> Iterator[Program]:
        """Make a program of each block: minimise its interface under its own conditions.

        A block of one whole number makes none; it stays an integer of the solver.
        """
        shared = [c for c in self.program.conditions if self._partition.home(c.node) is None]
        roots = [*self.program.objectives, *(condition.node for condition in shared)]
        faces = interfaces(self._partition, roots)
        ends = [node for nodes in faces.values() for node in nodes]
        ways = directions(
            [*((node, -1) for node in self.program.objectives), *((c.node, 1) for c in shared)],
            ends,
            self.program.estimates.rearranger.is_positive,
        )
        for place, names in enumerate(self._partition.blocks):
            if self._stays_integer(names):
                continue
            objectives = [
                node for face in faces[place] for node in self._turned(face, ways[face.position])
            ]
            yield replace(
                self.program,
                lengths={name: self.program.lengths[name] for name in names},
                objectives=tuple(objectives) or (self.program.graph.constant(0.0),),
                conditions=tuple(
                    condition
                    for condition in self.program.conditions
                    if self._partition.home(condition.node) == place
                ),
                accepts=None,
                # What one block leaves undefined, the others may leave out.
                strict=True,
                excluded=frozenset(),
            )

    def _stays_integer(self, names: Names) -> bool:
        """Tell whether a block is one whole number: the solver's own kind of variable."""
        column = self.program.columns.get(names[0])
        return len(names) == 1 and column is not None and column.line is not None

    def _turned(self, face: GraphNode, way: int) -> list[GraphNode]:
        """Turn a value so that smaller is better; both ways where neither is safe."""
        negated = self.program.graph.apply("negative", face)
        return {-1: [face], 1: [negated], 0: [face, negated]}[way]


def _flattened(conditions: Sequence[GraphCondition]) -> Iterator[GraphCondition]:
    """Take conjunctions apart, so that each block gets what is its own."""
    for condition in conditions:
        stack = [condition.node]
        while stack:
            node = stack.pop()
            if is_conjunction(node):
                stack.extend(node.arguments)
            elif not (isinstance(node, Constant) and node.value):
                yield replace(condition, node=node, sides=_own(condition, node))


def _own(condition: GraphCondition, node: GraphNode) -> tuple[GraphNode, ...]:
    return tuple(side for side in condition.sides if side.support <= node.support)
