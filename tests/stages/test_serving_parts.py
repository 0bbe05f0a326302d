"""Serving in whole parts: the fullest group and the heaviest stage set memory and pace."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.core.solver import ContinuousBatchingModel, DisaggregatedModel, ServingModel
from mlsysim.stages.serving.result import ServingResult

LANGUAGE = Models.Language
CLUSTER = Systems.Clusters.Frontier_8K
DEEPSEEK = LANGUAGE.DeepSeek_V3


def solve(**changes: Any) -> ServingResult:
    """Serve requests of 1,000 tokens on H100s."""
    inputs: dict[str, Any] = {
        "model": LANGUAGE.Llama3_70B,
        "fleet": CLUSTER,
        "batch_size": 16,
        "input_tokens": 1000,
        "output_tokens": 200,
    }
    return ServingModel().solve(**{**inputs, **changes})


models = st.sampled_from(
    [LANGUAGE.Llama3_70B, DEEPSEEK, LANGUAGE.GPT_OSS_120B, LANGUAGE.Llama4_Maverick]
)
layouts = st.fixed_dictionaries(
    {
        "tp_size": st.sampled_from([1, 2, 4, 8]),
        "pp_size": st.integers(1, 9),
        "attention_dp_size": st.sampled_from([1, 2, 8]),
        "draft_tokens": st.sampled_from([0, 3]),
        "batch_size": st.integers(1, 400),
        "input_tokens": st.sampled_from([1, 1000, 30_000]),
    }
)


def test_a_group_holds_whole_sequences() -> None:
    """25 requests of 128k tokens behind 8 attention groups: one group holds 4, as with 32."""
    of = {
        batch: ServingModel().solve(
            model=DEEPSEEK,
            fleet=Systems.Nodes.DGX_H200,
            precision="fp8",
            tp_size=1,
            attention_dp_size=8,
            ep_size=8,
            input_tokens=120_000,
            output_tokens=8_000,
            batch_size=batch,
        )
        for batch in (24, 25, 32)
    }
    assert of[25].memory_kv_cache == of[32].memory_kv_cache
    assert of[25].memory_kv_cache.m == pytest.approx(4 / 3 * of[24].memory_kv_cache.m)
    assert of[25].inter_token_latency > of[24].inter_token_latency
    assert of[24].feasible
    assert not of[25].feasible
    assert {result.max_concurrency for result in of.values()} == {24}


def test_a_micro_batch_has_whole_sequences() -> None:
    """9 sequences in a pipeline of 4: one micro-batch has 3, and so has each of 12."""
    nine, twelve = (solve(pp_size=4, tp_size=2, batch_size=size) for size in (9, 12))
    assert nine.decode_latency_attention.m == pytest.approx(twelve.decode_latency_attention.m)
    assert nine.memory_kv_cache.m == pytest.approx(9 / 12 * twelve.memory_kv_cache.m)


@settings(max_examples=150)
@given(models, layouts)
def test_what_is_feasible_fits(model: LanguageModel, layout: dict[str, Any]) -> None:
    """The verdict on memory and the number of sequences that fit are the same statement."""
    result = solve(model=model, precision="fp8", **layout)
    assert result.checks["memory"].holds == (layout["batch_size"] <= result.max_concurrency)


@settings(max_examples=150)
@given(models, layouts)
def test_the_parts_of_a_pass_and_of_memory_add_up(
    model: LanguageModel, layout: dict[str, Any]
) -> None:
    """Pipelines, drafts and micro-batches included."""
    result = solve(model=model, **layout)
    passes = sum(part.m_as("ms") for part in result.decode_pass_breakdown().values())
    total = result.inter_token_latency.m_as("ms") * result.tokens_per_pass
    assert passes == pytest.approx(total, rel=1e-9)
    assert all(part.m >= -1e-12 for part in result.decode_pass_breakdown().values())
    held = sum(part.m_as("GB") for part in result.memory_breakdown().values())
    assert held == pytest.approx(result.memory_per_accelerator.m_as("GB"), rel=1e-9)


def test_the_stage_with_most_experts_sets_the_memory() -> None:
    """61 layers in 9 stages: seven of DeepSeek-V3's 58 with experts, not 7/61 of all.

    Of four accelerators each has 58,146,816 bytes of attention and 2,830,041,088 of experts in
    such a layer, and 463,350,528 of the embedding.
    """
    result = solve(model=DEEPSEEK, precision="fp8", tp_size=4, pp_size=9, batch_size=1)
    layer = 58_146_816 + 2_830_041_088
    expected = 7 * layer + 463_350_528
    assert result.memory_weights.m_as("byte") == pytest.approx(expected, rel=1e-3)


def test_the_heavier_kind_of_layer_decides() -> None:
    """Behind 64 groups a dense MLP of DeepSeek-V3 outweighs a layer's experts: 3 of them count."""
    result = solve(
        model=DEEPSEEK, precision="fp8", attention_dp_size=64, ep_size=64, pp_size=15, batch_size=64
    )
    attention = DEEPSEEK.attention_parameters
    expert = (256 / 64 + 1) * DEEPSEEK.expert_parameters + DEEPSEEK.router_parameters
    # ceil(61 / 15) = 5 layers
    expected = 5 * attention + 3 * DEEPSEEK.dense_mlp_parameters + 2 * expert
    expected += 2 * DEEPSEEK.embedding_parameters
    assert result.memory_weights.m_as("byte") == pytest.approx(expected, rel=1e-3)


def test_the_stage_with_most_full_attention_sets_the_cache() -> None:
    """36 layers of GPT-OSS, 18 without a window, in 12 stages: 2 of 3 on some stage."""
    model = LANGUAGE.GPT_OSS_120B
    result = solve(model=model, pp_size=12, input_tokens=9_000, output_tokens=1_000)
    elements = 2 * 10_000 + 1 * model.sliding_window
    assert result.kv_cache_per_sequence.m_as("byte") == pytest.approx(
        2 * model.kv_elements * elements, rel=1e-3
    )


def test_one_user_in_a_pipeline_waits_for_nobody() -> None:
    """Eight stages take a lone token as long as one does, and seven hops."""
    node = Systems.Nodes.DGX_B200
    alone = {"model": LANGUAGE.Llama3_1_70B, "fleet": node, "batch_size": 1}
    one, eight = (
        solve(**alone, input_tokens=16, output_tokens=256, pp_size=stages) for stages in (1, 8)
    )
    assert eight.decode_latency_waiting.m == 0
    hops = eight.decode_latency_hops.m_as("ms")
    assert 0 < hops < 1
    expected = one.inter_token_latency.m_as("ms") + hops
    assert eight.inter_token_latency.m_as("ms") == pytest.approx(expected)
    # Nothing else goes on: the replica answers one request after another.
    assert eight.request_rate.m * eight.request_latency.m_as("s") == pytest.approx(1, rel=0.01)


@settings(max_examples=100)
@given(models, layouts)
def test_no_more_requests_are_under_way_than_the_batch_has(
    model: LanguageModel, layout: dict[str, Any]
) -> None:
    """Little's law: rate times latency; others only add to the latency."""
    result = solve(model=model, **layout)
    under_way = result.request_rate.m * result.request_latency.m_as("s")
    assert under_way <= layout["batch_size"] * (1 + 1e-9)


def test_two_requests_wait_for_the_slower_stage_and_a_full_pipeline_for_all() -> None:
    """Waiting begins with the second micro-batch and grows up to the last stage."""
    waits = [
        solve(tp_size=2, pp_size=4, batch_size=size).decode_latency_waiting.m
        for size in (1, 2, 3, 4, 8)
    ]
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[1] < waits[3]


def test_one_user_alone_is_not_disturbed_under_a_load() -> None:
    """No pass of others is under way when the request arrives, and no prefill comes between."""
    plain = solve(tp_size=8, batch_size=1)
    loaded = ContinuousBatchingModel().solve(
        model=LANGUAGE.Llama3_70B,
        fleet=CLUSTER,
        batch_size=1,
        input_tokens=1000,
        output_tokens=200,
        tp_size=8,
    )
    assert loaded.time_to_first_token == plain.time_to_first_token
    assert loaded.longest_inter_token_latency == plain.inter_token_latency


def test_the_first_token_passes_through_the_stages_once() -> None:
    """Chunks follow one another: with 4 stages and 3 chunks, 6 times of a stage and not 12."""
    whole = solve(pp_size=1, tp_size=8, batch_size=1, input_tokens=6000, chunk_tokens=2000)
    row = solve(pp_size=4, tp_size=8, batch_size=1, input_tokens=6000, chunk_tokens=2000)
    share = row.time_to_first_token.m / whole.time_to_first_token.m
    assert share == pytest.approx(6 / 12, rel=0.05)


def test_the_heaviest_stage_sends_most_of_a_prompt() -> None:
    """80 layers in 7 stages: one has 12 of them, not 11.4."""
    result = DisaggregatedModel().solve(
        model=LANGUAGE.Llama3_70B,
        prefill_fleet=CLUSTER,
        decode_fleet=CLUSTER,
        batch_size=8,
        input_tokens=1000,
        output_tokens=100,
        prefill_pp_size=7,
        decode_tp_size=8,
        transfer_bandwidth=1,
    )
    # ceil(80 / 7) = 12 layers of 4,096 bytes a token
    assert result.transfer_latency.m_as("s") == pytest.approx(12 * 4096 * 1000 / 1e9)
