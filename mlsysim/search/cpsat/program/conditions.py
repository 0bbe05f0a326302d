"""What designs of a program must meet, and what they are known to meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlsysim.expr.graph import Apply, GraphNode, reachable
from mlsysim.problem.domain import EXACT
from mlsysim.search.cpsat.program.boxes import Positions
from mlsysim.search.cpsat.program.rows import Array, Mask, Rows, order

# Sides this close, relative, may compare either way where libraries round differently.
_CLOSE = 1e-12


@dataclass(frozen=True, kw_only=True)
class GraphCondition:
    """A truth value that must hold, between finite numbers where it compares some.

    Parameters
    ----------
    name
        What to call it in the model.
    node
        The truth value.
    sides
        The numbers that it compares; where one is not finite it does not hold.
    """

    name: str
    node: GraphNode
    sides: tuple[GraphNode, ...] = ()

    @cached_property
    def is_inexact(self) -> bool:
        """Whether arrays may differ from plain numbers in the last place of a side.

        Sums, products and roots round alike everywhere; exponentials, logarithms
        and powers come from different libraries.
        """
        return any(
            isinstance(node, Apply) and not node.operation.is_exact
            for node in reachable(self.sides)
        )

    def is_close(self, sides: Sequence[Array]) -> Mask:
        """Tell for which designs plain numbers may decide the condition another way."""
        if len(sides) != 2:  # noqa: PLR2004 - left, right
            return np.zeros(1, np.bool_)
        left, right = sides
        size = np.maximum(np.abs(left), np.abs(right))
        close = np.abs(left - right) <= _CLOSE * size
        # Beyond 2**53 plain Python counts on, where floats skip.
        return np.asarray(close if self.is_inexact else close & (size > EXACT), np.bool_)


@dataclass(frozen=True, kw_only=True)
class Tabulated:
    """Designs with their values and what they meet.

    Parameters
    ----------
    designs
        One row of positions per design.
    values
        One column per objective; infinite where there is no number.
    holds
        One row per condition, and a last one for whether the design has
        numbers at all and is not excluded.
    """

    designs: Positions
    values: Array
    holds: Mask

    @property
    def feasible(self) -> Rows:
        """The designs that meet every condition."""
        every = np.logical_and.reduce(self.holds, axis=0)
        return Rows(designs=self.designs, values=self.values).take(every)

    def sorted(self) -> "Tabulated":
        """Sort by the values, then by the order of the grid."""
        place = order(self.designs, self.values)
        return Tabulated(
            designs=self.designs[place], values=self.values[place], holds=self.holds[:, place]
        )
