"""Answer a question by CP-SAT: trace, shrink, solve, judge, prove."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.errors import DisagreementError
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.result import SearchResult, relative_gap
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.cpsat.boxes import whole
from mlsysim.search.cpsat.clock import Clock
from mlsysim.search.cpsat.conflict import find_conflict
from mlsysim.search.cpsat.lowered import lower
from mlsysim.search.cpsat.minimize import Minimizer, Minimum
from mlsysim.search.cpsat.model import CompiledModel
from mlsysim.search.cpsat.presolve import TABLE_ROWS, Presolve
from mlsysim.search.cpsat.question import Question, agree
from mlsysim.search.cpsat.table import table_model
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.search.verify import Evaluator, Point

METHOD = "cp-sat"


def search(problem: Problem, evaluate: Evaluator, options: SearchOptions) -> SearchResult:
    """Find the best designs, or prove that there are none.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator; called once on traced values, and on plain
        numbers for every design that is returned.
    options
        What the caller wants.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    DisagreementError
        If a returned design is not worth on plain numbers what the solver says.
    """
    return _Search(problem, evaluate, options).result()


def compile_model(problem: Problem, evaluate: Evaluator) -> CompiledModel:
    """Build the CP-SAT model of a question without solving it.

    A small space becomes one table; the formulas of a large one are lowered.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    NotLowerableError
        If a large space has an expression without a sound encoding.
    """
    program = Question(problem, evaluate).program()
    if problem.space.size > TABLE_ROWS:
        return lower(program).compiled
    designs = whole(list(program.lengths.values())).designs()
    return table_model(program, program.tabulate(designs).sorted())


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """The best designs, re-evaluated on plain numbers."""

    minimum: Minimum
    points: tuple[Point, ...]


class _Search:
    """One search, from the trace to the answer."""

    def __init__(self, problem: Problem, evaluate: Evaluator, options: SearchOptions) -> None:
        self._problem = problem
        self._options = options
        self._clock = Clock(options)
        self._minimizer = Minimizer(self._clock, self._report)
        with self._clock.phase("trace"):
            self._question = Question(problem, evaluate)
            self._question.check_trace()

    def result(self) -> SearchResult:
        judged = self._judged()
        minimum, question = judged.minimum, self._question
        answer: dict[str, Any] = {}
        if minimum.proven and not judged.points:
            with self._clock.phase("explain"):
                conflict = find_conflict(question, lambda form: self._minimizer.minimize(form, 1))
            answer = {
                "conflict": conflict.names,
                "conflict_reasons": conflict.reasons,
                "relaxations": conflict.relaxations,
            }
        elif np.isfinite(minimum.bound):
            answer["bound"] = question.sign * minimum.bound
            if judged.points:
                best = judged.points[0].objective_in(question.unit)
                answer["bound"] = best if minimum.proven else answer["bound"]
                answer["gap"] = relative_gap(best, answer["bound"])
        return SearchResult(
            status=_status(proven=minimum.proven, found=bool(judged.points)),
            objective=self._problem.objective.text,
            unit=question.unit,
            method=METHOD,
            statistics=self._statistics(),
            top_candidates=tuple(self._candidate(point) for point in judged.points),
            **answer,
        )

    def _judged(self) -> _Judged:
        """Solve, and re-evaluate; designs that fail on plain numbers are cut off."""
        excluded: set[tuple[int, ...]] = set()
        while True:
            form = self._question.program(excluded=excluded)
            minimum = self._minimizer.minimize(form, self._options.top)
            points = []
            rejected = set()
            with self._clock.phase("verify"):
                for design, traced in zip(
                    minimum.best.designs.tolist(), minimum.best.values[:, 0], strict=True
                ):
                    point = self._question.point(design)
                    if point.is_feasible:
                        points.append(self._checked(point, float(traced)))
                    else:
                        rejected.add(tuple(design))
            if not rejected:
                return _Judged(minimum=minimum, points=tuple(points))
            excluded |= rejected

    def _checked(self, point: Point, traced: float) -> Point:
        plain = self._question.sign * point.objective_in(self._question.unit)
        if not agree(traced, plain):
            raise DisagreementError(
                f"at {dict(point.params)} the solver's objective is {traced!r}, but the "
                f"evaluator's on plain numbers {plain!r}"
            )
        return point

    def _report(self, presolve: Presolve) -> None:
        if self._options.progress is None:
            return
        size, sign = self._problem.space.size, self._question.sign
        done = size - int(presolve.left_over) if np.isfinite(presolve.left_over) else 0
        single = presolve.program.names == self._question.program().names
        best = float(presolve.found.values[0, 0]) if single and len(presolve.found) else None
        self._options.progress(
            Progress(
                done=max(0, done),
                total=size,
                best=None if best is None else sign * best,
                bound=sign * presolve.bound if best is not None else None,
            )
        )

    def _candidate(self, point: Point) -> Candidate:
        return Candidate(
            params=dict(point.params),
            objective_value=point.objective_in(self._question.unit),
            result=point.result,
        )

    def _statistics(self) -> Statistics:
        clock = self._clock
        return Statistics(
            grid_size=self._problem.space.size,
            points_evaluated=clock.counters["designs"],
            seconds={**clock.seconds, "total": clock.elapsed},
            solver=dict(clock.counters),
            stopped_by=clock.stopped_by,
            extra={"operations": len(self._question.formulation.graph.nodes)},
        )


def _status(*, proven: bool, found: bool) -> Status:
    if found:
        return Status.OPTIMAL if proven else Status.FEASIBLE
    return Status.INFEASIBLE if proven else Status.UNKNOWN
