"""The ranges of values over the designs that a model has to represent."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import Node, reachable
from mlsysim.expr.narrowing import BoxNarrower
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.blocks.rowblock import RowBlock
from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.program import TRUE, Program


class ValueRanges:
    """Bounds values over one box of designs, as far as they meet the conditions.

    Parameters
    ----------
    program
        What is minimised.
    box
        The box.
    blocks
        Choices of which only some combinations are of interest.
    """

    def __init__(self, program: Program, box: Boxes, blocks: Sequence[RowBlock]) -> None:
        self._program = program
        self._box = box
        self._blocks = blocks

    def of(self, node: Node) -> Range:
        """Bound a value; also one that was made after the program."""
        if node.position not in self._settled:
            known = {**self._settled, **self._of_blocks(reachable([node]))}
            reader = BoxReader([node], self._program.columns)
            (self._settled[node.position],) = reader.read(*self._ends, known)
        return self._settled[node.position]

    @cached_property
    def _settled(self) -> dict[int, Range]:
        program = self._program
        conditions = [condition.node for condition in program.conditions]
        roots = [*program.objectives, *conditions]
        allowed = [*(None for _ in program.objectives), *(TRUE for _ in conditions)]
        known = self._of_blocks(reachable(roots))
        narrower = BoxNarrower(roots, program.columns)
        settled = narrower.settle(*self._ends, allowed, known)
        if any(np.any(bound.low > bound.high) for bound in settled.values()):
            # No design meets every condition; that is left to the solver to prove.
            return BoxReader(roots, program.columns).read_all(*self._ends, known)
        return settled

    def _of_blocks(self, nodes: Sequence[Node]) -> dict[int, Range]:
        """Bound values over the rows of the blocks that they belong to."""
        return {
            node.position: block.range(node)
            for node in nodes
            for block in self._blocks
            if node.support and block.holds(node)
        }

    @property
    def _ends(self) -> tuple[Mapping[str, Positions], Mapping[str, Positions]]:
        names = self._program.names
        return (
            dict(zip(names, self._box.first.T, strict=True)),
            dict(zip(names, self._box.last.T, strict=True)),
        )
