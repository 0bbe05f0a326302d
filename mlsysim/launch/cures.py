"""What to add to a question so that a framework can run its answer."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlsysim.launch.rule import Resolve, Rule, holds, replaced
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.domain import label


@dataclass(frozen=True, kw_only=True)
class Cure:
    """What makes a design that breaks a rule one that does not.

    Parameters
    ----------
    rule
        The rule that is broken.
    constraints
        To add to the question, all of them; empty where none can help, because the rule is about
        what the question does not leave open.
    """

    rule: Rule
    constraints: tuple[str, ...]

    @property
    def words(self) -> str:
        """What to do, in words."""
        if self.constraints:
            plural = "s" if len(self.constraints) > 1 else ""
            listed = " and ".join(map(repr, self.constraints))
            return f"add to the question the constraint{plural} {listed}"
        return f"no choice decides it; fix the arguments otherwise, such that {self.rule.first}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The constraints as lines of TOML that stand under ``[constraints]``."""
        several = len(self.constraints) > 1
        return tuple(
            f'{self.rule.name}{f"_{place}" if several else ""}.require = "{text}"'
            for place, text in enumerate(self.constraints, 1)
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the question behind a design says about the arguments of its model.

    Parameters
    ----------
    named
        The arguments that the question mentions, so that a constraint can.
    chosen
        Those of them that are choices.
    values
        Gives the values of a choice by its argument; nothing where they are not known.
    """

    named: Collection[str]
    chosen: Collection[str]
    values: Callable[[str], Sequence[Any]] = lambda _: ()


@dataclass(frozen=True, kw_only=True)
class Given:
    """A design, and the question behind it.

    Parameters
    ----------
    resolve
        Gives what the design has, defaults included.
    asked
        What the question leaves open.
    """

    resolve: Resolve
    asked: Asked

    def cure(self, broken: Rule) -> Cure:
        """Find constraints that exclude what breaks a rule.

        The first alternative is taken whose constraints over fixed arguments hold, and whose
        constraints over a single choice leave some of its values.
        """
        for parts in broken.any_of:
            if all(self._can_hold(part) for part in parts):
                open_parts = tuple(self._pasteable(part) for part in parts if self._open(part))
                return Cure(rule=broken, constraints=open_parts)
        return Cure(rule=broken, constraints=())

    def _open(self, part: Constraint) -> tuple[str, ...]:
        """Name what decides a constraint: choices, and metrics, which depend on them."""
        heads = {name: name.partition(".")[0] for name in part.names}
        return tuple(
            name
            for name, head in heads.items()
            if head in self.asked.chosen or ("." in name and head not in self.asked.named)
        )

    def _can_hold(self, part: Constraint) -> bool:
        deciding = self._open(part)
        if not deciding:
            return bool(holds(part, self.resolve))
        if len(deciding) > 1 or "." in deciding[0]:
            return True
        values = self.asked.values(deciding[0])
        return not values or any(holds(part, self._with(deciding[0], value)) for value in values)

    def _with(self, changed: str, value: Any) -> Resolve:
        return lambda name: value if name == changed else self.resolve(name)

    def _pasteable(self, part: Constraint) -> str:
        """Write a constraint so that the question can hold it: defaults are no names there."""
        heads = {name for name in part.names if "." not in name and name not in self.asked.named}
        return replaced(part.text, {name: _literal(self.resolve(name)) for name in heads})


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A rule that a design breaks.

    Parameters
    ----------
    rule
        The rule.
    values
        What it is about -> what the design has.
    cure
        What to do.
    """

    rule: Rule
    values: dict[str, Any]
    cure: Cure

    @property
    def broken(self) -> str:
        """What is broken, with the numbers."""
        told = ", ".join(f"{name} = {label(value)}" for name, value in self.values.items())
        return f"{self.rule.reason}, but {told}"

    def __str__(self) -> str:
        return f"{self.broken}; {self.cure.words}"


def refusals(rules: Iterable[Rule], given: Given) -> tuple[Refusal, ...]:
    """List the rules that a design breaks, each with its cure."""
    return tuple(
        Refusal(
            rule=item,
            values={name: given.resolve(name) for name in item.names},
            cure=given.cure(item),
        )
        for item in rules
        if not item.holds(given.resolve)
    )
