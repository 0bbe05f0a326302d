"""ContinuousBatchingModel: prefill among decode, and waiting."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import ContinuousBatchingModel, ServingModel
from mlsysim.errors import ParameterError, UnitError
from mlsysim.stages.serving.continuous_batching_result import ContinuousBatchingResult
from mlsysim.units import quantity

DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_70B,
    "fleet": Systems.Nodes.DGX_H100,
    "batch_size": 64,
    "input_tokens": 2048,
    "output_tokens": 256,
    "tp_size": 8,
}
QUANTILES = ("p50", "p95", "p99")


def solve(**changes: Any) -> ContinuousBatchingResult:
    """Serve a 70B model on 8 H100 with 64 requests at a time."""
    return ContinuousBatchingModel().solve(**{**DESIGN, **changes})


def test_one_user_alone_sees_no_one_elses_prefill() -> None:
    """With a batch of one nothing comes in between, and nothing is waited for."""
    alone = solve(batch_size=1)
    plain = ServingModel().solve(**{**DESIGN, "batch_size": 1})
    assert alone.inter_token_latency.m == pytest.approx(plain.inter_token_latency.m)
    assert alone.time_to_first_token_p99 == alone.time_to_first_token_p50


def test_prefills_of_others_slow_a_full_batch_down() -> None:
    """Each of 64 requests sees 63 prefills over its 255 further tokens, as far as it decodes."""
    full, plain = solve(), ServingModel().solve(**DESIGN)
    occupied = plain.prefill_share / plain.request_rate.m_as("1/ms")
    between = plain.inter_token_latency.m_as("ms")
    decoding = 255 * between / (255 * between + occupied)
    expected = between + 63 * occupied / 255 * decoding
    assert full.inter_token_latency.m_as("ms") == pytest.approx(expected)


@settings(max_examples=40)
@given(st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_more_load_never_shortens_anything(first: float, second: float) -> None:
    """Every latency grows with the rate, and the rate is what is asked for."""
    capacity = solve().capacity.m
    low, high = (solve(request_rate=capacity * share) for share in sorted((first, second)))
    for name in ("inter_token_latency", "request_latency", "time_to_first_token"):
        assert getattr(low, name) <= getattr(high, name) * (1 + 1e-12)
    for name in QUANTILES:
        metric = f"time_to_first_token_{name}"
        assert getattr(low, metric) <= getattr(high, metric) * (1 + 1e-12)
    assert high.request_rate.m == pytest.approx(capacity * max(first, second))


def test_quantiles_are_ordered() -> None:
    """Half of the requests wait no longer than 95 or 99 in 100."""
    result = solve(request_rate=solve().capacity.m * 0.8)
    found = [getattr(result, f"time_to_first_token_{name}") for name in QUANTILES]
    assert found == sorted(found)
    assert found[0] < found[2]


def test_a_load_beyond_the_limit_is_refused_by_name() -> None:
    """At 96 % of the capacity a limit of 95 % breaks, and nothing else."""
    capacity = solve().capacity.m
    result = solve(request_rate=0.96 * capacity)
    assert {reason for reason, check in result.checks.items() if not check.holds} == {"load"}
    assert solve(request_rate=0.94 * capacity).feasible
    overloaded = solve(request_rate=10 * capacity)
    assert overloaded.request_rate.m == pytest.approx(capacity)
    assert overloaded.utilization == 1
    assert overloaded.checks["load"].value == pytest.approx(10)


def test_its_capacity_is_what_the_serving_model_answers() -> None:
    """B13 of the tools before: two planners of one library must not contradict each other."""
    assert solve().capacity == ServingModel().solve(**DESIGN).request_rate
    assert solve(request_rate=1.0).capacity == solve().capacity


def test_replicas_share_the_load() -> None:
    """Twice the replicas at twice the rate: the same latencies and utilisation."""
    one, two = (
        solve(tp_size=4, precision="fp8", replicas=count, request_rate=1.5 * count)
        for count in (1, 2)
    )
    assert two.time_to_first_token_p95.m == pytest.approx(one.time_to_first_token_p95.m)
    assert two.utilization == pytest.approx(one.utilization)
    assert two.concurrency == pytest.approx(2 * one.concurrency)


def test_the_requests_at_work_follow_from_rate_and_residence() -> None:
    """Little's law; a saturated batch is full, up to what its users spend on a first token."""
    full = solve()
    assert full.concurrency == pytest.approx(64, rel=0.05)


def test_rates_may_carry_their_unit() -> None:
    """120 requests a minute are 2 a second."""
    assert solve(request_rate=quantity(120, "1/minute")).request_rate.m == pytest.approx(2)
    with pytest.raises(UnitError, match="request_rate"):
        solve(request_rate=quantity(2, "GB"))
    with pytest.raises(ParameterError, match="request_rate is 0"):
        solve(request_rate=0)


def test_prompts_stretch_a_gap_by_no_more_than_a_chunk() -> None:
    """Where prompts take nearly all of the time, a pass still carries one chunk along."""
    busy = ContinuousBatchingModel().solve(
        model=Models.Language.BLOOM_176B,
        fleet=Systems.Nodes.DGX_A100,
        tp_size=8,
        batch_size=512,
        input_tokens=1,
        output_tokens=2,
    )
    assert busy.inter_token_latency <= busy.longest_inter_token_latency
