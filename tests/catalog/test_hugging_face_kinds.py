"""Configurations of models with several kinds of layers, absent heads and renamed keys.

The files under ``hf_kinds/`` hold the keys that decide the shape, with their published values.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mlsysim.catalog import LanguageModel, Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.errors import CatalogError
from mlsysim.stages.serving.serving import ServingModel
from mlsysim.stages.shape import shape_of

FOLDER = Path(__file__).parent / "hf_kinds"

# As published with the weights or in reports, of the text decoder without further-token layers.
PUBLISHED = {
    "Falcon-H1-0.5B": 521e6,
    "Falcon-H1-7B": 7.59e9,
    "Jamba-1.5-Mini": 51.57e9,
    "GLM-5.1": 744e9,
    "MiniMax-M2.5": 229e9,
    "Nemotron-H-56B": 56.3e9,
    "Nemotron-Super-49B": 49_867_145_216,
    "Qwen3.5-397B-A17B": 397e9,
    "Step-3.7-Flash": 196e9,
    "DeepSeek-V3.2": 671e9,
    "DeepSeek-V4-Flash": 284e9,
    "outer-tie": 596_049_920,
    "v5-Qwen3-30B-A3B": 30_532_122_624,
    "reward-8b": 7_504_928_768,
    "e5-mistral-7b": 7_110_660_096,
}

# Bytes of 16-bit cache per token: layers that attend x (2 x key-value heads x width), or with
# latent attention x (rank + rotary part), and the width of an indexer where there is one.
CACHED = {
    "Falcon-H1-0.5B": 2 * 36 * 2 * 2 * 64,
    "Falcon-H1-7B": 2 * 44 * 2 * 2 * 128,
    "Jamba-1.5-Mini": 2 * 4 * 2 * 8 * 128,
    "DeepSeek-V3.2": 2 * 61 * (512 + 64 + 128),
    # Of 61 layers 30 keep an entry and its index for each 4 tokens, and 31 an entry for each 128.
    "DeepSeek-V4-Pro": 2 * (30 * (512 + 128) // 4 + 31 * 512 // 128),
    "GLM-5.1": 2 * 78 * (512 + 64 + 128),
    "Kimi-K3": 2 * 24 * (512 + 64),
    "MiniMax-M3": 2 * (60 * 2 * 4 * 128 + 57 * 128),
    "Nemotron-3-Super": 2 * 8 * 2 * 2 * 128,
    "Nemotron-H-56B": 2 * 10 * 2 * 8 * 128,
    "Nemotron-Super-49B": 2 * 49 * 2 * 8 * 128,
    "Qwen3.5-35B-A3B": 2 * 10 * 2 * 2 * 256,
    "gemma-4-26B-A4B": 2 * (25 * 2 * 8 * 256 + 5 * 2 * 2 * 512),
}


def read(name: str) -> LanguageModel:
    """Read one of the files beside this test."""
    return Models.from_hf(FOLDER / f"{name}.json")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_count_is_the_published_one(name: str) -> None:
    """Within half a percent, which is what published sizes are rounded to."""
    assert read(name).parameters == pytest.approx(PUBLISHED[name], rel=0.005)


@pytest.mark.parametrize("name", ["outer-tie", "v5-Qwen3-30B-A3B", "reward-8b", "e5-mistral-7b"])
def test_heads_and_ties_count_to_the_last_parameter(name: str) -> None:
    """An outer tie, a key of transformers 5, a reward instead of a vocabulary, no head at all."""
    assert read(name).parameters == PUBLISHED[name]


@pytest.mark.parametrize("name", CACHED)
def test_the_cache_of_a_token_is_exact(name: str) -> None:
    """Only layers that attend keep something of every token."""
    assert read(name).kv_bytes_per_token(2) == CACHED[name]


def test_compressed_attention_takes_what_its_makers_say() -> None:
    """Behind a million tokens 27 % of the operations of DeepSeek-V3.2, and a tenth of its cache.

    That is 11.5 % in equal formats (DeepSeek-V4's report, arXiv 2606.19348).  1.6 trillion
    parameters, 49 billion of them active, are published (github.com/huggingface/blog, pull
    request 3363).
    """
    context = 1_000_000
    operations, cache = [], []
    for name in ("DeepSeek-V4-Pro", "DeepSeek-V3.2"):
        model = read(name)
        core = sum(
            mixer.layers
            * (
                (context if mixer.sees_all else mixer.reach)
                * (mixer.latent_score_width + mixer.latent_value_width)
                + mixer.beside * mixer.beside_width
                + context * mixer.index_width
            )
            for mixer in shape_of(model).mixers
        )
        operations.append(2 * model.matmul_parameters + 2 * core)
        cache.append(model.kv_bytes_per_token(2))
    assert operations[0] / operations[1] == pytest.approx(0.27, abs=0.01)
    assert 0.10 < cache[0] / cache[1] < 0.12
    model = read("DeepSeek-V4-Pro")
    assert model.parameters == pytest.approx(1.6e12, rel=0.02)
    assert model.matmul_parameters == pytest.approx(49e9, rel=0.005)
    assert model.native_format == Models.Formats.mxfp4


def test_a_compressed_cache_keeps_a_window_beside_its_entries() -> None:
    """128 tokens of 512 numbers in each of 61 layers, once; and entries that grow."""
    model, cluster = read("DeepSeek-V4-Pro"), Systems.Clusters.Frontier_8K
    held = [
        ServingModel()
        .solve(
            model=model,
            fleet=cluster,
            batch_size=1,
            input_tokens=length - 1,
            output_tokens=1,
            tp_size=8,
            ep_size=32,
            attention_dp_size=4,
        )
        .kv_cache_per_sequence.m_as("byte")
        for length in (1024, 2048)
    ]
    each = model.kv_bytes_per_token(2)
    assert held[1] - held[0] == pytest.approx(1024 * each)
    assert held[0] - 1024 * each == pytest.approx(2 * 61 * 128 * 512)


def test_states_of_linear_mixers_are_exact() -> None:
    """54 layers of 256 heads of 64 x 256 numbers, and 3 tokens of 16,384 + 2 x 2,048 channels."""
    each = 4 * 256 * 64 * 256 + 2 * 3 * (256 * 64 + 2 * 8 * 256)
    assert read("Nemotron-H-56B").bytes_per_sequence == 54 * each


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_one_can_be_planned(path: Path) -> None:
    """Training and serving give finite figures that grow with the model."""
    model = Models.from_hf(path)
    cluster = Systems.Clusters.Frontier_8K
    served = ServingModel().solve(
        model=model,
        fleet=cluster,
        batch_size=8,
        input_tokens=500,
        output_tokens=100,
        tp_size=8,
        pp_size=2,
    )
    weights = 2 * model.parameters / 16
    assert served.memory_weights.m_as("byte") == pytest.approx(weights, rel=0.5)
    trained = DistributedModel().solve(
        model=model, fleet=cluster, batch_size=1024, seq_len=512, tp_size=2, pp_size=2
    )
    flops = 6 * model.matmul_parameters * 1024 * 512
    assert trained.step_latency_total.m_as("s") > flops / (8192 * 989e12)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "MX"}, "'MX' is not a text of M"),
        (
            {"model_type": "t5", "is_encoder_decoder": True},
            "is_encoder_decoder: layers of 't5' that attend to what an encoder gives out",
        ),
        ({"model_type": "rwkv9"}, "what the layers of 'rwkv9' hold is not described here"),
    ],
    ids=lambda value: value["model_type"] if isinstance(value, dict) else "",
)
def test_what_cannot_be_expressed_is_named(
    keys: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """The part, not a neighbour's name: its layers would give a wrong model."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(keys))
    with pytest.raises(CatalogError) as caught:
        Models.from_hf(path)
    assert words in str(caught.value)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key", "value", "words"),
    [
        ("MiniMax-M3", "moe_layer_freq", [0, 1], "moe_layer_freq: tells 2 layers, but"),
        ("Nemotron-H-56B", "hybrid_override_pattern", "M-M", "hybrid_override_pattern: tells 3"),
        ("Qwen3.5-35B-A3B", "layer_types", ["full_attention"], "layer_types: tells 1 layers, but"),
        ("Nemotron-Super-49B", "num_hidden_layers", 10, "block_configs: tells 80 layers, but num"),
        ("DeepSeek-V4-Pro", "num_hidden_layers", 70, "compress_ratios: tells 62 layers, but num"),
        ("DeepSeek-V4-Pro", "compress_ratios", None, "compress_ratios: missing; a model of type"),
        ("DeepSeek-V4-Pro", "compress_ratios", [8] * 61, "compress_ratios: 8 is none of 0, 4, 128"),
        ("gemma-4-26B-A4B", "layer_types", ["full"] * 30, "layer_types: 'full' is none of sliding"),
        ("Step-3.7-Flash", "layer_types", ["near"] * 45, "layer_types: 'near' is none of full_at"),
        ("Kimi-K3", "num_hidden_layers", 10, "are not among 10 layers"),
    ],
)
def test_a_list_that_does_not_fit_the_layers_is_named(
    name: str, key: str, value: Any, words: str, tmp_path: Path
) -> None:
    """By its key, and never as a traceback."""
    keys = json.loads((FOLDER / f"{name}.json").read_text())
    inner = keys.get("text_config", keys)
    if value is None:
        del inner[key]
    else:
        inner[key] = value
    path = tmp_path / "config.json"
    path.write_text(json.dumps(keys))
    with pytest.raises(CatalogError) as caught:
        Models.from_hf(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8_block"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "int4"),
        (
            {
                "quant_method": "modelopt",
                "config_groups": {
                    "group_0": {"weights": {"num_bits": 8, "type": "float"}},
                    "group_1": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}},
                },
            },
            "nvfp4",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_quantized_checkpoint_tells_its_format(
    section: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """The narrowest of its groups, which most weights are in."""
    keys = json.loads((FOLDER / "MiMo-7B.json").read_text())
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**keys, "quantization_config": section}))
    assert Models.from_hf(path).native_format == Models.Formats[name]


def test_a_format_that_nobody_knows_is_named(tmp_path: Path) -> None:
    """Instead of taking 16 bits."""
    keys = json.loads((FOLDER / "MiMo-7B.json").read_text())
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**keys, "quantization_config": {"quant_method": "aqlm"}}))
    with pytest.raises(CatalogError, match="quantized by 'aqlm'"):
        Models.from_hf(path)
