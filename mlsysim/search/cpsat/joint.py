"""Joint questions: several blocks of choices that meet in shared formulas.

Eight training jobs that share accelerators, power and money have 1e80 designs
together, but what one job's private choices mean to the rest is a few numbers:
its interface.  Each block is reduced to the rows that fewer than k others
dominate in those numbers; then CP-SAT chooses one row per block under the
shared constraints.  The product of the blocks is never walked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.search.cpsat.boxes import Positions
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.direction import directions
from mlsysim.search.cpsat.lowered import LoweredSearch
from mlsysim.search.cpsat.partition import interfaces, partition
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program import Condition, Program
from mlsysim.search.cpsat.rows import Rows, no_rows

Names = tuple[str, ...]

# Boxes to bound for the rows of one block before the block counts as too hard.
_PATIENCE = 20_000_000


class JointSearch:
    """A question in blocks.

    Parameters
    ----------
    program
        What is minimised.
    keep
        How many best designs are wanted.
    clock
        The time that there is.
    on_progress
        Told the state of each block's presolve now and then.
    """

    def __init__(
        self,
        program: Program,
        keep: int,
        clock: Clock,
        on_progress: Callable[[Presolve], None],
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._on_progress = on_progress
        self._program = replace(program, conditions=tuple(_flattened(program.conditions)))
        roots = [*program.objectives, *(condition.node for condition in self._program.conditions)]
        self._partition = partition(program.names, roots)

    @property
    def applies(self) -> bool:
        """Whether there is more than one block."""
        return len(self._partition.blocks) > 1

    def run(self) -> tuple[Rows, bool, float]:
        """Reduce the blocks and choose among their rows.

        Returns
        -------
        Rows
            The best designs found.
        bool
            Whether they are proven to be the best.
        float
            A lower bound on every design.

        Raises
        ------
        NotLowerableError
            If the shared formulas have no sound encoding.
        """
        nothing = no_rows(len(self._program.names), 1)
        tables: dict[Names, Positions] = {}
        for block in self._blocks():
            presolve = Presolve(
                program=block, keep=self._keep, clock=self._clock, on_progress=self._on_progress
            )
            with self._clock.phase("blocks"):
                finished = presolve.run(_PATIENCE)
                rows = block.rows(presolve.left()).undominated(self._keep) if finished else None
            self._clock.counters["boxes"] += presolve.bounded
            if rows is None:
                return nothing, False, -float("inf")
            self._clock.counters["rows"] += len(rows)
            if not len(rows):
                return nothing, True, float("inf")
            tables[block.names] = rows.designs
        search = LoweredSearch(self._program, self._keep, nothing, tables=tables)
        proven = search.run(self._clock, self._clock.left)
        return search.found, proven, search.bound

    def _blocks(self) -> Iterator[Program]:
        """Make a program of each block: minimise its interface under its own conditions."""
        shared = [c for c in self._program.conditions if self._partition.home(c.node) is None]
        roots = [*self._program.objectives, *(condition.node for condition in shared)]
        faces = interfaces(self._partition, roots)
        ends = [node for nodes in faces.values() for node in nodes]
        ways = directions(
            [*((node, -1) for node in self._program.objectives), *((c.node, 1) for c in shared)],
            ends,
            self._program.rearranger.is_positive,
        )
        for place, names in enumerate(self._partition.blocks):
            if self._stays_integer(names):
                continue
            objectives = [
                node for face in faces[place] for node in self._turned(face, ways[face.position])
            ]
            yield replace(
                self._program,
                lengths={name: self._program.lengths[name] for name in names},
                objectives=tuple(objectives) or (self._program.graph.constant(0.0),),
                conditions=tuple(
                    condition
                    for condition in self._program.conditions
                    if self._partition.home(condition.node) == place
                ),
                judge=_no_judge,
                excluded=frozenset(),
            )

    def _stays_integer(self, names: Names) -> bool:
        """Tell whether a block is one whole number: the solver's own kind of variable."""
        column = self._program.columns.get(names[0])
        return len(names) == 1 and column is not None and column.line is not None

    def _turned(self, face: Node, way: int) -> list[Node]:
        """Turn a value so that smaller is better; both ways where neither is safe."""
        negated = self._program.graph.apply("negative", face)
        return {-1: [face], 1: [negated], 0: [face, negated]}[way]


def _flattened(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """Take conjunctions apart, so that each block gets what is its own."""
    for condition in conditions:
        stack = [condition.node]
        while stack:
            node = stack.pop()
            if isinstance(node, Apply) and node.operation.name == "logical_and":
                stack.extend(node.arguments)
            elif not (isinstance(node, Constant) and node.value):
                yield replace(condition, node=node, sides=_own(condition, node))


def _own(condition: Condition, node: Node) -> tuple[Node, ...]:
    return tuple(side for side in condition.sides if side.support <= node.support)


def _no_judge(_: Sequence[int]) -> None:
    return None
