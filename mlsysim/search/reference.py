"""The reference: every design of the space, one after the other, on plain numbers.

This is the file to doubt first and to read whole: every other way to answer is held
against it, and it has nothing to be quick with.  No design is skipped, no bound is
trusted, nothing is an array, nothing is traced.  What one design is worth, `evaluate_point`
says (`mlsysim.search.verify`, where it is also told what becomes of numbers that are
undefined); here it is only counted, sorted and compared:

best            the feasible designs, by their objective; of equal ones the first in the space
infeasible      there is no design that breaks nothing
conflict        requirements of which every design breaks one; minimal: of any fewer of
                them, some design breaks none
relaxation      of the designs that break nothing but one requirement, the one that comes
                nearest to meeting it
front           the feasible designs that no other is as good as in every objective, and
                better in one; of equal ones the first in the space

It takes a second for some hundred designs of a pipeline.  ``method="exhaustive"`` evaluates
every design, too, in arrays and by many processes (`mlsysim.search.arrays`); it is held against
this file by tests, and by every `DSE.cross_check` of a small space.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mlsysim.problem.problem import UNDEFINED, Problem
from mlsysim.problem.reading import Condition
from mlsysim.results.candidate import Candidate, ParetoPoint
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.conflicts import reasons_of, relaxation
from mlsysim.search.goals import DIGITS, Goals
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.search.verify import Evaluator, Point, evaluate_point, nowhere_defined, refuse_random
from mlsysim.units import as_float

METHOD = "reference"

FEW = 1_000
"""Where answers are compared, the reference is asked, too, about up to so many designs."""

_WALKED = 0.9
"""How much of a time limit is spent on evaluating; the rest is for sorting and writing down."""

Design = TypeVar("Design")


def search(problem: Problem, evaluate: Evaluator, options: SearchOptions) -> SearchResult:
    """Evaluate every design; give the best of them, or say why there is none.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    options
        How many designs are wanted, and how long it may take; seed, workers and executor do
        not matter.

    Raises
    ------
    MetricError
        If a metric does not exist, no design has a finite objective, or the
        evaluator gives one design different values.
    UnitError
        If a constraint compares different dimensions, or the objective has several.
    """
    walk = _walk(problem, lambda params: evaluate_point(problem, evaluate, params), options)
    points = walk.designs
    unit = _unit(points)
    keys = _keys(problem, points, unit)
    ranked = [place for place, point in enumerate(points) if point.is_feasible]
    ranked.sort(key=keys.__getitem__)  # equal ones stay in the order of the space
    for place in {0, *ranked[:1]} if points else ():
        refuse_random(problem, evaluate, points[place])
    status = _status(walk, found=bool(ranked))
    best = tuple(
        Candidate(
            params=dict(points[place].params),
            objective_value=points[place].objective_in(unit),
            result=points[place].result,
        )
        for place in ranked[: options.top]
    )
    return SearchResult(
        status=status,
        objective=problem.objective.text,
        method=METHOD,
        unit=unit,
        top_candidates=best,
        bound=best[0].objective_value if status is Status.OPTIMAL else None,
        gap=0.0 if status is Status.OPTIMAL else None,
        statistics=_statistics(problem, points, walk),
        **_explained(problem, points, keys, status),
    )


def front(goals: Goals, evaluate: Evaluator, options: SearchOptions) -> ParetoFront:
    """Evaluate every design; give those that no other dominates.

    Raises
    ------
    MetricError, UnitError
        As for `search`.
    """
    problem = goals.problems[0]
    walk = _walk(problem, lambda params: goals.judge(evaluate, params), options)
    points = [first for first, *_ in walk.designs]
    if points:
        refuse_random(problem, evaluate, points[0])
    feasible = [judged for judged in walk.designs if judged[0].is_feasible]
    others = (_unit([judged[n] for judged in feasible]) for n in range(1, len(goals.problems)))
    units = [_unit(points), *others]
    values = [
        tuple(point.objective_in(unit) for point, unit in zip(judged, units, strict=True))
        for judged in feasible
    ]
    keys = [
        tuple(_rounded(sign * value) for sign, value in zip(goals.signs, row, strict=True))
        for row in values
    ]
    status = _status(walk, found=bool(feasible))
    return ParetoFront(
        status=status,
        objectives=tuple(objective.text for objective in goals.objectives),
        units=tuple(units),
        method=METHOD,
        statistics=_statistics(problem, points, walk),
        points=tuple(
            ParetoPoint(
                params=dict(feasible[place][0].params),
                objective_values=values[place],
                result=feasible[place][0].result,
            )
            for place in _undominated(keys)
        ),
        **_explained(problem, points, _keys(problem, points, units[0]), status),
    )


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """The designs judged, in the order of the space; all of them if nothing stopped it."""

    designs: list[Any]
    seconds: float
    stopped: str | None


def _walk(
    problem: Problem, judge: Callable[[dict[str, Any]], Design], options: SearchOptions
) -> _Walk:
    began, size = time.monotonic(), problem.space.size
    until = math.inf if options.time_limit is None else began + _WALKED * options.time_limit
    tell = options.progress or (lambda _: None)
    designs: list[Design] = []
    stopped = None
    with interruptible() as interruption:
        try:
            while len(designs) < size:
                late = time.monotonic() >= until
                if late or interruption.came:
                    stopped = "time limit" if late else "interrupt"
                    break
                tell(Progress(done=len(designs), total=size))
                designs.append(judge(problem.space.point(len(designs))))
        except KeyboardInterrupt:
            interruption.ask()
            stopped = "interrupt"
    return _Walk(designs=designs, seconds=time.monotonic() - began, stopped=stopped)


def _unit(points: Sequence[Point]) -> str:
    """Give the unit of the objective: that of the first design that has one."""
    return next((point.reading.unit for point in points if point.reading is not None), "")


def _keys(problem: Problem, points: Sequence[Point], unit: str) -> list[float]:
    """Give what is to be minimised, for each design."""
    sign = problem.objective.sense.sign
    return [sign * point.objective_in(unit) for point in points]


def _status(walk: _Walk, *, found: bool) -> Status:
    if found:
        return Status.FEASIBLE if walk.stopped else Status.OPTIMAL
    return Status.UNKNOWN if walk.stopped else Status.INFEASIBLE


def _statistics(problem: Problem, points: Sequence[Point], walk: _Walk) -> Statistics:
    return Statistics(
        grid_size=problem.space.size,
        points_evaluated=len(points),
        feasible_points=sum(point.is_feasible for point in points),
        undefined=sum(point.is_undefined for point in points),
        rejected=Counter(name for point in points for name in point.violated),
        seconds={"total": walk.seconds},
        stopped_by=walk.stopped,
    )


# Why there is no design.


def _explained(
    problem: Problem, points: Sequence[Point], keys: Sequence[float], status: Status
) -> dict[str, Any]:
    """Give conflict and relaxations of an infeasible question; nothing of any other."""
    if status is not Status.INFEASIBLE:
        return {}
    deferred = [point.deferred for point in points if point.deferred is not None]
    if len(deferred) == len(points):
        raise deferred[0]  # no design has the metric, so that it is misspelt
    conflict = _conflict(problem, points)
    if conflict == (UNDEFINED,):
        raise nowhere_defined(problem, points[0])
    nearest = {name: _nearest(name, points, keys) for name in conflict}
    failures = {point.broken: None for point in points}
    return {
        "conflict": conflict,
        "conflict_reasons": reasons_of(problem, conflict, failures, nearest.__getitem__),
        "relaxations": tuple(
            relaxation(problem, name, _unit(points), nearest[name]) for name in conflict
        ),
    }


def _conflict(problem: Problem, points: Sequence[Point]) -> tuple[str, ...]:
    """Leave out one requirement after the other, as long as every design breaks one of the rest.

    The user's constraints are left out first, the last one foremost: that no design can even
    exist is the stronger statement.  What is left is minimal, for whatever could not be left out
    of more requirements cannot be left out of fewer.
    """
    verdicts = [
        name
        for point in points
        for name in (*(item.name for item in _conditions(point)), *sorted(point.violated))
    ]
    requirements = problem.requirements(verdicts)
    own = len(problem.constraints)
    kept = set(requirements)
    for name in (*reversed(requirements[:own]), *reversed(requirements[own:])):
        if all(point.violated & (kept - {name}) for point in points):
            kept.remove(name)
    return tuple(name for name in requirements if name in kept)


def _conditions(point: Point) -> Sequence[Condition]:
    return () if point.reading is None else point.reading.conditions


def _nearest(name: str, points: Sequence[Point], keys: Sequence[float]) -> Point | None:
    """Find the design that comes nearest to a requirement, of those that break it alone."""
    alone = [place for place, point in enumerate(points) if point.violated == {name}]
    if not alone:
        return None
    return points[min(alone, key=lambda place: (*_distance(points[place]), _last(keys[place])))]


def _distance(point: Point) -> tuple[int, float, float]:
    """How many conditions would have to be waived; how far the worst other is, and all others."""
    broken = [
        _excess(condition)
        for condition in _conditions(point)
        if condition.relation is not None and (condition.name, condition.reason) in point.broken
    ]
    return len(point.broken) - len(broken), max(broken, default=0.0), sum(broken)


def _excess(condition: Condition) -> float:
    """How far a condition is from holding, relative to its right side; undefined is farthest."""
    left, right = as_float(condition.left), as_float(condition.right)
    excess = 0.0 if condition.relation is None else condition.relation.excess(left, right)
    return _last(excess / (abs(right) or 1.0))


def _last(value: float) -> float:
    """Let what is no finite number come last."""
    return value if math.isfinite(value) else math.inf


# Which designs no other dominates.


def _rounded(value: float) -> float:
    """Keep as many binary digits as fronts are compared in, so that being equal is transitive."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(math.ldexp(mantissa, DIGITS)), exponent - DIGITS)


def _undominated(rows: Sequence[tuple[float, ...]]) -> list[int]:
    """Find the rows that no other, and no equal one before, is as good as; sorted by value."""
    kept: list[int] = []
    for place, row in enumerate(rows):
        if not any(_is_as_good(rows[other], row) for other in kept):
            kept = [other for other in kept if not _is_as_good(row, rows[other])] + [place]
    return sorted(kept, key=lambda place: rows[place])


def _is_as_good(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(mine <= yours for mine, yours in zip(one, other, strict=True))
