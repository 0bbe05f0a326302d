"""ServingModel: bounds, orderings, caches, and what cannot be served."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.core.solver import ServingModel
from mlsysim.errors import Infeasible, InputError
from mlsysim.stages.serving.result import ServingResult

H100 = Systems.Nodes.DGX_H100
CLUSTER = Systems.Clusters.Lab_64_H100
LLAMA = Models.Language.Llama3_70B
DEEPSEEK = Models.Language.DeepSeek_V3
STAGE = ServingModel()


def solve(**changes: Any) -> ServingResult:
    """Serve a 70B model on 8 H100 with 32 requests at a time."""
    inputs: dict[str, Any] = {
        "model": LLAMA,
        "fleet": H100,
        "batch_size": 32,
        "input_tokens": 1024,
        "output_tokens": 256,
        "tp_size": 8,
    }
    return STAGE.solve(**{**inputs, **changes})


def broken(result: ServingResult) -> set[str]:
    """List the reasons for which a design cannot be."""
    return {reason for reason, check in result.checks.items() if not check.holds}


models = st.sampled_from(
    [LLAMA, DEEPSEEK, Models.Language.Mixtral_8x7B, Models.Language.GPT_OSS_120B]
)
layouts = st.fixed_dictionaries(
    {
        "tp_size": st.sampled_from([1, 2, 4, 8]),
        "pp_size": st.sampled_from([1, 2, 4]),
        "attention_dp_size": st.sampled_from([1, 2, 4]),
        "precision": st.sampled_from(["bf16", "fp8"]),
        "kv_precision": st.sampled_from(["bf16", "fp8", "int4_per_token_head"]),
        "input_tokens": st.sampled_from([1, 1000, 7000]),
        "output_tokens": st.sampled_from([2, 900]),
        "draft_tokens": st.sampled_from([0, 4]),
    }
)


@settings(max_examples=60)
@given(models, layouts, st.integers(1, 2000))
def test_decode_beats_neither_memory_nor_arithmetic(
    model: LanguageModel, layout: dict[str, Any], batch: int
) -> None:
    """A pass multiplies every active weight with every token, and reads at least what one needs."""
    result = solve(model=model, batch_size=batch, **layout)
    accelerator = H100.accelerator
    width = {"bf16": 2, "fp8": 1}[layout["precision"]]
    step = result.inter_token_latency.m_as("s") * result.tokens_per_pass
    replica = result.accelerators_per_replica
    peak = accelerator.peak(layout["precision"]).m_as("flop/s")
    bandwidth = accelerator.memory_bandwidth.m_as("byte/s")
    assert step >= 2 * model.matmul_parameters * batch / (replica * peak)
    assert step >= model.matmul_parameters * width / (replica * bandwidth)
    assert 0 < result.decode_mfu <= 1
    assert 0 < result.prefill_mfu <= 1


@settings(max_examples=60)
@given(models, layouts, st.integers(1, 3000), st.integers(1, 3000))
def test_a_larger_batch_never_lowers_throughput(
    model: LanguageModel, layout: dict[str, Any], first: int, second: int
) -> None:
    """Weights are read once for all; rates never fall where every group has as many sequences."""
    parts = layout["attention_dp_size"] * layout["pp_size"]
    small, large = (
        solve(model=model, batch_size=batch * parts, **layout) for batch in sorted((first, second))
    )
    assert large.tokens_per_second >= small.tokens_per_second * (1 - 1e-9)
    assert large.inter_token_latency >= small.inter_token_latency * (1 - 1e-9)


def test_the_cache_of_a_token_is_what_its_heads_hold() -> None:
    """Llama-3-8B: 32 layers of 2 * 8 heads of 128 numbers of 2 bytes are 131,072 bytes a token."""
    result = solve(model=Models.Language.Llama3_8B, tp_size=1, input_tokens=1000, output_tokens=24)
    assert result.kv_cache_per_sequence.m_as("byte") == pytest.approx(131_072 * 1024)


def test_tensor_parallelism_beyond_the_heads_repeats_the_cache() -> None:
    """Llama-3-70B has 8 key-value heads: 16 accelerators hold as much each as 8 do."""
    two, eight, sixteen = (
        solve(fleet=CLUSTER, tp_size=size).kv_cache_per_sequence.m_as("byte") for size in (2, 8, 16)
    )
    assert two == pytest.approx(4 * eight)
    assert sixteen == pytest.approx(eight)


def test_a_latent_cache_is_not_divided() -> None:
    """DeepSeek-V3 caches 61 * 576 numbers a token, 70,272 bytes, whole on every accelerator."""
    for size in (1, 8):
        result = solve(model=DEEPSEEK, tp_size=size, input_tokens=1000, output_tokens=24)
        assert result.kv_cache_per_sequence.m_as("byte") == pytest.approx(70_272 * 1024)


def test_attention_groups_share_the_sequences_of_a_latent_cache() -> None:
    """Eight groups hold an eighth of the sequences each, and eight times as many fit."""
    together = solve(model=DEEPSEEK, fleet=CLUSTER, batch_size=256, tp_size=16)
    apart = solve(model=DEEPSEEK, fleet=CLUSTER, batch_size=256, tp_size=2, attention_dp_size=8)
    assert together.memory_kv_cache.m / apart.memory_kv_cache.m == pytest.approx(8)
    assert apart.decode_latency_attention < together.decode_latency_attention


def test_narrow_caches_take_their_share() -> None:
    """fp8 halves bf16; nvfp4 takes 1/2 + 1/16 of a byte, 9/32 of it."""
    wide, half, narrow = (
        solve(kv_precision=name).kv_cache_per_sequence.m for name in ("bf16", "fp8", "nvfp4")
    )
    assert half == pytest.approx(wide / 2)
    assert narrow == pytest.approx(wide * 9 / 32)


def test_whole_pages_are_held() -> None:
    """1024 + 256 tokens fill 2 pages of 1000: 2000 over 1280 of what they need."""
    exact, coarse = (solve(page_tokens=page).kv_cache_per_sequence.m for page in (1, 1000))
    assert coarse / exact == pytest.approx(2000 / 1280)


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"tp_size": 2, "pp_size": 4},
        {"tp_size": 2, "attention_dp_size": 4, "precision": "fp8"},
        {"draft_tokens": 2},
    ],
)
def test_as_many_sequences_fit_as_memory_says(layout: dict[str, Any]) -> None:
    """At the largest concurrency the memory check holds; one more in every group breaks it."""
    groups = layout.get("attention_dp_size", 1)
    most = int(solve(**layout).max_concurrency)
    assert not broken(solve(**layout, batch_size=most))
    assert broken(solve(**layout, batch_size=most + groups)) == {"memory"}


def test_a_wide_deployment_decodes_as_fast_as_published() -> None:
    """SGLang on 96 H100 reports 22,300 output tokens/s a node of 8 for prompts of 2,000 tokens.

    LMSYS, "Deploying DeepSeek with PD Disaggregation and Large-Scale Expert Parallelism on 96 H100
    GPUs" (5 May 2025): decode nodes alone.  Here 64 accelerators with 256 requests each.
    """
    fleet = Systems.Clusters.Lab_64_H100
    result = solve(
        model=DEEPSEEK,
        fleet=fleet,
        precision="fp8",
        tp_size=1,
        attention_dp_size=64,
        ep_size=64,
        batch_size=64 * 256,
        input_tokens=2000,
        output_tokens=100,
        runtime="sglang",
    )
    each = 256 / result.inter_token_latency.m_as("s")
    assert not broken(result)
    assert each == pytest.approx(22_300 / 8, rel=0.35)


def test_a_model_that_does_not_fit_holds_no_sequence() -> None:
    """141 GB of weights on one H100 of 85.5 GB."""
    result = solve(tp_size=1, batch_size=1)
    assert broken(result) == {"memory"}
    assert result.max_concurrency == 0


def test_memory_is_the_sum_of_its_parts() -> None:
    """What is reported by part adds up."""
    result = solve()
    parts = (
        result.memory_weights
        + result.memory_kv_cache
        + result.memory_activations
        + result.memory_reserve
    )
    assert result.memory_per_accelerator.m == pytest.approx(parts.m)
    assert result.memory_weights.m_as("byte") == pytest.approx(2 * LLAMA.parameters / 8, rel=0.01)


def test_few_tokens_read_few_experts() -> None:
    """One token of DeepSeek-V3 needs 8 of 256 experts; a large batch nearly all of them."""
    one, many = (solve(model=DEEPSEEK, precision="fp8", batch_size=batch) for batch in (1, 256))
    assert one.decode_latency_weights * 8 < many.decode_latency_weights
    dense = solve(precision="fp8", batch_size=1), solve(precision="fp8", batch_size=64)
    assert dense[1].decode_latency_weights < 1.5 * dense[0].decode_latency_weights


def test_weights_in_four_bits_decode_faster_and_prefill_no_faster() -> None:
    """Reading shrinks, arithmetic stays."""
    wide, narrow = solve(), solve(weight_precision="int4")
    assert narrow.decode_latency_weights < 0.7 * wide.decode_latency_weights
    assert narrow.time_to_first_token > 0.8 * wide.time_to_first_token


def test_a_group_across_nodes_communicates_over_the_network() -> None:
    """A network port carries a ninth of what NVLink does."""
    inside, across = (solve(fleet=CLUSTER, tp_size=size) for size in (8, 16))
    assert across.decode_latency_collectives > inside.decode_latency_collectives
    assert across.prefill_latency_collectives > 1.5 * inside.prefill_latency_collectives


def test_no_collective_is_paid_for_alone() -> None:
    """One accelerator has nobody to talk to."""
    result = solve(model=Models.Language.Llama3_8B, tp_size=1)
    assert result.decode_latency_collectives.m == 0


def test_the_pipeline_adds_latency_and_room() -> None:
    """Two stages hold half of the weights each; a token passes both."""
    one, two = solve(tp_size=4), solve(tp_size=4, pp_size=2)
    assert two.memory_weights < one.memory_weights
    assert two.max_concurrency > one.max_concurrency
    assert two.accelerators == 8


def test_prefill_in_chunks_takes_no_less() -> None:
    """Each pass reads the weights again."""
    whole, chunked = (
        solve(input_tokens=7000, chunk_tokens=size).time_to_first_token for size in (8192, 256)
    )
    assert chunked > whole


def test_what_is_in_the_cache_is_not_computed_again() -> None:
    """Half of the prompt known: less than 60 % of the time; all of it: one pass for one token."""
    cold, half, all_known = (
        solve(input_tokens=7000, prefix_hit_rate=rate).time_to_first_token.m
        for rate in (0.0, 0.5, 1.0)
    )
    assert half < 0.6 * cold
    assert all_known < 0.15 * cold


def test_a_good_draft_helps_and_a_bad_one_harms() -> None:
    """Three drafted tokens accepted at 80 % yield (1 - 0.8^4) / 0.2 = 2.952 tokens a pass."""
    plain = solve(batch_size=4)
    good, bad = (
        solve(batch_size=4, draft_tokens=3, draft_acceptance=chance) for chance in (0.8, 0.05)
    )
    assert good.tokens_per_pass == pytest.approx(2.952)
    assert good.inter_token_latency < plain.inter_token_latency < bad.inter_token_latency


def test_a_draft_takes_memory() -> None:
    """B19 of the tools before: its layers and their cache are held as well."""
    plain, drafting = solve(), solve(draft_tokens=3)
    assert drafting.memory_weights > plain.memory_weights
    assert drafting.kv_cache_per_sequence.m == pytest.approx(
        plain.kv_cache_per_sequence.m * 81 / 80
    )


def test_replicas_multiply_rates_and_nothing_else() -> None:
    """Four replicas of two accelerators."""
    one, four = (solve(tp_size=2, precision="fp8", replicas=count) for count in (1, 4))
    assert four.request_rate.m == pytest.approx(4 * one.request_rate.m)
    assert four.inter_token_latency == one.inter_token_latency
    assert (one.accelerators, four.accelerators) == (2, 8)
    of_64 = {"fleet": CLUSTER, "tp_size": 2, "precision": "fp8"}
    assert "accelerators" in broken(solve(**of_64, replicas=33))


def test_requests_per_second_account_for_prefill() -> None:
    """Of b / (b T_p + n T_d), the two shares of the time add up to one."""
    result = solve()
    decode = result.request_rate.m * 255 * result.inter_token_latency.m_as("s") / 32
    assert result.prefill_share + decode == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tp_size": 3}, "tensor parallel divides heads"),
        ({"ep_size": 2}, "expert parallel divides experts"),
        ({"model": DEEPSEEK, "ep_size": 3}, "expert parallel divides the stage"),
        ({"input_tokens": 8192}, "sequence within the context"),
        ({"tp_size": 1, "pp_size": 81}, "pipeline stages within layers"),
        ({"draft_tokens": 2, "draft_acceptance": 0.0}, "draft with an acceptance"),
    ],
)
def test_impossible_layouts_are_named(changes: dict[str, Any], reason: str) -> None:
    """Each has its own reason."""
    assert reason in broken(solve(**changes))


def test_an_accelerator_without_the_arithmetic_is_infeasible() -> None:
    """H100 has no 4-bit arithmetic; weights alone may still be kept so."""
    with pytest.raises(Infeasible, match="no fp4 arithmetic"):
        solve(precision="fp4")
    assert solve(precision="fp8", weight_precision="fp4").feasible


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"output_tokens": 2.5}, "output_tokens is 2.5"),
        ({"prefix_hit_rate": 1.5}, "prefix_hit_rate is 1.5"),
        ({"memory_fraction": 0.0}, "memory_fraction is 0.0"),
        ({"runtime": "vlm"}, "runtime is 'vlm', which is not in the catalogue"),
        ({"kv_precision": "fp5"}, "kv_precision is 'fp5'"),
        ({"fleet": "DGX_H100"}, "fleet is 'DGX_H100'"),
        ({"batch": 3}, "has no argument 'batch'"),
    ],
)
def test_arguments_out_of_range_are_named(changes: dict[str, Any], message: str) -> None:
    """The message names the argument, its value and the cure."""
    with pytest.raises(InputError, match=message):
        solve(**changes)


def test_a_lone_accelerator_is_a_fleet() -> None:
    """With the others that its own links join: an H100 has seven of them, an L40S none."""
    assert solve(fleet=Systems.Accelerators.H100_SXM).feasible
    alone = solve(fleet=Systems.Accelerators.L40S, model=Models.Language.Llama3_8B, tp_size=2)
    assert broken(alone) == {"accelerators"}
