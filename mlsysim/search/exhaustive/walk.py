"""Walk the whole grid: in blocks where that works, point by point where it misleads."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlsysim.problem.problem import Problem
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.exhaustive.block_reading import NotVectorisedError
from mlsysim.search.exhaustive.explanation import conflict_of, relaxation
from mlsysim.search.exhaustive.scan import OutOfTimeError, Scan
from mlsysim.search.options import SearchOptions

METHOD = "exhaustive"


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A walk and what came of it.

    Parameters
    ----------
    scan
        What was seen.
    answer
        Status, designs or explanation: parts of a result.
    statistics
        What was done.
    """

    scan: Scan
    answer: dict[str, Any]
    statistics: Statistics


def walk(
    problem: Problem,
    options: SearchOptions,
    begin: Callable[[float, bool], Scan],
    designs: Callable[[Scan], dict[str, Any]],
) -> Walked:
    """Walk the grid and answer.

    Parameters
    ----------
    problem
        What is asked.
    options
        What the caller wants.
    begin
        Makes a scan of a deadline, and of whether to try arrays.
    designs
        Judges what a scan has found on plain numbers; gives parts of a result.
    """
    began = time.monotonic()
    deadline = math.inf if options.time_limit is None else began + options.time_limit
    misled: str | None = None
    try:
        scan = begin(deadline, True)  # noqa: FBT003 - a callback has no keywords
        stopped = _run(scan)
        scanned = time.monotonic()
        answer = _answer(problem, scan, stopped, designs)
    except NotVectorisedError as reason:
        misled = str(reason)
        scan = begin(deadline, False)  # noqa: FBT003
        stopped = _run(scan)
        scanned = time.monotonic()
        answer = _answer(problem, scan, stopped, designs)
    ended = time.monotonic()
    seconds = {"scan": scanned - began, "verify": ended - scanned, "total": ended - began}
    return Walked(
        scan=scan,
        answer=answer,
        statistics=_statistics(problem, scan, seconds, stopped, misled),
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
    problem: Problem,
    scan: Scan,
    stopped: str | None,
    designs: Callable[[Scan], dict[str, Any]],
) -> dict[str, Any]:
    if not scan.tally.feasible:
        return {"status": Status.UNKNOWN} if stopped else _infeasible(problem, scan)
    return {"status": Status.FEASIBLE if stopped else Status.OPTIMAL, **designs(scan)}


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
