"""Arguments that hold a number for each stage of a pipeline."""

from dataclasses import dataclass
from typing import Any

from mlsysim.errors import ParameterError
from mlsysim.expr.alternatives import Alternatives, most
from mlsysim.expr.functions import logical_or
from mlsysim.stages.domains import ArgumentDomain, Whole
from mlsysim.stages.mapping import mapped


@dataclass(frozen=True, kw_only=True)
class PerStage(ArgumentDomain):
    """A list of whole numbers, one for each stage.

    Parameters
    ----------
    each
        What each may be.
    alone
        What one number for all stages may be; none is allowed unless given.
    """

    each: Whole
    alone: Whole | None = None

    def read(self, name: str, value: Any) -> Any:
        """Give a list as a tuple; its numbers may be traced, or arrays."""
        if isinstance(value, Alternatives):
            return mapped(lambda one: self.read(name, one), value)
        self._check(name, value)
        return tuple(value) if isinstance(value, list) else value

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        listed = {"type": "array", "items": self.each.schema(), "minItems": 1}
        return listed if self.alone is None else {"anyOf": [self.alone.schema(), listed]}

    def _check(self, name: str, value: Any) -> None:
        if isinstance(value, list | tuple) and value:
            for place, one in enumerate(value):
                self.each.read(f"{name}[{place}]", one)
        elif isinstance(value, list | tuple) or self.alone is None:
            raise ParameterError(
                f"{name} is {value!r}; it must be a list with a number for each stage"
            )
        else:
            self.alone.read(name, value)

    def __str__(self) -> str:
        listed = f"a list with a number {self.each} for each stage"
        return listed if self.alone is None else f"{self.alone}, or {listed}"


def stages_listed(value: Any) -> int:
    """Count the stages that a list is about, at the most; 0 where it is none.

    Parameters
    ----------
    value
        A list, one number for all stages, or a choice among such.
    """
    return most(lambda one: len(one) if isinstance(one, tuple) else 0, value)


def on_stage(value: Any, index: int) -> Any:
    """Give the number of a stage; 0 where a list is too short.

    Parameters
    ----------
    value
        A list, one number for all stages, or a choice among such.
    index
        The stage, from 0 for the first.
    """
    return mapped(_on_stage, value, index)


def _on_stage(value: Any, index: int) -> Any:
    if not isinstance(value, tuple):
        return value
    return value[index] if index < len(value) else 0


def is_for(value: Any, stages: Any) -> Any:
    """Tell whether a list has a number for each of so many stages; one number is for any."""
    length = mapped(lambda one: len(one) if isinstance(one, tuple) else 0, value)
    return logical_or(length == 0, length == stages)
