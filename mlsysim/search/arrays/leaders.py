"""The best designs so far."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.search.arrays.block_reading import BlockReading, Booleans, Floats
from mlsysim.search.arrays.layout import Block
from mlsysim.search.verify import Point

MARGIN = 16
"""How many more than asked for are kept: arrays may misplace a tie by its last bit."""


@dataclass(frozen=True, kw_only=True, order=True)
class Leader:
    """One of the best designs; the smaller the better.

    Parameters
    ----------
    key
        The objective, negated where more is better.
    index
        The position in the grid, which breaks ties.
    """

    key: float
    index: int


class Leaders:
    """Keeps the best designs, ties in the order of the grid.

    Parameters
    ----------
    top
        How many are asked for.
    sign
        The factor that makes the objective one to be minimised.
    """

    def __init__(self, top: int, sign: int) -> None:
        self._capacity = top + MARGIN
        self._sign = sign
        self._leaders: list[Leader] = []
        self._points: dict[int, Point] = {}

    def __iter__(self) -> Any:
        return iter(self._leaders)

    @property
    def best(self) -> float | None:
        """The objective of the best design so far."""
        return self._sign * self._leaders[0].key if self._leaders else None

    def point(self, index: int) -> Point | None:
        """Give the design as judged on plain numbers, if it has been."""
        return self._points.get(index)

    def add_point(self, index: int, objective: float, point: Point) -> None:
        """Offer one design."""
        leader = Leader(key=self._sign * objective, index=index)
        if len(self._leaders) < self._capacity or leader < self._leaders[-1]:
            self._points[index] = point
            self._merge([leader])

    def add_block(self, block: Block, reading: BlockReading, feasible: Booleans) -> None:
        """Offer the feasible designs of a block."""
        keys = reading.objective if self._sign > 0 else -reading.objective
        if len(self._leaders) == self._capacity:
            feasible = feasible & (keys <= self._leaders[-1].key)
        chosen = np.flatnonzero(feasible)
        if len(chosen) > self._capacity:
            chosen = _smallest(keys, chosen, self._capacity)
        if len(chosen):
            self._merge(
                [Leader(key=float(keys[local]), index=block.index(int(local))) for local in chosen]
            )

    def absorb(self, other: "Leaders") -> None:
        """Offer what was kept elsewhere."""
        self._points.update(other._points)  # noqa: SLF001 - of the same class
        self._merge(list(other))

    def __getstate__(self) -> dict[str, Any]:
        # What an evaluator returned may be large, and is quickly had again.
        return self.__dict__ | {"_points": {}}

    def _merge(self, more: list[Leader]) -> None:
        self._leaders = sorted([*self._leaders, *more])
        for dropped in self._leaders[self._capacity :]:
            self._points.pop(dropped.index, None)
        del self._leaders[self._capacity :]


def _smallest(keys: Floats, chosen: np.ndarray, count: int) -> np.ndarray:
    """Pick the points with the smallest keys, the first ones of those that tie."""
    values = keys[chosen]
    last = np.partition(values, count - 1)[count - 1]
    below = chosen[values < last]
    ties = chosen[values == last][: count - len(below)]
    return np.concatenate([below, ties])
