"""Boxes of designs: for each choice a range of positions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Tables = Mapping[tuple[str, ...], Positions]
"""Choices of a block -> the combinations of interest, by position."""


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Many boxes at once.

    Parameters
    ----------
    first, last
        The first and last position of each choice in each box; one row per
        box, one column per choice.
    bound
        A lower bound on each objective in each box; one column per objective.
    """

    first: Positions
    last: Positions
    bound: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def volumes(self) -> NDArray[np.float64]:
        """The number of designs in each box (a float: it may be astronomical)."""
        return np.prod((self.last - self.first + 1).astype(np.float64), axis=1)

    @property
    def hull(self) -> "Boxes":
        """The smallest box around all of them."""
        return Boxes(
            first=self.first.min(axis=0, keepdims=True),
            last=self.last.max(axis=0, keepdims=True),
            bound=self.bound.min(axis=0, keepdims=True),
        )

    def take(self, which: NDArray[np.generic]) -> "Boxes":
        """Select boxes by a mask or by positions."""
        return Boxes(first=self.first[which], last=self.last[which], bound=self.bound[which])

    def cut(self, axis: Positions, parts: int) -> "Boxes":
        """Cut each box into parts along one choice of its own; empty parts are left out.

        Parameters
        ----------
        axis
            For each box the column of the choice, which must have two positions or more.
        parts
            How many parts to make of each, the first parts of all boxes first.
        """
        rows = np.arange(len(self))
        start = self.first[rows, axis]
        length = self.last[rows, axis] - start + 1
        pieces = []
        for part in range(parts):
            first, last = self.first.copy(), self.last.copy()
            first[rows, axis] = start + length * part // parts
            last[rows, axis] = start + length * (part + 1) // parts - 1
            full = first[rows, axis] <= last[rows, axis]
            pieces.append(Boxes(first=first, last=last, bound=self.bound).take(full))
        return joined(pieces)

    def split(self, column: int) -> "Boxes":
        """Cut each box into one per position of a choice."""
        sizes = self.last[:, column] - self.first[:, column] + 1
        box = np.repeat(np.arange(len(self)), sizes)
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        boxes = self.take(box)
        first, last = boxes.first.copy(), boxes.last.copy()
        first[:, column] += place
        last[:, column] = first[:, column]
        return Boxes(first=first, last=last, bound=boxes.bound)

    def designs(self) -> Positions:
        """List every design of every box, one row each."""
        sizes = self.last - self.first + 1
        counts = np.prod(sizes, axis=1)
        box = np.repeat(np.arange(len(self)), counts)
        rest = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        designs = np.empty((len(rest), self.first.shape[1]), np.int64)
        for column in reversed(range(self.first.shape[1])):
            rest, place = np.divmod(rest, sizes[box, column])
            designs[:, column] = self.first[box, column] + place
        return designs


def whole(lengths: Sequence[int], objectives: int = 1) -> Boxes:
    """Give the one box that holds every design of a space."""
    return Boxes(
        first=np.zeros((1, len(lengths)), np.int64),
        last=np.array([lengths], np.int64) - 1,
        bound=np.full((1, objectives), -np.inf),
    )


def joined(parts: Sequence[Boxes]) -> Boxes:
    """Put several collections of boxes into one."""
    return Boxes(
        first=np.concatenate([part.first for part in parts]),
        last=np.concatenate([part.last for part in parts]),
        bound=np.concatenate([part.bound for part in parts]),
    )
