"""Find the choices that formulas share, and which of their combinations can matter.

A sub-formula of few choices has few values, and a model that has a literal for each
combination of these choices knows all of them exactly.  Which combinations can matter is
found choice by choice, from the shortest to the longest: after each step all conditions,
and the objective to beat, cut off what cannot be.  Of 100,000 combinations some hundred
are left where a product of all choices would never have been listed.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mlsysim.expr.graph import Apply, GraphNode, Table, reachable
from mlsysim.expr.operation import Division, Rounding
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.program.boxes import Boxes, Positions, joined
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.clock import never

Names = tuple[str, ...]
Check = Callable[[], None]

# A group of more surviving combinations than this is given up, as are all of them together.
_MOST_CELLS = 2000
_MOST_TOGETHER = 6000
# Groups beyond this many hardly share formulas any more.
_MOST_GROUPS = 12
# A group has no more combinations than this share of the space, lest it be the whole of it.
_SHARE = 2
# Boxes to bound for one group in one step, and for all of them in all, each time its formulas.
_MOST_AT_ONCE = 20_000
_MOST_WORK = 60_000_000
# The same for the choices that a count depends on.
_MOST_COUNTED = 80_000
# Boxes are bounded so many at a time, to stay in cache and to see an interrupt.
_AT_A_TIME = 4096
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
    for _ in range(2):
        before = boxes
        boxes, _ = program.narrow(boxes, cutoff)
        if not len(boxes) or (
            len(boxes) == len(before) and np.array_equal(boxes.volumes, before.volumes)
        ):
            break
    return boxes


def grown(  # noqa: C901 - a loop in three steps
    program: Program, cutoff: float, parts: Boxes, check: Check = never
) -> tuple[Boxes, list[Cells], Mapping[int, Range]]:
    """Find the groups of choices worth a literal per combination, and the combinations.

    Short choices, and those that are parts of groups, are groups of their own as well.
    """
    start = parts.hull
    sizes = (start.last - start.first + 1)[0]
    short: list[Names] = [
        (name,) for name, size in zip(program.names, sizes, strict=True) if size <= _SHORT
    ]
    found: dict[Names, Boxes] = {}
    # Without a value to beat, most combinations of so many choices can matter.
    for names in supports(program, start, _counts) if cutoff < np.inf else ():
        counted = _counted(program, names, cutoff, parts, check)
        if counted is not None:
            found[names] = counted
            if len(counted):
                start = counted.hull
                parts = parts if len(parts) > 1 else start
            break
    short += [names for names in _holes(program, start) if names not in short]
    range_of = program.estimates.rearranger.range_of
    wanted = supports(program, start, lambda node: _varies(range_of(node)))
    tried: set[Names] = set()
    left = _MOST_WORK // len(program.read_all(start))
    while left > 0:
        batch: list[Names] = [] if tried else list(short)
        for names in wanted:
            whole = [*(one for one in found if len(one) > 1), *batch]
            if len(batch) + len(whole) > _MOST_GROUPS + len(short):
                break
            if names not in tried and not any(set(names) <= set(one) for one in whole):
                batch.append(names)
        if not batch:
            break
        tried |= set(batch)
        grown_now, bounded = _combinations(program, batch, cutoff, parts, check)
        left -= bounded
        for names in sorted(grown_now, key=lambda one: -len(one)):
            cells = sum(map(len, found.values())) + len(grown_now[names])
            is_new = not any(set(names) <= set(one) for one in found if len(one) > 1)
            if len(names) == 1 or (is_new and cells <= _MOST_TOGETHER):
                found[names] = grown_now[names]
    inside = {name for names in found for name in names}
    single = [
        (name,)
        for name, size in zip(program.names, sizes, strict=True)
        if name in inside and (name,) not in found and size <= _LONG
    ]
    if single:
        found |= _combinations(program, single, cutoff, parts, check)[0]
    return start, *_settled(program, found, cutoff, parts, check)


def _settled(
    program: Program, found: Mapping[Names, Boxes], cutoff: float, parts: Boxes, check: Check
) -> tuple[list[Cells], Mapping[int, Range]]:
    """Bound every value in every combination of every group, and in all, in one pass."""
    passes = []
    for some in _portions(joined([parts, *found.values()])):
        check()
        passes.append(program.settle(some, cutoff))
    settled = {
        at: Range(
            *(np.concatenate(ends) for ends in zip(*(one[at] for one in passes), strict=True))
        )
        for at in passes[0]
    }
    place = len(parts)
    whole = {
        at: Range(low[:place].min(keepdims=True), high[:place].max(keepdims=True))
        for at, (low, high) in settled.items()
    }
    cells = []
    for names, boxes in found.items():
        own = slice(place, place + len(boxes))
        place += len(boxes)
        ranges = {at: Range(low[own], high[own]) for at, (low, high) in settled.items()}
        cells.append(Cells(names=names, boxes=boxes, settled=ranges))
    return cells, whole


def supports(
    program: Program, start: Boxes, counts: Callable[[GraphNode], bool] = lambda _node: True
) -> list[Names]:
    """List the sets of several choices that formulas depend on, the largest first."""
    roots = [*program.objectives, *(condition.node for condition in program.conditions)]
    sizes = dict(zip(program.names, (start.last - start.first + 1)[0].tolist(), strict=True))
    most = max(2.0, math.prod(sizes.values()) / _SHARE)
    several = {
        node.support
        for node in reachable(roots)
        if len(node.support) > 1 and isinstance(node, (Apply, Table)) and counts(node)
    }
    found: dict[frozenset[str], float] = {}
    for names in several:
        support = frozenset(name for name in names if sizes[name] > 1)
        size = math.prod(sizes[name] for name in support)
        if len(support) > 1 and size <= most:
            found[support] = size
    return [
        tuple(name for name in program.names if name in support)
        for support in sorted(found, key=lambda one: (-found[one], sorted(one)))
    ]


def _holes(program: Program, start: Boxes) -> Iterator[Names]:
    """Name the choices of each formula that may be no number although all it is made of are.

    In each combination of these choices it is known whether it is one.
    """
    known = program.read_all(start)
    finite = {at: bool(np.all(np.isfinite(bound))) for at, bound in known.items()}
    for node in reachable(program.objectives):
        if isinstance(node, Apply) and not finite[node.position]:
            columns = [at for at, name in enumerate(program.names) if name in node.support]
            size = math.prod((start.last - start.first + 1)[0, columns].tolist())
            if size <= _MOST_CELLS and all(finite[one.position] for one in node.arguments):
                yield tuple(program.names[at] for at in columns)


def _counts(node: GraphNode) -> bool:
    """Tell whether a value is a derived count, such as that of microbatches."""
    return isinstance(node, Apply) and isinstance(node.operation, (Division, Rounding))


def _counted(
    program: Program, names: Names, cutoff: float, parts: Boxes, check: Check
) -> Boxes | None:
    """List the combinations that can matter of the choices that a count depends on.

    A count is a factor of whatever is done that often, so that its group is worth more effort
    than others: where too many combinations are left, each is looked into choice by choice.

    Returns
    -------
    Boxes or None
        One box per combination; nothing where there are too many.
    """
    columns = [program.names.index(name) for name in names]
    start = parts.hull
    sizes = (start.last - start.first)[0]
    others = [column for column in range(len(sizes)) if column not in columns]
    boxes = parts
    for column in (*sorted(columns, key=sizes.__getitem__), *sorted(others, key=sizes.__getitem__)):
        if column in others and len(_merged(boxes, columns)) <= _MOST_CELLS:
            break
        if int((boxes.last[:, column] - boxes.first[:, column] + 1).sum()) > _MOST_COUNTED:
            return None
        boxes, _ = _narrow(program, boxes.split(column), cutoff, check)
    merged = _merged(boxes, columns)
    return merged if len(merged) <= _MOST_CELLS else None


def _merged(boxes: Boxes, columns: Sequence[int]) -> Boxes:
    """Put the boxes of each combination of some choices into one."""
    if not len(boxes):
        return boxes
    _, place = np.unique(boxes.first[:, columns], axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    begins = np.flatnonzero(np.diff(place.ravel()[order], prepend=-1))
    return Boxes(
        first=np.minimum.reduceat(boxes.first[order], begins),
        last=np.maximum.reduceat(boxes.last[order], begins),
        bound=np.minimum.reduceat(boxes.bound[order], begins),
    )


def _varies(known: Range) -> bool:
    return not bool(np.all(known.low == known.high))


def _combinations(  # noqa: C901 - a loop in three steps
    program: Program, wanted: Sequence[Names], cutoff: float, parts: Boxes, check: Check
) -> tuple[dict[Names, Boxes], int]:
    """List the combinations that can matter of several groups at once.

    Returns
    -------
    dict
        The groups; of one that has too many combinations, as many of its choices, the
        shortest first, as have not.
    int
        How many boxes were bounded for it.
    """
    start = parts.hull
    lengths = (start.last - start.first)[0]
    open_: dict[Names, tuple[list[int], Boxes]] = {}
    for names in wanted:
        columns = [program.names.index(name) for name in names]
        open_[names] = sorted(columns, key=lambda column: int(lengths[column])), parts
    done: dict[Names, Boxes] = {}
    bounded = 0

    def close(names: Names, columns: Sequence[int], boxes: Boxes) -> None:
        """Keep what a group has come to: some of its choices may be open still."""
        fixed = tuple(name for name in names if program.names.index(name) not in columns)
        if fixed:
            done[fixed] = boxes

    while open_:
        split = {}
        for names, (columns, boxes) in open_.items():
            sizes = boxes.last[:, columns[0]] - boxes.first[:, columns[0]] + 1
            if int(sizes.sum()) <= _MOST_AT_ONCE:
                split[names] = columns, boxes, boxes.split(columns[0])
            else:
                close(names, columns, boxes)
        if not split:
            break
        fresh = [boxes for _, _, boxes in split.values()]
        bounded += sum(map(len, fresh))
        kept, places = _narrow(program, joined(fresh), cutoff, check)
        ends = np.searchsorted(places, np.cumsum([0, *map(len, fresh)]))
        open_ = {}
        for (names, (columns, before, _)), (begin, end) in zip(
            split.items(), pairwise(ends), strict=True
        ):
            boxes = kept.take(np.arange(begin, end))
            if len(parts) > 1:  # which overlap in what has been fixed so far
                own = (program.names.index(name) for name in names)
                boxes = _merged(boxes, [column for column in own if column not in columns[1:]])
            if len(boxes) > _MOST_CELLS:
                close(names, columns, before)
            elif len(columns) > 1 and len(boxes):
                open_[names] = columns[1:], boxes
            else:
                close(names, (), boxes)
    return done, bounded


def _narrow(program: Program, boxes: Boxes, cutoff: float, check: Check) -> tuple[Boxes, Positions]:
    """Narrow boxes some at a time; see `Program.narrow`."""
    kept, places, begin = [], [], 0
    for some in _portions(boxes):
        check()
        left, at = program.narrow(some, cutoff)
        kept.append(left)
        places.append(begin + at)
        begin += len(some)
    return joined(kept), np.concatenate(places)


def _portions(boxes: Boxes) -> Iterator[Boxes]:
    for begin in range(0, max(len(boxes), 1), _AT_A_TIME):
        yield boxes.take(np.arange(begin, min(begin + _AT_A_TIME, len(boxes))))
