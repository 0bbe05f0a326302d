"""DisaggregatedModel: two pools and the way between them."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DisaggregatedModel, ServingModel
from mlsysim.stages.serving.disaggregated_result import DisaggregatedResult

H100 = Systems.Nodes.DGX_H100
DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_70B,
    "batch_size": 64,
    "input_tokens": 4096,
    "output_tokens": 256,
    "prefill_fleet": H100,
    "prefill_tp_size": 4,
    "prefill_replicas": 2,
    "decode_fleet": H100,
    "decode_tp_size": 8,
}


def solve(**changes: Any) -> DisaggregatedResult:
    """Prefill on two replicas of 4 H100, decode on 8."""
    return DisaggregatedModel().solve(**{**DESIGN, **changes})


def broken(result: DisaggregatedResult) -> set[str]:
    """List the reasons for which a design cannot be."""
    return {reason for reason, check in result.checks.items() if not check.holds}


def test_the_slowest_part_sets_the_rate() -> None:
    """Prefill here; decode with many more prefill replicas; the transfer over a thin line."""
    first = solve()
    assert first.capacity == first.prefill_capacity
    fleet = Systems.Clusters.Lab_64_H100
    second = solve(prefill_fleet=fleet, prefill_replicas=16)
    assert second.capacity == second.decode_capacity
    third = solve(transfer_bandwidth=0.05)
    assert third.capacity == third.transfer_capacity


def test_pools_of_either_kind_scale_alone() -> None:
    """Twice the prefill replicas prefill twice as much, and decode stays."""
    one, two = (solve(prefill_replicas=count) for count in (1, 2))
    assert two.prefill_capacity.m == pytest.approx(2 * one.prefill_capacity.m)
    assert two.decode_capacity == one.decode_capacity
    assert (one.accelerators, two.accelerators) == (12, 16)


def test_decode_is_not_disturbed_by_prefill() -> None:
    """Tokens follow as they do without any prefill, but for the last layer of the transfer."""
    alone = ServingModel().solve(
        model=DESIGN["model"],
        fleet=H100,
        batch_size=64,
        input_tokens=4096,
        output_tokens=256,
        tp_size=8,
    )
    apart = solve()
    spread = apart.transfer_latency / 80 / 255
    expected = (alone.inter_token_latency + spread).m_as("ms")
    assert apart.inter_token_latency.m_as("ms") == pytest.approx(expected)


def test_the_transfer_moves_every_cached_byte_once() -> None:
    """4096 tokens of 327,680 bytes out of 4 accelerators at 1 GB/s each take 335.5 ms."""
    result = solve(transfer_bandwidth=1)
    assert result.transfer_latency.m_as("s") == pytest.approx(4096 * 327_680 / 4e9)


def test_both_pools_must_hold_the_model() -> None:
    """B19 of the tools before: 141 GB do not fit one H100, in either pool."""
    assert broken(solve(prefill_tp_size=1)) == {"prefill memory"}
    assert broken(solve(decode_tp_size=1)) == {"decode memory"}
    assert broken(solve(prefill_tp_size=16)) == {"prefill accelerators"}


def test_waiting_grows_with_the_load_and_breaks_its_limit() -> None:
    """Prompts wait for a prefill replica."""
    capacity = solve().capacity.m
    calm, busy = (solve(request_rate=share * capacity) for share in (0.2, 0.9))
    assert calm.time_to_first_token_p99 < busy.time_to_first_token_p99
    assert busy.time_to_first_token_p50 <= busy.time_to_first_token_p95
    assert broken(solve(request_rate=0.99 * capacity)) == {"load of prefill"}


def test_what_is_too_small_for_a_load_is_named() -> None:
    """A pool or the link between them: the check that breaks, and the text of the bottleneck."""
    thin: dict[str, Any] = {"transfer_bandwidth": 0.05}
    wide: dict[str, Any] = {
        "prefill_fleet": Systems.Clusters.Lab_64_H100, "prefill_replicas": 16,
    }  # fmt: skip
    for changes, part in ((thin, "the link between the pools"), (wide, "decode"), ({}, "prefill")):
        free = solve(**changes)
        assert free.bottleneck().startswith(f"{part}: it can take {free.capacity.m:,.4g} requests")
        asked = solve(**changes, request_rate=0.99 * free.capacity.m)
        assert f"load of {part}" in broken(asked)


def test_pools_may_be_of_different_kinds() -> None:
    """The slower of the two networks carries the keys and values."""
    mixed = solve(decode_fleet=Systems.Nodes.DGX_A100, decode_tp_size=8)
    assert mixed.feasible
    # 25 GB/s of an A100's port against 50 GB/s
    assert mixed.transfer_latency.m == pytest.approx(2 * solve().transfer_latency.m)
