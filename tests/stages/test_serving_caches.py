"""Drafts of their own shape, prefixes that take memory, and experts that are held twice."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.stages.serving.continuous_batching import ContinuousBatchingModel
from mlsysim.stages.serving.disaggregated import DisaggregatedModel
from mlsysim.stages.serving.result import ServingResult
from mlsysim.stages.serving.serving import ServingModel

LANGUAGE = Models.Language
SMALL = LANGUAGE.Llama3_2_1B
SHARED: dict[str, Any] = {"prefix_hit_rate": 0.5, "prefixes": 10_000}


def served(**design: Any) -> ServingResult:
    """Serve Llama 3 70B on eight H100."""
    given: dict[str, Any] = {
        "model": LANGUAGE.Llama3_70B,
        "fleet": Systems.Nodes.DGX_H100,
        "batch_size": 8,
        "input_tokens": 2000,
        "output_tokens": 500,
        "tp_size": 8,
    }
    return ServingModel().solve(**(given | design))


def mixture(**design: Any) -> ServingResult:
    """Serve DeepSeek-V3 on 32 ranks of experts."""
    return served(
        **{
            "model": LANGUAGE.DeepSeek_V3,
            "fleet": Systems.Clusters.Production_2K,
            "batch_size": 1024,
            "tp_size": 1,
            "attention_dp_size": 32,
            "ep_size": 32,
            "precision": "fp8",
            "weight_precision": "fp8_block",
        }
        | design
    )


def alone(accelerators: int, sequences: int = 8) -> ServingResult:
    """Serve the draft by itself."""
    return served(model=SMALL, tp_size=accelerators, batch_size=sequences)


@pytest.mark.parametrize("accelerators", [1, 2, 8])
def test_a_draft_has_its_own_weights_cache_and_time(accelerators: int) -> None:
    """What it holds is what it holds alone; three of its passes come before one of the model."""
    plain = served()
    drafting = served(draft_tokens=3, draft_model=SMALL, draft_tp_size=accelerators)
    own = alone(accelerators)
    assert (drafting.memory_weights - plain.memory_weights).m == pytest.approx(own.memory_weights.m)
    assert (drafting.kv_cache_per_sequence - plain.kv_cache_per_sequence).m == pytest.approx(
        own.kv_cache_per_sequence.m
    )
    # Its passes are part of the model's, which has the process; of that the overhead is all but
    # what layers take to be launched.
    step = own.inter_token_latency.m_as("ms")
    process = own.decode_latency_overhead.m_as("ms")
    assert 3 * (step - process) < drafting.decode_latency_drafting.m_as("ms") < 3 * step


def test_a_draft_is_as_wide_as_the_model_unless_told() -> None:
    """None of its own, as many accelerators as the model."""
    both = [
        served(draft_tokens=3, draft_model=SMALL, draft_tp_size=size).inter_token_latency
        for size in (None, 8)
    ]
    assert both[0] == both[1]


def test_a_larger_draft_must_be_accepted_more_often() -> None:
    """At one rate the smaller is faster; the larger pays where it is right and the other is not."""
    large, small = LANGUAGE.Llama3_8B, SMALL
    given = {"draft_tokens": 4, "draft_acceptance": 0.7}
    fast, slow = (served(draft_model=one, **given).inter_token_latency for one in (small, large))
    assert fast < slow < served().inter_token_latency
    right = served(draft_model=large, draft_tokens=4, draft_acceptance=0.95).inter_token_latency
    wrong = served(draft_model=small, draft_tokens=4, draft_acceptance=0.3).inter_token_latency
    assert right < wrong


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"draft_tp_size": 3}, "draft within the tensor-parallel group"),
        ({"draft_tp_size": 16}, "draft within the tensor-parallel group"),
        (
            {"draft_model": LANGUAGE.GPT_OSS_20B.replace(name="Short", max_context=1000)},
            "sequence within the context of the draft",
        ),
    ],
)
def test_a_draft_that_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    """By a reason of its own, and not where nothing is drafted."""
    given = {"draft_model": SMALL, "draft_tokens": 2} | changes
    assert not served(**given).checks[reason].holds
    assert served(**(given | {"draft_tokens": 0})).checks[reason].holds


def test_prefixes_are_found_as_far_as_they_fit() -> None:
    """Whole ones in the memory that is left: 1,000 tokens, in pages of 16, of each."""
    result = served(**SHARED)
    each = 1008 * LANGUAGE.Llama3_70B.kv_bytes_per_token(2) / 8
    free = (result.memory_capacity - result.memory_per_accelerator).m_as("byte")
    kept = free // each
    assert result.prefix_memory.m_as("byte") == pytest.approx(kept * each)
    assert result.prefix_share == pytest.approx(0.5 * kept / 10_000)
    few = served(prefix_hit_rate=0.5, prefixes=10)
    assert few.prefix_share == 0.5
    free_of_charge = served(prefix_hit_rate=0.5)
    assert few.time_to_first_token == free_of_charge.time_to_first_token
    assert free_of_charge.prefix_memory.m == 0


def test_hosts_keep_more_and_send_it() -> None:
    """A TB holds an eighth of it for each accelerator; what comes from there is waited for."""
    near, far = served(**SHARED), served(**SHARED, host_cache=1000)
    each = 1008 * LANGUAGE.Llama3_70B.kv_bytes_per_token(2) / 8
    more = 1e12 / 8 // each
    assert far.prefix_share - near.prefix_share == pytest.approx(0.5 * more / 10_000)
    same = served(prefix_hit_rate=far.prefix_share)
    wait = (far.time_to_first_token - same.time_to_first_token).m_as("s")
    assert wait == pytest.approx(more / 10_000 * each / 35e9)
    assert served(**SHARED, host_cache=2000).checks["host memory"].holds
    assert not served(**SHARED, host_cache=3000).checks["host memory"].holds


def test_a_link_to_the_host_may_be_the_bottleneck() -> None:
    """Where everything comes from there, no more requests are answered than it brings."""
    given: dict[str, Any] = {
        "model": LANGUAGE.Llama3_8B,
        "fleet": Systems.Nodes.DGX_H100,
        "batch_size": 8,
        "input_tokens": 8000,
        "output_tokens": 1,
        "prefix_hit_rate": 1.0,
        "prefixes": 100_000,
        "memory_fraction": 0.4,
    }
    result = ServingModel().solve(**given, host_cache=2000)
    brought = result.prefix_share * 8000 * LANGUAGE.Llama3_8B.kv_bytes_per_token(2)
    assert result.request_rate.m_as("1/s") <= 1.01 * 35e9 / brought


def test_all_serving_stages_know_of_prefixes() -> None:
    """Under a load, and in the pool for prefill."""
    loaded = ContinuousBatchingModel().solve(
        model=LANGUAGE.Llama3_70B,
        fleet=Systems.Nodes.DGX_H100,
        batch_size=8,
        input_tokens=2000,
        output_tokens=500,
        tp_size=8,
        **SHARED,
    )
    assert loaded.prefix_share == served(**SHARED).prefix_share
    pools = DisaggregatedModel().solve(
        model=LANGUAGE.Llama3_70B,
        prefill_fleet=Systems.Nodes.DGX_H100,
        decode_fleet=Systems.Nodes.DGX_H100,
        batch_size=8,
        input_tokens=2000,
        output_tokens=500,
        prefill_tp_size=8,
        decode_tp_size=8,
        **SHARED,
    )
    assert 0 < pools.prefix_share < 0.5
    assert pools.prefix_memory.m > 0


def test_experts_held_twice_take_memory_and_even_the_ranks_out() -> None:
    """One more for each of 32 ranks: 1/8 more routed weights, and prefill without the skew."""
    plain, spare = mixture(), mixture(redundant_experts=32)
    model = LANGUAGE.DeepSeek_V3
    more = 58 * 32 * model.expert_parameters / 32 * Models.Formats.fp8_block.width
    found = (spare.memory_weights - plain.memory_weights).m_as("byte")
    assert found == pytest.approx(more, rel=1e-6)
    assert spare.tokens_per_second > plain.tokens_per_second
    # More than one each even nothing out any further, but have weights that must be read.
    assert mixture(redundant_experts=64).tokens_per_second < spare.tokens_per_second


def test_redundant_experts_fill_the_ranks_evenly() -> None:
    """256 and 8 are not divided by 32; without ranks there is nothing to even out."""
    assert not mixture(redundant_experts=8).checks["expert parallel divides experts"].holds
    narrow = mixture(redundant_experts=8, ep_size=1)
    assert not narrow.checks["redundant experts over ranks"].holds
