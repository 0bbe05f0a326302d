"""Designs near others, in blocks: what searches for good designs look at next."""

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.program.boxes import Positions

NEIGHBOURS = 256
"""How many neighbours of a design are looked at, most of them with two choices changed."""

# A choice of no more values than this may take any of them; a longer one moves by powers of two.
_SHORT = 6
# Choices of more values than this are kept where a layout is drawn anew.
_LONG = 16


class Neighbours:
    """Draws designs, the same ones every time.

    Parameters
    ----------
    lengths
        The number of positions of each choice.
    seed
        For what is drawn.
    """

    def __init__(self, lengths: NDArray[np.int64], seed: int) -> None:
        self._lengths = lengths
        self._random = np.random.default_rng(seed)
        self._moves = _moves(lengths)

    def anywhere(self, count: int) -> Positions:
        """Draw designs of the whole space."""
        return self._random.integers(0, self._lengths, (count, len(self._lengths)))

    def starts(self, best: Positions) -> Positions:
        """Draw designs, the best of which to start from.

        Parameters
        ----------
        best
            The best designs known, if any.
        """
        random = self.anywhere(NEIGHBOURS)
        if len(best):  # half of them around the best: two choices of it anywhere
            rows = np.arange(NEIGHBOURS // 2)
            kept = np.repeat(best[:1], len(rows), axis=0)
            for column in self._random.integers(0, random.shape[1], (2, len(rows))):
                kept[rows, column] = random[rows, column]
            random[rows] = kept
        return random

    def near(self, at: Positions) -> Positions:
        """List neighbours of each design: one to three choices changed, or some drawn anew."""
        count = min(len(self._moves), NEIGHBOURS // 2)
        near = np.repeat(at, NEIGHBOURS, axis=0)
        rows = np.arange(len(near)).reshape(len(at), NEIGHBOURS)
        every = np.tile(np.arange(len(self._moves)), (len(at), 1))
        singles = self._random.permuted(every, axis=1)[:, :count]
        self._change(near, rows[:, :count].ravel(), singles.ravel())
        for first in (count, count, -NEIGHBOURS // 4):
            changed = rows[:, first:].ravel()
            self._change(near, changed, self._random.integers(0, len(self._moves), len(changed)))
        self._redraw(near, rows[:, -NEIGHBOURS // 8 :].ravel())
        return near

    def some(self, count: int, among: int) -> NDArray[np.int64]:
        """Draw so many places among some, each at most once."""
        return self._random.permutation(among)[:count]

    def _redraw(self, near: Positions, rows: Positions) -> None:
        """Draw a third of the choices anew that are not long: another layout of the same size."""
        values = self._random.integers(0, self._lengths, (len(rows), near.shape[1]))
        drawn = (self._random.integers(0, 3, values.shape) == 0) & (self._lengths <= _LONG)
        near[rows] = np.where(drawn, values, near[rows])

    def _change(self, near: Positions, rows: Positions, moves: Positions) -> None:
        column, step, value = self._moves[moves].T
        old = near[rows, column]
        moved = np.clip(old + step, 0, self._lengths[column] - 1)
        near[rows, column] = np.where(step == 0, value, moved)


def _moves(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """List changes of one choice: its column, a step, and where there is none the new place."""
    moves = []
    for column, length in enumerate(lengths.tolist()):
        if length <= _SHORT:
            moves += [(column, 0, place) for place in range(length)]
            continue
        for power in range((length - 1).bit_length()):
            moves += [(column, 1 << power, 0), (column, -(1 << power), 0)]
    return np.array(moves, np.int64)
