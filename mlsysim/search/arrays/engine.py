"""Answer a question by evaluating every design."""

import time
from collections.abc import Iterator
from typing import Any, cast

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.search.arrays.block_reading import NotVectorisedError
from mlsysim.search.arrays.leaders import Leader, Leaders
from mlsysim.search.arrays.scan import Scan
from mlsysim.search.arrays.task import Task
from mlsysim.search.arrays.walk import METHOD, walk
from mlsysim.search.options import SearchOptions, respite
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

    def designs(scan: Scan) -> dict[str, Any]:
        until = scan.deadline + respite(options.time_limit or 0.0)
        return _verified(problem, evaluate, options.top, scan, until)

    walked = walk(task, designs)
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


def _verified(
    problem: Problem, evaluate: Evaluator, top: int, scan: Scan, until: float
) -> dict[str, Any]:
    """Judge the best designs on plain numbers, and order them by those."""
    best = cast("Leaders", scan.tally.leaders)
    leaders = list(best)
    last = leaders[min(top, len(leaders)) - 1].key
    # Arrays may misplace a tie by its last bit.
    leaders = [leader for leader in leaders if leader.key <= last + TOLERANCE * abs(last)]
    sign = problem.objective.sense.sign
    judged: list[tuple[Leader, Point]] = []
    for leader, point in _judged(scan, best, leaders, until):
        key = sign * point.objective_in(scan.unit or "")
        if not point.is_feasible or not abs(key - leader.key) <= TOLERANCE * abs(key):
            raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
        if len(judged) < _JUDGED_TWICE:
            refuse_random(problem, evaluate, point)
        judged.append((Leader(key=key, index=leader.index), point))
    answer: dict[str, Any] = {}
    if len(judged) < len(leaders):
        told = f"{min(top, len(judged)):,} of {min(top, len(leaders)):,}"
        answer["unfinished"] = (f"the list of the best designs: {told} are judged",)
    candidates = (
        Candidate(params=dict(point.params), objective_value=sign * leader.key, result=point.result)
        for leader, point in sorted(judged, key=lambda pair: pair[0])[:top]
    )
    return answer | {"top_candidates": tuple(candidates)}


def _judged(
    scan: Scan, best: Leaders, leaders: list[Leader], until: float
) -> Iterator[tuple[Leader, Point]]:
    """Judge designs, the first one in any case, for as long as there is time."""
    for leader in leaders:
        if leader is not leaders[0] and time.monotonic() > until:
            return
        try:
            yield leader, best.point(leader.index) or scan.judge(leader.index)
        except KeyboardInterrupt:
            if leader is leaders[0]:
                raise
            return
