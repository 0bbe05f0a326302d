"""A question with one requirement left out, or its limit moved.

What relaxing a limit would buy is found by asking such variants anew.  A
variant is an ordinary problem and an ordinary evaluator, so that every search
takes it, and the judge on plain numbers judges it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, assert_never

from mlsysim.problem.arithmetic import aligned
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.problem import Problem
from mlsysim.problem.relation import Relation
from mlsysim.problem.verdict import TOP, Check, members_of
from mlsysim.units import quantity

Evaluate = Callable[[dict[str, Any]], Any]


def relaxed_limit(relation: Relation, limit: Any, share: float) -> Any:
    """Move a limit in the direction that lets more designs through.

    ``limit + share * |limit|`` where the left side has to stay below it, and
    ``limit - share * |limit|`` where it has to stay above.

    Parameters
    ----------
    relation
        How the left side is compared with the limit.
    limit
        The right side: a number, an array, a quantity or a traced value.
    share
        By how much to move it, relative to itself.
    """
    match relation:
        case Relation.LESS | Relation.AT_MOST:
            return limit + share * abs(limit)
        case Relation.GREATER | Relation.AT_LEAST:
            return limit - share * abs(limit)
        case Relation.EQUAL | Relation.NOT_EQUAL:
            return limit
        case _:
            assert_never(relation)


@dataclass(frozen=True, kw_only=True)
class RelaxedConstraint(Constraint):
    """A constraint whose right side is moved, whatever it is made of.

    Parameters
    ----------
    share
        By how much, relative to the right side's size.
    """

    share: float

    def sides(self, resolve: Callable[[str], Any]) -> tuple[Any, Any, str]:
        """Evaluate both sides as `Constraint.sides` does, and move the right one."""
        left, right, unit = super().sides(resolve)
        return left, relaxed_limit(self.relation, right, self.share), unit


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A question in which one requirement is left out or relaxed.

    Parameters
    ----------
    base
        The question.
    evaluator
        Its evaluator.
    name, reason
        The requirement: the name of a constraint, or that of a verdict and one
        of its reasons.
    share
        By how much its limit is relaxed, relative to the limit; it is left out
        altogether if `None`.
    """

    base: Problem
    evaluator: Evaluate
    name: str
    reason: str
    share: float | None

    @cached_property
    def problem(self) -> Problem:
        """The question, changed where the requirement is a constraint."""
        return replace(self.base, constraints=tuple(self._constraints()))

    def evaluate(self, params: dict[str, Any]) -> Any:
        """Evaluate a design; the result is changed where the requirement is a verdict's."""
        result = self.evaluator(params)
        if self.base.constraint(self.name) is not None:
            return result
        if self.name == TOP:
            return self._without_check(result)
        return self._changed(result, self.name.removesuffix(f".{TOP}"))

    def _constraints(self) -> Iterator[Constraint]:
        for constraint in self.base.constraints:
            if constraint.name != self.name:
                yield constraint
            elif self.share is not None:
                own = {item.name: getattr(constraint, item.name) for item in fields(Constraint)}
                yield RelaxedConstraint(**own, share=self.share)

    def _changed(self, carrier: Any, path: str) -> Any:
        """Change what lies at a path below a result."""
        members = dict(members_of(carrier))
        if path in members:
            return Changed(carrier, {path: self._without_check(members[path])})
        head, _, rest = path.partition(".")
        if not rest or head not in members:
            return carrier
        return Changed(carrier, {head: self._changed(members[head], rest)})

    def _without_check(self, carrier: Any) -> Any:
        checks = _checks(carrier)
        check = checks.get(self.reason)
        if not isinstance(check, Check):
            return carrier
        rest = {reason: other for reason, other in checks.items() if reason != self.reason}
        if self.share is not None:
            rest[self.reason] = _relaxed_check(check, self.share)
        return Changed(carrier, {"checks": rest})


class Changed(Mapping[str, Any]):
    """A result with some members replaced; everything else is as in the original.

    Parameters
    ----------
    original
        What an evaluator returned, or a part of it.
    changes
        Name of a member -> what takes its place.
    """

    def __init__(self, original: Any, changes: Mapping[str, Any]) -> None:
        self._original = original
        self._members = {**dict(members_of(original)), **changes}

    def __getitem__(self, key: str) -> Any:
        return self._members[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def _relaxed_check(check: Check, share: float) -> Check:
    pair = aligned(check.value, check.limit)
    if pair is None:  # reading it will say what is wrong
        return check
    # In the unit of the value, so that every reading rounds alike.
    value, limit = pair[0], relaxed_limit(Relation.AT_MOST, pair[1], share)
    sides = [quantity(side, pair[2]) if pair[2] else side for side in (value, limit)]
    return Check(holds=value <= limit, value=sides[0], limit=sides[1])


def _checks(carrier: Any) -> Mapping[str, Any]:
    held = carrier.get("checks") if isinstance(carrier, Mapping) else None
    checks = getattr(carrier, "checks", None) if held is None else held
    return checks if isinstance(checks, Mapping) else {}
