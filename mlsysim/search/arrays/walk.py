"""Walk the whole grid: in blocks where that works, point by point where it misleads."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from mlsysim.errors import MetricError
from mlsysim.problem.problem import UNDEFINED, Problem
from mlsysim.results.conflict import minimal_conflict
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.arrays.block_reading import NotVectorisedError
from mlsysim.search.arrays.scan import OutOfTimeError, Scan
from mlsysim.search.arrays.shared import SharedScan
from mlsysim.search.arrays.task import Task
from mlsysim.search.conflicts import reasons_of, relaxation
from mlsysim.search.exactness import beyond_floats
from mlsysim.search.interruption import current, interruptible
from mlsysim.search.verify import UNRELIABLE, Point, nowhere_defined

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


def walk(task: Task, designs: Callable[[Scan], dict[str, Any]]) -> Walked:
    """Walk the grid and answer.

    Parameters
    ----------
    task
        What is asked, and of which evaluator.
    designs
        Judges what a scan has found on plain numbers; gives parts of a result.
    """
    with interruptible():
        return _walked(task, designs)


def _walked(task: Task, designs: Callable[[Scan], dict[str, Any]]) -> Walked:
    began = time.monotonic()
    limit = task.options.time_limit
    deadline = math.inf if limit is None else began + limit
    kind = Scan if task.options.executor is None else SharedScan
    # Whole numbers beyond 2**53 are exact on plain numbers alone.
    misled = beyond_floats(task.problem, task.evaluate)
    try:
        scan = kind(task, deadline=deadline, in_blocks=misled is None)
        stopped = _run(scan)
        scanned = time.monotonic()
        answer = _answer(task.problem, scan, stopped, designs)
    except NotVectorisedError as reason:
        misled = str(reason)
        scan = kind(task, deadline=deadline, in_blocks=False)
        stopped = _run(scan)
        scanned = time.monotonic()
        try:
            answer = _answer(task.problem, scan, stopped, designs)
        except NotVectorisedError as again:  # no arrays are left to blame
            raise MetricError(f"{UNRELIABLE} ({again})") from None
    # There may have been no time to judge everything.
    if answer["status"] is Status.FEASIBLE or answer.get("unfinished"):
        stopped = stopped or ("interrupt" if current().came else "time limit")
    ended = time.monotonic()
    seconds = {"scan": scanned - began, "verify": ended - scanned, "total": ended - began}
    return Walked(
        scan=scan,
        answer=answer,
        statistics=_statistics(task.problem, scan, seconds, stopped, misled),
    )


def _run(scan: Scan) -> str | None:
    """Scan the grid; say what stopped it."""
    try:
        scan.run()
    except OutOfTimeError:
        return "time limit"
    except KeyboardInterrupt:
        current().ask()
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
    nearest = cache(partial(_nearest, scan))
    broken = [{name for name, _ in pattern} for pattern in tally.patterns]
    requirements = problem.requirements(tally.verdicts)
    conflict = minimal_conflict(broken, requirements, constraints=len(problem.constraints))
    if conflict == (UNDEFINED,):
        raise nowhere_defined(problem, scan.judge(0))
    relaxations = [relaxation(problem, name, scan.unit or "", nearest(name)) for name in conflict]
    return {
        "status": Status.INFEASIBLE,
        "conflict": conflict,
        "conflict_reasons": reasons_of(problem, conflict, tally.patterns, nearest),
        "relaxations": tuple(relaxations),
    }


def _nearest(scan: Scan, name: str) -> Point | None:
    """Judge the nearest of the designs that break one requirement alone."""
    index = scan.tally.nearest.index(name)
    point = None if index is None else scan.judge(index)
    if point is not None and point.violated != {name}:
        raise NotVectorisedError(f"arrays misjudge {name!r} at {dict(point.params)}")
    return point


def _statistics(
    problem: Problem,
    scan: Scan,
    seconds: dict[str, float],
    stopped: str | None,
    misled: str | None,
) -> Statistics:
    tally = scan.tally
    extra = scan.account | ({"point_by_point": misled} if misled else {})
    return Statistics(
        grid_size=problem.space.size,
        points_evaluated=tally.seen,
        feasible_points=tally.feasible,
        undefined=tally.undefined,
        rejected={name: count for name, count in tally.rejected.items() if count},
        seconds=seconds,
        stopped_by=stopped,
        extra=extra,
    )
