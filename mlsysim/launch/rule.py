"""One thing that a framework insists on, in the language of constraints."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import logical_and, logical_or
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.verdict import Check

Resolve = Callable[[str], Any]
"""Gives the value of a name, as `mlsysim.problem.reading.resolver` does."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold of a design for a framework to run it.

    Parameters
    ----------
    name
        A name for the constraint that says the same.
    reason
        What must hold, in words.
    any_of
        Alternatives, the most natural first; each is constraints that hold together.
    """

    name: str
    reason: str
    any_of: tuple[tuple[Constraint, ...], ...]

    def holds(self, resolve: Resolve) -> Any:
        """Tell whether a design meets it: a truth value, an array or a traced value."""
        alternatives = (
            logical_and(True, *(holds(part, resolve) for part in parts))  # noqa: FBT003
            for parts in self.any_of
        )
        return logical_or(False, *alternatives)  # noqa: FBT003

    def check(self, resolve: Resolve) -> Check:
        """Give the same as a check of a verdict."""
        return Check.that(self.holds(resolve))

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments and metrics that it mentions, each once."""
        parts = (part for parts in self.any_of for part in parts)
        return tuple(dict.fromkeys(name for part in parts for name in part.names))

    @property
    def first(self) -> str:
        """The most natural way to meet it."""
        return " and ".join(part.text for part in self.any_of[0])

    def renamed(self, names: Mapping[str, str], label: str = "") -> "Rule":
        """Give the same rule about other names.

        Parameters
        ----------
        names
            Argument, or head of a path -> its other name.
        label
            What it is about, in front of name and reason.
        """
        return Rule(
            name=f"{label}_{self.name}" if label else self.name,
            reason=f"{label}: {self.reason}" if label else self.reason,
            any_of=tuple(
                tuple(Constraint.parse(replaced(part.text, names)) for part in parts)
                for parts in self.any_of
            ),
        )


def rule(name: str, reason: str, *alternatives: str) -> Rule:
    """Write a rule; what has to hold together within an alternative is joined by "and".

    Parameters
    ----------
    name, reason
        Those of the rule.
    *alternatives
        One or more, e.g. ``"ep_size == 1"``.

    Examples
    --------
    >>> one = rule("whole_experts", "experts are dealt out", "ep_size == 1", "model.experts > 0")
    >>> one.first, one.names
    ('ep_size == 1', ('ep_size', 'model.experts'))
    """
    return Rule(
        name=name,
        reason=reason,
        any_of=tuple(
            tuple(Constraint.parse(part) for part in alternative.split(" and "))
            for alternative in alternatives
        ),
    )


def replaced(text: str, names: Mapping[str, str]) -> str:
    """Put other names, or values, in place of names and of the heads of paths.

    Examples
    --------
    >>> replaced("tp_size * Stage.tp_size <= 8", {"tp_size": "4"})
    '4 * Stage.tp_size <= 8'
    """
    return re.sub(r"(?<![\w.'\"])[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), text)


def holds(part: Constraint, resolve: Resolve) -> Any:
    """Tell whether a constraint holds of a design."""
    left, right, _ = part.sides(resolve)
    return part.relation.holds(left, right)
