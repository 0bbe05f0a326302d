"""A question: a space of designs, what they must satisfy, and which is best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.errors import ConstraintError, suggest
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.objective import Objective
from mlsysim.problem.space import SearchSpace
from mlsysim.problem.verdict import TOP

Written = str | Constraint | Mapping[str, Any]
"""A constraint as a user writes it."""

INFEASIBLE = "Infeasible"
"""The name of the requirement that an evaluator breaks by raising `Infeasible`."""

UNDEFINED = "Undefined"
"""The name of the requirement that a design breaks whose objective is no finite number."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Space, objective and constraints.

    Parameters
    ----------
    space
        The designs.
    objective
        What is best.
    constraints
        What must hold; their names differ.
    """

    space: SearchSpace
    objective: Objective
    constraints: tuple[Constraint, ...] = ()

    @classmethod
    def of(cls, space: Any, objective: Any, constraints: Any = None) -> "Problem":
        """Build a problem from what a user writes.

        Parameters
        ----------
        space
            A dict of choices, or a `SearchSpace`.
        objective
            ``"maximize: <metric>"``, ``"minimize: <metric>"``, or an `Objective`.
        constraints
            Nothing, a list of strings, or a dict of names to strings; in place of a string may
            stand ``{"require": "latency <= 50 ms", "confidence": 0.9}``.

        Raises
        ------
        SpaceError
            If a choice is malformed.
        ObjectiveError
            If the objective is malformed.
        ConstraintError
            If a constraint is malformed, given twice, or compares a choice
            with a text that is not among its values.
        """
        space = space if isinstance(space, SearchSpace) else SearchSpace(space)
        if not isinstance(objective, Objective):
            objective = Objective.parse(objective)
        parsed = tuple(_parsed(constraints))
        _refuse_duplicates(parsed)
        for constraint in parsed:
            _check_texts(space, constraint)
        return cls(space=space, objective=objective, constraints=parsed)

    @property
    def is_confident(self) -> bool:
        """Whether some constraint has a confidence."""
        return any(item.confidence is not None for item in self.constraints)

    def without_confidence(self) -> "Problem":
        """Give the same question of what is predicted, without margins."""
        plain = tuple(replace(item, confidence=None) for item in self.constraints)
        return replace(self, constraints=plain)

    def constraint(self, name: str) -> Constraint | None:
        """Find a constraint by name; nothing if the name is a verdict's."""
        return next((item for item in self.constraints if item.name == name), None)

    def requirements(self, *verdicts: Iterable[str]) -> tuple[str, ...]:
        """Name everything that a design must meet, in one fixed order.

        Parameters
        ----------
        *verdicts
            The names of verdicts met so far, e.g. `Reading.verdicts`.

        Returns
        -------
        tuple of str
            The constraints as the user ordered them, then the verdicts; last
            what no model says, in whichever order designs were met.
        """
        names = [constraint.name for constraint in self.constraints]
        found = [name for some in verdicts for name in some]
        last = (INFEASIBLE, UNDEFINED)
        own = [name for name in found if name not in last]
        return tuple(dict.fromkeys([*names, *own, *(name for name in last if name in found)]))


def _parsed(constraints: Any) -> Iterable[Constraint]:
    if constraints is None:
        return
    if isinstance(constraints, (str, Constraint)) or not isinstance(constraints, Iterable):
        raise ConstraintError(
            f"the constraints are a {type(constraints).__name__}; write a list: "
            f"constraints=[{str(constraints)!r}]"
        )
    if not isinstance(constraints, Mapping):
        for item in constraints:
            yield item if isinstance(item, Constraint) else _constraint(item, None)
        return
    for name, item in constraints.items():
        _check_name(name)
        if isinstance(item, Constraint):
            yield Constraint.parse(item.text, name, item.confidence)
        else:
            yield _constraint(item, name)


def _constraint(item: Any, name: str | None) -> Constraint:
    """Read a constraint as a user writes it: a text, or a table of it and a confidence."""
    if not isinstance(item, Mapping):
        return Constraint.parse(item, name)
    known = ("require", "confidence")
    if unknown := [key for key in item if key not in known]:
        raise ConstraintError(
            f"constraint {name or dict(item)!r}: no key is called {unknown[0]!r}"
            f"{suggest(str(unknown[0]), known)}"
        )
    if "require" not in item:
        raise ConstraintError(
            f"constraint {name or dict(item)!r} lacks the condition; write "
            "{'require': 'latency <= 50 ms', 'confidence': 0.9}"
        )
    return Constraint.parse(item["require"], name, item.get("confidence"))


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ConstraintError(f"the name of a constraint must be a word or phrase, not {name!r}")
    if name in (TOP, INFEASIBLE, UNDEFINED) or name.endswith(f".{TOP}"):
        raise ConstraintError(
            f"constraint {name!r}: the name is kept for the verdicts of models; "
            f"write e.g. {name.replace('.', ' ') + ' enough'!r}"
        )


def _refuse_duplicates(constraints: tuple[Constraint, ...]) -> None:
    seen: set[str] = set()
    for constraint in constraints:
        if constraint.name in seen:
            raise ConstraintError(f"constraint {constraint.name!r} is given twice; leave one out")
        seen.add(constraint.name)


def _check_texts(space: SearchSpace, constraint: Constraint) -> None:
    """See that a text that a choice is compared with is one of its values."""
    sides = ((constraint.left, constraint.right), (constraint.right, constraint.left))
    for choice, other in sides:
        domain = space.get(choice.single_name or "")
        if domain is None or other.quoted is None:
            continue
        if domain.is_numeric:
            raise ConstraintError(
                f"constraint {str(constraint)!r}: the values of {domain.name!r} are numbers; "
                f"write them without quotes, e.g. '{domain.name} == {domain[0]}'"
            )
        if other.quoted not in domain.labels:
            raise ConstraintError(
                f"constraint {str(constraint)!r}: {other.quoted!r} is not a value of "
                f"{domain.name!r}{suggest(other.quoted, domain.labels)}"
            )
