"""Language and vision models: counts that follow from shapes, against counts by hand."""

from typing import Any

import pytest

from mlsysim.catalog import LanguageModel, Models
from mlsysim.errors import CatalogError
from mlsysim.units import magnitude

LANGUAGE = list(Models.Language.values())


@pytest.mark.parametrize("model", LANGUAGE, ids=str)
def test_every_count_is_exact(model: LanguageModel) -> None:
    """The shape gives the count that was published or made independently, to the last digit."""
    assert model.stated_parameters > 0
    assert model.parameters == model.stated_parameters
    assert model.active_parameters == (model.stated_active_parameters or model.parameters)


@pytest.mark.parametrize("model", LANGUAGE, ids=str)
def test_what_is_multiplied_is_what_is_active_less_what_is_not(model: LanguageModel) -> None:
    """Active parameters are matrices, tables, scales and biases; only the first are multiplied."""
    bias = (model.mlp_matrices - 1) * model.mlp_bias
    expert_bias = bias * model.expert_ffn + model.hidden * model.mlp_bias
    routed = model.experts_per_token + model.shared_experts
    vectors = model.layers * model.vector_parameters
    vectors += model.dense_layers * (bias * model.ffn + model.hidden * model.mlp_bias)
    vectors += model.moe_layers * (routed * expert_bias + model.experts * model.router_bias)
    look_up = 0 if model.tied else model.embedding_parameters
    last_norm = model.final_norm * model.hidden * (2 if model.normalization == "layer" else 1)
    outside = look_up + model.positions * model.hidden + last_norm + model.other_parameters
    assert model.active_parameters - model.matmul_parameters == vectors + outside


def test_llama_3_70b_by_hand() -> None:
    """Eighty layers of width 8192 with 64 query and eight key heads of 128."""
    model = Models.Language.Llama3_70B
    assert model.query_width == 8192
    assert model.kv_width == 1024
    # queries and output 8192 x 8192, keys and values 8192 x 1024
    assert model.attention_parameters == 2 * 8192 * 8192 + 2 * 8192 * 1024
    # gate, up and down
    assert model.dense_mlp_parameters == 3 * 8192 * 28672
    # the head once, no look-up, no norms
    layers = 80 * (150_994_944 + 704_643_072)
    assert model.matmul_parameters == layers + 128_256 * 8192
    assert model.moe_layers == 0
    assert model.dense_layers == 80
    # 80 layers x 2 (keys and values) x 1024 x 2 bytes
    assert model.kv_bytes_per_token(2) == 327_680


def test_mixtral_by_hand() -> None:
    """Eight experts of 14336 in 32 layers of 4096, two of them for each token."""
    model = Models.Language.Mixtral_8x7B
    expert = 3 * 4096 * 14_336
    assert model.moe_layers == 32
    assert model.moe_mlp_parameters == 8 * expert
    assert model.active_moe_mlp_parameters == 2 * expert
    assert model.router_parameters == 4096 * 8
    assert model.parameters - model.active_parameters == 32 * 6 * expert


def test_deepseek_v3_by_hand() -> None:
    """Latent attention: 128 heads (elsewhere 56), ranks 1536 and 512, a rotary part of 64."""
    model = Models.Language.DeepSeek_V3
    queries = 7168 * 1536 + 1536 * 128 * (128 + 64)
    keys_values = 7168 * (512 + 64) + 512 * 128 * (128 + 128)
    assert model.attention_parameters == queries + keys_values + 128 * 128 * 7168
    assert model.score_width == 128 * 192
    assert model.value_width == 128 * 128
    assert (model.dense_layers, model.moe_layers) == (3, 58)
    # 61 layers x (512 + 64) x 2 bytes
    assert model.kv_bytes_per_token(2) == 70_272


def test_gpt_2_by_hand() -> None:
    """Biases, positions, two vectors per norm: 124,439,808."""
    layer = 4 * 768 * 768 + 4 * 768  # attention and its biases
    layer += 2 * 768 * 3072 + 3072 + 768  # ungated MLP and its biases
    layer += 2 * 2 * 768  # two layer norms
    total = 12 * layer + 50_257 * 768 + 1024 * 768 + 2 * 768
    assert total == 124_439_808
    assert Models.Language.GPT2.parameters == total


@pytest.mark.parametrize(
    ("name", "window", "sliding", "full"),
    [
        ("Gemma2_9B", 4096, 21, 21),  # every second of 42
        ("Gemma3_27B", 1024, 52, 10),  # five of six; 62 = 6 x 10 + 2
        ("GPT_OSS_120B", 128, 18, 18),
        ("Mistral_7B_v0_1", 4096, 32, 0),
        ("Llama3_70B", 0, 0, 80),
    ],
)
def test_sliding_layers(name: str, window: int, sliding: int, full: int) -> None:
    """How many layers hold no more than their window."""
    model = Models.Language[name]
    assert (model.sliding_window, model.sliding_layers) == (window, sliding)
    assert model.full_attention_layers == full


@pytest.mark.parametrize(
    ("name", "layers", "hidden", "ffn", "tokens"),
    [
        ("ViT_B_16", 12, 768, 3072, 197),  # 14 x 14 patches and a class token
        ("ViT_L_16", 24, 1024, 4096, 197),
        ("ViT_H_14", 32, 1280, 5120, 257),
    ],
)
def test_vision_transformers_by_hand(
    name: str, layers: int, hidden: int, ffn: int, tokens: int
) -> None:
    """Patches of 16 or 14 pixels, blocks with biases, a head of 1,000 classes."""
    patch = 3 * int(name[-2:]) ** 2
    block = 4 * hidden**2 + 4 * hidden + 2 * hidden * ffn + hidden + ffn + 4 * hidden
    ends = patch * hidden + hidden + hidden + tokens * hidden + 2 * hidden + 1000 * hidden + 1000
    model = Models.Vision[name]
    assert model.parameters == layers * block + ends
    assert model.products == 6 * layers + 2
    # two flops per multiply-add: the blocks on every token, scores and sums, patches, head
    matmul = tokens * layers * (4 * hidden**2 + 2 * hidden * ffn)
    matmul += layers * 2 * tokens**2 * hidden + (tokens - 1) * patch * hidden + 1000 * hidden
    assert magnitude(model.forward_flops, "Gflop") == pytest.approx(2 * matmul / 1e9, rel=2e-3)


def test_efficientnet_counts_flops_and_not_multiply_adds() -> None:
    """390 million multiply-adds are 780 million flops."""
    assert magnitude(Models.Vision.EfficientNet_B0.forward_flops, "Mflop") == pytest.approx(780)


SHAPE: dict[str, Any] = {
    "name": "Mine",
    "layers": 4,
    "hidden": 256,
    "ffn": 1024,
    "heads": 8,
    "vocab": 1000,
    "max_context": 512,
}


def test_what_a_shape_leaves_out_is_usual() -> None:
    """As many key heads as query heads, and heads that fill the width."""
    model = LanguageModel(**SHAPE)
    assert (model.kv_heads, model.head_dim, model.dense_layers) == (8, 32, 4)
    # 4 x (4 x 256^2 + 3 x 256 x 1024 + 2 x 256) + 2 x 1000 x 256 + 256
    assert model.parameters == 4 * (262_144 + 786_432 + 512) + 512_000 + 256
    assert model.replace(layers=8).dense_layers == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kv_heads": 3}, "8 heads cannot share 3 kv_heads"),
        ({"hidden": 250}, "8 heads do not divide a hidden width of 250; state head_dim"),
        ({"experts": 4}, "needs experts, experts_per_token and expert_ffn"),
        ({"expert_ffn": 64}, "needs experts, experts_per_token and expert_ffn"),
        ({"experts": 4, "experts_per_token": 5, "expert_ffn": 64}, "5 experts_per_token of 4"),
        ({"sliding_window": 128}, "go together"),
        ({"sliding_window": 128, "sliding_layers": 5}, "5 sliding_layers of 4 layers"),
        ({"kv_rank": 64}, "latent attention needs"),
        ({"stated_parameters": 7}, "stated_parameters is 7, but the shape has 4,708,608"),
        ({"layers": 0}, "must be at least 1"),
        ({"layers": 2.5}, "not a whole number"),
        ({"layers": True}, "not a whole number"),
        ({"tied": "yes"}, "neither true nor false"),
        ({"normalization": "batch"}, "not one of rms, layer"),
        ({"name": " "}, "not a text"),
    ],
)
def test_shapes_that_do_not_hold_together(change: dict[str, Any], message: str) -> None:
    """A shape is refused with the record, the reason, and the figures that clash."""
    with pytest.raises(CatalogError) as caught:
        LanguageModel(**(SHAPE | change))
    assert message in str(caught.value)
    assert str(caught.value).startswith("LanguageModel")
