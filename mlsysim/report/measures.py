"""The numbers by which the designs of a report are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.errors import ConfidenceError, Infeasible
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.objective import Objective, Sense
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import resolver
from mlsysim.problem.relation import Relation
from mlsysim.report.breakdowns import disclosed_by
from mlsysim.report.fleets import pools_behind
from mlsysim.report.records import ReportedDesign, ReportedMeasure
from mlsysim.results.breakdowns import breakdowns_of
from mlsysim.results.formatting import number
from mlsysim.results.interval import Interval, interval_of
from mlsysim.stages.error_classes import COVERAGE, levels_of
from mlsysim.units import magnitude, quantity, same_dimension

_LESS = {Relation.LESS, Relation.AT_MOST}
_MORE = {Relation.GREATER, Relation.AT_LEAST}

Values = list[tuple[str, Any, str, Sense | None]]
"""Measures before they are compared: name, number or array, unit, which way is better."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What designs are measured by.

    Parameters
    ----------
    objectives
        Those of the question, or of a front.
    constraints
        Those that limit a measure.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]

    @classmethod
    def of(cls, problem: Problem, objectives: Iterable[Objective | str]) -> "Judge":
        """Make the judge of a question."""
        goals = (
            item if isinstance(item, Objective) else Objective.parse(item) for item in objectives
        )
        limits = tuple(item for item in problem.constraints if item.relation in _LESS | _MORE)
        return cls(objectives=tuple(goals), constraints=limits)

    def values(self, params: Mapping[str, Any], result: Any) -> Values:
        """Measure a design, or a block of them as arrays.

        The objectives come first, then what constraints limit, then the sums of
        the breakdowns.
        """
        resolve = resolver(params, result)
        found: Values = []
        for goal in self.objectives:
            value, unit = goal.value(resolve)
            found.append((goal.metric.rpartition(".")[2], value, unit, goal.sense))
        for item in self.constraints:
            sense = Sense.MINIMIZE if item.relation in _LESS else Sense.MAXIMIZE
            left, _, unit = item.sides(resolve)
            wanted = item.written_unit or unit
            if not item.left.names or isinstance(left, str):
                continue
            found.append((item.name, _converted(left, unit, wanted), wanted, sense))
        for parts in breakdowns_of(result):
            found.append((parts.name, parts.total, parts.unit, Sense.MINIMIZE))
        return found


def designs_of(
    judge: Judge, found: Sequence[tuple[Mapping[str, Any], Any]]
) -> tuple[ReportedDesign, ...]:
    """Measure designs and compare each with the first."""
    columns = [judge.values(params, result) for params, result in found]
    kept = distinct(columns, len(judge.objectives)) if columns else []
    designs: list[ReportedDesign] = []
    for (params, result), values in zip(found, columns, strict=True):
        told = disclosed_by(result)
        ends = _ends(judge, params, result)
        measures = [
            ReportedMeasure(name=n, value=float(v), unit=u, sense=s, interval=end)
            for (n, v, u, s), end in zip(values, ends or [None] * len(values), strict=True)
        ]
        best = designs[0].measures if designs else ()
        chosen = [measures[place] for place in kept]
        designs.append(
            ReportedDesign(
                params=dict(params),
                measures=tuple(map(compared, chosen, best)) if best else tuple(chosen),
                breakdowns=told.breakdowns,
                arithmetic=told.arithmetic,
                bottlenecks=told.bottlenecks,
                intervals=result.intervals() if ends else {},
                at_risk=_at_risk(result) if ends else (),
                pools=pools_behind(result),
            )
        )
    return tuple(designs)


def _ends(judge: Judge, params: Mapping[str, Any], result: Any) -> list[Interval | None]:
    """Give the intervals of measures; nothing where no errors of the models are known."""
    if not isinstance(result, PipelineResult):
        return []
    try:
        ends = [result.at_level(level) for level in levels_of(COVERAGE)]
        if not all(end.measured for end in ends):
            return []
        first, second = (judge.values(params, end) for end in ends)
    except (ConfidenceError, Infeasible):
        return []
    return [
        interval_of(_amount(one), _amount(other)) for one, other in zip(first, second, strict=True)
    ]


def _at_risk(result: PipelineResult) -> tuple[str, ...]:
    """Name the verdicts that do not hold at an end: a queue grows without end, memory is full."""
    return tuple(
        dict.fromkeys(
            name
            for level in levels_of(COVERAGE)
            for name, check in result.at_level(level).feasibility.checks.items()
            if not check.holds
        )
    )


def _amount(measured: tuple[str, Any, str, Any]) -> Any:
    _, value, unit, _ = measured
    return quantity(float(value), unit) if unit else float(value)


def distinct(columns: Sequence[Values], objectives: int) -> list[int]:
    """Choose measures, one of each that always have the same value, and say where they stand."""
    kept: list[int] = []
    for place in range(min(map(len, columns))):
        same = (all(_is_same(values[place], values[other]) for values in columns) for other in kept)
        if place < objectives or not any(same):
            kept.append(place)
    return kept


def _is_same(one: tuple[str, Any, str, Any], other: tuple[str, Any, str, Any]) -> bool:
    left, right = (quantity(item[1], item[2]) for item in (one, other))
    sides = one[1], other[1]
    if one[2] and other[2]:  # what a model reports without a unit may be the same with one
        if not same_dimension(left, right):
            return False
        sides = magnitude(left, one[2]), magnitude(right, one[2])
    return bool(np.all(np.isclose(*sides, rtol=TOLERANCE, atol=0.0)))


def compared(measure: ReportedMeasure, best: ReportedMeasure) -> ReportedMeasure:
    """Give a measure with its change from the same one of another design."""
    if number(measure.value) == number(best.value) or not best.value:
        return replace(measure, change=None if not best.value else 0.0)
    return replace(measure, change=(measure.value - best.value) / abs(best.value))


def _converted(value: Any, unit: str, wanted: str) -> Any:
    return value if unit == wanted else magnitude(quantity(value, unit), wanted)
