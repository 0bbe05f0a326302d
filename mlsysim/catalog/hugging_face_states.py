"""Architectures with state spaces among Hugging Face configurations."""

from typing import Any

from mlsysim.catalog.hugging_face_config import Config
from mlsysim.catalog.hugging_face_parts import Shape, decoder, grouped

_NEMOTRON_LAYERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "experts"}


def nemotron_h(config: Config) -> Shape:
    """Layers with a mixer or an MLP each: state spaces, attention, MLPs and experts."""
    config.require("hybrid_override_pattern", "text of letters, one for each layer")
    pattern = str(config.keys["hybrid_override_pattern"])
    if not pattern or set(pattern) - set(_NEMOTRON_LAYERS):
        config.refuse(
            "hybrid_override_pattern", f"{pattern!r} is not a text of {', '.join(_NEMOTRON_LAYERS)}"
        )
    heads, head_dim = config.whole("mamba_num_heads"), config.whole("mamba_head_dim")
    states = config.whole("n_groups")
    width, keys = heads * head_dim, states * config.whole("ssm_state_size")
    biased = config.flag("use_conv_bias", default=True)
    attention_dim = config.either("attention_head_dim", "head_dim")
    shape = decoder(config).and_also(
        head_dim=attention_dim,
        gated=False,
        norms_per_layer=1,
        linear_heads=heads,
        linear_key_heads=states,
        linear_key_dim=config.whole("ssm_state_size"),
        linear_value_dim=head_dim,
        linear_scalars=1,
        convolution=config.whole("conv_kernel"),
    )
    vectors = 3 * heads + width + (width + 2 * keys) * biased
    kinds: dict[str, Any] = {
        "mamba": {"mixer": "linear", "output_gate": True, "ffn": 0, "other_vectors": vectors},
        "attention": {"ffn": 0},
        "mlp": {"mixer": "none"},
    }
    if "E" in pattern:
        kinds["experts"] = {
            "mixer": "none",
            "experts": config.whole("n_routed_experts"),
            "experts_per_token": config.whole("num_experts_per_tok"),
            "shared_experts": config.whole("n_shared_experts", 0),
            "shared_ffn": config.whole("n_shared_experts", 0)
            * config.whole("moe_shared_expert_intermediate_size", 0),
            "expert_ffn": config.whole("moe_intermediate_size"),
            "expert_hidden": config.whole("moe_latent_size", 0),
            "router_bias": True,
        }
    config.tells_each("hybrid_override_pattern", pattern, shape["layers"])
    return grouped(shape, kinds, [_NEMOTRON_LAYERS[letter] for letter in pattern])


def falcon_h1(config: Config) -> Shape:
    """Attention and a state space side by side, told one after the other, and a dense MLP.

    Each pair counts as two layers, of which the second has the MLP and the norms.
    """
    width, heads = config.whole("mamba_d_ssm"), config.whole("mamba_n_heads")
    states, key_dim = config.whole("mamba_n_groups"), config.whole("mamba_d_state")
    biased = config.flag("mamba_conv_bias", default=True)
    vectors = 3 * heads + (width + 2 * states * key_dim) * biased
    shape = decoder(config)
    pairs = shape["layers"]
    shape = shape.and_also(
        layers=2 * pairs,
        linear_heads=heads,
        linear_key_heads=states,
        linear_key_dim=key_dim,
        linear_value_dim=width // heads,
        linear_scalars=1,
        convolution=config.whole("mamba_d_conv"),
    )
    kinds: dict[str, Any] = {
        "attention": {"ffn": 0, "norms_per_layer": 0},
        "mamba": {
            "mixer": "linear",
            "output_gate": True,
            "other_vectors": vectors + width * config.flag("mamba_rms_norm", default=False),
        },
    }
    return grouped(shape, kinds, ["attention", "mamba"] * pairs)


def jamba(config: Config) -> Shape:
    """Mix tokens by state spaces, in some layers by attention; experts in some.

    A state space of the first kind (arXiv 2312.00752) reads keys, queries and steps from what it
    has convolved, not from the stream.
    """
    hidden, states = config.whole("hidden_size"), config.whole("mamba_d_state")
    width = config.whole("mamba_expand") * hidden
    automatic = config.keys.get("mamba_dt_rank", "auto") == "auto"
    rank = -(-hidden // 16) if automatic else config.whole("mamba_dt_rank")
    convolution = config.whole("mamba_d_conv")
    # Only values are convolved: what the fields count for keys and queries is taken off.
    vectors = width * (2 + states + config.flag("mamba_conv_bias", default=True))
    vectors += rank + 2 * states - 2 * states * convolution
    mamba = {
        "mixer": "linear",
        "output_gate": True,
        "other_matrices": width * (2 * rank + 2 * states) - 2 * states * hidden,
        "other_vectors": vectors,
    }
    experts = {
        "experts": config.whole("num_experts"),
        "experts_per_token": config.whole("num_experts_per_tok"),
        "expert_ffn": config.whole("intermediate_size"),
    }
    shape = decoder(config).and_also(
        linear_heads=width,
        linear_key_heads=1,
        linear_key_dim=states,
        linear_value_dim=1,
        convolution=convolution,
    )

    def regular(layer: int, part: str, period: int, offset: int) -> bool:
        every = config.whole(f"{part}_layer_period", period)
        return layer % every == config.whole(f"{part}_layer_offset", offset)

    kinds: dict[str, Any] = {}
    order = []
    for layer in range(shape["layers"]):
        attends = regular(layer, "attn", 8, 4)
        routed = experts["experts"] > 1 and regular(layer, "expert", 2, 1)
        name = f"{'attention' if attends else 'mamba'}_{'experts' if routed else 'mlp'}"
        kinds[name] = {**({} if attends else mamba), **(experts if routed else {})}
        order.append(name)
    return grouped(shape, kinds, order)
