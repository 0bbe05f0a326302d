"""Answer a question by evaluating every design, in arrays where that works."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.search.arrays.block_reading import NotVectorisedError
from mlsysim.search.arrays.scan import Scan
from mlsysim.search.arrays.task import Task
from mlsysim.search.arrays.walk import METHOD, walk
from mlsysim.search.goals import Goals
from mlsysim.search.options import WRITING, SearchOptions, respite
from mlsysim.search.verify import Evaluator, Point, refuse_random

_JUDGED_TWICE = 5
"""So many of the best designs are evaluated again, to see that they stay what they are."""


def search(problem: Problem, evaluate: Evaluator, options: SearchOptions) -> SearchResult:
    """Evaluate every design and return the best, or the proof that there is none.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator: a dict of choices in, anything with metrics out.
    options
        What the caller wants.

    Returns
    -------
    SearchResult
        The same whatever the evaluator can take: arrays only make it faster.

    Raises
    ------
    MetricError
        If a metric does not exist, or is not finite at a design that nothing excludes.
    UnitError
        If a constraint compares different dimensions.
    """
    task = Task(problem=problem, evaluate=evaluate, options=options)
    walked = walk(task, lambda scan: _best(task, scan))
    answer = walked.answer
    if answer["status"] is Status.OPTIMAL:
        answer |= {"bound": answer["top_candidates"][0].objective_value, "gap": 0.0}
    return SearchResult(
        objective=problem.objective.text,
        unit=walked.scan.unit or "",
        method=METHOD,
        statistics=walked.statistics,
        **answer,
    )


def front(goals: Goals, evaluate: Evaluator, options: SearchOptions) -> ParetoFront:
    """Evaluate every design and keep those that no other dominates.

    Raises
    ------
    MetricError, UnitError
        As for `search`.
    """
    task = Task(problem=goals.problems[0], evaluate=evaluate, options=options, goals=goals)
    walked = walk(task, lambda scan: _front(task, goals, scan))
    return ParetoFront(
        objectives=tuple(objective.text for objective in goals.objectives),
        units=tuple(_units(walked.scan)),
        method=METHOD,
        statistics=walked.statistics,
        **walked.answer,
    )


@dataclass(frozen=True, kw_only=True)
class _JudgedLeader:
    """A leader on plain numbers."""

    index: int
    values: tuple[float, ...]
    point: Point


def _best(task: Task, scan: Scan) -> dict[str, Any]:
    """Judge the best designs, and order them by what they are worth on plain numbers."""
    keys, top = scan.tally.leaders.values[:, 0], task.options.top
    last = keys[min(top, len(keys)) - 1]
    # Arrays may misplace a tie by its last bit.
    near = np.flatnonzero(keys <= last + TOLERANCE * abs(last)).tolist()
    judged: list[_JudgedLeader] = []
    for item in _judged(task, scan, near):
        if len(judged) < _JUDGED_TWICE:
            refuse_random(task.problem, task.evaluate, item.point)
        judged.append(item)
    answer: dict[str, Any] = {}
    if len(judged) < len(near):
        told = f"{min(top, len(judged)):,} of {min(top, len(near)):,}"
        answer["unfinished"] = (f"the list of the best designs: {told} are judged",)
    judged.sort(key=lambda item: (item.values, item.index))
    sign = task.problem.objective.sense.sign
    candidates = (
        Candidate(
            params=dict(item.point.params),
            objective_value=sign * item.values[0],
            result=item.point.result,
        )
        for item in judged[:top]
    )
    return answer | {"top_candidates": tuple(candidates)}


def _front(task: Task, goals: Goals, scan: Scan) -> dict[str, Any]:
    """Judge the designs of a front, and sort out those that plain numbers tell to be none."""
    rows = list(range(len(scan.tally.leaders.indices)))
    # So that the points are spread over the front where the time is up before the last.
    random.Random(task.options.seed).shuffle(rows)  # noqa: S311 - for sampling
    judged = {
        item.index: (item.point, *goals.others(item.point)) for item in _judged(task, scan, rows)
    }
    answer: dict[str, Any] = {"points": goals.front(judged, _units(scan))}
    return answer if len(judged) == len(rows) else answer | {"status": Status.FEASIBLE}


def _judged(task: Task, scan: Scan, rows: Sequence[int]) -> Iterator[_JudgedLeader]:
    """Judge leaders, the first one in any case, for as long as there is time.

    Raises
    ------
    NotVectorisedError
        If arrays made another thing of one.
    """
    leaders = scan.tally.leaders
    began = time.monotonic()
    until = scan.deadline + respite(task.options.time_limit or 0.0)
    for row in rows:
        now = time.monotonic()
        if row != rows[0] and now + WRITING * (now - began) > until:
            return
        index = leaders.indices[row]
        try:
            point = leaders.point(index) or scan.judge(index)
            plain = [point.objective_in(scan.unit or ""), *scan.others.of_point(point)]
        except KeyboardInterrupt:
            if row == rows[0]:
                raise
            return
        same = point.is_feasible and len(plain) == len(task.signs)
        values = tuple(sign * value for sign, value in zip(task.signs, plain, strict=False))
        if not same or not np.allclose(leaders.values[row], values, rtol=TOLERANCE, atol=0.0):
            raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
        yield _JudgedLeader(index=index, values=values, point=point)


def _units(scan: Scan) -> list[str]:
    return [scan.unit or "", *scan.others.units]
