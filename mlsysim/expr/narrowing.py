"""Cut off the ends of boxes where something that must hold cannot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.columns import SCANNED, Column, Positions, scanned
from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import Apply, Choice, Constant, GraphNode, Table, reachable
from mlsysim.expr.inverse import met
from mlsysim.expr.ranges import Range


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """What is left of some boxes.

    Parameters
    ----------
    kept
        The places of the boxes of which something is left.
    ranges
        The range of each root in these, before they were narrowed.
    first, last
        For each choice the first and the last position that remain in these.
    """

    kept: NDArray[np.int64]
    ranges: Sequence[Range]
    first: Mapping[str, Positions]
    last: Mapping[str, Positions]


class BoxNarrower:
    """Bounds nodes over boxes, and cuts off what no allowed value of a node leaves.

    Parameters
    ----------
    roots
        The nodes wanted.
    columns
        The values of the numeric choices.
    """

    def __init__(self, roots: Iterable[GraphNode], columns: Mapping[str, Column]) -> None:
        self._roots = list(roots)
        self._columns = columns
        self._reader = BoxReader(self._roots, columns)
        self._backward = [
            node
            for node in reversed(reachable(self._roots))
            if isinstance(node, (Choice, Table))
            or (isinstance(node, Apply) and node.operation.inverse is not None)
        ]

    def narrow(
        self,
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
        allowed: Sequence[Range | None],
    ) -> Narrowed:
        """Narrow boxes.

        Parameters
        ----------
        first, last
            For each choice the first and the last position in each box.
        allowed
            The values that each root may have; `None` where any will do.
        """
        with np.errstate(all="ignore"):
            ranges = self._reader.read_all(first, last)
            wanted = dict(zip(self._roots, allowed, strict=True))
            boxes = len(next(iter(first.values())))
            kept = np.flatnonzero(_possible(wanted, ranges, boxes))
            if len(kept) < boxes:
                ranges = {at: _take(bound, kept) for at, bound in ranges.items()}
            forward = [ranges[root.position] for root in self._roots]
            firsts = {name: ends[kept] for name, ends in first.items()}
            lasts = {name: ends[kept] for name, ends in last.items()}
            if not len(kept):
                return Narrowed(kept=kept, ranges=forward, first=firsts, last=lasts)
            possible = self._back(wanted, ranges, firsts, lasts)
        for name, ends in firsts.items():
            possible &= ends <= lasts[name]
        return Narrowed(
            kept=kept[possible],
            ranges=[_take(bound, possible) for bound in forward],
            first={name: ends[possible] for name, ends in firsts.items()},
            last={name: ends[possible] for name, ends in lasts.items()},
        )

    def settle(
        self,
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
        allowed: Sequence[Range | None],
        known: Mapping[int, Range],
    ) -> dict[int, Range]:
        """Bound every node of one box over the designs in which every root is allowed.

        Parameters
        ----------
        first, last, allowed
            As for `narrow`, for one box.
        known
            The ranges of nodes, by position, that are known better than by their arguments.

        Returns
        -------
        dict
            Position -> range, empty (low above high) where no design is left.
        """
        ranges = self._reader.read_all(first, last, known)
        wanted = dict(zip(self._roots, allowed, strict=True))
        with np.errstate(all="ignore"):
            self._back(wanted, ranges, dict(first), dict(last))
        return ranges

    def _back(
        self,
        wanted: Mapping[GraphNode, Range | None],
        ranges: dict[int, Range],
        first: dict[str, Positions],
        last: dict[str, Positions],
    ) -> NDArray[np.bool_]:
        """Carry what is wanted from the roots to the choices; tell where nothing contradicts it."""
        possible = np.ones(len(next(iter(first.values()))), np.bool_)
        asked: set[int] = set()
        for root, values in wanted.items():
            if values is not None and not isinstance(root, Constant):
                _ask(root, values, ranges, asked)
        for node in self._backward:
            if node.position in asked:
                value = ranges[node.position]
                possible &= ~(value.low > value.high)
                self._cut(node, value, first, last)
                for argument, values in _wanted(node, value, ranges):
                    _ask(argument, values, ranges, asked)
        return possible

    def _cut(
        self, node: GraphNode, value: Range, first: dict[str, Positions], last: dict[str, Positions]
    ) -> None:
        """Cut off the positions of a choice where a leaf is not what it must be."""
        match node:
            case Choice(name=name):
                first[name], last[name] = self._columns[name].within(
                    first[name], last[name], value.low, value.high
                )
            case Table(names=(name,), values=table) if table.size <= SCANNED:
                first[name], last[name] = scanned(
                    table, first[name], last[name], value.low, value.high
                )
            case _:
                pass


def _wanted(
    node: GraphNode, value: Range, ranges: Mapping[int, Range]
) -> list[tuple[GraphNode, Range]]:
    """Tell what the arguments of an operation must be for its value."""
    if not isinstance(node, Apply) or node.operation.inverse is None:
        return []
    operation = node.operation
    given = node.operation.inverse(
        value, *(ranges[argument.position] for argument in node.arguments)
    )
    wanted = []
    for place, (argument, values) in enumerate(zip(node.arguments, given, strict=True)):
        if values is None or isinstance(argument, Constant):
            continue
        # Of a number that counts as true wherever it is not zero, nothing is known.
        if argument.truth or not operation.reads_truth(place):
            wanted.append((argument, values))
    return wanted


def _ask(node: GraphNode, values: Range, ranges: dict[int, Range], asked: set[int]) -> None:
    """Note what a node must be."""
    ranges[node.position] = met(values, ranges[node.position])
    asked.add(node.position)


def _possible(
    wanted: Mapping[GraphNode, Range | None], ranges: Mapping[int, Range], boxes: int
) -> NDArray[np.bool_]:
    """Tell in which boxes every root can have a value that it may have."""
    possible = np.ones(boxes, np.bool_)
    for root, values in wanted.items():
        if values is not None:
            known = ranges[root.position]
            possible &= (known.low <= values.high) & (known.high >= values.low)
    return possible


def _take(bound: Range, which: NDArray[np.generic]) -> Range:
    """Select boxes; what is the same in all of them stays one number."""
    if not bound.low.ndim:
        return bound
    return Range(bound.low[which], bound.high[which])
