"""Turn the ways in which designs fail into a conflict and relaxations."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlsysim.problem.problem import INFEASIBLE, Problem
from mlsysim.results.conflict import minimal_conflict
from mlsysim.results.relaxation import Relaxation, relaxation_of
from mlsysim.search.exhaustive.tally import Pattern
from mlsysim.search.verify import Point

_SHOWN = 3
"""How many reasons of one verdict an explanation lists."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A minimal conflict.

    Parameters
    ----------
    names
        Its members.
    reasons
        Member -> the text of the constraint, or the reasons of the verdict.
    """

    names: tuple[str, ...]
    reasons: dict[str, str]


def conflict_of(
    problem: Problem,
    patterns: Iterable[Pattern],
    verdicts: Iterable[str],
    nearest: Callable[[str], Point | None],
) -> Conflict:
    """Find a minimal conflict.

    Parameters
    ----------
    problem
        What was asked.
    patterns
        The distinct ways in which designs fail; every design is in one.
    verdicts
        The names of the verdicts met.
    nearest
        Gives the nearest of the designs that break one requirement alone.
    """
    patterns = list(patterns)
    requirements = problem.requirements(verdicts)
    broken = [{name for name, _ in pattern} for pattern in patterns]
    names = minimal_conflict(broken, requirements, constraints=len(problem.constraints))
    reasons = {}
    for name in names:
        constraint = problem.constraint(name)
        point = nearest(name)
        if constraint is not None:
            reasons[name] = constraint.text
        elif point is not None:
            reasons[name] = reasons_told(name, (reason for _, reason in point.broken))
        else:
            reasons[name] = reasons_told(name, _reasons(name, names, patterns))
    return Conflict(names=names, reasons=reasons)


def relaxation(problem: Problem, name: str, unit: str, point: Point | None) -> Relaxation:
    """Describe how far one member of a conflict would have to give.

    Parameters
    ----------
    problem
        What was asked.
    name
        The member.
    unit
        The unit of the objective.
    point
        The nearest of the designs that break it alone, on plain numbers.
    """
    constraint = problem.constraint(name)
    if point is None:
        return relaxation_of(name, constraint=constraint)
    broken = [
        condition
        for condition in (() if point.reading is None else point.reading.conditions)
        if (condition.name, condition.reason) in point.broken
    ]
    reasons = ", ".join(reason for _, reason in sorted(point.broken))
    numeric = [condition for condition in broken if condition.relation is not None]
    told = numeric[0] if len(point.broken) == 1 and numeric else None
    return relaxation_of(
        name,
        constraint=constraint,
        reason=reasons,
        left=told and told.left,
        right=told and told.right,
        unit=told.unit if told else "",
        params=point.params,
        objective=None if point.reading is None else point.objective_in(unit),
    )


def reasons_told(name: str, reasons: Iterable[str]) -> str:
    """Phrase the reasons of a verdict.

    Parameters
    ----------
    name
        The verdict.
    reasons
        Why it fails; the same one may come several times.
    """
    unique = sorted(set(reasons))
    more = f" and {len(unique) - _SHOWN} more" if len(unique) > _SHOWN else ""
    lead = "raised by the evaluator: " if name == INFEASIBLE else ""
    return lead + ", ".join(unique[:_SHOWN]) + more


def _reasons(name: str, conflict: tuple[str, ...], patterns: list[Pattern]) -> list[str]:
    """List why a verdict fails where nothing else of the conflict does."""
    others = set(conflict) - {name}
    return [
        reason
        for pattern in patterns
        if not others & {other for other, _ in pattern}
        for member, reason in pattern
        if member == name
    ]
