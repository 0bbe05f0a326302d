"""Small questions: every combination of the groups is listed, and bounded in one pass.

Where the groups have some hundred combinations together, finding out step by step which of
them can matter costs more than a literal for each.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.lowering.growing import Cells, Names, supports
from mlsysim.search.cpsat.program.boxes import Boxes, joined
from mlsysim.search.cpsat.program.program import Program

# Spaces and groups beyond this are not small.
_MOST_DESIGNS = 1 << 10
_MOST_CELLS = 1 << 8
_MOST_GROUPS = 4


def listed(
    program: Program, cutoff: float, start: Boxes
) -> tuple[list[Cells], Mapping[int, Range]] | None:
    """Find the groups of choices of a small question, and their combinations; see `grown`.

    Returns
    -------
    tuple or None
        The groups, and what is known of every value; nothing where the question is not small.
    """
    if float(start.volumes[0]) > _MOST_DESIGNS:
        return None
    groups = _groups(program, start)
    parts = [start]
    for names in groups:
        boxes = start
        for name in names:
            boxes = boxes.split(program.names.index(name))
        parts.append(boxes)
    boxes = joined(parts)
    ranges = program.read_all(boxes)
    possible = program.may_matter(ranges, cutoff, len(boxes))
    cells, begin = [], 1
    for names, part in zip(groups, parts[1:], strict=True):
        own = begin + np.flatnonzero(possible[begin : begin + len(part)])
        begin += len(part)
        settled = _Selected(ranges=ranges, boxes=own)
        cells.append(Cells(names=names, boxes=boxes.take(own), settled=settled))
    return cells, _Selected(ranges=ranges, boxes=np.zeros(1, np.int64))


@dataclass(frozen=True, kw_only=True)
class _Selected(Mapping[int, Range]):
    """The ranges of values in some boxes; most are never asked for.

    Parameters
    ----------
    ranges
        The range of every value, in all boxes.
    boxes
        The boxes selected.
    """

    ranges: Mapping[int, Range]
    boxes: NDArray[np.int64]

    def __getitem__(self, position: int) -> Range:
        low, high = self.ranges[position]
        return Range(
            *(
                np.full(len(self.boxes), end) if end.size == 1 else end[self.boxes]
                for end in (low, high)
            )
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)


def _groups(program: Program, start: Boxes) -> list[Names]:
    """Choose groups: each choice by itself, and the largest supports of formulas."""
    sizes = dict(zip(program.names, (start.last - start.first + 1)[0].tolist(), strict=True))
    chosen: list[Names] = []
    cells = 0
    for names in supports(program, start):
        size = math.prod(sizes[name] for name in names)
        inside = any(set(names) <= set(one) for one in chosen)
        if not inside and len(chosen) < _MOST_GROUPS and cells + size <= _MOST_CELLS:
            chosen.append(names)
            cells += size
    return [*chosen, *((name,) for name in program.names if sizes[name] <= _MOST_CELLS)]
