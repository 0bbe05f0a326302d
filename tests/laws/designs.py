"""Random designs of every stage, over all its arguments and the whole catalogue.

The stages are found by reflection, and so are their arguments; `laws.arguments`
says what values they take.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from laws.arguments import RUN_ON, Values, values_of
from strategies import examples

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import TREES
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.record import Record
from mlsysim.core import solver
from mlsysim.errors import Infeasible, MissingFigureError
from mlsysim.stages.stage import ForwardModel, StageResult
from mlsysim.units import is_quantity


def _stages(parent: type[ForwardModel] = ForwardModel) -> Iterator[type[ForwardModel]]:
    for child in parent.__subclasses__():
        yield from _stages(child)
        if child.__module__.startswith("mlsysim."):
            yield child


assert solver.__all__  # imports every stage
STAGES = sorted(set(_stages()), key=lambda stage: stage.__name__)
SERVING = [stage for stage in STAGES if "output_tokens" in stage.inputs()]


class Pasted:
    """What hypothesis shows by its `repr`, so that a failing example can be pasted."""

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class Design(Pasted):
    """The arguments of one stage; it prints as the call that evaluates it."""

    stage: type[ForwardModel]
    arguments: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def but(self, **changes: Any) -> "Design":
        """Change some arguments."""
        return Design(self.stage, {**self.arguments, **changes})

    def solve(self) -> Any:
        """Evaluate it on plain numbers, once."""
        return self._solved

    @cached_property
    def _solved(self) -> Any:
        return self.stage().solve(**self.arguments)

    def outcome(self) -> Any:
        """Evaluate it; `None` where the stage refuses it or the catalogue lacks a figure."""
        try:
            return self.solve()
        except (Infeasible, MissingFigureError):
            return None

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={shown(value)}" for name, value in self.arguments.items())
        return f"{self.stage.__name__}().solve({listed})"

    @property
    def fleets(self) -> dict[str, Any]:
        """The arguments that say on what it runs."""
        return {name: value for name, value in self.arguments.items() if name.endswith(RUN_ON)}


def shown(value: Any) -> str:
    """Write a value so that it can be pasted."""
    if isinstance(value, Record):
        tree = TREES[type(value)]
        if value.name in tree and tree[value.name] == value:
            return f"{tree.path}.{value.name}"
        if isinstance(value, Cluster):
            parts = f"node={shown(value.node)}, nodes={value.nodes}, fabric={shown(value.fabric)}"
            return f"Cluster(name={value.name!r}, {parts})"
    return repr(value)


def with_accelerator(fleet: Any, accelerator: Accelerator) -> Any:
    """Make the same fleet of other accelerators."""
    if isinstance(fleet, Accelerator):
        return accelerator
    if isinstance(fleet, Cluster):
        return fleet.replace(node=fleet.node.replace(accelerator=accelerator))
    return fleet.replace(accelerator=accelerator)


def exists(result: StageResult) -> bool:
    """Tell whether a layout can be: one that cannot has no time, one that does not fit has."""
    return all(check.holds for why, check in result.checks.items() if "memory" not in why)


def numbers(result: StageResult) -> dict[str, Any]:
    """Give every metric without its unit, and every verdict; `None` is left out."""
    found: dict[str, Any] = {}
    for item in dataclasses.fields(result):
        value = getattr(result, item.name)
        if item.name == "checks":
            found |= {f"check {reason}": check.holds for reason, check in value.items()}
        elif isinstance(value, Mapping):
            found |= {f"{item.name}.{key}": part for key, part in value.items()}
        else:
            found[item.name] = value
    bare = {name: value.magnitude if is_quantity(value) else value for name, value in found.items()}
    return {name: value for name, value in bare.items() if value is not None}


# What a planner leaves out most of the time: what another stage or the catalogue gives.
_OFTEN_LEFT = {
    "request_rate", "transfer_bandwidth", "rental_price", "demand",
    "accelerator_hour_price", "effective_throughput", "tokens_per_second",
    "input_tokens_per_second", "prefill_share",
}  # fmt: skip


@st.composite
def designs(draw: st.DrawFn, /, stage: type[ForwardModel], **given: Values) -> Design:
    """Draw all arguments of a stage; optional ones are now and then left out.

    Values that are given take the place of those that an argument has anywhere.
    """
    drawn: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    # What it runs on first, so that the model can fit; what is a part of something after it.
    last = ("ep_size", "prefill_share", "kv_precision")
    order = sorted(
        stage.inputs(),
        key=lambda name: (not name.endswith(RUN_ON), name.endswith(last)),
    )
    for name in order:
        item = stage.inputs()[name]
        value = draw(given[name] if name in given else values_of(stage, name, whole))
        whole[name] = value
        optional = item.default is not item.empty
        if optional and name in _OFTEN_LEFT and draw(st.booleans()):
            whole[name] = item.default
            continue
        drawn[name] = value
    return Design(stage, {name: drawn[name] for name in stage.inputs() if name in drawn})


class Space(Pasted, dict[str, list[Any]]):
    """The values of every argument of a stage; it prints as it can be pasted."""

    def __repr__(self) -> str:
        listed = (f"{name!r}: [{', '.join(map(shown, values))}]" for name, values in self.items())
        return f"{{{', '.join(listed)}}}"


class Complete(dict[str, object]):
    """The arguments of a design with the defaults of those left out."""

    def __init__(self, stage: type[ForwardModel], design: Design) -> None:
        defaults = {name: item.default for name, item in stage.inputs().items()}
        super().__init__({**defaults, **design.arguments})


def together(design: Design) -> set[str]:
    """Name the arguments that cannot be chosen each on its own."""
    names = {"designs", "replicas"} if "designs" in design.arguments else set()
    names |= {"prefill_share", "utilization"} & design.arguments.keys()
    listed = design.arguments.get("stage_layers") is not None
    return names | ({"stage_layers", "recompute_layers"} if listed else {"stage_layers"})


def feasible(stage: type[ForwardModel], **given: Values) -> Values:
    """Draw designs that the stage finds feasible; the parameters are those of `designs`."""

    def fits(design: Design) -> bool:
        result = design.outcome()
        return result is not None and bool(result.feasible)

    return designs(stage, **given).filter(fits)


def law(count: int = 25) -> settings:
    """Give the settings of a law; 200 times as many designs with ``MLSYSIM_LONG=200``."""
    return settings(
        examples(count),
        suppress_health_check=[
            HealthCheck.filter_too_much,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )
