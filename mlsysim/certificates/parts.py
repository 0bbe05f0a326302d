"""A partition of the space, and what excludes each of its parts.

It is a tree, written as one number for each box, in the order in which a stack deals them out:
the whole space is on it first; as many as `BATCH` are taken from its top at once; a box that is
cut leaves its halves there, first all lower halves, then all upper ones.  So the parts cover the
space without a hole whatever the numbers say: that they end where the stack does is all there is
to check.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.certificates.bounds import BoxTable
from mlsysim.certificates.formulas import Formulas, Positions

Codes = NDArray[np.uint16]

BATCH = 2048
"""Boxes that are taken from the stack at once."""

LARGEST = 1 << 14
"""Designs that a part may have which are to be looked at one by one."""


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """The numbers by which a partition is written.

    Parameters
    ----------
    choices, requirements
        How many there are.

    Notes
    -----
    From 0 on, a box is cut in the middle of the choice of that number; then come the
    requirements, one of which cannot hold in it; then that no design in it is better than the
    answer; then that each design in it is excluded on its own.
    """

    choices: int
    requirements: int

    @classmethod
    def of(cls, formulas: Formulas) -> "Reasons":
        """Make those of a question."""
        return cls(choices=len(formulas.choices), requirements=len(formulas.requirements))

    @property
    def worse(self) -> int:
        """No design is better."""
        return self.choices + self.requirements

    @property
    def designs(self) -> int:
        """Each design is excluded on its own."""
        return self.worse + 1


class OpenBoxes:
    """The boxes that are still to be settled.

    Parameters
    ----------
    lengths
        The number of positions of each choice.
    """

    def __init__(self, lengths: list[int]) -> None:
        last = np.array([lengths], np.int64) - 1
        self._first, self._last = np.zeros_like(last), last

    def __len__(self) -> int:
        return len(self._first)

    @property
    def volume(self) -> float:
        """The number of designs in them."""
        return float(BoxTable(first=self._first, last=self._last).volumes.sum())

    def take(self) -> BoxTable:
        """Take as many boxes as are dealt with at once."""
        boxes = BoxTable(first=self._first[-BATCH:], last=self._last[-BATCH:])
        self._first, self._last = self._first[:-BATCH], self._last[:-BATCH]
        return boxes

    def put_halves(self, boxes: BoxTable, axes: Positions) -> None:
        """Put the halves of boxes back, each cut along a choice of its own."""
        rows = np.arange(len(boxes))
        middle = (boxes.first[rows, axes] + boxes.last[rows, axes]) // 2
        lower, upper = boxes.last.copy(), boxes.first.copy()
        lower[rows, axes] = middle
        upper[rows, axes] = middle + 1
        self._first = np.concatenate([self._first, boxes.first, upper])
        self._last = np.concatenate([self._last, lower, boxes.last])


def taken(boxes: BoxTable, which: NDArray[np.generic]) -> BoxTable:
    """Select boxes."""
    return BoxTable(first=boxes.first[which], last=boxes.last[which])


def designs_of(boxes: BoxTable) -> tuple[Positions, Positions]:
    """List the designs of boxes, one row of positions each, and the box of each."""
    sizes = boxes.last - boxes.first + 1
    counts = np.prod(sizes, axis=1)
    box = np.repeat(np.arange(len(boxes)), counts)
    rest = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    designs = np.empty((len(rest), sizes.shape[1]), np.int64)
    for column in reversed(range(sizes.shape[1])):
        rest, place = np.divmod(rest, sizes[box, column])
        designs[:, column] = boxes.first[box, column] + place
    return designs, box


def pieces(boxes: BoxTable, most: int) -> Iterator[NDArray[np.int64]]:
    """Deal boxes out in groups of about so many designs."""
    group = np.floor(np.cumsum(boxes.volumes) / most).astype(np.int64)
    for one in np.unique(group):
        yield np.flatnonzero(group == one)
