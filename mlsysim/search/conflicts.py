"""Conflicts and relaxations in words, for every way to answer: neither arrays nor solvers."""

from collections.abc import Callable, Iterable, Sequence

from mlsysim.problem.problem import INFEASIBLE, UNDEFINED, Problem
from mlsysim.results.relaxation import Relaxation, relaxation_of
from mlsysim.search.verify import Point

_SHOWN = 3
"""How many reasons of one verdict an explanation lists."""

_OF_ALL = {INFEASIBLE, UNDEFINED}
"""Verdicts of designs that cannot be judged: none of them is nearer than another."""

Broken = frozenset[tuple[str, str]]
"""What a design breaks: pairs of requirement and reason."""


def reasons_of(
    problem: Problem,
    conflict: Sequence[str],
    failures: Iterable[Broken],
    nearest: Callable[[str], Point | None],
) -> dict[str, str]:
    """Say of each member of a conflict why it is in it.

    Parameters
    ----------
    problem
        What was asked.
    conflict
        The members.
    failures
        The distinct ways in which designs fail.
    nearest
        Gives the nearest of the designs that break one requirement alone.

    Returns
    -------
    dict
        Member -> the text of the constraint, or the reasons of the verdict.
    """
    failures = list(failures)
    told = {}
    for name in conflict:
        constraint = problem.constraint(name)
        point = nearest(name)
        if constraint is not None:
            told[name] = constraint.text
        elif point is not None and name != INFEASIBLE:  # of that, every design has its own reason
            told[name] = reasons_told(name, (reason for _, reason in point.broken), nearest=True)
        else:
            told[name] = reasons_told(name, _where_alone(name, conflict, failures))
    return told


def reasons_told(name: str, reasons: Iterable[str], *, nearest: bool = False) -> str:
    """Phrase the reasons of a verdict; the same one may come several times.

    Those of the design that comes nearest to it are said to be: others fail for reasons of their
    own.
    """
    unique = sorted(set(reasons))
    more = f" and {len(unique) - _SHOWN} more" if len(unique) > _SHOWN else ""
    lead = "raised by the evaluator: " if name == INFEASIBLE else ""
    aside = " (of the nearest design)" if nearest and name not in _OF_ALL else ""
    return lead + ", ".join(unique[:_SHOWN]) + more + aside


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


def _where_alone(name: str, conflict: Sequence[str], failures: list[Broken]) -> list[str]:
    """List why a verdict fails where nothing else of the conflict does."""
    others = set(conflict) - {name}
    return [
        reason
        for broken in failures
        if not others & {other for other, _ in broken}
        for member, reason in broken
        if member == name
    ]
