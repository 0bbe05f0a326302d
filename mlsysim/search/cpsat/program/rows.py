"""Designs with their values, and those that fewer than k others dominate.

A design is dominated by another that is at least as good in every value.  With
one value the designs that fewer than k others dominate are the k best; with
several they hold the Pareto front, and everything that can be among the k best
whatever the values are used for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.program.boxes import Positions

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Values are compared with values in blocks of this many numbers.
_BLOCK = 1 << 24
_PART = 256


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Designs that meet every condition, and what is to be minimised of them.

    Parameters
    ----------
    designs
        One row of positions per design.
    values
        One row per design, one column per value; smaller is better.
    """

    designs: Positions
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    def take(self, which: NDArray[np.generic]) -> "Rows":
        """Select rows by a mask or by positions."""
        return Rows(designs=self.designs[which], values=self.values[which])

    def plus(self, other: "Rows") -> "Rows":
        """Put two collections into one."""
        return Rows(
            designs=np.concatenate([self.designs, other.designs]),
            values=np.concatenate([self.values, other.values]),
        )

    def distinct(self) -> "Rows":
        """Drop repeated designs."""
        _, first = np.unique(self.designs, axis=0, return_index=True)
        return self.take(first)

    def sorted(self) -> "Rows":
        """Sort by the first value, then the next, then by the order of the grid."""
        return self.take(order(self.designs, self.values))

    def undominated(self, keep: int) -> "Rows":
        """Keep the designs that fewer than `keep` others dominate, sorted."""
        if self.values.shape[1] == 1:
            return self._best(keep)
        rows = self.distinct().sorted()
        kept = rows.take(np.arange(0))
        for start in range(0, len(rows), _PART):
            part = rows.take(np.arange(start, min(start + _PART, len(rows))))
            part = part.take(dominators(part.values, kept.values) < keep)
            # Sorted as they are, only earlier rows of the part can dominate later ones.
            earlier = np.tril(_no_worse(part.values, part.values), -1).sum(axis=1)
            counts = dominators(part.values, kept.values) + earlier
            kept = kept.plus(part.take(counts < keep))
        return kept

    def _best(self, keep: int) -> "Rows":
        """Give the best by a single value, sorting no more than needed."""
        column = self.values[:, 0]
        count = 4 * keep
        while count < len(self):
            near = self.take(column <= np.partition(column, count)[count]).distinct()
            if len(near) >= keep:
                return near.sorted().take(np.arange(keep))
            count *= 4  # repeated designs took the places
        rows = self.distinct().sorted()
        return rows.take(np.arange(min(keep, len(rows))))


def no_rows(width: int, values: int) -> Rows:
    """Give an empty collection."""
    return Rows(designs=np.empty((0, width), np.int64), values=np.empty((0, values)))


def order(designs: Positions, values: Array) -> NDArray[np.intp]:
    """Order designs by their values, then by the order of the grid."""
    return np.lexsort((*reversed(designs.T), *reversed(values.T)))


def dominators(values: Array, rows: Array) -> NDArray[np.int64]:
    """Count for each tuple of values the rows that are no worse in any of them."""
    counts = np.zeros(len(values), np.int64)
    if not len(values):
        return counts
    step = max(1, _BLOCK // values.size)
    for start in range(0, len(rows), step):
        counts += _no_worse(values, rows[start : start + step]).sum(axis=1)
    return counts


def _no_worse(values: Array, rows: Array) -> Mask:
    better = np.ones((len(values), len(rows)), np.bool_)
    for column in range(values.shape[1]):
        better &= rows[None, :, column] <= values[:, None, column]
    return better
