"""Fleets of serving: what is rented and what is counted, and figures that nobody has."""

import itertools
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DisaggregatedModel,
    ServingEconomicsModel,
    ServingModel,
)
from mlsysim.errors import MissingFigureError, ParameterError, UnitError
from mlsysim.units import quantity

LANGUAGE = Models.Language
ACCELERATORS = [Systems.Accelerators[name] for name in Systems.Accelerators]
NODES = [Systems.Nodes[name] for name in Systems.Nodes]
REQUEST: dict[str, Any] = {
    "model": LANGUAGE.Llama3_1_8B,
    "batch_size": 16,
    "input_tokens": 1000,
    "output_tokens": 200,
}


def broken(result: Any) -> set[str]:
    """List the reasons for which a design cannot be."""
    return {reason for reason, check in result.checks.items() if not check.holds}


def precision_of(accelerator: Accelerator) -> str:
    """Name 16-bit arithmetic that it has."""
    return "bf16" if accelerator.supports("bf16") else "fp16"


def domain_of(fleet: Any) -> int:
    """Count the accelerators that a replica may have of a rented kind."""
    return int(fleet.scale_up_domain if isinstance(fleet, Accelerator) else fleet.accelerators)


@pytest.mark.parametrize("fleet", [*ACCELERATORS, *NODES], ids=lambda fleet: fleet.name)
def test_a_rented_kind_bounds_a_replica_and_never_their_number(fleet: Any) -> None:
    """A thousand replicas of one accelerator can be rented; a replica beyond its links cannot."""
    accelerator = fleet if isinstance(fleet, Accelerator) else fleet.accelerator
    given = {**REQUEST, "fleet": fleet, "precision": precision_of(accelerator)}
    if domain_of(fleet) > 1 and not accelerator.has("link_bandwidth"):
        with pytest.raises(MissingFigureError, match="link_bandwidth"):
            ServingModel().solve(**given)
        return
    many = ServingModel().solve(**given, replicas=1000)
    assert not broken(many) & {"accelerators", "replicas within domains"}
    wide = ServingModel().solve(**given, pp_size=domain_of(fleet) + 1)
    assert "accelerators" in broken(wide)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_accelerator_node_and_cluster_are_the_same_part(node: Node) -> None:
    """The same replicas take the same time and memory, however their part is named."""
    accelerator = node.accelerator
    if accelerator.scale_up_domain != node.accelerators:
        pytest.skip("the accelerator's links join another number of them than this server has")
    fleets: list[Accelerator | Node | Cluster] = [accelerator, node]
    if node.has("nic_bandwidth"):  # a workstation has none, and is in no cluster
        fleets.append(Cluster(name="Some", node=node, fabric=Systems.Fabrics.IB_NDR, nodes=4))
    tensor = max(size for size in (1, 2, 4, 8) if size <= node.accelerators)
    of = [
        ContinuousBatchingModel().solve(
            **REQUEST,
            fleet=fleet,
            precision=precision_of(accelerator),
            tp_size=tensor,
            replicas=2,
            request_rate=1.0,
        )
        for fleet in fleets
    ]
    for name in ("time_to_first_token_p95", "inter_token_latency", "capacity"):
        assert len({getattr(result, name).m for result in of}) == 1, name
    assert len({result.memory_per_accelerator.m for result in of}) == 1


def test_an_inventory_bounds_all_replicas() -> None:
    """Of 8 nodes of 8, 64 replicas of one accelerator; of six accelerators only one per node."""
    lab = Systems.Clusters.Lab_64_H100
    given = {**REQUEST, "fleet": lab}
    assert not broken(ServingModel().solve(**given, replicas=64))
    assert broken(ServingModel().solve(**given, replicas=65)) >= {"accelerators"}
    wide = {**given, "pp_size": 6}
    assert not broken(ServingModel().solve(**wide, replicas=8))
    assert broken(ServingModel().solve(**wide, replicas=9)) == {"replicas within domains"}


def test_pools_of_one_cluster_share_it() -> None:
    """40 and 25 accelerators are more than 64, though either pool has room alone."""

    def solve(prefill: Any, decode: Any, replicas: int) -> Any:
        return DisaggregatedModel().solve(
            **REQUEST,
            prefill_fleet=prefill,
            decode_fleet=decode,
            prefill_replicas=40,
            decode_replicas=replicas,
        )

    lab, node = Systems.Clusters.Lab_64_H100, Systems.Nodes.DGX_H100
    assert not broken(solve(lab, lab, 24))
    assert broken(solve(lab, lab, 25)) == {"accelerators of both pools"}
    assert not broken(solve(lab, node, 25))


def cheapest(fleet: Any, rate: float) -> float:
    """Find the least rent that answers some requests per second."""
    costs = []
    for tensor, batch, count in itertools.product((1, 2), (16, 64), range(1, 41)):
        given = {**REQUEST, "batch_size": batch, "fleet": fleet, "tp_size": tensor}
        served = ContinuousBatchingModel().solve(
            **given, replicas=count, request_rate=rate, precision=precision_of(fleet)
        )
        if served.feasible:
            bill = ServingEconomicsModel().solve(
                fleet=fleet,
                accelerators=served.accelerators,
                request_rate=served.request_rate,
                rental_price=2.0,
            )
            costs.append(bill.cost_per_hour.m)
            break
    return min(costs)


@pytest.mark.parametrize("name", ["L40S", "L4", "A10G", "H100_SXM", "MI300X"])
def test_twice_the_demand_costs_at_most_twice(name: str) -> None:
    """A fleet can be had twice."""
    fleet = Systems.Accelerators[name]
    base = 1.3 * float(ServingModel().solve(**REQUEST, fleet=fleet).request_rate.m)
    assert cheapest(fleet, 2 * base) <= 2 * cheapest(fleet, base)


@pytest.mark.parametrize("figure", ["memory_capacity", "memory_bandwidth", "peaks"])
@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda record: record.name)
def test_more_of_anything_harms_nothing(accelerator: Accelerator, figure: str) -> None:
    """Half as much again of memory, bandwidth or peak: no latency longer, no rate lower."""
    had = getattr(accelerator, figure)
    more = {name: 1.5 * peak for name, peak in had.items()} if figure == "peaks" else 1.5 * had
    given = {**REQUEST, "precision": precision_of(accelerator), "pp_size": domain_of(accelerator)}
    given["pp_size"] = min(given["pp_size"], 4)
    try:
        before = ServingModel().solve(**given, fleet=accelerator)
    except MissingFigureError:
        pytest.skip("the bandwidth of its links is not known")
    after = ServingModel().solve(**given, fleet=accelerator.replace(**{figure: more}))
    assert after.inter_token_latency <= before.inter_token_latency * (1 + 1e-12)
    assert after.time_to_first_token <= before.time_to_first_token * (1 + 1e-12)
    assert after.request_rate >= before.request_rate * (1 - 1e-12)
    assert after.max_concurrency >= before.max_concurrency


@pytest.mark.parametrize("name", ["L40S", "L4", "A10G", "A30", "H100_PCIe"])
def test_what_has_no_link_pays_for_none(name: str) -> None:
    """Prefill in chunks and decode on one accelerator take times of this world, and no hop."""
    for chunk in (256, 8192):
        result = ServingModel().solve(
            **{**REQUEST, "batch_size": 2, "input_tokens": 9000},
            fleet=Systems.Accelerators[name],
            chunk_tokens=chunk,
        )
        assert 0.01 < result.time_to_first_token.m_as("s") < 60
        assert result.decode_latency_hops.m == 0
        assert result.decode_latency_collectives.m == 0


def test_an_accelerator_alone_has_no_network() -> None:
    """Keys and values between two pools need a bandwidth; the message says how to state it."""
    given = {
        **REQUEST,
        "prefill_fleet": Systems.Accelerators.H100_SXM,
        "decode_fleet": Systems.Accelerators.H100_SXM,
    }
    with pytest.raises(MissingFigureError, match=r"H100_SXM: no network.*transfer_bandwidth"):
        DisaggregatedModel().solve(**given)
    assert DisaggregatedModel().solve(**given, transfer_bandwidth=20).feasible


def reserve(**changes: Any) -> float:
    """Give what the runtime keeps, in GiB."""
    given = {**REQUEST, "fleet": Systems.Nodes.DGX_H100, **changes}
    return float(ServingModel().solve(**given).memory_reserve.m_as("GiB"))


def test_the_runtime_keeps_more_in_wider_groups() -> None:
    """0.43 GiB on one accelerator, 2.15 GiB on each of eight, as logs of vLLM show at most."""
    assert reserve() == pytest.approx(0.43, rel=0.01)
    assert reserve(tp_size=8) == pytest.approx(2.15, rel=0.01)
    assert reserve(tp_size=2) < reserve(tp_size=4)
    assert reserve(tp_size=8, runtime="tensorrt_llm") < reserve(tp_size=8)


def test_a_reserve_can_be_stated() -> None:
    """As a quantity, or in GB; no other dimension, and nothing below nothing."""
    assert reserve(runtime_reserve=quantity(0.4, "GiB")) == pytest.approx(0.4)
    assert reserve(runtime_reserve=1.0, tp_size=8) == pytest.approx(1e9 / 2**30)
    with pytest.raises(UnitError, match="runtime_reserve"):
        reserve(runtime_reserve=quantity(1, "s"))
    with pytest.raises(ParameterError, match="runtime_reserve is -1"):
        reserve(runtime_reserve=-1)


@pytest.mark.parametrize(
    "solve",
    [
        lambda kept: ServingModel().solve(
            **REQUEST, fleet=Systems.Nodes.DGX_H100, runtime_reserve=kept
        ),
        lambda kept: ContinuousBatchingModel().solve(
            **REQUEST, fleet=Systems.Nodes.DGX_H100, runtime_reserve=kept
        ),
        lambda kept: DisaggregatedModel().solve(
            **REQUEST,
            prefill_fleet=Systems.Nodes.DGX_H100,
            decode_fleet=Systems.Nodes.DGX_H100,
            runtime_reserve=kept,
        ),
    ],
    ids=["ServingModel", "ContinuousBatchingModel", "DisaggregatedModel"],
)
def test_what_is_kept_is_missing_for_sequences(solve: Any) -> None:
    """Ten GB are ten GB in every stage."""
    little, much = solve(1.0), solve(11.0)
    difference = (much.memory_per_accelerator - little.memory_per_accelerator).m_as("GB")
    assert difference == pytest.approx(10)
    assert much.max_concurrency < little.max_concurrency


def test_a_card_of_24_gb_holds_a_sequence_of_20000_tokens() -> None:
    """Llama 3.1 8B on an RTX 3090 in vLLM: 20,000 tokens run, 29,000 are refused."""
    card = Systems.Accelerators.A10G.replace(
        name="RTX_3090", memory_capacity=quantity(23.58, "GiB")
    )

    def fits(tokens: int) -> float:
        return float(
            ServingModel()
            .solve(
                model=LANGUAGE.Llama3_1_8B,
                fleet=card,
                batch_size=1,
                input_tokens=tokens - 1000,
                output_tokens=1000,
                chunk_tokens=tokens,
            )
            .max_concurrency
        )

    assert fits(20_000) == 1
    assert fits(29_000) == 0
