"""What the models tell about a design beyond their metrics: the parts of its time, and so on.

A stage's result, or whatever an evaluator returns, may carry any of these, as
an attribute, a method without arguments, or a key; all are optional, and
without them a report shows less:

``<what>_breakdown``
    BreakdownPart -> amount; the parts add up.  ``time_breakdown``, ``memory_breakdown``
    and ``cost_breakdown`` are what the package's own models have.
``<what>_capacity``
    The amount that the parts of ``<what>_breakdown`` have to fit into.
``layout_arithmetic``
    How the machine is divided: ``"8,192 GPUs = 8 tp x 4 pp x 256 dp"``.
``key_figures``
    What planners ask for first, in a line: ``"MFU 41.2 %, 812 tokens/s per accelerator"``.
``bottleneck``
    What limits the speed, in a phrase; the largest part of the first breakdown
    that is a time, unless said otherwise.
``accuracy``
    How far predictions of this model were from measurements.

They are read where a design is evaluated on plain numbers; breakdowns also on
arrays, for the chart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from mlsysim.problem.verdict import members_of
from mlsysim.report.records import Breakdown, BreakdownPart
from mlsysim.results.formatting import share_of
from mlsysim.units import is_quantity, magnitude, quantity, same_dimension, unit_of

_PARTS = "_breakdown"
_LIMIT = "_capacity"


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """What the models told about one design.

    Parameters
    ----------
    breakdowns
        The parts of time, memory, cost and whatever else was broken down.
    arithmetic
        How the machine is divided, and what planners ask for first, by each model that says so.
    bottlenecks
        What limits the speed, likewise.
    accuracy
        How exact each model is.
    """

    breakdowns: tuple[Breakdown, ...]
    arithmetic: tuple[str, ...]
    bottlenecks: tuple[str, ...]
    accuracy: tuple[str, ...]


def disclosed_by(result: Any) -> Disclosure:
    """Read what an evaluator's result tells about its design.

    Parameters
    ----------
    result
        What an evaluator returned on plain numbers: the result of a pipeline,
        a mapping, or any object.
    """
    carriers = list(_carriers(result))
    breakdowns = breakdowns_of(result)
    named = [_text(carrier, "bottleneck") for _, carrier in carriers]
    bottlenecks = tuple(filter(None, named)) or tuple(_longest(breakdowns))
    return Disclosure(
        breakdowns=breakdowns,
        arithmetic=_texts(carriers, "layout_arithmetic") + _texts(carriers, "key_figures"),
        bottlenecks=bottlenecks,
        accuracy=_texts(carriers, "accuracy"),
    )


def breakdowns_of(result: Any) -> tuple[Breakdown, ...]:
    """Read the breakdowns that a result carries, times first; plain numbers or arrays.

    Parameters
    ----------
    result
        What an evaluator returned.
    """
    second = quantity(1.0, "s")
    found = list(_breakdowns(list(_carriers(result))))
    return tuple(
        sorted(found, key=lambda item: not same_dimension(quantity(1.0, item.unit), second))
    )


def _breakdowns(carriers: list[tuple[str, Any]]) -> Iterator[Breakdown]:
    names = [name for _, carrier in carriers for name in _breakdown_names(carrier)]
    for stage, carrier in carriers:
        for name in _breakdown_names(carrier):
            parts = _told(carrier, name)
            if not isinstance(parts, Mapping) or not parts:
                continue
            what = name.removesuffix(_PARTS)
            title = what.replace("_", " ")
            unique = names.count(name) == 1 or not stage
            yield _breakdown(
                title if unique else f"{stage} {title}", parts, _told(carrier, what + _LIMIT)
            )


def _carriers(result: Any) -> Iterator[tuple[str, Any]]:
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


def _told(carrier: Any, name: str) -> Any:
    """Read an attribute, a key, or what a method without arguments gives."""
    value = carrier.get(name) if isinstance(carrier, Mapping) else getattr(carrier, name, None)
    return value() if callable(value) else value


def _text(carrier: Any, name: str) -> str:
    value = _told(carrier, name)
    return value if isinstance(value, str) else ""


def _texts(carriers: list[tuple[str, Any]], name: str) -> tuple[str, ...]:
    found = ((stage, _text(carrier, name)) for stage, carrier in carriers)
    told = [(stage, text) for stage, text in found if text]
    if name == "accuracy":
        return tuple(f"{stage}: {text}" if stage else text for stage, text in told)
    return tuple(text for _, text in told)


def _breakdown(name: str, parts: Mapping[str, Any], capacity: Any) -> Breakdown:
    first = next(iter(parts.values()))
    unit = unit_of(first)
    amounts = {str(part): magnitude(value, unit) for part, value in parts.items()}
    fits = capacity is not None and same_dimension(capacity, first)
    return Breakdown(
        name=name,
        unit=unit,
        parts=tuple(BreakdownPart(name=part, value=value) for part, value in amounts.items()),
        capacity=magnitude(capacity, unit) if fits else None,
    )


def _longest(breakdowns: tuple[Breakdown, ...]) -> Iterator[str]:
    """Name the largest part of the first breakdown of a time."""
    second = quantity(1.0, "s")
    for item in breakdowns:
        if item.total and same_dimension(quantity(1.0, item.unit), second):
            part = max(item.parts, key=lambda part: part.value)
            yield f"{part.name}: {share_of(part.value, item.total)} of the {item.name}"
            return
