"""Formats of weights and caches: what each part of a model is kept and multiplied in."""

import itertools
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DistributedModel, ServingModel, SingleNodeModel
from mlsysim.errors import Infeasible, ParameterError
from mlsysim.stages.serving.formats import CACHE_WORDS
from mlsysim.stages.serving.result import ServingResult

LANGUAGE, ACCELERATORS = Models.Language, Systems.Accelerators
SMALL: dict[str, Any] = {"batch_size": 1, "input_tokens": 1000, "output_tokens": 100}
DENSE: dict[str, Any] = {"model": LANGUAGE.Qwen3_32B, "fleet": ACCELERATORS.L40S}
MIXTURE: dict[str, Any] = {"model": LANGUAGE.GPT_OSS_120B, "fleet": ACCELERATORS.H100_SXM}


def solve(**given: Any) -> ServingResult:
    """Evaluate one small request."""
    return ServingModel().solve(**{**SMALL, **given})


def weights(**given: Any) -> float:
    """Measure the weights of one accelerator in bytes."""
    held: float = solve(**given).memory_weights.m_as("byte")
    return held


def test_gpt_oss_takes_what_its_checkpoint_takes() -> None:
    """36 x 128 experts of 3 x 2880 x 2880 weights in 4.25 bits, all else in 16: to the byte."""
    experts = 36 * 128 * 3 * 2880 * 2880
    rest = LANGUAGE.GPT_OSS_120B.parameters - experts
    assert (experts, experts * 17 // 32 + 2 * rest) == (114_661_785_600, 65_248_815_744)
    assert weights(**MIXTURE, weight_precision="mxfp4") == 65_248_815_744


def test_four_bit_integers_quantize_attention_too() -> None:
    """64 layers in 4.15625 bits (AWQ, GPTQ), embeddings, head and norms in 16: 19.3 GB of 32B."""
    model = LANGUAGE.Qwen3_32B
    matrices = 64 * (model.attention_parameters + model.dense_mlp_parameters)
    expected = matrices * 4.15625 / 8 + 2 * (model.parameters - matrices)
    assert weights(**DENSE, weight_precision="int4") == pytest.approx(expected, rel=1e-12)
    small = {**DENSE, "fleet": ACCELERATORS.A10G, "weight_precision": "int4"}
    assert solve(**small).feasible  # on a card of 24 GB, which has no 4-bit arithmetic in bf16


def test_a_mixture_in_four_bit_floats_keeps_attention_wide() -> None:
    """As published checkpoints in NVFP4 do; a dense model quantizes attention too."""
    fleet = {"fleet": ACCELERATORS.B200_SXM, "precision": "fp4"}
    mixture = {"model": LANGUAGE.Qwen3_30B_A3B, **fleet}
    assert weights(**mixture) == weights(**mixture, attention_precision="bf16")
    assert weights(**mixture) > weights(**mixture, attention_precision="fp4")
    dense = {"model": LANGUAGE.Qwen3_32B, **fleet}
    assert weights(**dense) == weights(**dense, attention_precision="fp4")


@pytest.mark.parametrize("given", [DENSE, MIXTURE], ids=["dense", "mixture"])
def test_a_decode_pass_reads_the_bytes_that_are_held(given: dict[str, Any]) -> None:
    """A narrower format is smaller and quicker to read, in the same order."""
    formats = ["bf16", "mxfp8", "fp8_block", "fp8", "nvfp4", "mxfp4"]
    found = [solve(**given, weight_precision=name) for name in formats]
    for wide, narrow in itertools.pairwise(found):
        assert narrow.memory_weights < wide.memory_weights
        assert narrow.decode_latency_weights < wide.decode_latency_weights
    # One token of a dense model needs every weight, but not the embedding.
    if given is DENSE:
        table = 2 * given["model"].embedding_parameters
        per_byte = [
            one.decode_latency_weights.m_as("s") / (one.memory_weights.m_as("byte") - table)
            for one in found
        ]
        assert max(per_byte) == pytest.approx(min(per_byte), rel=0.01)


def test_storage_needs_no_arithmetic_of_its_own() -> None:
    """W4A16 runs where 16 bits are multiplied; arithmetic in 4 bits does not."""
    for name in ("int4", "nvfp4", "mxfp4", "fp8_block", "mxfp8"):
        assert solve(
            model=LANGUAGE.Llama3_1_8B, fleet=ACCELERATORS.A30, weight_precision=name
        ).feasible
    with pytest.raises(Infeasible, match="no fp4 arithmetic"):
        solve(model=LANGUAGE.Llama3_1_8B, fleet=ACCELERATORS.A30, precision="fp4")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"precision": "mxfp8"}, "write precision = fp8, weight_precision = mxfp8"),
        ({"precision": "int4_g32"}, "write precision = bf16, weight_precision = int4_g32"),
        ({"weight_precision": "fp8_per_token_head"}, "weight_precision is 'fp8_per_token_head'"),
        ({"weight_precision": "mxfp5"}, "weight_precision is 'mxfp5'.* did you mean 'mxfp"),
    ],
)
def test_a_format_in_the_wrong_place_is_refused_with_the_cure(
    given: dict[str, Any], message: str
) -> None:
    """Arithmetic, weights and caches have their own."""
    with pytest.raises(ParameterError, match=message):
        solve(**DENSE, **given)


def test_training_in_a_format_without_a_peak_of_its_own_is_refused() -> None:
    """Blocks of 32 are slower than a scale per tensor, and no data sheet says by how much."""
    given: dict[str, Any] = {
        "model": LANGUAGE.Llama3_8B,
        "fleet": Systems.Clusters.Frontier_8K,
        "batch_size": 1024,
    }
    with pytest.raises(ParameterError, match=r"no accelerator states a peak.* precision = fp8$"):
        DistributedModel().solve(**given, precision="mxfp8")
    with pytest.raises(ParameterError, match=r"write precision = fp8$"):
        SingleNodeModel().solve(LANGUAGE.Llama3_8B, ACCELERATORS.H100_SXM, 1, precision="fp8_block")


def test_an_engine_keeps_caches_only_in_what_it_has() -> None:
    """Integers of 4 bits are vLLM's, with a scale per token and head."""
    with pytest.raises(Infeasible, match="vllm keeps no cache in int4; it has bf16"):
        solve(**DENSE, kv_precision="int4")
    with pytest.raises(Infeasible, match="sglang keeps no cache in int4_per_token_head"):
        solve(**DENSE, kv_precision="int4_per_token_head", runtime="sglang")
    wide, narrow = (solve(**DENSE, kv_precision=name) for name in ("bf16", "int4_per_token_head"))
    ratio = narrow.kv_cache_per_sequence / wide.kv_cache_per_sequence
    assert ratio.m == pytest.approx(4.125 / 16)


def test_every_engine_is_known_by_its_caches() -> None:
    """An engine that is added says what it keeps caches in, and only formats that there are."""
    assert set(CACHE_WORDS) == set(Systems.Runtimes)
    for words in CACHE_WORDS.values():
        assert set(words) <= set(Models.Formats)
