"""What binds the best design, and what relaxing it would buy.

The question is solved anew without each requirement, and for those that bind
with their limit relaxed a little.  Two shortcuts are exact: where the wider
question has no better design, the narrower one has none either; and where the
best design of the wider question meets the narrower limit, it is the best
there, too.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.errors import DisagreementError, MetricError
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import Condition, read
from mlsysim.problem.variant import Variant
from mlsysim.results.explained import Explanation
from mlsysim.results.result import SearchResult
from mlsysim.results.sensitivity import SHARES, Sensitivity, Trial
from mlsysim.results.status import Status
from mlsysim.search.interruption import current
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator, Point, evaluate_point
from mlsysim.units import magnitude, quantity


@dataclass(frozen=True, kw_only=True)
class Solved:
    """The answer to a variant of a question.

    Parameters
    ----------
    status
        How the search ended.
    point
        The best design on plain numbers; nothing if none was found.
    """

    status: Status
    point: Point | None = None


Solve = Callable[[Variant], Solved]
Search = Callable[[Problem, Evaluator, SearchOptions], SearchResult]


def explain_exhaustively(
    problem: Problem, evaluate: Evaluator, options: SearchOptions, search: Search
) -> Explanation:
    """Answer a question and explain the answer, evaluating every design each time.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    options
        What the caller wants; the time limit is for everything together.
    search
        Evaluates every design.
    """
    began = time.monotonic()
    stopped = False

    def solve(variant: Variant) -> Solved:
        nonlocal stopped
        left = math.inf if options.time_limit is None else options.time_limit
        left -= time.monotonic() - began
        if stopped or left <= 0 or current().came:
            return Solved(status=Status.UNKNOWN)
        limited = replace(options, top=1, time_limit=left if math.isfinite(left) else None)
        found = search(variant.problem, variant.evaluate, limited)
        stopped = found.statistics.stopped_by is not None
        best = found.top_candidates
        return Solved(status=found.status, point=judge(variant, best[0].params) if best else None)

    return account(problem, evaluate, search(problem, evaluate, options), solve)


def account(
    problem: Problem, evaluate: Evaluator, result: SearchResult, solve: Solve
) -> Explanation:
    """Explain an answer.

    Raises
    ------
    DisagreementError
        If a relaxed question is said to have a worse optimum than the question.
    """
    return _Account(problem, evaluate, result, solve).explanation()


def judge(variant: Variant, params: Any) -> Point:
    """Evaluate a design on plain numbers, as a variant has it."""
    return evaluate_point(variant.problem, variant.evaluate, params)


class _Account:
    """One explanation in the making."""

    def __init__(
        self, problem: Problem, evaluate: Evaluator, result: SearchResult, solve: Solve
    ) -> None:
        self._problem = problem
        self._evaluate = evaluate
        self._result = result
        self._solve = solve
        self._solves = 0

    def explanation(self) -> Explanation:
        began = time.perf_counter()
        requirements: tuple[Sensitivity, ...] = ()
        if self._result.top_candidates:
            best = self._result.best
            reading = read(self._problem, best.params, best.result)
            requirements = tuple(self._sensitivity(item) for item in reading.conditions)
        spent = time.perf_counter() - began
        return Explanation(
            result=self._result,
            requirements=requirements,
            solves=self._solves,
            seconds=self._result.statistics.total_seconds + spent,
        )

    def _sensitivity(self, condition: Condition) -> Sensitivity:
        constraint = self._problem.constraint(condition.name)
        left, right, unit = self._as_written(condition)
        item = Sensitivity(
            name=condition.name,
            reason=condition.reason,
            is_constraint=constraint is not None,
            left=left,
            relation=condition.relation,
            right=right,
            unit=unit,
            confidence=None if constraint is None else constraint.confidence,
        )
        # What a model says without a number cannot be waived by degrees, nor wished away.
        if self._result.status is not Status.OPTIMAL or item.relation is None:
            return item
        without = self._trial(item, None)
        item = replace(item, without=without)
        if item.binds is False or not item.is_movable:
            return item
        relaxed = []
        wider = without
        for share in reversed(SHARES):
            wider = self._narrower(item, wider, share)
            relaxed.append(wider)
        return replace(item, relaxed=tuple(reversed(relaxed)))

    def _narrower(self, item: Sensitivity, wider: Trial, share: float) -> Trial:
        """Answer with a limit, knowing the answer with a wider one."""
        if not wider.is_proven:
            return self._trial(item, share)
        if not wider.is_better:
            wider = replace(wider, params=self._result.best_params)
        variant = self._variant(item, share)
        point = judge(variant, wider.params or {})
        if point.is_feasible:
            return self._told(item, share, Solved(status=Status.OPTIMAL, point=point))
        return self._trial(item, share)

    def _trial(self, item: Sensitivity, share: float | None) -> Trial:
        """Solve the question with one requirement changed."""
        self._solves += 1
        try:
            solved = self._solve(self._variant(item, share))
        except KeyboardInterrupt:
            current().ask()
            return Trial(share=share, status=Status.UNKNOWN)
        except MetricError as error:
            # What a requirement excludes need not have numbers.
            return Trial(share=share, status=Status.UNKNOWN, note=str(error))
        return self._told(item, share, solved)

    def _told(self, item: Sensitivity, share: float | None, solved: Solved) -> Trial:
        if solved.status is Status.INFEASIBLE:
            raise DisagreementError(
                f"no design is said to exist with {item.label!r} relaxed, but "
                f"{dict(self._result.best_params)} does"
            )
        if solved.point is None:
            return Trial(share=share, status=solved.status)
        base = self._result.best_objective
        objective = solved.point.objective_in(self._result.unit)
        gain = self._problem.objective.sense.sign * (base - objective)
        if math.isclose(base, objective, rel_tol=TOLERANCE):
            gain = 0.0
        elif gain < 0:
            if solved.status is Status.OPTIMAL:
                raise DisagreementError(
                    f"with {item.label!r} relaxed the optimum is said to be {objective!r}, "
                    f"which is worse than {base!r} without"
                )
            return Trial(share=share, status=solved.status)
        return Trial(
            share=share,
            status=solved.status,
            objective=objective,
            gain=gain,
            relative_gain=gain / abs(base) if base else None,
            params=dict(solved.point.params),
            **self._sides(item, share, solved.point.params),
        )

    def _sides(self, item: Sensitivity, share: float | None, params: Any) -> dict[str, Any]:
        """Read what a requirement compares at a design."""
        if not item.is_movable:
            return {}
        # Without the requirement nothing reads its sides: a share of zero leaves it as it is.
        point = judge(self._variant(item, share or 0.0), params)
        for condition in () if point.reading is None else point.reading.conditions:
            if (condition.name, condition.reason) == (item.name, item.reason):
                left, right, _ = self._as_written(condition)
                return {"left": left, "limit": None if share is None else right}
        return {}

    def _variant(self, item: Sensitivity, share: float | None) -> Variant:
        return Variant(
            base=self._problem,
            evaluator=self._evaluate,
            name=item.name,
            reason=item.reason,
            share=share,
        )

    def _as_written(self, condition: Condition) -> tuple[Any, Any, str]:
        """Give the sides in the unit that the user wrote."""
        constraint = self._problem.constraint(condition.name)
        if constraint is None or condition.relation is None:
            unit = condition.unit
        else:
            unit = constraint.written_unit or condition.unit
        sides = (condition.left, condition.right)
        if unit != condition.unit:
            sides = tuple(magnitude(quantity(side, condition.unit), unit) for side in sides)
        left, right = (side.item() if hasattr(side, "item") else side for side in sides)
        return left, right, unit
