"""The ranges of values over the designs that a model has to represent."""

import math
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import GraphNode, reachable
from mlsysim.expr.narrowing import BoxNarrower
from mlsysim.expr.ranges import Array, Range
from mlsysim.search.cpsat.lowering.group import Group
from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.program import TRUE, Program


@dataclass(frozen=True, kw_only=True)
class Known:
    """Between which ends a value lies, and for which designs that is known.

    Parameters
    ----------
    low, high
        The ends.
    group, rows
        The value is known to be a number in these combinations of this group only;
        everywhere where there is no group.
    nowhere
        The value is not known to be a number for any design.
    """

    low: float
    high: float
    group: Group | None = None
    rows: NDArray[np.bool_] | None = None
    nowhere: bool = False


class ValueRanges:
    """Bounds values over all designs of interest, and over the combinations of groups.

    Each group divides the designs, and so does the box as a whole: what is known in every
    part of one of them is known everywhere.

    Parameters
    ----------
    program
        What is minimised.
    box
        The one box that holds every design of interest.
    groups
        The groups of choices of the model.
    cutoff
        Designs whose objective is not below this do not matter.
    settled
        What is known of every value over the box, where that was looked into.
    """

    def __init__(
        self,
        program: Program,
        box: Boxes,
        groups: Sequence[Group],
        cutoff: float,
        settled: Mapping[int, Range] | None = None,
    ) -> None:
        self._program = program
        self._groups = [group for group in groups if group.cells is not None]
        self._rows = [group for group in groups if group.cells is None]
        self._box = self._ends(box)
        known = self._over_box(cutoff) if settled is None else settled
        # What is found out later goes before what was known; most of that is never asked for.
        self._settled: MutableMapping[int, Range] = _before(known)
        self._within = {
            id(group): _before(group.cells.settled) for group in self._groups if group.cells
        }
        self._known: dict[int, Known] = {}

    def of(self, node: GraphNode) -> Known:
        """Bound a value; also one that was made after the program."""
        if node.position not in self._known:
            self._known[node.position] = self._bound(node)
        return self._known[node.position]

    def is_constant(self, node: GraphNode) -> bool:
        """Tell whether the formula alone leaves a value no room, whatever conditions say of it."""
        if not node.support:
            return True
        known = self._of_rows(reachable([node]))
        (bound,) = BoxReader([node], self._program.columns).read(*self._box, known)
        return bool(np.min(bound.low) == np.max(bound.high))

    def within(self, node: GraphNode, group: Group) -> Range | None:
        """Bound a value in each combination of a group, where that was looked into."""
        if group.cells is None:
            return None
        settled = self._within[id(group)]
        if node.position not in settled:
            reader = BoxReader([node], self._program.columns)
            (bound,) = reader.read(*self._ends(group.cells.boxes), settled)
            settled[node.position] = Range(*(np.broadcast_to(end, len(group)) for end in bound))
        return settled[node.position]

    def most(self, nodes: Sequence[GraphNode], function: Callable[..., Array]) -> float:
        """Bound from above a function of several values: in each part of a partition together.

        Parameters
        ----------
        nodes
            The values.
        function
            Takes the range of each, and gives a bound over all numbers in them.
        """
        partitions = [[Range(*map(np.array, self._over(node))) for node in nodes]]
        for group in self._groups:
            ranges = [self.within(node, group) for node in nodes]
            if len(group):
                partitions.append([bound for bound in ranges if bound is not None])
        with np.errstate(all="ignore"):
            found = [np.max(function(*ranges)) for ranges in partitions]
        return min(float(one) if one == one else np.inf for one in found)  # noqa: PLR0124

    def know(self, node: GraphNode, other: GraphNode, function: Callable[[Range], Range]) -> None:
        """Take over for a new value what is known of another that it is a function of."""
        self._settled[node.position] = function(self._settled[other.position])
        for group in self._groups:
            bound = self.within(other, group)
            if bound is not None:
                self._within[id(group)][node.position] = function(bound)

    def _bound(self, node: GraphNode) -> Known:
        ends = [self._over(node)]
        parts: list[tuple[float, Group, Range, NDArray[np.bool_]]] = []
        for group in self._groups:
            bound = self.within(node, group)
            if bound is None or not len(group):
                continue
            finite = np.isfinite(bound.low) & np.isfinite(bound.high)
            if finite.all():
                ends.append((float(bound.low.min()), float(bound.high.max())))
            elif finite.any():
                parts.append((float(finite.mean()), group, bound, finite))
        low, high = max(low for low, _ in ends), min(high for _, high in ends)
        if math.isfinite(low) and math.isfinite(high):
            return Known(low=low, high=max(low, high))
        if not parts:
            return Known(low=0.0, high=0.0, nowhere=True)
        _, group, bound, rows = max(parts, key=lambda part: part[0])
        return Known(
            low=float(bound.low[rows].min()),
            high=float(bound.high[rows].max()),
            group=group,
            rows=rows,
        )

    def _over(self, node: GraphNode) -> tuple[float, float]:
        """Bound a value over the box as a whole."""
        if node.position not in self._settled:
            known = {**self._settled, **self._of_rows(reachable([node]))}
            reader = BoxReader([node], self._program.columns)
            (self._settled[node.position],) = reader.read(*self._box, known)
        bound = self._settled[node.position]
        return float(np.min(bound.low)), float(np.max(bound.high))

    def _over_box(self, cutoff: float) -> dict[int, Range]:
        program = self._program
        conditions = [condition.node for condition in program.conditions]
        best = Range(np.asarray(-np.inf), np.asarray(cutoff)) if cutoff < np.inf else None
        roots = [*program.objectives, *conditions]
        allowed = [*(best for _ in program.objectives), *(TRUE for _ in conditions)]
        known = self._of_rows(reachable(roots))
        narrower = BoxNarrower(roots, program.columns)
        settled = narrower.settle(*self._box, allowed, known)
        plain = BoxReader(roots, program.columns).read_all(*self._box, known)
        if any(np.any(bound.low > bound.high) for bound in settled.values()):
            # No design meets every condition; that is left to the solver to prove.
            return plain
        # That a condition must hold is no reason to leave it out of the model.
        truths = (node.position for node in reachable(roots) if node.truth)
        return settled | {position: plain[position] for position in truths}

    def _of_rows(self, nodes: Sequence[GraphNode]) -> dict[int, Range]:
        """Bound values over the combinations of the groups that they belong to."""
        found = {}
        for group in self._rows:
            own = [node for node in nodes if group.holds(node)]
            group.learn(own)
            for node in own:
                values = group.values(node)
                finite = bool(np.all(np.isfinite(values)))
                ends = (values.min(), values.max()) if finite else (-np.inf, np.inf)
                found[node.position] = Range(*(np.array([end]) for end in ends))
        return found

    def _ends(self, boxes: Boxes) -> tuple[Mapping[str, Positions], Mapping[str, Positions]]:
        names = self._program.names
        return (
            dict(zip(names, boxes.first.T, strict=True)),
            dict(zip(names, boxes.last.T, strict=True)),
        )


def _before(known: Mapping[int, Range]) -> MutableMapping[int, Range]:
    # A chain never writes to any but its first map.
    return ChainMap({}, cast("MutableMapping[int, Range]", known))
