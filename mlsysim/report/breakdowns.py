"""What the models tell about a design beyond their metrics: the parts of its time, and so on.

A stage's result, or whatever an evaluator returns, may carry any of these, as
an attribute, a method without arguments, or a key; all are optional, and
without them a report shows less:

``<what>_breakdown``, ``<what>_capacity``
    What amounts consist of, and have to fit into (`mlsysim.results.breakdowns`).
``layout_arithmetic``
    How the machine is divided: ``"8,192 GPUs = 8 tp x 4 pp x 256 dp"``.
``key_figures``
    What planners ask for first, in a line: ``"MFU 41.2 %, 812 tokens/s per accelerator"``.
``bottleneck``
    What limits the speed, in a phrase; the largest part of the first breakdown
    that is a time, unless said otherwise.
``accuracy``
    How far predictions of this model were from measurements.

They are read where a design is evaluated on plain numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlsysim.results.breakdowns import Breakdown, breakdowns_of, carriers_of, told
from mlsysim.results.formatting import share_of
from mlsysim.units import quantity, same_dimension


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
    carriers = list(carriers_of(result))
    breakdowns = breakdowns_of(result)
    named = [_text(carrier, "bottleneck") for _, carrier in carriers]
    bottlenecks = tuple(filter(None, named)) or tuple(_longest(breakdowns))
    return Disclosure(
        breakdowns=breakdowns,
        arithmetic=_texts(carriers, "layout_arithmetic") + _texts(carriers, "key_figures"),
        bottlenecks=bottlenecks,
        accuracy=_texts(carriers, "accuracy"),
    )


def _text(carrier: Any, name: str) -> str:
    value = told(carrier, name)
    return value if isinstance(value, str) else ""


def _texts(carriers: list[tuple[str, Any]], name: str) -> tuple[str, ...]:
    found = ((stage, _text(carrier, name)) for stage, carrier in carriers)
    told = [(stage, text) for stage, text in found if text]
    if name == "accuracy":
        return tuple(f"{stage}: {text}" if stage else text for stage, text in told)
    return tuple(text for _, text in told)


def _longest(breakdowns: tuple[Breakdown, ...]) -> Iterator[str]:
    """Name the largest part of the first breakdown of a time."""
    second = quantity(1.0, "s")
    for item in breakdowns:
        if item.total and same_dimension(quantity(1.0, item.unit), second):
            part = max(item.parts, key=lambda part: part.value)
            yield f"{part.name}: {share_of(part.value, item.total)} of the {item.name}"
            return
