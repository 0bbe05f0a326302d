"""Small questions: every combination of the groups is listed, and bounded in one pass.

Where the groups have some hundred combinations together, finding out step by step which of
them can matter costs more than a literal for each.
"""

import math
from collections.abc import Mapping

import numpy as np

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
    ranges = {
        at: Range(*(np.broadcast_to(end, len(boxes)) for end in bound))
        for at, bound in program.read_all(boxes).items()
    }
    possible = program.may_matter(ranges, cutoff)
    whole = {at: Range(low[:1], high[:1]) for at, (low, high) in ranges.items()}
    cells, begin = [], 1
    for names, part in zip(groups, parts[1:], strict=True):
        own = begin + np.flatnonzero(possible[begin : begin + len(part)])
        begin += len(part)
        settled = {at: Range(low[own], high[own]) for at, (low, high) in ranges.items()}
        cells.append(Cells(names=names, boxes=boxes.take(own), settled=settled))
    return cells, whole


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
