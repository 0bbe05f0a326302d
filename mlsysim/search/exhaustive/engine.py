"""Answer a question by evaluating every design."""

import math
import time
from collections.abc import Iterator
from typing import Any

from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Candidate
from mlsysim.results.result import SearchResult
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.exhaustive.block_reading import NotVectorisedError
from mlsysim.search.exhaustive.doubts import CLOSE
from mlsysim.search.exhaustive.explanation import conflict_of, relaxation
from mlsysim.search.exhaustive.leaders import Leader
from mlsysim.search.exhaustive.scan import OutOfTimeError, Scan
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator, Point

METHOD = "exhaustive"


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
    began = time.monotonic()
    deadline = math.inf if options.time_limit is None else began + options.time_limit
    misled: str | None = None
    try:
        scan = Scan(problem, evaluate, options, deadline=deadline, in_blocks=True)
        stopped = _run(scan)
        scanned = time.monotonic()
        answer = _answer(problem, options, scan, stopped)
    except NotVectorisedError as reason:
        misled = str(reason)
        scan = Scan(problem, evaluate, options, deadline=deadline, in_blocks=False)
        stopped = _run(scan)
        scanned = time.monotonic()
        answer = _answer(problem, options, scan, stopped)
    ended = time.monotonic()
    seconds = {"scan": scanned - began, "verify": ended - scanned, "total": ended - began}
    return SearchResult(
        objective=problem.objective.text,
        unit=scan.unit or "",
        method=METHOD,
        statistics=_statistics(problem, scan, seconds, stopped, misled),
        **answer,
    )


def _run(scan: Scan) -> str | None:
    """Scan the grid; say what stopped it."""
    try:
        scan.run()
    except OutOfTimeError:
        return "time limit"
    except KeyboardInterrupt:
        return "interrupt"
    return None


def _answer(
    problem: Problem, options: SearchOptions, scan: Scan, stopped: str | None
) -> dict[str, Any]:
    if not scan.tally.feasible:
        return {"status": Status.UNKNOWN} if stopped else _infeasible(problem, scan)
    best = list(_verified(problem, options.top, scan))
    proven = {"bound": best[0].objective_value, "gap": 0.0}
    return {
        "status": Status.FEASIBLE if stopped else Status.OPTIMAL,
        "top_candidates": tuple(best),
        **({} if stopped else proven),
    }


def _infeasible(problem: Problem, scan: Scan) -> dict[str, Any]:
    tally = scan.tally
    if not tally.readable and tally.deferred is not None:
        # No design has the metric, so that it is misspelt rather than undefined.
        raise tally.deferred
    conflict = conflict_of(problem, tally.patterns, tally.verdicts)
    relaxations = []
    for name in conflict.names:
        index = tally.nearest.index(name)
        point = None if index is None else scan.judge(index)
        if point is not None and point.violated != {name}:
            raise NotVectorisedError(f"arrays misjudge {name!r} at {dict(point.params)}")
        relaxations.append(relaxation(problem, name, scan.unit or "", point))
    return {
        "status": Status.INFEASIBLE,
        "conflict": conflict.names,
        "conflict_reasons": conflict.reasons,
        "relaxations": tuple(relaxations),
    }


def _verified(problem: Problem, top: int, scan: Scan) -> Iterator[Candidate]:
    """Judge the best designs on plain numbers, and order them by those."""
    leaders = list(scan.tally.leaders)
    last = leaders[min(top, len(leaders)) - 1].key
    judged: list[tuple[Leader, Point]] = []
    for leader in leaders:
        if leader.key > last + CLOSE * abs(last):
            break
        point = scan.tally.leaders.point(leader.index) or scan.judge(leader.index)
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


def _statistics(
    problem: Problem,
    scan: Scan,
    seconds: dict[str, float],
    stopped: str | None,
    misled: str | None,
) -> Statistics:
    tally = scan.tally
    extra: dict[str, Any] = {
        "plain_evaluations": scan.plain_evaluations,
        "blocks": scan.blocks,
    }
    reason = misled or scan.point_by_point
    if reason:
        extra["point_by_point"] = reason
    return Statistics(
        grid_size=problem.space.size,
        points_evaluated=tally.seen,
        feasible_points=tally.feasible,
        rejected={name: count for name, count in tally.rejected.items() if count},
        seconds=seconds,
        stopped_by=stopped,
        extra=extra,
    )
