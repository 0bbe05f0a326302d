"""Architectures of several kinds of layers among Hugging Face configurations, by ``model_type``.

As in `hugging_face_dense`, a layer holds what the module of the same name in the library
`transformers`, or in the code published with the weights, holds.  Layers that predict further
tokens are not counted.
"""

from collections.abc import Mapping
from typing import Any

from mlsysim.catalog.hugging_face_config import Config
from mlsysim.catalog.hugging_face_dense import llama, qwen2, qwen3
from mlsysim.catalog.hugging_face_mixtures import deepseek_v2, deepseek_v3, qwen3_moe
from mlsysim.catalog.hugging_face_parts import (
    SLIDING,
    Reader,
    Shape,
    decoder,
    grouped,
    wide_norms,
)
from mlsysim.catalog.hugging_face_states import falcon_h1, jamba, nemotron_h


def deepseek_v32(config: Config) -> Shape:
    """DeepSeek-V3 with an indexer that chooses the tokens to attend to."""
    return deepseek_v3(config).and_also(
        index_heads=config.whole("index_n_heads"),
        index_dim=config.whole("index_head_dim"),
        top_tokens=config.whole("index_topk"),
    )


def minimax_m2(config: Config) -> Shape:
    """Experts everywhere; norms over all query and all key heads."""
    shape = decoder(config).and_also(
        experts=config.whole("num_local_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        expert_ffn=config.whole("intermediate_size"),
        router_bias=config.flag("use_routing_bias", default=True),
    )
    return shape.and_also(wide_norms(shape) if config.flag("use_qk_norm", default=True) else {})


def minimax_m3(config: Config) -> Shape:
    """Dense layers, then experts over attention to chosen blocks of tokens."""
    expert = config.whole("moe_intermediate_size", config.whole("intermediate_size"))
    experts = {
        "experts": config.either("num_local_experts", "num_experts"),
        "experts_per_token": config.whole("num_experts_per_tok"),
        "shared_experts": config.whole("n_shared_experts", 0),
        "shared_ffn": config.whole("shared_intermediate_size", 0),
        "expert_ffn": expert,
        "router_bias": config.flag("use_routing_bias", default=True),
    }
    sparse = config.inner("sparse_attention_config")
    chosen = {
        "index_heads": sparse.whole("sparse_num_index_heads"),
        "index_dim": sparse.whole("sparse_index_dim"),
        "top_tokens": sparse.whole("sparse_topk_blocks") * sparse.whole("sparse_block_size"),
    }
    shape = decoder(config).and_also(head_norms=config.flag("use_qk_norm", default=True))
    routed, narrow = config.numbers("moe_layer_freq"), sparse.numbers("sparse_attention_freq")
    config.tells_each("moe_layer_freq", routed, shape["layers"], 0, 1)
    sparse.tells_each("sparse_attention_freq", narrow, shape["layers"], 0, 1)
    kinds, order = {}, []
    for has_experts, is_sparse in zip(routed, narrow, strict=True):
        feeds = experts if has_experts else {"ffn": config.whole("dense_intermediate_size")}
        name = "_".join(["experts" if has_experts else "dense", *["sparse"] * is_sparse])
        kinds[name] = {**feeds, **(chosen if is_sparse else {})}
        order.append(name)
    return grouped(shape, kinds, order)


def qwen3_next(config: Config) -> Shape:
    """Gated delta networks, and gated attention in every fourth layer; experts or dense MLPs."""
    mixture = config.has("num_experts") or config.has("num_local_experts")
    dense = Config(
        place=config.place,
        model_type=config.model_type,
        keys={"intermediate_size": config.whole("moe_intermediate_size", 1), **config.keys},
    )
    shape = qwen3_moe(dense) if mixture else qwen3(dense)
    shared = config.whole("shared_expert_intermediate_size", 0)
    gate = shape["hidden"] if shared else 0
    value_dim, heads = (
        config.whole("linear_value_head_dim"),
        config.whole("linear_num_value_heads"),
    )
    shape = shape.and_also(
        output_gate=True,
        shared_experts=1 if shared else 0,
        shared_ffn=shared,
        other_vectors=gate,
        linear_heads=heads,
        linear_key_heads=config.whole("linear_num_key_heads"),
        linear_key_dim=config.whole("linear_key_head_dim"),
        linear_value_dim=value_dim,
        linear_scalars=2,
        convolution=config.whole("linear_conv_kernel_dim"),
    )
    every = config.whole("full_attention_interval", 4)
    names = config.names("layer_types") or tuple(
        "linear_attention" if (layer + 1) % every else "full_attention"
        for layer in range(shape["layers"])
    )
    vectors = gate + 2 * heads + value_dim
    kinds = {
        "linear_attention": {"mixer": "linear", "other_vectors": vectors},
        "full_attention": {},
    }
    config.tells_each("layer_types", names, shape["layers"], *kinds)
    return grouped(shape, kinds, list(names))


def nemotron_nas(config: Config) -> Shape:
    """Llama of which a search took attention away, or narrowed the MLP, layer by layer."""
    hidden, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    usual = {"intermediate_size": hidden, "num_key_value_heads": heads}
    given = {key: value for key, value in config.keys.items() if value is not None}
    shape = llama(Config(place=config.place, model_type=config.model_type, keys={**usual, **given}))
    kinds, order = {}, []
    for number, block in enumerate(config.keys.get("block_configs") or []):
        attention, feeds = block["attention"], block["ffn"]
        for part, keys in (("attention", attention), ("ffn", feeds)):
            for key in ("replace_with_linear", "sparsify", "num_sink_tokens", "window_length"):
                if keys.get(key):
                    config.refuse(
                        f"block_configs.{number}.{part}.{key}",
                        f"{keys[key]!r} is not expressed by a group of layers",
                    )
        kind: dict[str, Any] = {"norms_per_layer": 2 - bool(attention.get("no_op"))}
        kind["norms_per_layer"] -= bool(feeds.get("no_op"))
        if attention.get("no_op"):
            kind["mixer"] = "none"
        else:
            kind["kv_heads"] = heads // attention["n_heads_in_group"]
        width = int(2 * (feeds.get("ffn_mult") or 0) * hidden / 3)
        kind["ffn"] = 0 if feeds.get("no_op") else -(-width // 256) * 256
        name = f"mlp_{kind['ffn']}_attention_{kind.get('kv_heads', 0)}"
        kinds[name] = kind
        order.append(name)
    if not order:
        config.refuse("block_configs", "missing; it tells what each layer holds")
    config.tells_each("block_configs", order, shape["layers"])
    return grouped(shape, kinds, order)


def gemma4_text(config: Config) -> Shape:
    """Windows of other heads than full attention has; experts beside a dense MLP."""
    for key in ("hidden_size_per_layer_input", "num_kv_shared_layers", "use_double_wide_mlp"):
        if config.keys.get(key):
            config.refuse(key, f"{config.keys[key]!r} is not expressed by groups of layers")
    shape = decoder(config, tied=True).and_also(head_norms=True, norms_per_layer=4, other_vectors=1)
    own: dict[str, Any] = {}
    if config.flag("enable_moe_block", default=False):
        experts = config.whole("num_experts")
        own = {
            "experts": experts,
            "experts_per_token": config.either("top_k_experts", "num_experts_per_tok"),
            "expert_ffn": config.whole("moe_intermediate_size"),
            "shared_experts": 1,
            "shared_ffn": shape["ffn"],
            "norms_per_layer": 7,
            "other_vectors": 1 + shape["hidden"] + experts,
        }
    kinds = {
        "sliding_attention": {**own, "sliding_window": config.whole("sliding_window")},
        "full_attention": {
            **own,
            "head_dim": config.whole("global_head_dim", shape["head_dim"]),
            "kv_heads": config.whole("num_global_key_value_heads", shape["kv_heads"]),
            "shared_keys": config.flag("attention_k_eq_v", default=False),
        },
    }
    names = config.names("layer_types")
    config.tells_each("layer_types", names, shape["layers"], *kinds)
    return grouped(shape, kinds, list(names))


def step3p7(config: Config) -> Shape:
    """Dense layers, then experts; windows in three of four layers."""
    shape = decoder(config)
    experts = {
        "experts": config.whole("num_experts"),
        "experts_per_token": config.whole("num_experts_per_tok"),
        "shared_experts": config.whole("n_shared_experts", 1),
        "shared_ffn": config.whole("share_expert_dim", 0),
        "expert_ffn": config.whole("moe_intermediate_size"),
        "router_bias": config.flag("use_moe_router_bias", default=False),
    }
    kinds: dict[str, Any] = {}
    order, names = [], config.names("layer_types")
    config.tells_each("layer_types", names, shape["layers"], "full_attention", *sorted(SLIDING))
    for layer, name in enumerate(names):
        dense = layer < config.whole("first_k_dense_replace", 0)
        window = {"sliding_window": config.whole("sliding_window")} if name in SLIDING else {}
        kind = f"{'dense' if dense else 'experts'}_{name}"
        kinds[kind] = {**({} if dense else experts), **window}
        order.append(kind)
    return grouped(shape, kinds, order)


def kimi_linear(config: Config) -> Shape:
    """Delta attention with a decay per channel, and latent attention in every fourth layer."""
    linear = config.inner("linear_attn_config")
    heads, width = linear.whole("num_heads"), linear.whole("head_dim")
    renamed = {
        "n_routed_experts": config.whole("num_experts"),
        "num_experts_per_tok": config.either("num_experts_per_token", "num_experts_per_tok"),
        "n_shared_experts": config.whole("num_shared_experts", 0),
        "max_position_embeddings": config.either("max_position_embeddings", "model_max_length"),
    }
    keys = {**config.keys, **renamed}
    latent = deepseek_v2(Config(place=config.place, model_type=config.model_type, keys=keys))
    fields = dict(latent.fields)
    experts = {name: fields.pop(name) for name in _EXPERTS}
    experts["expert_hidden"] = config.whole("routed_expert_hidden_size", 0)
    experts["router_bias"] = True
    dense_layers = fields.pop("dense_layers")
    full_rank = linear.flag("use_full_rank_gate", default=False)
    low_rank = fields["hidden"] * width + width * heads * width
    mixers: dict[str, dict[str, Any]] = {
        "delta": {
            "mixer": "linear",
            "linear_heads": heads,
            "linear_key_heads": heads,
            "linear_key_dim": width,
            "linear_value_dim": width,
            "linear_scalars": 1,
            "convolution": linear.whole("short_conv_kernel_size"),
            "output_gate": full_rank,
            "other_matrices": low_rank * (1 if full_rank else 2),
            "other_vectors": heads + heads * width + width,
        },
        "latent": {"output_gate": config.flag("mla_use_output_gate", default=False)},
    }
    full = linear.numbers("full_attn_layers")
    if not full or max(full) > fields["layers"]:
        linear.refuse("full_attn_layers", f"{full} are not among {fields['layers']} layers")
    kinds, order = {}, []
    for layer in range(1, fields["layers"] + 1):
        mixer = "latent" if layer in full else "delta"
        name = f"{'dense' if layer <= dense_layers else 'experts'}_{mixer}"
        kinds[name] = {**mixers[mixer], **({} if layer <= dense_layers else experts)}
        order.append(name)
    return grouped(Shape(fields=fields, others=latent.others), kinds, order)


def deepseek_v4(config: Config) -> Shape:
    """Attention to compressed tokens beside a window, and streams that each layer mixes.

    After the code that is published with the weights: blocks of 4 tokens overlap, and an indexer
    chooses among them; a token attends to all longer ones.  Tables that route the first layers by
    words hold no weights.  Sums over a block that is not complete, which a runtime keeps beside the
    cache, are left out.
    """
    layers = config.whole("num_hidden_layers")
    config.require("compress_ratios", "list of numbers")
    # Layers that predict further tokens are told behind the others.
    ratios = config.numbers("compress_ratios")[:layers]
    config.tells_each("compress_ratios", ratios, layers, 0, _OVERLAPPING, _LONG)
    width, streams = config.whole("moe_intermediate_size"), config.whole("hc_mult", 1)
    shape = decoder(
        Config(
            place=config.place,
            model_type=config.model_type,
            keys={"intermediate_size": width, **config.keys},
        )
    ).and_also(
        one_cache=True,
        query_rank=config.whole("q_lora_rank"),
        output_rank=config.whole("o_lora_rank"),
        output_groups=config.whole("o_groups"),
        sliding_window=config.whole("sliding_window"),
        attention_sinks=True,
        experts=config.whole("n_routed_experts"),
        experts_per_token=config.whole("num_experts_per_tok"),
        shared_experts=config.whole("n_shared_experts", 0),
        expert_ffn=width,
    )
    hashed = config.whole("num_hash_layers", 0)
    kinds, order = {}, []
    for layer, ratio in enumerate(ratios):
        name = f"{f'blocks_of_{ratio}' if ratio else 'near'}{'_hashed' * (layer < hashed)}"
        kinds[name] = {
            **_compressed(config, shape, ratio, streams),
            "router_bias": layer >= hashed,
        }
        order.append(name)
    joined = streams * streams * shape["hidden"] + streams + 1
    shape = shape.and_also({"what joins the streams before the head": joined})
    return grouped(shape, kinds, order)


_OVERLAPPING = 4
"""Tokens of a block that overlaps with the one before it, and has an index."""
_LONG = 128
"""Tokens of a block to which all tokens behind it attend."""


def _compressed(config: Config, shape: Shape, ratio: int, streams: int) -> dict[str, Any]:
    """Describe attention to blocks of so many tokens, with what mixes the streams of a layer."""
    hidden, head_dim = shape["hidden"], shape["head_dim"]
    mixing = (2 + streams) * streams
    found = {
        "other_matrices": 2 * mixing * streams * hidden,
        # The norm of keys, with shifts and scales of what mixes streams.
        "other_vectors": head_dim + 2 * (mixing + 3),
    }
    if not ratio:
        return found
    overlap = 2 if ratio == _OVERLAPPING else 1
    found["block_tokens"] = ratio
    # Entries and their weights, a position of each token in a block, and a norm.
    found["other_matrices"] += 2 * hidden * overlap * head_dim
    found["other_vectors"] += ratio * overlap * head_dim + head_dim
    if ratio == _OVERLAPPING:
        index_dim = config.whole("index_head_dim")
        found |= {
            "index_heads": config.whole("index_n_heads"),
            "index_dim": index_dim,
            "top_tokens": config.whole("index_topk"),
        }
        # Of an index one matrix is counted with it.
        found["other_matrices"] += (2 * overlap - 1) * hidden * index_dim
        found["other_vectors"] += ratio * overlap * index_dim
    return found


_EXPERTS = ("experts", "experts_per_token", "shared_experts", "expert_ffn")

HYBRIDS: Mapping[str, Reader] = {
    "deepseek_v32": deepseek_v32,
    "deepseek_v4": deepseek_v4,
    "falcon_h1": falcon_h1,
    "gemma4_text": gemma4_text,
    "glm_moe_dsa": deepseek_v32,
    "jamba": jamba,
    "kimi_linear": kimi_linear,
    "mimo": qwen2,
    "minimax_m2": minimax_m2,
    "minimax_m3": minimax_m3,
    "nemotron-nas": nemotron_nas,
    "nemotron_h": nemotron_h,
    "qwen3_5_moe_text": qwen3_next,
    "qwen3_5_text": qwen3_next,
    "qwen3_next": qwen3_next,
    "qwen3_vl_moe_text": qwen3_moe,
    "qwen3_vl_text": qwen3,
    "step3p7": step3p7,
}
