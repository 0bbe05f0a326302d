"""Answer a question by evaluating every design."""

from collections.abc import Iterator
from typing import Any, cast

from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.search.exhaustive.block_reading import NotVectorisedError
from mlsysim.search.exhaustive.doubts import CLOSE
from mlsysim.search.exhaustive.leaders import Leader, Leaders
from mlsysim.search.exhaustive.scan import Scan
from mlsysim.search.exhaustive.task import Task
from mlsysim.search.exhaustive.walk import METHOD, walk
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator, Point


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
        return {"top_candidates": tuple(_verified(problem, options.top, scan))}

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


def _verified(problem: Problem, top: int, scan: Scan) -> Iterator[Candidate]:
    """Judge the best designs on plain numbers, and order them by those."""
    best = cast("Leaders", scan.tally.leaders)
    leaders = list(best)
    last = leaders[min(top, len(leaders)) - 1].key
    judged: list[tuple[Leader, Point]] = []
    for leader in leaders:
        if leader.key > last + CLOSE * abs(last):
            break
        try:
            point = best.point(leader.index) or scan.judge(leader.index)
        except KeyboardInterrupt:
            if judged:  # the best ones are an answer
                break
            raise
        key = problem.objective.sense.sign * point.objective_in(scan.unit or "")
        if not point.is_feasible or not abs(key - leader.key) <= CLOSE * abs(key):
            raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
        judged.append((Leader(key=key, index=leader.index), point))
    for leader, point in sorted(judged, key=lambda pair: pair[0])[:top]:
        yield Candidate(
            params=dict(point.params),
            objective_value=problem.objective.sense.sign * leader.key,
            result=point.result,
        )
