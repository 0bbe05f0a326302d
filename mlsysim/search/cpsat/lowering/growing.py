"""Find the choices that formulas share, and which of their combinations can matter.

A sub-formula of few choices has few values, and a model that has a literal for each
combination of these choices knows all of them exactly.  Which combinations can matter is
found choice by choice, from the shortest to the longest: after each step all conditions,
and the objective to beat, cut off what cannot be.  Of 100,000 combinations some hundred
are left where a product of all choices would never have been listed.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlsysim.expr.graph import Apply, Node, Table, reachable
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.program.boxes import Boxes
from mlsysim.search.cpsat.program.program import Program

Names = tuple[str, ...]

# A group of more surviving combinations than this is given up, as are all of them together.
_MOST_CELLS = 2000
_MOST_TOGETHER = 6000
# Groups beyond this many hardly share formulas any more.
_MOST_GROUPS = 12
# A group has no more combinations than this share of the space, lest it be the whole of it.
_SHARE = 4
# Boxes to bound for one group, and for all of them.
_MOST_BOXES = 20_000
_MOST_BOXES_TOGETHER = 120_000
# A choice of no more values has a literal for each; one that is part of a group has, too,
# unless it is longer than this.
_SHORT = 64
_LONG = 512


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The combinations of some choices that can matter.

    Parameters
    ----------
    names
        The choices, in the order of the space.
    boxes
        One box per combination: these choices are fixed in it, the others cut to what is left.
    settled
        What is known of every value in each.
    """

    names: Names
    boxes: Boxes
    settled: Mapping[int, Range]


def narrowed(program: Program, cutoff: float, start: Boxes) -> Boxes:
    """Cut a box as far as the conditions and the objective to beat cut it."""
    boxes = start
    for _ in range(3):
        before = boxes
        boxes = program.bound(boxes, cutoff)
        if not len(boxes) or (
            len(boxes) == len(before) and np.array_equal(boxes.volumes, before.volumes)
        ):
            break
    return boxes


def grown(program: Program, cutoff: float, start: Boxes) -> Iterator[Cells]:
    """Find the groups of choices worth a literal per combination, and the combinations.

    Parameters
    ----------
    program
        What is minimised.
    cutoff
        Designs whose objective is not below this do not matter.
    start
        The one box that holds every design that matters.
    """
    done: list[frozenset[str]] = []
    cells = 0
    left = _MOST_BOXES_TOGETHER
    for names in _supports(program, start):
        if any(set(names) <= one for one in done):
            continue
        if len(done) >= _MOST_GROUPS or left <= 0:
            break
        boxes, bounded = _combinations(program, names, cutoff, start)
        left -= bounded
        if boxes is None or cells + len(boxes) > _MOST_TOGETHER:
            continue
        cells += len(boxes)
        done.append(frozenset(names))
        yield Cells(names=names, boxes=boxes, settled=program.settle(boxes, cutoff))


def singles(
    program: Program, cutoff: float, start: Boxes, needed: Collection[str]
) -> Iterator[Cells]:
    """Give each choice that is short, or part of a group, a group of its own.

    Parameters
    ----------
    program, cutoff, start
        As for `grown`.
    needed
        The choices that are parts of groups.
    """
    for column, name in enumerate(program.names):
        length = int(start.last[0, column] - start.first[0, column]) + 1
        if length <= (_LONG if name in needed else _SHORT):
            boxes = program.bound(start.split(column), cutoff)
            yield Cells(names=(name,), boxes=boxes, settled=program.settle(boxes, cutoff))


def _supports(program: Program, start: Boxes) -> Iterator[Names]:
    """List the sets of several choices that formulas depend on, the largest first."""
    roots = [*program.objectives, *(condition.node for condition in program.conditions)]
    sizes = dict(zip(program.names, (start.last - start.first + 1)[0].tolist(), strict=True))
    ranges = program.settle(start)
    most = max(2.0, math.prod(sizes.values()) / _SHARE)
    found: dict[frozenset[str], float] = {}
    for node in reachable(roots):
        support = frozenset(name for name in node.support if sizes[name] > 1)
        if isinstance(node, (Apply, Table)) and _varies(node, ranges[node.position]):
            size = math.prod(sizes[name] for name in support)
            if len(support) > 1 and size <= most:
                found[support] = size
    for support in sorted(found, key=lambda one: (-found[one], sorted(one))):
        yield tuple(name for name in program.names if name in support)


def _varies(node: Node, known: Range) -> bool:
    return bool(node.support) and not bool(np.all(known.low == known.high))


def _combinations(
    program: Program, names: Sequence[str], cutoff: float, start: Boxes
) -> tuple[Boxes | None, int]:
    """List the combinations of some choices that can matter; nothing where they are too many."""
    boxes, bounded = start, 0
    columns = [program.names.index(name) for name in names]
    for column in sorted(columns, key=lambda c: int(start.last[0, c] - start.first[0, c])):
        count = int((boxes.last[:, column] - boxes.first[:, column] + 1).sum())
        if bounded + count > _MOST_BOXES:
            return None, bounded
        boxes = program.bound(boxes.split(column), cutoff)
        bounded += count
        if len(boxes) > _MOST_CELLS:
            return None, bounded
    return boxes, bounded
