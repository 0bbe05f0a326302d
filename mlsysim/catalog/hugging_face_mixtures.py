"""Mixtures of experts among Hugging Face configurations, by ``model_type``.

As in `hugging_face_dense`, a layer holds what the module of the same name in
the library `transformers` holds (version 5.23).  Layers that predict further
tokens (``num_nextn_predict_layers``) are not counted: DeepSeek-V3 is published
as 671 billion without them.
"""

from collections.abc import Mapping
from typing import Any

from mlsysim.catalog.hugging_face_config import Config
from mlsysim.catalog.hugging_face_dense import llama, mistral, qwen2, qwen3
from mlsysim.catalog.hugging_face_parts import (
    Reader,
    Shape,
    all_but_every,
    decoder,
    head_bias,
    slides,
    wide_norms,
)
from mlsysim.catalog.layer import Normalization


def mixtral(config: Config) -> Shape:
    """Mistral with experts instead of every MLP."""
    return _experts_everywhere(config, mistral(config))


def phimoe(config: Config) -> Shape:
    """Mixtral with layer norms, and biases in attention and head where they are asked for."""
    biased = config.flag("attention_bias", default=False)
    shape = mixtral(config).and_also(
        normalization=Normalization.LAYER, qkv_bias=biased, output_bias=biased
    )
    return shape.and_also(head_bias(shape) if config.flag("lm_head_bias", default=False) else {})


def granitemoe(config: Config) -> Shape:
    """Llama with experts instead of every MLP."""
    return _experts_everywhere(config, llama(config))


def gpt_oss(config: Config) -> Shape:
    """Biases everywhere but in the head, a sink in each head; every second layer slides."""
    biased = config.flag("attention_bias", default=True)
    shape = _experts_everywhere(config, decoder(config)).and_also(
        qkv_bias=biased,
        output_bias=biased,
        mlp_bias=True,
        router_bias=True,
        attention_sinks=True,
    )
    return slides(config, shape, all_but_every(2), window=128)


def olmoe(config: Config) -> Shape:
    """Experts everywhere; norms over all query and all key heads."""
    biased = config.flag("attention_bias", default=False)
    shape = decoder(config).and_also(
        experts=config.either("num_experts", "num_local_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        expert_ffn=config.whole("intermediate_size"),
        qkv_bias=biased,
        output_bias=biased,
    )
    return shape.and_also(wide_norms(shape))


def qwen2_moe(config: Config) -> Shape:
    """Qwen 2 with experts, and one shared expert behind a gate of its own."""
    shape = _sparse_steps(config, qwen2(config))
    width, shared = shape["expert_ffn"], config.whole("shared_expert_intermediate_size")
    if width == 0 or shared % width:
        config.refuse(
            "shared_expert_intermediate_size", f"{shared} is no multiple of an expert's {width}"
        )
    moe_layers = shape["layers"] - shape["dense_layers"]
    gates = {"gates of the shared experts": moe_layers * shape["hidden"]}
    return shape.and_also(gates, shared_experts=shared // width)


def qwen3_moe(config: Config) -> Shape:
    """Qwen 3 with experts."""
    return _sparse_steps(config, qwen3(config))


def llama4_text(config: Config) -> Shape:
    """Put a shared expert beside the routed; three of four layers see their own chunk only."""
    every = config.whole("interleave_moe_layer_step", 1)
    shape = llama(config)
    sparse = len(config.numbers("moe_layers")) or shape["layers"] // max(every, 1)
    expert = config.whole("intermediate_size")
    shape = shape.and_also(
        ffn=config.whole("intermediate_size_mlp"),
        experts=config.either("num_local_experts", "num_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        shared_experts=1,
        expert_ffn=expert,
        dense_layers=shape["layers"] - sparse,
    )
    chunk = config.whole("attention_chunk_size", 0)
    return slides(config, shape, all_but_every(4), window=chunk)


def deepseek_v2(config: Config) -> Shape:
    """Latent attention, some dense layers, then routed and shared experts."""
    ranks: dict[str, Any] = {
        "query_rank": config.whole("q_lora_rank", 0),
        "kv_rank": config.whole("kv_lora_rank"),
        "rope_dim": config.whole("qk_rope_head_dim"),
        "value_dim": config.whole("v_head_dim"),
    }
    shape = decoder(config)
    shape = shape.and_also(
        **ranks,
        head_dim=config.whole("qk_nope_head_dim"),
        kv_heads=shape["heads"],
        experts=config.either("n_routed_experts", "num_local_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        shared_experts=config.whole("n_shared_experts", 0),
        expert_ffn=config.whole("moe_intermediate_size"),
        dense_layers=_leading_and_skipped(config, shape["layers"]),
        **_groups(config),
    )
    if not config.flag("attention_bias", default=False):
        return shape
    biases = ranks["query_rank"] + ranks["kv_rank"] + ranks["rope_dim"] + shape["hidden"]
    return shape.and_also({"biases of latent attention": shape["layers"] * biases})


def _groups(config: Config) -> dict[str, Any]:
    """Read node-limited routing; choosing within all groups, or within one of one, is none."""
    groups = config.whole("n_group", 1) or 1
    chosen = config.whole("topk_group", groups) or groups
    return {"expert_groups": groups, "groups_per_token": chosen} if chosen < groups else {}


def deepseek_v3(config: Config) -> Shape:
    """DeepSeek-V2 with a correction for each expert in the router."""
    return deepseek_v2(config).and_also(router_bias=True)


def glm4_moe(config: Config) -> Shape:
    """Put routed and shared experts above some dense layers; the router has a correction."""
    shape = decoder(config)
    return shape.and_also(
        qkv_bias=config.flag("attention_bias", default=False),
        head_norms=config.flag("use_qk_norm", default=False),
        router_bias=True,
        experts=config.either("n_routed_experts", "num_local_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        shared_experts=config.whole("n_shared_experts", 0),
        expert_ffn=config.whole("moe_intermediate_size"),
        dense_layers=min(config.whole("first_k_dense_replace"), shape["layers"]),
    )


def _experts_everywhere(config: Config, shape: Shape) -> Shape:
    return shape.and_also(
        experts=config.either("num_local_experts", "num_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        expert_ffn=config.whole("intermediate_size"),
    )


def _sparse_steps(config: Config, shape: Shape) -> Shape:
    """Put experts in the last of each so many layers, save those named."""
    step = max(config.whole("decoder_sparse_step", 1), 1)
    dense = config.numbers("mlp_only_layers")
    sparse = config.count_layers(
        shape["layers"], lambda layer: layer not in dense and (layer + 1) % step == 0
    )
    return shape.and_also(
        experts=config.either("num_experts", "num_local_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        expert_ffn=config.whole("moe_intermediate_size"),
        dense_layers=shape["layers"] - sparse,
    )


def _leading_and_skipped(config: Config, layers: int) -> int:
    """Count the dense layers: the first ones, and those that a step leaves out."""
    first = config.whole("first_k_dense_replace", 0)
    step = max(config.whole("moe_layer_freq", 1), 1)
    return config.count_layers(layers, lambda layer: layer < first or layer % step != 0)


MIXTURES: Mapping[str, Reader] = {
    "deepseek_v2": deepseek_v2,
    "deepseek_v3": deepseek_v3,
    "glm4_moe": glm4_moe,
    "gpt_oss": gpt_oss,
    "granitemoe": granitemoe,
    "kimi_k2": deepseek_v3,
    "llama4_text": llama4_text,
    "mixtral": mixtral,
    "olmoe": olmoe,
    "phimoe": phimoe,
    "qwen2_moe": qwen2_moe,
    "qwen3_moe": qwen3_moe,
}
