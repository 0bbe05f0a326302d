"""Answer a question by CP-SAT: trace, shrink, solve, judge, prove."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.result import SearchResult, relative_gap
from mlsysim.results.statistics import Proof
from mlsysim.results.status import Status
from mlsysim.search.cpsat.conflict import why_infeasible
from mlsysim.search.cpsat.figures import refuse_missing
from mlsysim.search.cpsat.minimize import Minimum, Way
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.traced_search import TracedSearch
from mlsysim.search.explain import Solved
from mlsysim.search.options import WRITING, Progress, SearchOptions
from mlsysim.search.verify import Evaluator, Point

_FINISHED = {Status.OPTIMAL, Status.INFEASIBLE}

Judge = Callable[[Sequence[int]], Point]
"""Evaluates a design, given by its positions, on plain numbers."""


def search(
    problem: Problem, evaluate: Evaluator, options: SearchOptions, way: Way = Way.AUTO
) -> SearchResult:
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
    way
        By CP-SAT on the formulas, by branch and bound, or by whichever is quicker.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    DisagreementError
        If a returned design is not worth on plain numbers what the solver says.
    """
    return Search(problem, evaluate, options, way).result()


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """The best designs, re-evaluated on plain numbers.

    Parameters
    ----------
    points
        The designs.
    placed
        How many of them are proven to be where they stand.
    is_complete
        Whether they are all that were asked for, or all that there are.
    bound
        No design has a lower objective.
    minimum
        What they were found by.
    """

    points: tuple[Point, ...]
    placed: int
    is_complete: bool
    bound: float
    minimum: Minimum

    @property
    def status(self) -> Status:
        """How the search ended: the best design may be proven although the list is not."""
        if self.points:
            return Status.OPTIMAL if self.placed else Status.FEASIBLE
        return Status.INFEASIBLE if self.is_complete else Status.UNKNOWN


class Search(TracedSearch):
    """One search, from the trace to the answer; see `TracedSearch`."""

    _answering = True

    def result(self) -> SearchResult:
        """Answer the question."""
        with self.clock.interruptible():
            return self._result()

    def solve(self, form: Program, judge: Judge) -> Solved:
        """Find the best design of another form of the question, which was traced already."""
        with self.clock.interruptible():
            judged = self._judged(form, 1, judge)
        return Solved(status=judged.status, point=judged.points[0] if judged.points else None)

    def _result(self) -> SearchResult:
        refuse_missing(self.question, self._minimizer)
        judged = self._judged(self.question.program(), self._options.top, self.question.point)
        self._answering = False
        self._proof = self._evidence(judged)
        answer: dict[str, Any]
        if judged.status is Status.INFEASIBLE:
            answer = why_infeasible(self.question, self.clock, self._minimizer, judged.minimum.lone)
        else:
            answer = self._bounds(judged) | self._listed(judged)
        return SearchResult(
            status=judged.status,
            objective=self.question.problem.objective.text,
            unit=self.question.unit,
            method=judged.minimum.way.value,
            statistics=self._statistics(
                finished=judged.status in _FINISHED and not answer.get("unfinished"),
                fallback_reason=judged.minimum.reason,
                proof=self._proof,
            ),
            **answer,
        )

    def _evidence(self, judged: _Judged) -> Proof:
        """Tell what the answer rests on, before anything is done to explain it."""
        counters = self.clock.counters
        return Proof(
            method=judged.minimum.way.value,
            boxes=counters["boxes"],
            designs=counters["designs"],
            solves=counters["solves"],
            variables=counters["variables"],
            constraints=counters["constraints"],
            branches=counters["branches"],
            conflicts=counters["conflicts"],
            bound=self.question.sign * judged.bound if math.isfinite(judged.bound) else None,
        )

    def _judged(self, form: Program, top: int, judge: Judge) -> _Judged:
        """Solve, and re-evaluate; designs that fail on plain numbers are cut off."""
        while True:
            minimum = self._minimizer.minimize(form, top)
            points: list[Point] = []
            rejected = set()
            placed = 0
            try:
                with self.clock.phase("verify"):
                    began = self.clock.elapsed
                    until = began + self.clock.respite
                    for place, design in enumerate(minimum.best.designs.tolist()):
                        now = self.clock.elapsed
                        if points and now + WRITING * (now - began) > until:
                            break
                        point = judge(design)
                        if point.is_feasible:
                            traced = minimum.best.values[place, :1].tolist()
                            points += self._checked([point], traced)
                            placed += place < minimum.placed
                        else:
                            rejected.add(tuple(design))
            except KeyboardInterrupt:  # those judged so far are an answer
                self.clock.interrupt()
            if not rejected or self.clock.left <= 0:
                complete = minimum.proven and len(points) == len(minimum.best)
                return _Judged(
                    points=tuple(points),
                    placed=placed,
                    is_complete=complete,
                    bound=self._bound(minimum, points),
                    minimum=minimum,
                )
            form = replace(form, excluded=form.excluded | rejected)

    def _bound(self, minimum: Minimum, points: Sequence[Point]) -> float:
        """Give what no design at all is better than, to be minimised."""
        values = minimum.best.values[:1, 0].tolist()
        return min([minimum.bound, *values]) if points or not minimum.proven else math.inf

    def _listed(self, judged: _Judged) -> dict[str, Any]:
        """List the designs found; of a proven answer, those that are proven to stand there."""
        points = judged.points
        if judged.status is not Status.OPTIMAL or judged.is_complete:
            return {"top_candidates": tuple(map(self._candidate, points))}
        told = (
            f"the list of the best designs: {judged.placed:,} of the {self._options.top:,} asked "
            "for are proven"
        )
        placed = points[: judged.placed]
        return {"top_candidates": tuple(map(self._candidate, placed)), "unfinished": (told,)}

    def _bounds(self, judged: _Judged) -> dict[str, float]:
        """Say how good a design can be at most, and how far from it the best one is."""
        sign, bound = self.question.sign, judged.bound
        if not judged.points:
            return {"bound": sign * bound} if np.isfinite(bound) else {}
        best = judged.points[0].objective_in(self.question.unit)
        if judged.status is Status.OPTIMAL:
            return {"bound": best, "gap": 0.0}
        # What is still open may all be worse than the best design found.
        bound = sign * min(bound, sign * best)
        return {"bound": bound, "gap": relative_gap(best, bound)} if np.isfinite(bound) else {}

    def _report(self, presolve: Presolve) -> None:
        if self._options.progress is None:
            return
        space, sign = self.question.problem.space, self.question.sign
        size = space.size
        done = size - int(presolve.left_over) if np.isfinite(presolve.left_over) else 0
        # What blocks and explanations look for is no design of the question.
        told = self._answering and presolve.program.names == tuple(space)
        best = float(presolve.found.values[0, 0]) if told and len(presolve.found) else None
        # What is still open may all be worse than the best design found.
        bound = None if best is None else min(best, presolve.bound)
        state = Progress(
            done=max(0, done),
            total=size,
            best=None if best is None else sign * best,
            bound=None if bound is None or not math.isfinite(bound) else sign * bound,
        )
        try:
            self._options.progress(state)
        except KeyboardInterrupt:
            self.clock.interrupt()

    def _candidate(self, point: Point) -> Candidate:
        return Candidate(
            params=dict(point.params),
            objective_value=point.objective_in(self.question.unit),
            result=point.result,
        )
