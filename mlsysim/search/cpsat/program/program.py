"""A minimisation over a graph, read over designs and over boxes.

This is what is left of a question once units, names of metrics and senses of
objectives are dealt with: choices by position, numbers to minimise, and
conditions.  Presolve and lowering work on it; it knows nothing of ML.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlsysim.expr.collecting import uncollected
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import BoxReader, DesignReader
from mlsysim.expr.graph import Constant, Graph, GraphNode, reachable
from mlsysim.expr.narrowing import BoxNarrower
from mlsysim.expr.ranges import Range
from mlsysim.problem.domain import EXACT
from mlsysim.search.cpsat.program.bounding import Bounder, Comparing, corner_gaps
from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.condense import condense
from mlsysim.search.cpsat.program.conditions import GraphCondition, Tabulated
from mlsysim.search.cpsat.program.counts import is_whole
from mlsysim.search.cpsat.program.estimates import Estimates
from mlsysim.search.cpsat.program.gaps import differences
from mlsysim.search.cpsat.program.rows import Array, Mask, Rows
from mlsysim.search.cpsat.program.signs import OpenSigns

TRUE = Range(np.asarray(1.0), np.asarray(1.0))
_NOT_POSITIVE = Range(np.asarray(-np.inf), np.asarray(0.0))


class UndefinedError(Exception):
    """A design has no finite objective where only numbers will do."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """Minimise numbers over all designs that meet some conditions.

    Parameters
    ----------
    graph
        The operations.
    lengths
        The number of positions of each choice, in the order of the space.
    columns
        The values of the numeric choices.
    objectives
        The nodes to minimise: one, or several for a Pareto front.
    conditions
        What must hold.
    accepts
        Asked where rounding might decide a condition whether plain numbers say
        that it holds.
    strict
        Whether a design that meets every condition, but has no finite objective,
        is an `UndefinedError`; it is no design otherwise.
    excluded
        Designs that must not be returned.
    nearly
        A design that is better by no more than this share, relative, need not be
        found where the solver would have to sort out a great many to find it.
    known
        What is known of the formulas, where other programs over the graph have asked.
    """

    graph: Graph
    lengths: Mapping[str, int]
    columns: Mapping[str, Column]
    objectives: tuple[GraphNode, ...]
    conditions: tuple[GraphCondition, ...]
    accepts: Callable[[Sequence[int]], bool] | None = None
    strict: bool = False
    excluded: frozenset[tuple[int, ...]] = frozenset()
    nearly: float = 0.0
    known: Estimates | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the choices."""
        return tuple(self.lengths)

    @property
    def designs(self) -> object:
        """What tells its designs from those of other programs over the same graph."""
        met = frozenset(condition.node.position for condition in self.conditions)
        return self.names, met, self.excluded

    def rows(self, designs: Positions) -> Rows:
        """Evaluate designs, and keep those that meet every condition."""
        return self.tabulate(designs).feasible

    def tabulate(self, designs: Positions, *, ask: bool = True) -> Tabulated:
        """Evaluate designs, and tell which condition each of them meets.

        Parameters
        ----------
        designs
            One row of positions per design.
        ask
            Whether to ask plain numbers where sides are too close to call.

        Raises
        ------
        UndefinedError
            If the program is strict, and a design has no finite objective.
        """
        numbers = [*self.objectives, *(side for c in self.conditions for side in c.sides)]
        at = dict(zip(self.names, np.ascontiguousarray(designs.T), strict=True))
        full = np.ones(len(designs))
        # A number that no choice changes is one for all.
        values = [value if value.ndim else value * full for value in self._designs.read(at)]
        count = len(self.objectives)
        sides = iter(values[count : len(numbers)])
        finite = iter([np.isfinite(value) for value in values[: len(numbers)]])
        defined = np.logical_and.reduce([next(finite) for _ in self.objectives])
        holds = np.ones((len(self.conditions) + 1, len(designs)), np.bool_)
        close = np.zeros((len(self.conditions) + 1, len(designs)), np.bool_)
        for place, (condition, truth) in enumerate(
            zip(self.conditions, values[len(numbers) :], strict=True)
        ):
            own = [next(sides) for _ in condition.sides]
            numeric = np.logical_and.reduce([next(finite) for _ in own])
            holds[place] = (truth != 0) & numeric
            if self.accepts is not None and ask:
                with np.errstate(invalid="ignore"):
                    close[place] = condition.is_close(own) & numeric
        if self.strict and np.any(~defined & holds.all(axis=0)):
            raise UndefinedError
        holds[-1] = defined & ~self._excluded(designs)
        for doubtful in np.flatnonzero(close.any(axis=0) & (holds | close).all(axis=0)):
            accepted = self.accepts is not None and self.accepts(designs[doubtful].tolist())
            holds[close[:, doubtful], doubtful] = accepted
        table = np.where(defined[:, None], np.stack(values[:count], axis=1), np.inf)
        return Tabulated(designs=designs, values=table, holds=holds)

    def bound(self, boxes: Boxes, cutoff: float = np.inf) -> Boxes:
        """Bound the objectives over boxes, and drop those that cannot matter.

        Parameters
        ----------
        boxes
            The boxes.
        cutoff
            Designs of which no objective is below this do not matter.
        """
        bounded = Boxes(first=boxes.first, last=boxes.last, bound=self._bounder.bound(boxes))
        return bounded.take(np.all(bounded.bound < cutoff, axis=1))

    def narrow(self, boxes: Boxes, cutoff: float = np.inf) -> tuple[Boxes, Positions]:
        """Bound the objectives over boxes, and cut off what cannot matter.

        Parameters
        ----------
        boxes
            The boxes.
        cutoff
            Designs whose one objective is not below this do not matter.

        Returns
        -------
        Boxes
            The boxes that may hold a design that meets every condition, without
            the ends that cannot.
        array
            Their places among the boxes given.
        """
        best = Range(np.asarray(-np.inf), np.asarray(cutoff)) if cutoff < np.inf else None
        first, last = self._ends(boxes)
        found = self._narrower.narrow(first, last, self._allowed(best))
        kept = boxes.take(found.kept)
        bound = self._read(kept, found.ranges)
        possible = np.all(bound < np.inf, axis=1)
        narrowed = Boxes(
            first=np.stack([found.first[name] for name in self.names], axis=1),
            last=np.stack([found.last[name] for name in self.names], axis=1),
            bound=bound,
        )
        return narrowed.take(possible), found.kept[possible]

    def settle(self, boxes: Boxes, cutoff: float = np.inf) -> dict[int, Range]:
        """Bound every value over boxes, over the designs that matter.

        Parameters
        ----------
        boxes
            The boxes.
        cutoff
            Designs whose one objective is not below this do not matter.

        Returns
        -------
        dict
            The range of each value of the program, by its position in the graph, in each
            box.  Truth values are as the formulas alone leave them: that a condition must
            hold is no reason to leave it out of a model.
        """
        first, last = self._ends(boxes)
        best = Range(np.asarray(-np.inf), np.asarray(cutoff)) if cutoff < np.inf else None
        own = [*self.objectives, *(condition.node for condition in self.conditions)]
        allowed = [
            *(Range(bound, np.full(len(boxes), cutoff)) for bound in boxes.bound.T),
            *(TRUE for _ in self.conditions),
            *self._allowed(best),
        ]
        looked_up = self._open_signs.read(first, last)
        ranges = self._settler.settle(first, last, allowed, looked_up)
        nodes = reachable(own)
        plain = self._plain.read_all(first, last, looked_up)
        estimates = self._roots[len(self.objectives) : 2 * len(self.objectives)]
        settled = {}
        for node in nodes:
            known = plain if node.truth else ranges
            low, high = (np.broadcast_to(end, len(boxes)) for end in known[node.position])
            if node in self.objectives:
                estimate = estimates[self.objectives.index(node)]
                low = np.maximum(low, ranges[estimate.position].low)
            crossed = low > high  # no such design is left; whatever it is will do
            below, above = plain[node.position]
            settled[node.position] = Range(
                np.where(crossed, below, low), np.where(crossed, above, high)
            )
        return settled

    def read_all(self, boxes: Boxes) -> dict[int, Range]:
        """Bound every value over boxes by the formulas alone, by its position in the graph."""
        return self._plain.read_all(*self._ends(boxes))

    def may_matter(self, ranges: Mapping[int, Range], cutoff: float, count: int) -> Mask:
        """Tell in which boxes every condition may hold, and the objectives may be below a value."""
        possible = np.ones(count, np.bool_)
        for objective in self.objectives:
            possible &= ranges[objective.position].low <= cutoff
        for condition in self.conditions:
            truth = ranges[condition.node.position]
            possible &= (truth.high != 0) | (truth.low != 0)
        return possible

    def bound_with_gaps(self, boxes: Boxes) -> tuple[Boxes, Array]:
        """Bound the objectives over boxes, and tell what is missing to each comparison.

        Returns
        -------
        tuple
            The boxes with their bounds, infinite where some condition cannot
            hold, and one row per box with the least difference of the sides of each
            comparison: above zero it cannot hold; minus infinity where it
            holds for certain.
        """
        bound, gaps = self._bounder.bound_with_gaps(boxes)
        return Boxes(first=boxes.first, last=boxes.last, bound=bound), gaps

    def _allowed(self, best: Range | None) -> list[Range | None]:
        """Tell what each root may be, where the objective may be what `best` says."""
        conditions = [
            allowed
            for comparisons in self._gaps
            for allowed in (TRUE, *(_NOT_POSITIVE for _ in comparisons))
        ]
        return [*([best] * (2 * len(self.objectives))), *conditions]

    def _ends(self, boxes: Boxes) -> tuple[dict[str, Positions], dict[str, Positions]]:
        return (
            dict(zip(self.names, boxes.first.T, strict=True)),
            dict(zip(self.names, boxes.last.T, strict=True)),
        )

    def _read(self, boxes: Boxes, ranges: Sequence[Range]) -> Array:
        """Tell the bounds of boxes from the ranges of the roots."""
        read = iter(ranges)
        low, possible = boxes.bound, np.ones(len(boxes), np.bool_)
        for _ in ("as it is", "rearranged"):
            found = [np.broadcast_to(next(read).low, len(boxes)) for _ in self.objectives]
            low = np.maximum(low, np.stack(found, axis=1))
        for comparisons in self._gaps:
            truth = next(read)
            possible &= (truth.high != 0) | (truth.low != 0)
            for _ in comparisons:
                possible &= next(read).low <= 0
        return np.where(possible[:, None], low, np.inf)

    @cached_property
    def step(self) -> float:
        """How far apart two objectives are that differ: nothing is known unless they are whole."""
        (objective,) = self.objectives
        return 1.0 if is_whole(objective, self.columns) else 0.0

    def goal(self, last: float, margin: float) -> float:
        """Give what an objective has to be below to count as better than another.

        Parameters
        ----------
        last
            The other.
        margin
            What is better by less than this share is only better by rounding.
        """
        slack = margin * abs(last)
        if abs(last) <= EXACT and self.step:  # whole numbers have no rounding
            slack = min(slack, self.step / 2)
        return last - slack

    @cached_property
    def estimates(self) -> Estimates:
        """What is known of the formulas over all designs."""
        return self.known or Estimates(self.graph, self.columns)

    @cached_property
    def _designs(self) -> DesignReader:
        numbers = [*self.objectives, *(side for c in self.conditions for side in c.sides)]
        with uncollected():
            return DesignReader([*numbers, *(c.node for c in self.conditions)], self.columns)

    @cached_property
    def _condensed(self) -> list[GraphNode]:
        """The objectives and the conditions, in the form that is read over boxes."""
        nodes = [*self.objectives, *(condition.node for condition in self.conditions)]
        return condense(self.graph, nodes, self.columns, nodes[len(self.objectives) :])

    @cached_property
    def _gaps(self) -> tuple[tuple[GraphNode, ...], ...]:
        truths = self._condensed[len(self.objectives) :]
        below, apply = self.estimates.rearranger.below, self.graph.apply
        found = (
            [below(apply("subtract", *pair)) for pair in differences(truth)] for truth in truths
        )
        return tuple(tuple(gap for gap in gaps if not isinstance(gap, Constant)) for gaps in found)

    @cached_property
    def _bounder(self) -> Bounder:
        with uncollected():
            return self._new_bounder()

    def _new_bounder(self) -> Bounder:
        count = len(self.objectives)
        corners = self.estimates.corners
        objectives = [
            (objective, estimate, corners.estimate(objective, up=False))
            for objective, estimate in zip(
                self._condensed[:count], self._roots[count : 2 * count], strict=True
            )
        ]
        conditions = [
            Comparing(truth=truth, gaps=(*known, *corner_gaps(self.graph, truth, corners)))
            for truth, known in zip(self._condensed[count:], self._gaps, strict=True)
        ]
        return Bounder(objectives, conditions, self.estimates.ends, self.names)

    @cached_property
    def _roots(self) -> list[GraphNode]:
        count = len(self.objectives)
        objectives, truths = self._condensed[:count], self._condensed[count:]
        estimates = [self.estimates.rearranger.below(objective) for objective in objectives]
        conditions = [
            node
            for truth, comparisons in zip(truths, self._gaps, strict=True)
            for node in (truth, *comparisons)
        ]
        return [*objectives, *estimates, *conditions]

    @cached_property
    def _plain(self) -> BoxReader:
        return BoxReader(
            [*self.objectives, *(condition.node for condition in self.conditions)], self.columns
        )

    @cached_property
    def _open_signs(self) -> OpenSigns:
        own = [*self.objectives, *(condition.node for condition in self.conditions)]
        ones = {name: np.zeros(1, np.int64) for name in self.names}
        last = {name: np.array([length - 1]) for name, length in self.lengths.items()}
        ranges = self._plain.read_all(ones, last)
        return OpenSigns(self.graph, own, self.columns, ranges)

    @cached_property
    def _settler(self) -> BoxNarrower:
        own = [*self.objectives, *(condition.node for condition in self.conditions)]
        return BoxNarrower([*own, *self._roots], self.columns)

    @cached_property
    def _narrower(self) -> BoxNarrower:
        return BoxNarrower(self._roots, self.columns)

    def _excluded(self, designs: Positions) -> Mask:
        banned = np.zeros(len(designs), np.bool_)
        for design in self.excluded:
            banned |= np.all(designs == np.array(design), axis=1)
        return banned
