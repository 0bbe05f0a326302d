"""The product of what is left of some blocks, walked where that is quicker than any model.

A ratio or a maximum over two blocks of a thousand rows each keeps a solver busy for
seconds; a million designs are evaluated in a fraction of one.  What one block's choices
alone decide is evaluated once for each of its rows; only the few operations that join
the blocks are for each design.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlsysim.expr.evaluate import DesignReader, over_designs
from mlsysim.expr.graph import Apply, GraphNode, reachable
from mlsysim.expr.operation import ComparisonOperation, Connective, Sum
from mlsysim.search.cpsat.blocks.partition import Partition, interfaces
from mlsysim.search.cpsat.program.boxes import Positions, Tables
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Array, Mask, Rows, no_rows
from mlsysim.search.cpsat.solving.clock import Clock

# Operations, over all designs together, after which a solver would have the answer as well:
# sums of rows are what it is best at, anything else it has to approach step by step.
_WORTH_FOR_SUMS = 3 * 10**7
_WORTH = 10**9
_AT_A_TIME = 1 << 15
# What is this close to a limit is left to whoever evaluates designs whole.
_CLOSE = 1e-9


@dataclass(frozen=True, kw_only=True)
class RowProduct:
    """Every combination of the rows of blocks, and of the choices that are in none.

    Parameters
    ----------
    program
        What is minimised.
    tables
        Choices of a block -> its rows, by position.
    """

    program: Program
    tables: Tables

    @property
    def is_small(self) -> bool:
        """Whether walking it costs less than solving a model."""
        return self.size <= self._affordable

    @property
    def _affordable(self) -> int:
        """How many designs are evaluated in the time that a solver would take."""
        sums = all(
            isinstance(node.operation, (Sum, ComparisonOperation, Connective))
            for node in self._joining
        )
        worth = _WORTH_FOR_SUMS if sums else _WORTH
        return worth // max(1, len(self._joining))

    def thinned(self) -> "RowProduct":
        """Leave out rows, the others evenly spread, until it is small."""
        factors = dict(self._factors)
        while math.prod(map(len, factors.values())) > max(1, self._affordable):
            names = max(factors, key=lambda name: len(factors[name]))
            rows = factors[names]
            factors[names] = rows[::2]
        return replace(self, tables=factors)

    @cached_property
    def size(self) -> int:
        """The number of designs."""
        return math.prod(map(len, self._factors.values()))

    def best(
        self, keep: int, clock: Clock, is_over: Callable[[], bool] | None = None
    ) -> tuple[Rows, bool]:
        """Evaluate every design, and keep the best.

        Parameters
        ----------
        keep
            How many are wanted.
        clock
            The time that there is; it counts the designs.
        is_over
            Asked now and then instead, where the time that there was is over.

        Returns
        -------
        tuple
            The best of those that were evaluated, and whether they were all.
        """
        found = no_rows(len(self.program.names), 1)
        for start in range(0, self.size, _AT_A_TIME):
            if clock.left <= 0 if is_over is None else is_over():
                return found, False
            places = np.arange(start, min(start + _AT_A_TIME, self.size))
            try:
                found = self._plus(found, places, keep)
            except KeyboardInterrupt:  # those of the portions before are an answer
                clock.interrupt()
                return found, False
            clock.counters["designs"] += len(places)
        return found, True

    def _plus(self, found: Rows, places: Positions, keep: int) -> Rows:
        """Add the best of some designs to those found."""
        rows = self._rows(places)
        last = float(found.values[-1, 0]) if len(found) >= keep else math.inf
        designs = self._designs(rows)[self._may_matter(rows, last)]
        return found.plus(self.program.rows(designs)).undominated(keep)

    def _may_matter(self, rows: Sequence[Positions], last: float) -> Mask:
        """Tell which designs may meet every condition, and be no worse than some objective."""
        known = {
            position: values[rows[factor]]
            for factor, table in enumerate(self._values)
            for position, values in table.items()
        }
        objective, *others = self._reader.read({}, known)
        possible = np.broadcast_to(objective <= last + _CLOSE * abs(last), len(rows[0])).copy()
        read = iter(others)
        for condition in self.program.conditions:
            holds = next(read) != 0
            sides = [next(read) for _ in condition.sides]
            if len(sides) > 1:  # what plain numbers are asked about is not decided here
                left, right = sides
                size = np.maximum(np.abs(left), np.abs(right))
                holds = holds | (np.abs(left - right) <= _CLOSE * size)
            possible &= holds
        return possible

    @cached_property
    def _roots(self) -> list[GraphNode]:
        conditions = self.program.conditions
        return [self.program.objectives[0], *(n for c in conditions for n in (c.node, *c.sides))]

    @cached_property
    def _reader(self) -> DesignReader:
        return DesignReader(self._roots, self.program.columns, self._faces)

    @cached_property
    def _joining(self) -> list[Apply]:
        """The operations that join the factors."""
        ends = {node.position for node in self._faces}
        nodes = (node for node in reachable(self._roots, ends) if node.position not in ends)
        return [node for node in nodes if isinstance(node, Apply)]

    @cached_property
    def _faces(self) -> list[GraphNode]:
        """What the operations that join the factors read of them."""
        return [node for table in self._interfaces.values() for node in table]

    @cached_property
    def _interfaces(self) -> Mapping[int, tuple[GraphNode, ...]]:
        return interfaces(Partition(blocks=tuple(self._factors)), self._roots)

    @cached_property
    def _values(self) -> list[dict[int, Array]]:
        """For each factor its interface, by position in the graph, in each of its rows."""
        tables = []
        for factor, (names, rows) in enumerate(self._factors.items()):
            nodes = self._interfaces[factor]
            at = dict(zip(names, rows.T, strict=True))
            values = over_designs(nodes, at, self.program.columns)
            tables.append(
                {
                    node.position: np.broadcast_to(value, len(rows))
                    for node, value in zip(nodes, values, strict=True)
                }
            )
        return tables

    @cached_property
    def _factors(self) -> dict[tuple[str, ...], Positions]:
        told = {name for names in self.tables for name in names}
        free: dict[tuple[str, ...], Positions] = {
            (name,): np.arange(length, dtype=np.int64)[:, None]
            for name, length in self.program.lengths.items()
            if name not in told
        }
        return {**self.tables, **free}

    def _rows(self, places: Positions) -> list[Positions]:
        """Give the row of each factor at some places of the product."""
        return list(np.unravel_index(places, [len(rows) for rows in self._factors.values()]))

    def _designs(self, rows: Sequence[Positions]) -> Positions:
        designs = np.empty((len(rows[0]), len(self.program.names)), np.int64)
        for (names, table), chosen in zip(self._factors.items(), rows, strict=True):
            designs[:, [self.program.names.index(name) for name in names]] = table[chosen]
        return designs
