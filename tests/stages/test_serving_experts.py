"""Expert parallelism in serving: what travels, what the fullest rank reads, and what is refused."""

from typing import Any

import pytest

from mlsysim.catalog import Calibration, Models, Systems
from mlsysim.core.solver import DisaggregatedModel, ServingModel
from mlsysim.physics.collectives import ranks_visited
from mlsysim.stages.serving.result import ServingResult

DEEPSEEK = Models.Language.DeepSeek_V3
H200 = Systems.Nodes.DGX_H200
CLUSTER = Systems.Clusters.Frontier_8K


def solve(calibration: Calibration | None = None, **changes: Any) -> ServingResult:
    """Serve DeepSeek-V3 on a node with attention in eight groups."""
    inputs: dict[str, Any] = {
        "model": DEEPSEEK,
        "fleet": H200,
        "precision": "fp8",
        "batch_size": 512,
        "input_tokens": 1000,
        "output_tokens": 300,
        "attention_dp_size": 8,
    }
    return ServingModel(calibration=calibration).solve(**{**inputs, **changes})


def test_experts_on_ranks_save_traffic_and_are_unevenly_hit() -> None:
    """With one rank every token goes to 8 accelerators; with eight, to 8 (1 - (7/8)^8) = 5.25."""
    one, eight = (solve(ep_size=size) for size in (1, 8))
    assert ranks_visited(8, 8) == pytest.approx(5.2512, rel=1e-4)
    assert eight.decode_latency_collectives < one.decode_latency_collectives
    assert eight.decode_latency_weights > one.decode_latency_weights
    assert eight.memory_weights == one.memory_weights


def test_every_size_of_a_rank_is_priced() -> None:
    """No two divisions of the experts cost the same."""
    latencies = {solve(ep_size=size).inter_token_latency.m for size in (1, 2, 4, 8)}
    assert len(latencies) == 4


def test_without_attention_groups_nothing_is_dispatched() -> None:
    """Eight accelerators that share every layer have all tokens: the sum is an all-reduce."""
    one, eight = (solve(attention_dp_size=1, tp_size=8, ep_size=size) for size in (1, 8))
    assert one.decode_latency_collectives == eight.decode_latency_collectives
    assert one.decode_latency_weights < eight.decode_latency_weights


def test_few_tokens_hit_the_fullest_rank_hardest() -> None:
    """One token needs 8 experts, which 8 ranks never have evenly; of many tokens all need all."""

    def excess(batch: int) -> float:
        one, eight = (
            solve(attention_dp_size=1, tp_size=8, ep_size=size, batch_size=batch) for size in (1, 8)
        )
        return float(eight.decode_latency_weights.m / one.decode_latency_weights.m)

    assert excess(1) > excess(64) > 1
    # 8 visits in 8 ranks: the mean is one, the largest near 1 + 1.43 * 0.94
    assert 1.2 < excess(1) < 2.5


def test_uneven_routing_slows_arithmetic_down() -> None:
    """A calibration that says so; without ranks there is nothing to be uneven."""
    hopper = Systems.Calibrations.Hopper
    even, uneven = (
        hopper.replace(serving=hopper.serving.replace(imbalance=factor)) for factor in (1.0, 2.0)
    )
    for size, differs in ((1, False), (8, True)):
        first, second = (
            solve(one, ep_size=size, batch_size=4096, output_tokens=10) for one in (even, uneven)
        )
        assert (second.inter_token_latency > first.inter_token_latency) is differs


def test_dispatch_across_nodes_takes_the_network() -> None:
    """Sixteen groups on two nodes pay more than eight on one; one copy goes to the other node."""
    inside, across = (
        solve(fleet=CLUSTER, attention_dp_size=size, ep_size=size, batch_size=64 * size)
        for size in (8, 16)
    )
    assert across.decode_latency_collectives > 1.5 * inside.decode_latency_collectives


def test_a_dense_model_has_no_experts_to_divide() -> None:
    """The reason says so."""
    result = solve(model=Models.Language.Llama3_70B, attention_dp_size=1, tp_size=8, ep_size=2)
    broken = {reason for reason, check in result.checks.items() if not check.holds}
    assert "expert parallel of a model with experts" in broken


@pytest.mark.parametrize("pool", ["prefill", "decode"])
def test_both_pools_pay_for_their_experts(pool: str) -> None:
    """What the ranks of either pool save or cost shows in its capacity."""
    layout: dict[str, Any] = {
        f"{name}_{size}": value
        for name in ("prefill", "decode")
        for size, value in (("attention_dp_size", 8), ("tp_size", 1))
    }
    one, eight = (
        DisaggregatedModel().solve(
            model=DEEPSEEK,
            prefill_fleet=H200,
            decode_fleet=H200,
            precision="fp8",
            batch_size=512,
            input_tokens=4000,
            output_tokens=1000,
            **{**layout, f"{pool}_ep_size": size},
        )
        for size in (1, 8)
    )
    assert getattr(one, f"{pool}_capacity") != getattr(eight, f"{pool}_capacity")
