"""Cut the grid into blocks, in which numeric choices are arrays.

A block holds every combination of a few trailing choices, a slice of the one
before them, and one value of each of the rest.  Its arrays are then tiled and
repeated, which costs far less than dividing point numbers into positions.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.problem.space import Domain, SearchSpace

BLOCK = 65_536
"""The largest number of points in a block: its arrays still fit into a processor's cache."""


@dataclass(frozen=True, kw_only=True)
class GridBlock:
    """Some points of the grid; they are numbered from 0 within it.

    Parameters
    ----------
    layout
        What it is a block of.
    fixed
        Choice -> position of its only value here.
    start, stop
        The slice of the split choice, if there is one.
    """

    layout: "GridLayout"
    fixed: dict[str, int]
    start: int
    stop: int

    @property
    def size(self) -> int:
        """The number of points."""
        return (self.stop - self.start) * self.layout.period

    @property
    def objects(self) -> tuple[int, ...]:
        """The positions of the choices that no array can hold; names the combination."""
        return tuple(self.fixed[name] for name in self.layout.objects)

    def params(self) -> dict[str, Any]:
        """Give arrays for the numeric choices, new ones at every call, and plain values."""
        layout, repeats = self.layout, self.stop - self.start
        params: dict[str, Any] = {}
        for name, domain in layout.space.items():
            if name in layout.trailing:
                params[name] = np.tile(layout.trailing[name], repeats)
            elif name == layout.split:
                values = layout.split_values(self.start, self.stop)
                params[name] = np.repeat(values, layout.period)
            else:
                value = domain[self.fixed[name]]
                params[name] = np.full(self.size, float(value)) if domain.is_numeric else value
        return params

    def index(self, local: int) -> int:
        """Give the position in the grid of a point of the block."""
        layout = self.layout
        cycle, rest = divmod(int(local), layout.period)
        position = 0 if layout.split is None else (self.start + cycle) * layout.stride(layout.split)
        for name in reversed(list(layout.trailing)):
            rest, place = divmod(rest, len(layout.space[name]))
            position += place * layout.stride(name)
        return position + sum(place * layout.stride(name) for name, place in self.fixed.items())

    def point(self, local: int) -> dict[str, Any]:
        """Give a point of the block as a design of plain values."""
        return self.layout.space.point(self.index(local))


class GridLayout:
    """How a space is cut into blocks.

    Parameters
    ----------
    space
        The designs.
    limit
        The largest number of points in a block; `BLOCK` if left out.
    """

    def __init__(self, space: SearchSpace, limit: int | None = None) -> None:
        limit = limit or BLOCK
        self.space = space
        numeric = {name: domain for name, domain in space.items() if domain.is_numeric}
        self.objects = tuple(name for name in space if name not in numeric)
        self.split: str | None = None
        self.period = 1
        chosen: dict[str, Domain] = {}
        for name, domain in reversed(list(numeric.items())):
            if self.period * len(domain.values) > limit:
                self.split = name
                break
            self.period *= len(domain.values)
            chosen[name] = domain
        self.trailing = _cycle({name: chosen[name] for name in space if name in chosen})
        self._slice = max(1, limit // self.period)
        self._length = 1 if self.split is None else len(space[self.split].values)
        self._slices = -(-self._length // self._slice)
        self._fixed = [name for name in space if name not in chosen and name != self.split]
        self._strides = _strides(space)
        self._split_values = self._all_split_values()

    def stride(self, name: str) -> int:
        """How far apart in the grid neighbouring values of a choice stand."""
        return self._strides[name]

    def split_values(self, start: int, stop: int) -> NDArray[np.float64]:
        """Give a slice of the values of the split choice."""
        if self._split_values is not None:
            return self._split_values[start:stop]
        return self.space[str(self.split)].array(start, stop)

    @property
    def count(self) -> int:
        """The number of blocks, which together hold every design once."""
        return self._slices * math.prod(len(self.space[name].values) for name in self._fixed)

    def block(self, number: int) -> GridBlock:
        """Give one of the blocks, numbered from 0."""
        rest, part = divmod(number, self._slices)
        fixed = {}
        for name in reversed(self._fixed):
            rest, fixed[name] = divmod(rest, len(self.space[name].values))
        start = part * self._slice
        stop = min(start + self._slice, self._length)
        return GridBlock(layout=self, fixed=fixed, start=start, stop=stop)

    def blocks(self) -> Iterator[GridBlock]:
        """Go through the blocks in their order."""
        number, count = 0, self.count
        while number < count:  # may be beyond what range() can hold
            yield self.block(number)
            number += 1

    def _all_split_values(self) -> NDArray[np.float64] | None:
        if self.split is None or isinstance(self.space[self.split].values, range):
            return None
        return self.space[self.split].array()


def _cycle(domains: dict[str, Domain]) -> dict[str, NDArray[np.float64]]:
    """Give every combination of some choices, one array for each."""
    grids = np.meshgrid(*(domain.array() for domain in domains.values()), indexing="ij")
    return {name: grid.ravel() for name, grid in zip(domains, grids, strict=True)}


def _strides(space: SearchSpace) -> dict[str, int]:
    strides, stride = {}, 1
    for name, domain in reversed(list(space.items())):
        strides[name] = stride
        stride *= len(domain.values)
    return strides
