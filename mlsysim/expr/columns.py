"""The numbers behind positions: values of a domain, and extremes over ranges of positions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

# A table this small has its extremes over every pair of ends tabulated.
_ALL_PAIRS = 1 << 20
# A table this short is looked through entry by entry.
SCANNED = 128
# Positions found by dividing floats are off by less than this.
_NEARLY = 1e-6


class Column:
    """The values of one numeric choice; a `range` is never expanded.

    Parameters
    ----------
    values
        A range, or a sequence of numbers.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self._progression = values if isinstance(values, range) else None
        self._array = np.empty(0) if self._progression else np.array(values, np.float64)
        steps = np.diff(self._array)
        self._monotone = bool(np.all(steps > 0) or np.all(steps < 0))
        self._extremes = None if self._monotone else Extremes(self._array)

    @property
    def line(self) -> tuple[int, int] | None:
        """The first value and the step, where the values are equally spaced whole numbers."""
        if self._progression is not None:
            return self._progression.start, self._progression.step
        steps = np.diff(self._array)
        if steps.size and np.any(steps != steps[0]):
            return None
        if np.any(self._array != np.rint(self._array)):
            return None
        return int(self._array[0]), int(steps[0]) if steps.size else 1

    @property
    def is_monotone(self) -> bool:
        """Whether the values rise, or fall, all the way."""
        return self._extremes is None

    @property
    def is_whole(self) -> bool:
        """Whether every value is a whole number."""
        return self._progression is not None or not np.any(self._array != np.rint(self._array))

    def at(self, positions: Positions) -> Array:
        """Give the values at some positions."""
        if self._progression is None:
            return self._array[positions]
        return (self._progression.start + self._progression.step * positions).astype(np.float64)

    def extremes(self, first: Positions, last: Positions) -> tuple[Array, Array]:
        """Give the lowest and the highest value between two positions."""
        if self._extremes is not None:
            return self._extremes.over([(first, last)])
        ends = self.at(first), self.at(last)
        return np.minimum(*ends), np.maximum(*ends)

    def within(
        self, first: Positions, last: Positions, low: Array, high: Array
    ) -> tuple[Positions, Positions]:
        """Narrow ranges of positions to those whose values lie within some ends.

        Parameters
        ----------
        first, last
            The positions.
        low, high
            The ends, one pair per range.

        Returns
        -------
        tuple
            The first and the last position that may remain; they cross where none does.
        """
        if self._progression is not None:
            start, step = self._progression.start, self._progression.step
            ends = (low - start) / step, (high - start) / step
            lowest, highest = np.minimum(*ends), np.maximum(*ends)
            span = float(len(self._progression))
            return (
                np.maximum(first, np.ceil(np.clip(lowest, -1.0, span) - _NEARLY).astype(np.int64)),
                np.minimum(last, np.floor(np.clip(highest, -1.0, span) + _NEARLY).astype(np.int64)),
            )
        if self._array.size > SCANNED:
            return first, last
        return scanned(self._array, first, last, low, high)


def scanned(
    table: Array, first: Positions, last: Positions, low: Array, high: Array
) -> tuple[Positions, Positions]:
    """Narrow ranges of positions of a short table, by looking at every entry of it.

    What is not a number may be anything, and stays.  Where nothing is left the ends cross, and
    stay crossed however often they are narrowed again.
    """
    outside = (table < low[:, None]) | (table > high[:, None])
    places = np.arange(table.size)
    inside = ~outside & (places >= first[:, None]) & (places <= last[:, None])
    some = inside.any(axis=1)
    return (
        np.where(some, inside.argmax(axis=1), first),
        np.where(some, table.size - 1 - inside[:, ::-1].argmax(axis=1), first - 1),
    )


class Extremes:
    """The lowest and highest entry of a table over blocks of positions.

    Parameters
    ----------
    table
        The entries; NaN (no such combination) leaves a block open at both ends.
    """

    def __init__(self, table: Array) -> None:
        self._shape = table.shape
        low, high = (
            np.where(np.isnan(table), -np.inf, table),
            np.where(np.isnan(table), np.inf, table),
        )
        self._all = float(low.min()), float(high.max())
        # The extremes between every pair of ends, flat.
        self._pairs: tuple[Array, Array] | None = None
        self._levels: list[tuple[Array, Array]] = []
        self._table = table
        if table.size**2 <= _ALL_PAIRS:
            tables = _all_pairs(low, np.minimum), _all_pairs(high, np.maximum)
            self._pairs = tables[0].ravel(), tables[1].ravel()
        elif table.ndim == 1:
            self._levels = _doubling(low, high)

    def over(self, axes: Sequence[tuple[Positions, Positions]]) -> tuple[Array, Array]:
        """Give the lowest and highest entry over blocks.

        Parameters
        ----------
        axes
            For each axis the first and the last position of every block.
        """
        if self._pairs is not None:
            block = places_of_pairs(self._shape, axes)
            return self._pairs[0][block], self._pairs[1][block]
        if self._levels:
            return self._sparse(*axes[0])
        single = np.logical_and.reduce([first == last for first, last in axes])
        value = self._table[tuple(first for first, _ in axes)]
        known = single & ~np.isnan(value)
        return np.where(known, value, self._all[0]), np.where(known, value, self._all[1])

    @property
    def is_paired(self) -> bool:
        """Whether the extremes between every pair of ends are tabulated."""
        return self._pairs is not None

    def pairs(self, *, top: bool) -> Array:
        """Give the highest (lowest) entries between all pairs of ends, flat.

        A block is at its place in `places_of_pairs` for the shape of the table.
        """
        if self._pairs is None:
            raise ValueError("the table has too many entries for all pairs of ends")
        return self._pairs[top]

    def _sparse(self, first: Positions, last: Positions) -> tuple[Array, Array]:
        level = np.floor(np.log2(last - first + 1)).astype(np.int64)
        low, high = np.empty(level.shape), np.empty(level.shape)
        for depth, (lows, highs) in enumerate(self._levels):
            here = level == depth
            start, end = first[here], last[here] - (1 << depth) + 1
            low[here] = np.minimum(lows[start], lows[end])
            high[here] = np.maximum(highs[start], highs[end])
        return low, high


def places_of_pairs(shape: Sequence[int], axes: Sequence[tuple[Positions, Positions]]) -> Positions:
    """Give the places of blocks among all pairs of ends of a table, axis after axis.

    Parameters
    ----------
    shape
        The length of each axis.
    axes
        For each axis the first and the last position of every block.
    """
    places: Positions = np.zeros(1, np.int64)
    for length, ends in zip(shape, axes, strict=True):
        for end in ends:
            places = places * length + end
    return places


def _all_pairs(table: Array, join: np.ufunc) -> Array:
    """Tabulate the extreme between every pair of positions, axis after axis."""
    for axis in range(0, 2 * table.ndim, 2):
        moved = np.moveaxis(table, axis, 0)
        length = moved.shape[0]
        pairs = np.empty((length, length, *moved.shape[1:]))
        for start in range(length):
            pairs[start, :start] = np.nan
            pairs[start, start:] = join.accumulate(moved[start:], axis=0)
        table = np.moveaxis(pairs, (0, 1), (axis, axis + 1))
    return table


def _doubling(low: Array, high: Array) -> list[tuple[Array, Array]]:
    """Tabulate the extremes of all runs of 1, 2, 4, ... entries."""
    levels = [(low, high)]
    size, width = low.size, 1
    while 2 * width <= size:
        low = np.minimum(low[:-width], low[width:])
        high = np.maximum(high[:-width], high[width:])
        levels.append((low, high))
        width *= 2
    return levels
