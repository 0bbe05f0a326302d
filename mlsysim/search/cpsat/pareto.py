"""Find a Pareto front with CP-SAT's presolve: trace, shrink, judge, prove.

Branch and bound over boxes lists every design that no other dominates.  Where
a question falls into blocks whose product is too large for that, each point
is a minimum of its own instead, under bounds that move along the front.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from mlsysim.expr.traced import Traced
from mlsysim.numeric import TOLERANCE
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.status import Status
from mlsysim.search.cpsat.blocks.joint import Blocks
from mlsysim.search.cpsat.conflict import why_infeasible
from mlsysim.search.cpsat.figures import refuse_missing
from mlsysim.search.cpsat.front_presolve import FrontPresolve
from mlsysim.search.cpsat.minimize import Way
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program.conditions import GraphCondition
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.regions import Bounds, sweep
from mlsysim.search.cpsat.solving.clock import StoppedError
from mlsysim.search.cpsat.traced_search import TracedSearch
from mlsysim.search.goals import Goals
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.search.verify import Evaluator, Point

# Boxes to bound before a question of several blocks is treated as such.
PATIENCE = 200_000
_NO_LIMIT = 1 << 62
_GOLDEN = 0.618034


def front(
    goals: Goals, evaluate: Evaluator, options: SearchOptions, way: Way = Way.AUTO
) -> ParetoFront:
    """Find every design that no other dominates, or prove that there is none.

    Parameters
    ----------
    goals
        What is asked.
    evaluate
        The user's evaluator; called once on traced values, and on plain
        numbers for every design that is returned.
    options
        What the caller wants.
    way
        A front is listed by branch and bound, unless it has several blocks: then by one
        minimum after the other, in this way.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    DisagreementError
        If a returned design is not worth on plain numbers what the trace says.
    """
    return _Search(goals, evaluate, options, way).result()


class _Search(TracedSearch):
    """One search for a front, from the trace to the answer."""

    def __init__(self, goals: Goals, evaluate: Evaluator, options: SearchOptions, way: Way) -> None:
        super().__init__(goals.problems[0], evaluate, options, way, goals)
        self._goals = goals
        self._way = way
        self._proved_by = Way.BRANCH_AND_BOUND

    def result(self) -> ParetoFront:
        with self.clock.interruptible():
            refuse_missing(self.question, self._minimizer)
            judged, proven = self._judged()
            answer: dict[str, Any] = {}
            if proven and not judged:
                answer = why_infeasible(self.question, self.clock, self._minimizer)
        status = _status(proven=proven, found=bool(judged))
        return ParetoFront(
            status=status,
            objectives=tuple(objective.text for objective in self._goals.objectives),
            units=self.question.units,
            method=self._proved_by.value,
            statistics=self._statistics(finished=proven and not answer.get("unfinished")),
            points=self._goals.front(judged, self.question.units),
            **answer,
        )

    def _judged(self) -> tuple[dict[int, Sequence[Point]], bool]:
        """Find the front, and re-evaluate it; designs that fail on plain numbers are cut off.

        Returns
        -------
        tuple
            The designs by their position in the grid, and whether the front is complete.
        """
        excluded: set[tuple[int, ...]] = set()
        while True:
            program = self.question.program(excluded=excluded)
            rows, proven = self._found(program)
            judged: dict[int, Sequence[Point]] = {}
            rejected = set()
            with self.clock.phase("verify"):
                until = self.clock.elapsed + self.clock.respite
                for row in _spread(len(rows)):
                    design, traced = rows.designs[row].tolist(), rows.values[row]
                    try:
                        points = self.question.points(design)
                    except KeyboardInterrupt:
                        self.clock.interrupt()
                        return judged, False
                    if judged and self.clock.elapsed > until:
                        return judged, False
                    if points[0].is_feasible:
                        judged[self._index(design)] = self._checked(points, traced.tolist())
                    else:
                        rejected.add(tuple(design))
            if not rejected or self.clock.left <= 0:
                return judged, proven and not rejected
            excluded |= rejected

    def _found(self, program: Program) -> tuple[Rows, bool]:
        """Find the designs of the front, and say whether they are all."""
        several = len(Blocks(program)) > 1 and self._way is not Way.BRANCH_AND_BOUND
        presolve = FrontPresolve(
            program=program, keep=1, clock=self.clock, on_progress=self._report
        )
        with self.clock.phase("presolve"):
            finished = presolve.run(PATIENCE if several else _NO_LIMIT)
        rows, proven = presolve.found, False
        if self.clock.left > 0 and finished:
            with self.clock.phase("tabulate"), self._stopping():
                front = presolve.front()
                rows, proven = (rows, False) if front is None else (front, True)
        self.clock.counters["boxes"] += presolve.bounded
        self.clock.counters["designs"] += presolve.evaluated
        if self.clock.left > 0 and not finished:
            rows, proven = self._by_regions(program, rows)
        return rows, proven

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Leave a block where Ctrl-C comes, and go on with what was known before it."""
        try:
            yield
        except KeyboardInterrupt:
            self.clock.interrupt()

    def _by_regions(self, program: Program, found: Rows) -> tuple[Rows, bool]:
        """Minimise one objective after the other under bounds on all of them."""
        self._proved_by = Way.CP_SAT
        count = len(program.objectives)
        designs: list[list[int]] = []

        def least(bounds: Bounds) -> Bounds | None:
            values: list[float] = []
            design: list[int] = []
            for place in range(count):
                form = self._under(program, place, values, bounds)
                minimum = self._minimizer.minimize(form, 1)
                if not minimum.proven:
                    raise StoppedError
                if not len(minimum.best):
                    return None
                design = minimum.best.designs[0].tolist()
                values.append(float(minimum.best.values[0, 0]))
            designs.append(design)
            return tuple(values)

        proven = False
        with self._stopping(), suppress(StoppedError):
            for _ in sweep(count, least):
                self.clock.counters["regions"] += 1
            proven = True
        rows = no_rows(len(program.names), count)
        if designs:
            rows = program.rows(np.array(designs, np.int64))
        return (rows if proven else rows.plus(found)).undominated(1), proven

    def _under(
        self, program: Program, place: int, reached: Sequence[float], bounds: Bounds
    ) -> Program:
        """Minimise one objective: those before it stay where they are, the rest below bounds."""
        graph = program.graph
        limits = []
        for at, node in enumerate(program.objectives):
            value: Any = Traced(graph, node)
            truth = Traced(graph, graph.constant(1.0, truth=True))
            if at < len(reached):
                truth = value <= _just_above(reached[at])
            elif math.isfinite(bounds[at]):
                truth = value < _just_below(bounds[at])
            # Without a bound, too, an objective has to be a finite number.
            name = f"bound on objective {at + 1}"
            limits.append(GraphCondition(name=name, node=truth.node, sides=(node,)))

        return replace(
            program,
            objectives=(program.objectives[place],),
            conditions=(*program.conditions, *limits),
        )

    def _index(self, design: Sequence[int]) -> int:
        index = 0
        for position, domain in zip(design, self.question.problem.space.domains, strict=True):
            index = index * len(domain.values) + position
        return index

    def _report(self, presolve: Presolve) -> None:
        if self._options.progress is None:
            return
        size = self.question.problem.space.size
        whole = len(presolve.program.objectives) == len(self._goals.problems)
        known = whole and math.isfinite(presolve.left_over)
        done = size - int(presolve.left_over) if known else 0
        self._options.progress(Progress(done=max(0, done), total=size))


def _just_below(bound: float) -> float:
    """Give a bound that rounding errors do not slip under; whole numbers have none."""
    return bound if bound == round(bound) else bound - TOLERANCE * abs(bound)


def _just_above(bound: float) -> float:
    """Give a bound that rounding errors do not break; whole numbers have none."""
    return bound if bound == round(bound) else bound + TOLERANCE * abs(bound)


def _spread(count: int) -> list[int]:
    """Order the points of a front so that the first few are spread over it."""
    return sorted(range(count), key=lambda place: place * _GOLDEN % 1.0)


def _status(*, proven: bool, found: bool) -> Status:
    if found:
        return Status.OPTIMAL if proven else Status.FEASIBLE
    return Status.INFEASIBLE if proven else Status.UNKNOWN
