"""A minimisation over a graph, read over designs and over boxes.

This is what is left of a question once units, names of metrics and senses of
objectives are dealt with: choices by position, one number to minimise, and
conditions.  Presolve and lowering work on it; it knows nothing of ML.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import BoxReader, over_designs
from mlsysim.expr.graph import Node
from mlsysim.search.cpsat.boxes import Boxes, Positions

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A truth value that must hold.

    Parameters
    ----------
    name
        What to call it in the model.
    node
        The truth value.
    sides
        The numbers that it compares; where one is not finite the evaluator is asked.
    """

    name: str
    node: Node
    sides: tuple[Node, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Designs with their objective.

    Parameters
    ----------
    designs
        One row of positions per design.
    objective
        The value of each.
    """

    designs: Positions
    objective: Array

    def __len__(self) -> int:
        return len(self.objective)

    def best(self, count: int) -> "Priced":
        """Give the best designs, in order; ties go by the order of the grid."""
        if len(self) > 4 * count:
            limit = np.partition(self.objective, count - 1)[count - 1]
            return self.take(self.objective <= limit).sorted().take(np.arange(count))
        return self.sorted().take(np.arange(min(count, len(self))))

    def sorted(self) -> "Priced":
        """Sort by objective, then by the order of the grid."""
        keys = (*reversed(self.designs.T), self.objective)
        return self.take(np.lexsort(keys))

    def distinct(self) -> "Priced":
        """Drop repeated designs: a probe may meet one again that a box brings later."""
        _, first = np.unique(self.designs, axis=0, return_index=True)
        return self.take(first)

    def take(self, which: NDArray[np.generic]) -> "Priced":
        """Select designs by a mask or by positions."""
        return Priced(designs=self.designs[which], objective=self.objective[which])

    def plus(self, other: "Priced") -> "Priced":
        """Put two collections into one."""
        return Priced(
            designs=np.concatenate([self.designs, other.designs]),
            objective=np.concatenate([self.objective, other.objective]),
        )


@dataclass(frozen=True, kw_only=True)
class Tabulated:
    """Designs with their objective and what they meet.

    Parameters
    ----------
    designs
        One row of positions per design.
    objective
        The value of each; infinite where there is none.
    holds
        One row per condition, and a last one for whether the design has
        numbers at all and is not excluded.
    """

    designs: Positions
    objective: Array
    holds: Mask

    def sorted(self) -> "Tabulated":
        """Sort by objective, then by the order of the grid."""
        order = np.lexsort((*reversed(self.designs.T), self.objective))
        return Tabulated(
            designs=self.designs[order],
            objective=self.objective[order],
            holds=self.holds[:, order],
        )


@dataclass(frozen=True, kw_only=True)
class Program:
    """Minimise a node over all designs that meet some conditions.

    Parameters
    ----------
    lengths
        The number of positions of each choice, in the order of the space.
    columns
        The values of the numeric choices.
    objective
        The node to minimise.
    conditions
        What must hold.
    judge
        Asked for the objective of a design where the graph's numbers are not
        finite; gives nothing where the design is infeasible, and may raise.
    estimate
        A node that is nowhere larger than the objective, for tighter bounds.
    excluded
        Designs that must not be returned.
    """

    lengths: Mapping[str, int]
    columns: Mapping[str, Column]
    objective: Node
    conditions: tuple[Condition, ...]
    judge: Callable[[Sequence[int]], float | None]
    estimate: Node | None = None
    excluded: frozenset[tuple[int, ...]] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the choices."""
        return tuple(self.lengths)

    def price(self, designs: Positions) -> Priced:
        """Evaluate designs, and keep those that meet every condition."""
        table = self.tabulate(designs)
        every = np.logical_and.reduce(table.holds, axis=0)
        return Priced(designs=designs, objective=table.objective).take(every)

    def tabulate(self, designs: Positions, *, ask: bool = True) -> "Tabulated":
        """Evaluate designs, and tell which condition each of them meets.

        Parameters
        ----------
        designs
            One row of positions per design.
        ask
            Whether to ask the judge where numbers are not finite.
        """
        numbers = [self.objective, *(side for c in self.conditions for side in c.sides)]
        truths = [condition.node for condition in self.conditions]
        at = dict(zip(self.names, designs.T, strict=True))
        values = over_designs([*numbers, *truths], at, self.columns)
        rows = [np.broadcast_to(value, len(designs)) for value in values]
        sides = iter(rows[1 : len(numbers)])
        holds = np.ones((len(self.conditions) + 1, len(designs)), np.bool_)
        known = np.isfinite(rows[0])
        maybe = np.ones(len(designs), np.bool_)
        for place, (condition, truth) in enumerate(
            zip(self.conditions, rows[len(numbers) :], strict=True)
        ):
            holds[place] = truth != 0
            finite = np.ones(len(designs), np.bool_)
            for _ in condition.sides:
                finite &= np.isfinite(next(sides))
            maybe &= holds[place] | ~finite
            known &= finite
        objective = np.where(known, rows[0], np.inf)
        holds[-1] = known & ~self._excluded(designs)
        for doubtful in np.flatnonzero(maybe & ~known & ask):
            judged = self.judge(designs[doubtful].tolist())
            holds[:, doubtful] = judged is not None
            objective[doubtful] = np.inf if judged is None else judged
        return Tabulated(designs=designs, objective=objective, holds=holds)

    def bound(self, boxes: Boxes) -> Boxes:
        """Bound the objective over boxes, and keep those in which the conditions may hold."""
        first = dict(zip(self.names, boxes.first.T, strict=True))
        last = dict(zip(self.names, boxes.last.T, strict=True))
        objective, estimate, *truths = self._boxes.read(first, last)
        possible = np.ones(len(boxes), np.bool_)
        for truth in truths:
            possible &= (truth.high != 0) | (truth.low != 0)
        low = np.broadcast_to(np.maximum(objective.low, estimate.low), len(boxes))
        bounded = Boxes(first=boxes.first, last=boxes.last, bound=np.maximum(boxes.bound, low))
        return bounded if possible.all() else bounded.take(possible)

    @cached_property
    def _boxes(self) -> BoxReader:
        estimate = self.objective if self.estimate is None else self.estimate
        conditions = (condition.node for condition in self.conditions)
        return BoxReader([self.objective, estimate, *conditions], self.columns)

    def _excluded(self, designs: Positions) -> Mask:
        banned = np.zeros(len(designs), np.bool_)
        for design in self.excluded:
            banned |= np.all(designs == np.array(design), axis=1)
        return banned
