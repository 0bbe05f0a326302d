"""Look up the extremes of a table over blocks of its cells."""

from collections.abc import Mapping

import numpy as np

from mlsysim.certificates.enclosure import Enclosure
from mlsysim.certificates.formulas import Positions
from mlsysim.certificates.rounding import Array, Mask

# Extremes between all pairs of corners are kept of tables up to this size, squared.
_MOST_PAIRS = 1 << 20
_JOINS = (np.minimum, np.maximum, np.maximum)

Ends = Mapping[str, Positions]
"""Choice -> its first, or last, position in each box."""


class Lookup:
    """The extremes of a table over blocks of its cells.

    Parameters
    ----------
    names
        The choices, one per axis.
    low, high, undefined
        What is known of each cell: its ends, and whether it may be no number.
    """

    def __init__(self, names: tuple[str, ...], low: Array, high: Array, undefined: Mask) -> None:
        self._names = names
        self._cells = (low, high, undefined.astype(np.float64))
        parts = list(zip(self._cells, _JOINS, strict=True))
        self._all = [join.reduce(cells, axis=None) for cells, join in parts]
        few = low.size**2 <= _MOST_PAIRS
        self._pairs = [_pairs(cells, join) for cells, join in parts] if few else []

    @classmethod
    def of(cls, names: tuple[str, ...], values: Array) -> "Lookup":
        """Look up single numbers; NaN where there is none."""
        hole = np.isnan(values)
        return cls(names, np.where(hole, np.inf, values), np.where(hole, -np.inf, values), hole)

    def over(self, first: Ends, last: Ends) -> Enclosure:
        """Enclose the cells of each box."""
        if self._pairs:
            at = tuple(ends[name] for name in self._names for ends in (first, last))
            low, high, undefined = (pairs[at] for pairs in self._pairs)
        else:
            single = np.logical_and.reduce([first[name] == last[name] for name in self._names])
            at = tuple(first[name] for name in self._names)
            low, high, undefined = (
                np.where(single, cells[at], whole)
                for cells, whole in zip(self._cells, self._all, strict=True)
            )
        empty = low > high  # holes alone
        return Enclosure(
            low=np.where(empty, -np.inf, low),
            high=np.where(empty, np.inf, high),
            undefined=undefined > 0,
        )


def _pairs(table: Array, join: np.ufunc) -> Array:
    """Join the cells between every two positions, axis after axis."""
    for axis in range(0, 2 * table.ndim, 2):
        cells = np.moveaxis(table, axis, 0)
        count = len(cells)
        pairs = np.full((count, count, *cells.shape[1:]), np.nan)
        for start in range(count):
            pairs[start, start:] = join.accumulate(cells[start:], axis=0)
        table = np.moveaxis(pairs, (0, 1), (axis, axis + 1))
    return table
