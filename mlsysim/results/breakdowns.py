"""Amounts as the sums of their parts, as results carry them.

A stage's result, or whatever an evaluator returns, may carry as an attribute, a method
without arguments, or a key:

``<what>_breakdown``
    BreakdownPart -> amount; the parts add up.  ``time_breakdown``, ``memory_breakdown``
    and ``cost_breakdown`` are what the package's own models have.
``<what>_capacity``
    The amount that the parts of ``<what>_breakdown`` have to fit into.

They are read on plain numbers, on arrays for the chart, and on traced values for the text
of a compiled model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from mlsysim.problem.verdict import members_of
from mlsysim.units import is_quantity, magnitude, quantity, same_dimension, unit_of

_PARTS = "_breakdown"
_LIMIT = "_capacity"


@dataclass(frozen=True, kw_only=True)
class BreakdownPart:
    """One part of a breakdown.

    Parameters
    ----------
    name
        What it is.
    value
        How much, in the unit of the breakdown.
    """

    name: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """An amount as the sum of its parts.

    Parameters
    ----------
    name
        What is broken down: ``"time"``, ``"memory"``.
    unit
        The unit of every number in it.
    parts
        What it consists of.
    capacity
        What the sum has to fit into; `None` where nothing limits it.
    stage
        Who told it; empty for the evaluator itself.
    """

    name: str
    unit: str
    parts: tuple[BreakdownPart, ...]
    capacity: Any = None
    stage: str = ""

    @property
    def total(self) -> Any:
        """The sum of the parts."""
        return sum(part.value for part in self.parts)


def breakdowns_of(result: Any) -> tuple[Breakdown, ...]:
    """Read the breakdowns that a result carries, times first; numbers of any kind.

    Parameters
    ----------
    result
        What an evaluator returned.
    """
    second = quantity(1.0, "s")
    found = list(_breakdowns(list(carriers_of(result))))
    return tuple(
        sorted(found, key=lambda item: not same_dimension(quantity(1.0, item.unit), second))
    )


def _breakdowns(carriers: list[tuple[str, Any]]) -> Iterator[Breakdown]:
    names = [name for _, carrier in carriers for name in _breakdown_names(carrier)]
    for stage, carrier in carriers:
        for name in _breakdown_names(carrier):
            parts = told(carrier, name)
            if not isinstance(parts, Mapping) or not parts:
                continue
            what = name.removesuffix(_PARTS)
            title = what.replace("_", " ")
            unique = names.count(name) == 1 or not stage
            yield _breakdown(
                title if unique else f"{stage} {title}",
                stage,
                parts,
                told(carrier, what + _LIMIT),
            )


def carriers_of(result: Any) -> Iterator[tuple[str, Any]]:
    """List what may tell something: the result itself, then its members by name."""
    for name, carrier in [("", result), *members_of(result)]:
        plain = isinstance(carrier, (str, bytes, Number, np.ndarray, list, tuple))
        if carrier is not None and not plain and not is_quantity(carrier):
            yield name, carrier


def _breakdown_names(carrier: Any) -> list[str]:
    names = [*carrier] if isinstance(carrier, Mapping) else []
    if not names:
        names = [*dir(type(carrier)), *getattr(carrier, "__dict__", {})]
    return [name for name in dict.fromkeys(map(str, names)) if name.endswith(_PARTS)]


def told(carrier: Any, name: str) -> Any:
    """Read an attribute, a key, or what a method without arguments gives."""
    value = carrier.get(name) if isinstance(carrier, Mapping) else getattr(carrier, name, None)
    return value() if callable(value) else value


def _breakdown(name: str, stage: str, parts: Mapping[str, Any], capacity: Any) -> Breakdown:
    first = next(iter(parts.values()))
    unit = unit_of(first)
    amounts = {str(part): magnitude(value, unit) for part, value in parts.items()}
    fits = capacity is not None and same_dimension(capacity, first)
    return Breakdown(
        name=name,
        unit=unit,
        parts=tuple(BreakdownPart(name=part, value=value) for part, value in amounts.items()),
        capacity=magnitude(capacity, unit) if fits else None,
        stage=stage,
    )
