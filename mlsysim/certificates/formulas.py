"""A question as formulas: choices, steps in order of evaluation, and what is asked of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.certificates.rounding import Array

Positions = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ChoiceFormula:
    """One choice.

    Parameters
    ----------
    name
        Its name.
    values
        What can be chosen: whole numbers in steps, numbers, or things by name.
    """

    name: str
    values: range | tuple[float, ...] | tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are; a range may have more than `len` can tell."""
        values = self.values
        if isinstance(values, range):
            return (values[-1] - values[0]) // values.step + 1
        return len(values)

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return not isinstance(self.values[0], str)

    @cached_property
    def is_monotone(self) -> bool:
        """Whether the values are numbers that rise, or fall, all the way."""
        if isinstance(self.values, range):
            return True
        steps = np.diff(self._numbers) if self.is_numeric else np.zeros(1)
        return bool(np.all(steps > 0) or np.all(steps < 0))

    def at(self, positions: Positions) -> Array:
        """Give the numbers at some positions."""
        if isinstance(self.values, range):
            return (self.values.start + self.values.step * positions).astype(np.float64)
        return np.asarray(self._numbers[positions])

    @cached_property
    def _numbers(self) -> Array:
        return np.array(self.values, np.float64)


@dataclass(frozen=True, kw_only=True)
class NumberFormula:
    """A number that no choice changes."""

    value: float


@dataclass(frozen=True, kw_only=True)
class Value:
    """The value of a choice."""

    choice: str


@dataclass(frozen=True, kw_only=True)
class TableFormula:
    """A number looked up by the positions of choices, one axis each; NaN where there is none."""

    choices: tuple[str, ...]
    values: Array


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of an operation on earlier steps.

    Parameters
    ----------
    operation
        Its name, which is that of NumPy's function.
    arguments
        The places of the steps.
    """

    operation: str
    arguments: tuple[int, ...]


Step = NumberFormula | Value | TableFormula | Result


@dataclass(frozen=True, kw_only=True)
class CertifiedRequirement:
    """What a design must meet.

    Parameters
    ----------
    name
        What to call it.
    holds
        The place of the step that tells whether it holds.
    sides
        The places of the numbers that it compares: both must be finite.
    """

    name: str
    holds: int
    sides: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Formulas:
    """What is asked.

    Parameters
    ----------
    choices
        The space.
    steps
        How everything is computed, in order.
    requirements
        What a design must meet.
    objective
        The place of the number that is wanted small, or large; designs at which it is not finite
        do not count.
    sense
        ``minimize`` or ``maximize``.
    text, unit
        The objective as the user wrote it, and its unit.
    """

    choices: tuple[ChoiceFormula, ...]
    steps: tuple[Step, ...]
    requirements: tuple[CertifiedRequirement, ...]
    objective: int
    sense: str
    text: str
    unit: str

    @cached_property
    def lengths(self) -> dict[str, int]:
        """The number of values of each choice."""
        return {choice.name: choice.count for choice in self.choices}

    @cached_property
    def supports(self) -> tuple[frozenset[str], ...]:
        """The choices on which each step depends."""
        found: list[frozenset[str]] = []
        for step in self.steps:
            match step:
                case NumberFormula():
                    found.append(frozenset())
                case Value(choice=name):
                    found.append(frozenset({name}))
                case TableFormula(choices=names):
                    found.append(frozenset(names))
                case Result(arguments=arguments):
                    found.append(frozenset().union(*(found[place] for place in arguments)))
        return tuple(found)

    def needed(self, roots: Iterable[int], given: Collection[int] = ()) -> list[int]:
        """List the steps on which some depend, in order; nothing of what given ones are made of."""
        wanted: set[int] = set()
        left = list(roots)
        while left:
            place = left.pop()
            if place not in wanted:
                wanted.add(place)
                step = self.steps[place]
                if isinstance(step, Result) and place not in given:
                    left.extend(step.arguments)
        return sorted(wanted)

    def at(self, designs: Positions, roots: Sequence[int]) -> list[Array]:
        """Compute steps in floats at some designs, one row of positions each."""
        columns = dict(zip(self.lengths, designs.T, strict=True))
        choices = {choice.name: choice for choice in self.choices}
        values: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            for place in self.needed(roots):
                match self.steps[place]:
                    case NumberFormula(value=value):
                        values[place] = np.float64(value)
                    case Value(choice=name):
                        values[place] = choices[name].at(columns[name])
                    case TableFormula(choices=names, values=table):
                        values[place] = table[tuple(columns[name] for name in names)]
                    case Result(operation=operation, arguments=arguments):
                        inputs = (values[argument] for argument in arguments)
                        result = getattr(np, operation)(*inputs)
                        values[place] = np.asarray(result, np.float64)
        return [np.broadcast_to(values[place], len(designs)) for place in roots]
