"""Read off a result the numbers that a problem asks for.

The same reading serves plain numbers, blocks of arrays and traced values:
only operators and NumPy's dispatch touch what the evaluator returned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Number
from typing import Any

import numpy as np

from mlsysim.errors import ConfidenceError, MetricError, UnitError
from mlsysim.problem.arithmetic import aligned
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.domain import label
from mlsysim.problem.metrics import MISSING, find, missing, number
from mlsysim.problem.problem import Problem
from mlsysim.problem.relation import Relation
from mlsysim.problem.verdict import Check, verdicts_of
from mlsysim.problem.wording import kind_of
from mlsysim.units import is_quantity, is_unit, quantity


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Both sides of a constraint.

    Parameters
    ----------
    left, right
        The magnitudes.
    unit
        The unit of both.
    """

    left: Any
    right: Any
    unit: str


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing that must hold: a constraint, or one reason of a verdict.

    Parameters
    ----------
    name
        The name of the requirement that it belongs to.
    reason
        The reason of a verdict; the text of a constraint.
    holds
        Whether it does: a truth value, an array or a traced value.
    left, relation, right
        What is compared, in one unit; all `None` for a bare condition.
    unit
        The unit of both sides.
    """

    name: str
    reason: str
    holds: Any
    left: Any = None
    relation: Relation | None = None
    right: Any = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a problem sees of one evaluation.

    Parameters
    ----------
    objective
        The magnitude of the objective, in its own unit.
    unit
        The unit of the objective.
    sides
        Constraint name -> its sides.
    verdicts
        ``"<Stage>.feasible"`` -> reason -> check.
    conditions
        All constraints and checks in one list, in the order of
        `Problem.requirements`.
    """

    objective: Any
    unit: str
    sides: Mapping[str, Sides]
    verdicts: Mapping[str, Mapping[str, Check]]
    conditions: tuple[Condition, ...]


def read(problem: Problem, params: Mapping[str, Any], result: Any) -> Reading:
    """Read a result.

    Parameters
    ----------
    problem
        What is asked.
    params
        The design: plain values, arrays or traced values.
    result
        What the evaluator returned for it.

    Raises
    ------
    MetricError
        If a metric does not exist or is not a number.
    UnitError
        If a constraint compares different dimensions.
    """
    resolve = resolver(params, result)
    objective, unit = problem.objective.value(resolve)
    sides = {}
    conditions = []
    for constraint in problem.constraints:
        if constraint.confidence is None:
            left, right, side_unit = constraint.sides(resolve)
        else:
            margin = Margin(constraint=constraint, params=params, result=result)
            left, right, side_unit = margin.sides()
            conditions += margin.conditions()
        sides[constraint.name] = Sides(left=left, right=right, unit=side_unit)
        conditions.append(_constrained(constraint, left, right, side_unit))
    verdicts = verdicts_of(result)
    conditions += conditions_of(verdicts)
    return Reading(
        objective=objective,
        unit=unit,
        sides=sides,
        verdicts=verdicts,
        conditions=tuple(conditions),
    )


UNMEASURED = "runs of its kind were measured"
"""The reason of a constraint with a confidence that nothing is known of."""


@dataclass(frozen=True, kw_only=True)
class Margin:
    """A constraint that has to hold although the models are off.

    It is read of two results: had everything taken as long as with `confidence` of the measured
    runs at the most, and as with that share at the least.  Both sides count at their worse end.

    Parameters
    ----------
    constraint
        One with a confidence.
    params, result
        The design, and what the evaluator returned for it.
    """

    constraint: Constraint
    params: Mapping[str, Any]
    result: Any

    def sides(self) -> tuple[Any, Any, str]:
        """Evaluate both sides at their worse ends."""
        ends = [self.constraint.sides(resolver(self.params, end)) for end in self._ends()]
        (left, right, unit), (other, limit, _) = ends
        if self.constraint.relation in (Relation.LESS, Relation.AT_MOST):
            return np.maximum(left, other), np.minimum(right, limit), unit
        return np.minimum(left, other), np.maximum(right, limit), unit

    def conditions(self) -> list[Condition]:
        """Demand that such runs were measured at all, where that is not so of every design."""
        slow, _ = self._ends()
        holds = slow.measured
        if holds is True:
            return []
        return [Condition(name=self.constraint.name, reason=UNMEASURED, holds=holds)]

    def _ends(self) -> tuple[Any, Any]:
        at_level = getattr(self.result, "at_level", None)
        confidence = self.constraint.confidence
        if at_level is None or confidence is None:
            raise ConfidenceError(
                f"constraint {str(self.constraint)!r}: the evaluator returns no result of a "
                "pipeline, so that nothing is known of its error; leave the confidence out"
            )
        return at_level(confidence), at_level(1 - confidence)


def conditions_of(verdicts: Mapping[str, Mapping[str, Check]]) -> list[Condition]:
    """List the checks of verdicts as conditions."""
    return [
        _condition(name, reason, check)
        for name, verdict in verdicts.items()
        for reason, check in verdict.items()
    ]


def resolver(params: Mapping[str, Any], result: Any) -> Callable[[str], Any]:
    """Build the look-up of names: choices, then metrics, then arguments, then units.

    Parameters
    ----------
    params
        The design.
    result
        What the evaluator returned for it.  If it has a mapping ``arguments`` of what its models
        were given, as the result of a pipeline does, their names count as well: what is fixed
        can be named like what is chosen.

    Raises
    ------
    MetricError
        When a name is looked up that is a choice and another number of the result.
    """
    arguments = _arguments_of(result)

    def resolve(name: str) -> Any:
        if name in params:
            _refuse_two_meanings(name, params[name], find(result, name))
            return _comparable(params[name])
        value = _inside(params, name)
        if value is MISSING:
            value = find(result, name)
        if value is MISSING and name in arguments:
            return _comparable(arguments[name])
        if value is MISSING:
            value = _inside(arguments, name)
        if value is not MISSING:
            return value if isinstance(value, str) else number(value, name)
        if is_unit(name):
            return quantity(1.0, name)
        raise missing(result, name, (*params, *arguments))

    return resolve


def _arguments_of(result: Any) -> Mapping[str, Any]:
    """Give what the models behind a result were given, where it says so."""
    arguments = getattr(result, "arguments", None)
    return arguments if isinstance(arguments, Mapping) else {}


def _inside(holders: Mapping[str, Any], name: str) -> Any:
    """Follow a dotted path into a choice or an argument, such as ``fleet.nodes``."""
    head, _, rest = name.partition(".")
    return find(holders[head], rest) if rest and head in holders else MISSING


def _refuse_two_meanings(name: str, choice: Any, metric: Any) -> None:
    """Refuse a metric that is called like a choice, unless it is the choice handed back."""
    # Only plain numbers can be compared, and every question is tried on some.
    plain = isinstance(choice, Number) and (isinstance(metric, Number) or is_quantity(metric))
    if not plain or (isinstance(metric, Number) and metric == choice):
        return
    raise MetricError(
        f"{name!r} is a choice, and the evaluator returns another number under the same name; "
        "call one of them otherwise"
    )


def _comparable(value: Any) -> Any:
    """Give a choice as what a constraint can use: a number, or the name of an object."""
    if isinstance(value, (str, bool, int, float)) or is_quantity(value):
        return value
    if hasattr(value, "name"):  # an object, or a stand-in for several of them
        return value.name
    if hasattr(value, "isidentifier"):  # a stand-in for several strings
        return value
    return value if hasattr(value, "__array_ufunc__") else label(value)


def _constrained(constraint: Constraint, left: Any, right: Any, unit: str) -> Condition:
    holds = constraint.relation.holds(left, right)
    bare = Condition(name=constraint.name, reason=constraint.text, holds=holds)
    if not (_is_numeric(left) and _is_numeric(right)):  # texts have no distance
        return bare
    return replace(bare, left=left, relation=constraint.relation, right=right, unit=unit)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, Number) or hasattr(value, "__array_ufunc__")


def _condition(name: str, reason: str, check: Check) -> Condition:
    if check.value is None or check.limit is None:
        return Condition(name=name, reason=reason, holds=check.holds)
    pair = aligned(check.value, check.limit)
    if pair is None:
        raise UnitError(
            f"{name}: {reason} compares {kind_of(check.value)} with {kind_of(check.limit)}"
        )
    return Condition(
        name=name,
        reason=reason,
        holds=check.holds,
        left=pair[0],
        relation=Relation.AT_MOST,
        right=pair[1],
        unit=pair[2],
    )
