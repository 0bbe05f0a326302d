"""What a search for one best design and one for a front have in common."""

from collections.abc import Sequence
from typing import Any

from mlsysim.errors import DisagreementError
from mlsysim.problem.problem import Problem
from mlsysim.results.statistics import Statistics
from mlsysim.search.cpsat.minimize import Minimizer, Way
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.question.question import TracedQuestion, agree
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.goals import Goals
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator, Point


class TracedSearch:
    """A question that is traced and checked, and what looks for its designs.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    options
        What the caller wants.
    way
        How designs are found.
    goals
        All objectives, where a front is asked for.

    Attributes
    ----------
    question
        The traced question.
    clock
        The time that there is for it and for all its forms.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    """

    def __init__(
        self,
        problem: Problem,
        evaluate: Evaluator,
        options: SearchOptions,
        way: Way = Way.AUTO,
        goals: Goals | None = None,
    ) -> None:
        self._options = options
        self.clock = Clock(options)
        self._minimizer = Minimizer(self.clock, self._report, way)
        with self.clock.phase("trace"), self.clock.interruptible():
            self.question = TracedQuestion(problem, evaluate, goals)
            self.question.check_trace()

    def _report(self, presolve: Presolve) -> None:
        """Tell the caller how far a presolve has come."""
        raise NotImplementedError

    def _checked(self, points: Sequence[Point], traced: Sequence[float]) -> Sequence[Point]:
        """Insist that plain numbers say of a feasible design what the trace does.

        Raises
        ------
        DisagreementError
            If they do not: nothing is answered then.
        """
        plain = self.question.signed(points)
        if not all(map(agree, traced, plain)):
            self.question.refuse_random(points[0])
            raise DisagreementError(
                f"at {dict(points[0].params)} the objectives are {traced!r} by the trace, but "
                f"{plain!r} by the evaluator on plain numbers"
            )
        return points

    def _statistics(self, *, finished: bool, **more: Any) -> Statistics:
        clock = self.clock
        return Statistics(
            grid_size=self.question.problem.space.size,
            points_evaluated=clock.counters["designs"],
            seconds={**clock.seconds, "total": clock.elapsed},
            solver=dict(clock.counters),
            # A limit that comes after the proof has stopped nothing.
            stopped_by=None if finished else clock.stopped_by or "time limit",
            extra={"operations": len(self.question.formulation.graph.nodes)},
            **more,
        )
