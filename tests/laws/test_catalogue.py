"""Every accelerator and node of the catalogue, under every serving stage."""

from typing import Any

import pytest
from laws.designs import SERVING, Design
from laws.test_same_thing_said_twice import differences, packaged
from laws.test_verdict_and_metrics_agree import misfits, odd_numbers

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.node import Node
from mlsysim.core.solver import ServingEconomicsModel
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import magnitude

FLEETS = [*Systems.Accelerators.values(), *Systems.Nodes.values()]


def load_on(stage: type[ForwardModel], fleet: Accelerator | Node, **changes: Any) -> Design:
    """Put a small model on a fleet, in 16 bits, with prompts of more than one pass."""
    precision = next(
        name for name in ("bf16", "fp16", "fp32", "int8") if accelerator_of(fleet).supports(name)
    )
    roles = [name for name in stage.inputs() if name.endswith("fleet")]
    arguments = {
        "model": Models.Language.Llama3_2_1B,
        "batch_size": 4,
        "input_tokens": 1000,
        "output_tokens": 200,
        "chunk_tokens": 256,
        "precision": precision,
        **dict.fromkeys(roles, fleet),
        **changes,
    }
    return Design(stage, arguments)


def cost(stage: type[ForwardModel], fleet: Accelerator | Node, demand: float) -> float:
    """Give the least cost per hour of a demand (USD), over replicas of one and of two cards."""
    best = float("inf")
    counts = [name for name in stage.inputs() if name.endswith("replicas")]
    tensors = [name for name in stage.inputs() if name.endswith("tp_size")]
    for size in (1, 2):
        one = load_on(stage, fleet, **dict.fromkeys(tensors, size)).outcome()
        if one is None or not one.feasible:
            continue
        needed = int(-(-demand // magnitude(one.request_rate, "1/s")))
        design = load_on(
            stage, fleet, **dict.fromkeys(tensors, size), **dict.fromkeys(counts, needed)
        )
        result = design.solve()
        assert result.feasible, (
            f"{needed} replicas: {[k for k, c in result.checks.items() if not c.holds]}"
        )
        bill = ServingEconomicsModel().solve(
            fleet=fleet,
            accelerators=result.accelerators,
            request_rate=result.request_rate,
            demand=demand,
            rental_price=2.0,
        )
        best = min(best, magnitude(bill.cost_per_hour, "USD/hour"))
    return best


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
def test_every_fleet_serves_believably(fleet: Accelerator | Node) -> None:
    """Whatever fits is finite and of a size that a planner can believe, on every accelerator."""
    for stage in SERVING:
        for rate in ({}, {"request_rate": 0.01}):
            given = {k: v for k, v in rate.items() if k in stage.inputs()}
            design = load_on(stage, fleet, **given)
            result = design.outcome()
            if result is not None and result.feasible:
                assert not [*odd_numbers(design), *misfits(design)], design


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
def test_twice_the_demand_costs_at_most_twice(fleet: Accelerator | Node) -> None:
    """A rented fleet of whole replicas grows with the demand, and has no end."""
    for stage in SERVING:
        for demand in (0.1, 3.0, 1000.0):
            once, twice = (cost(stage, fleet, k * demand) for k in (1, 2))
            assert twice <= 2 * once * (1 + 1e-9), (stage, demand)


@pytest.mark.parametrize("node", [*Systems.Nodes.values()], ids=lambda node: node.name)
def test_accelerator_node_and_cluster_agree(node: Node) -> None:
    """The same replicas have the same metrics alone, in a node and in a cluster of such nodes."""
    for stage in SERVING:
        for tensor in (1, 2):
            names = {k: tensor for k in stage.inputs() if k.endswith("tp_size")}
            design = load_on(stage, node, **names)
            if "transfer_bandwidth" in stage.inputs():
                design = design.but(transfer_bandwidth=10.0)
            found = packaged(stage, node, **design.arguments)
            for kind, metrics in found.items():
                assert not list(differences(found.get("node", metrics), metrics, kind)), design


@pytest.mark.parametrize("node", [*Systems.Nodes.values()], ids=lambda node: node.name)
def test_rent_does_not_depend_on_the_packaging(node: Node) -> None:
    """A rented accelerator costs the same in its node and in a cluster of such nodes."""
    found = packaged(ServingEconomicsModel, node, accelerators=16, request_rate=3.0, demand=2.0)
    prices = {kind: metrics["cost_per_hour"] for kind, metrics in found.items()}
    assert len(set(prices.values())) <= 1, prices
