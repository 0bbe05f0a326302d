"""What a requirement in a conflict would have to become."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mlsysim.problem.constraint import Constraint
from mlsysim.problem.relation import Relation
from mlsysim.results.formatting import design, number, with_unit
from mlsysim.results.jsonable import jsonable
from mlsysim.units import as_float, magnitude, quantity


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """The nearest value at which one requirement lets a design through, all others kept.

    Parameters
    ----------
    name
        The requirement.
    text
        All of this in one line.
    value
        The best value that can be reached; `None` where the requirement has no
        number, or no value is enough.
    unit
        The unit of value and limit.
    limit
        What was asked for.
    params
        The design that reaches it; `None` where the other requirements exclude
        every design without this one.
    objective
        The objective of that design, in its own unit.
    """

    name: str
    text: str
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    params: Mapping[str, Any] | None = None
    objective: float | None = None

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Give the relaxation as data that JSON can hold."""
        return {item.name: jsonable(getattr(self, item.name)) for item in fields(self)}


def relaxation_of(
    name: str,
    *,
    constraint: Constraint | None,
    reason: str = "",
    left: Any = None,
    right: Any = None,
    unit: str = "",
    params: Mapping[str, Any] | None = None,
    objective: float | None = None,
) -> Relaxation:
    """Describe how far one requirement would have to give.

    Parameters
    ----------
    name
        The requirement.
    constraint
        The user's constraint of that name; nothing if it is a verdict.
    reason
        Why the verdict rejects the design, e.g. memory.
    left, right
        The magnitudes of what is compared at the design; nothing for a bare
        condition.
    unit
        Their unit.
    params
        The design that comes nearest; nothing if there is none.
    objective
        Its objective.

    Returns
    -------
    Relaxation
        With the numbers in the unit that the user wrote.
    """
    subject = f"{name} ({reason})" if constraint is None and reason else name
    if constraint is not None:
        subject = str(constraint)
    if params is None:
        text = f"{subject}: no value of it is enough, the others exclude every design on their own"
        return Relaxation(name=name, text=text)
    if not _is_measured(constraint, left, right):
        text = f"{subject}: would have to be waived, e.g. for {design(params)}"
        return Relaxation(name=name, text=text, params=dict(params), objective=objective)
    if constraint is not None and constraint.written_unit:
        left, right, unit = _converted(left, right, unit, constraint.written_unit)
        reached = f"{number(left)} {unit}"
    else:
        reached = with_unit(left, unit)
    goal = "" if constraint is not None else f" against a limit of {with_unit(right, unit)}"
    if constraint is not None and constraint.left.names and constraint.right.names:
        goal = f" against {number(right)} {unit}".rstrip()
    equal = constraint is not None and constraint.relation is Relation.EQUAL
    how = "nearest" if equal else "best"
    return Relaxation(
        name=name,
        text=f"{subject}: {how} reachable {reached}{goal} at {design(params)}",
        value=left,
        unit=unit,
        limit=right,
        params=dict(params),
        objective=objective,
    )


def _is_measured(constraint: Constraint | None, left: Any, right: Any) -> bool:
    """Tell whether a requirement has a limit that could be moved."""
    if constraint is not None and constraint.relation is Relation.NOT_EQUAL:
        return False
    return all(
        isinstance(side, (int, float))
        and not isinstance(side, bool)
        and math.isfinite(as_float(side))
        for side in (left, right)
    )


def _converted(left: float, right: float, unit: str, wanted: str) -> tuple[float, float, str]:
    values = (magnitude(quantity(value, unit), wanted) for value in (left, right))
    return next(values), next(values), wanted
