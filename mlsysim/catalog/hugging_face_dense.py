"""Dense architectures of Hugging Face configurations, by ``model_type``.

What a layer holds is that of the module of the same name in the library
`transformers` (github.com/huggingface/transformers, version 5.23); a default
stands here where published files leave the key out.
"""

from collections.abc import Mapping

from mlsysim.catalog.hugging_face_config import Config
from mlsysim.catalog.hugging_face_parts import (
    Reader,
    Shape,
    all_but_every,
    always,
    decoder,
    head_bias,
    plain_mlp,
    slides,
    wide_norms,
)
from mlsysim.catalog.layer import Normalization


def llama(config: Config) -> Shape:
    """Gate, RMS norms, no biases unless they are asked for."""
    biased = config.flag("attention_bias", default=False)
    return decoder(config).and_also(
        qkv_bias=biased, output_bias=biased, mlp_bias=config.flag("mlp_bias", default=False)
    )


def smollm3(config: Config) -> Shape:
    """Llama with tied tables."""
    return llama(config).and_also(tied=config.flag("tie_word_embeddings", default=True))


def mistral(config: Config) -> Shape:
    """Llama in which every layer slides, where there is a window."""
    return slides(config, decoder(config), always)


def qwen2(config: Config) -> Shape:
    """Biases on queries, keys and values; a window on the upper layers where it is switched on."""
    shape = decoder(config).and_also(qkv_bias=True)
    return _upper_layers_slide(config, shape)


def qwen3(config: Config) -> Shape:
    """Norms on the queries and keys of each head."""
    biased = config.flag("attention_bias", default=False)
    shape = decoder(config).and_also(head_norms=True, qkv_bias=biased, output_bias=biased)
    return _upper_layers_slide(config, shape)


def gemma(config: Config) -> Shape:
    """Tied tables."""
    biased = config.flag("attention_bias", default=False)
    return decoder(config, tied=True).and_also(qkv_bias=biased, output_bias=biased)


def gemma2(config: Config) -> Shape:
    """Four norms in a layer; every second layer slides, from the first on."""
    return slides(config, gemma(config).and_also(norms_per_layer=4), all_but_every(2))


def gemma3_text(config: Config) -> Shape:
    """Gemma 2 with norms on queries and keys; five layers slide, one sees all.

    Files of the larger models leave out what the library takes for granted.
    """
    usual = {
        "vocab_size": 262208,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "max_position_embeddings": 131072,
    }
    full = Config(place=config.place, model_type=config.model_type, keys={**usual, **config.keys})
    period = config.whole("sliding_window_pattern", config.whole("_sliding_window_pattern", 6))
    shape = gemma(full).and_also(norms_per_layer=4, head_norms=True)
    return slides(full, shape, all_but_every(period), window=4096)


def phi(config: Config) -> Shape:
    """Attention and MLP side by side under one norm, biases everywhere."""
    shape = plain_mlp(decoder(config), biased=True).and_also(norms_per_layer=1)
    others = head_bias(shape)
    if config.flag("qk_layernorm", default=False):
        others["norms of queries and keys"] = shape["layers"] * 4 * shape["head_dim"]
    return shape.and_also(others)


def phi3(config: Config) -> Shape:
    """Llama with queries, keys and values in one matrix, and a window on every layer."""
    return slides(config, decoder(config), always)


def gpt2(config: Config) -> Shape:
    """Learnt positions, layer norms, biases everywhere, tied tables."""
    context = config.whole("n_positions")
    return plain_mlp(_gpt(config, tied=True), biased=True).and_also(positions=context)


def gpt_bigcode(config: Config) -> Shape:
    """GPT-2 whose query heads share one head of keys and values."""
    shared = config.flag("multi_query", default=True)
    shape = gpt2(config)
    return shape.and_also(kv_heads=1 if shared else shape["heads"])


def gptj(config: Config) -> Shape:
    """Attention and MLP side by side under one norm; biases in the MLP and the head only."""
    shape = plain_mlp(_gpt(config, tied=False), biased=False)
    return shape.and_also(head_bias(shape), norms_per_layer=1, mlp_bias=True)


def gpt_neox(config: Config) -> Shape:
    """Layer norms, and biases everywhere but in the head."""
    shape = plain_mlp(decoder(config), biased=True)
    biased = config.flag("attention_bias", default=True)
    return shape.and_also(kv_heads=shape["heads"], qkv_bias=biased, output_bias=biased)


def bloom(config: Config) -> Shape:
    """GPT-2 without positions, with a norm after the embedding."""
    hidden = config.either("hidden_size", "n_embed")
    shape = Shape(
        fields={
            "layers": config.either("n_layer", "num_hidden_layers"),
            "hidden": hidden,
            "ffn": 4 * hidden,
            "heads": config.either("n_head", "num_attention_heads"),
            "vocab": config.whole("vocab_size"),
            "max_context": config.whole("seq_length", 2048),
            "tied": config.flag("tie_word_embeddings", default=True),
        }
    )
    return plain_mlp(shape, biased=True).and_also({"norm after the embedding": 2 * hidden})


def opt(config: Config) -> Shape:
    """GPT-2 with two more positions than tokens."""
    context, hidden = config.whole("max_position_embeddings"), config.whole("hidden_size")
    if config.whole("word_embed_proj_dim", hidden) != hidden:
        config.refuse("word_embed_proj_dim", "differs from hidden_size, which is not modelled")
    shape = Shape(
        fields={
            "layers": config.whole("num_hidden_layers"),
            "hidden": hidden,
            "ffn": config.whole("ffn_dim"),
            "heads": config.whole("num_attention_heads"),
            "vocab": config.whole("vocab_size"),
            "max_context": context,
            "positions": context + 2,
            "tied": config.flag("tie_word_embeddings", default=True),
            "final_norm": config.flag("do_layer_norm_before", default=True),
        }
    )
    return plain_mlp(shape, biased=config.flag("enable_bias", default=True))


def falcon(config: Config) -> Shape:
    """Attention and MLP side by side; one norm for both, or one for each in the later design."""
    hidden, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    later = config.flag("new_decoder_architecture", default=False)
    shared = config.flag("multi_query", default=True)
    kv_heads = config.whole("num_kv_heads", heads) if later else (1 if shared else heads)
    one_norm = (
        config.whole("num_ln_in_parallel_attn", 2) == 1
        if later
        else config.flag("parallel_attn", default=True)
    )
    shape = Shape(
        fields={
            "layers": config.whole("num_hidden_layers"),
            "hidden": hidden,
            "ffn": config.whole("ffn_hidden_size", 4 * hidden),
            "heads": heads,
            "kv_heads": kv_heads,
            "vocab": config.whole("vocab_size"),
            "max_context": config.whole("max_position_embeddings", 2048),
            "tied": config.flag("tie_word_embeddings", default=True),
            "norms_per_layer": 1 if one_norm else 2,
        }
    )
    return plain_mlp(shape, biased=config.flag("bias", default=False))


def olmo(config: Config) -> Shape:
    """Llama whose norms learn nothing."""
    biased = config.flag("attention_bias", default=False)
    return decoder(config).and_also(
        norms_per_layer=0, final_norm=False, qkv_bias=biased, output_bias=biased
    )


def olmo2(config: Config) -> Shape:
    """Norms after attention and MLP, and over all query and all key heads."""
    shape = llama(config)
    return shape.and_also(wide_norms(shape))


def olmo3(config: Config) -> Shape:
    """OLMo 2 in which three of four layers slide."""
    return slides(config, olmo2(config), all_but_every(4), window=4096)


def starcoder2(config: Config) -> Shape:
    """Layer norms, biases, two matrices in the MLP, a window on every layer, tied tables."""
    biased = config.flag("use_bias", default=True)
    return slides(config, plain_mlp(decoder(config, tied=True), biased=biased), always)


def cohere(config: Config) -> Shape:
    """Attention and MLP side by side under one norm without a shift; tied tables."""
    biased = config.flag("attention_bias", default=False)
    shape = decoder(config, tied=True).and_also(
        norms_per_layer=1, qkv_bias=biased, output_bias=biased
    )
    return shape.and_also(wide_norms(shape) if config.flag("use_qk_norm", default=False) else {})


def cohere2(config: Config) -> Shape:
    """Cohere in which three of four layers slide."""
    period = config.whole("sliding_window_pattern", config.whole("_sliding_window_pattern", 4))
    return slides(config, cohere(config), all_but_every(period), window=4096)


def stablelm(config: Config) -> Shape:
    """Llama with layer norms."""
    side_by_side = config.flag("use_parallel_residual", default=False)
    shape = decoder(config).and_also(
        normalization=Normalization.LAYER,
        norms_per_layer=1 if side_by_side else 2,
        qkv_bias=config.flag("use_qkv_bias", default=False),
    )
    return shape.and_also(wide_norms(shape) if config.flag("qk_layernorm", default=False) else {})


def nemotron(config: Config) -> Shape:
    """Layer norms and two matrices in the MLP, biases where they are asked for."""
    biased = config.flag("attention_bias", default=False)
    return plain_mlp(decoder(config), biased=biased).and_also(
        mlp_bias=config.flag("mlp_bias", default=False)
    )


def glm4(config: Config) -> Shape:
    """Four norms in a layer; biases on queries, keys and values where they are asked for."""
    biased = config.flag("attention_bias", default=False)
    return decoder(config).and_also(norms_per_layer=4, qkv_bias=biased)


def _gpt(config: Config, *, tied: bool) -> Shape:
    hidden = config.whole("n_embd")
    return Shape(
        fields={
            "layers": config.whole("n_layer"),
            "hidden": hidden,
            "ffn": config.whole("n_inner", 4 * hidden),
            "heads": config.whole("n_head"),
            "vocab": config.whole("vocab_size"),
            "max_context": config.whole("n_positions"),
            "tied": config.flag("tie_word_embeddings", default=tied),
        }
    )


def _upper_layers_slide(config: Config, shape: Shape) -> Shape:
    """Apply the window of Qwen: off unless switched on, and from a layer upward."""
    if not config.flag("use_sliding_window", default=False):
        return shape
    first = config.whole("max_window_layers", 0)
    return slides(config, shape, lambda layer: layer >= first)


DENSE: Mapping[str, Reader] = {
    "bloom": bloom,
    "cohere": cohere,
    "cohere2": cohere2,
    "falcon": falcon,
    "gemma": gemma,
    "gemma2": gemma2,
    "gemma3_text": gemma3_text,
    "glm4": glm4,
    "gpt2": gpt2,
    "gpt_bigcode": gpt_bigcode,
    "gpt_neox": gpt_neox,
    "gptj": gptj,
    "granite": llama,
    "llama": llama,
    "mistral": mistral,
    "nemotron": nemotron,
    "olmo": olmo,
    "olmo2": olmo2,
    "olmo3": olmo3,
    "opt": opt,
    "phi": phi,
    "phi3": phi3,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "smollm3": smollm3,
    "stablelm": stablelm,
    "starcoder2": starcoder2,
}
