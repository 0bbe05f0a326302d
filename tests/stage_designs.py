"""One design of every stage, for tests that go over all stages and arguments by reflection."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from mlsysim.catalog import Models, Systems
from mlsysim.core import solver
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, quantity

LANGUAGE, NODES, CLUSTERS = Models.Language, Systems.Nodes, Systems.Clusters
_REQUEST: dict[str, Any] = {
    "model": LANGUAGE.Llama3_8B,
    "batch_size": 16,
    "input_tokens": 1000,
    "output_tokens": 200,
}
_SMALL = ReplicaDesign(name="S", kind="L4", accelerators=1, rates={"chat": 0.5}, price=0.7, watts=9)
DESIGNS: dict[type[ForwardModel], dict[str, Any]] = {
    solver.ContinuousBatchingModel: {**_REQUEST, "fleet": NODES.DGX_H100, "request_rate": 2.0},
    solver.DisaggregatedModel: {
        **_REQUEST,
        "prefill_fleet": NODES.DGX_H100,
        "decode_fleet": NODES.DGX_H200,
    },
    solver.DistributedModel: {
        "model": LANGUAGE.Llama3_8B,
        "fleet": CLUSTERS.Frontier_8K,
        "batch_size": 4096,
        "nodes": 128,
        "tp_size": 2,
    },
    solver.EconomicsModel: {"fleet": CLUSTERS.Frontier_8K, "duration_days": 30, "nodes": 64},
    solver.GoodputModel: {
        "model": LANGUAGE.Llama3_8B,
        "fleet": CLUSTERS.Frontier_8K,
        "effective_throughput": quantity(1e6, "1/s"),
        "tokens": 1e12,
        "accelerator_hour_price": 2.0,
    },
    solver.MixedFleetModel: {"designs": [_SMALL], "replicas": {"chat_on_S": 3}},
    solver.ServingEconomicsModel: {
        "fleet": NODES.DGX_H100,
        "request_rate": quantity(9.0, "1/s"),
        "accelerators": 8,
        "tokens_per_second": quantity(900.0, "1/s"),
    },
    solver.ServingModel: {**_REQUEST, "fleet": NODES.DGX_H100},
    solver.SingleNodeModel: {
        "model": LANGUAGE.Llama3_8B,
        "accelerator": Systems.Accelerators.H100_SXM,
        "batch_size": 4,
    },
}
STAGES = [
    stage for stage in map(vars(solver).__getitem__, solver.__all__) if stage is not ForwardModel
]


def arguments_of(stage: type[ForwardModel]) -> dict[str, Any]:
    """Give every argument of the design of a stage, defaults filled in."""
    known = stage.inputs().items()
    defaults = {name: item.default for name, item in known if item.default is not item.empty}
    return {**defaults, **DESIGNS[stage]}


def metrics(result: Any) -> Iterator[tuple[str, Any]]:
    """Give every metric without its unit, and every verdict."""
    for item in dataclasses.fields(result):
        value = getattr(result, item.name)
        if item.name == "checks":
            yield from ((f"check {reason}", check.holds) for reason, check in value.items())
        elif isinstance(value, Mapping):
            yield from ((f"{item.name}.{key}", bare(part)) for key, part in value.items())
        else:
            yield item.name, bare(value)


def bare(value: Any) -> Any:
    """Take the unit off."""
    return value.magnitude if is_quantity(value) else value
