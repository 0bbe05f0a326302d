"""A language model as the training formulas see it: plain numbers, no catalogue."""

from dataclasses import dataclass

from mlsysim.catalog.language_model import LanguageModel


@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """One kind of layer.

    Parameters
    ----------
    parameters, routed_parameters
        Its parameters, those of routed experts apart.
    matmul_parameters, routed_matmul
        Those that one token is multiplied with, those of routed experts apart.
    replicated, divided
        Numbers kept per token for the backward pass, outside the tensor-parallel
        blocks and inside them.
    light, light_divided
        Those of them that norms and activation functions make again from the others.
    latent_divided
        Those that latent attention's up-projections make again: queries, keys and values.
    narrow, narrow_divided
        Those that are inputs of matrix products or of activation functions, which 8 bits can hold.
    copies, routed_divided
        Numbers that the token's copies take on their way to routed experts, and inside those
        experts.  On their way back they are as many again, but not kept: experts apply the
        gate's weights to what they still know how to make again.
    up_parameters
        Matrix elements of latent attention's up-projections.
    products, up_products
        Matrix products in a forward pass, and those of up-projections among them.
    routed
        1 for a layer with routed experts, else 0.
    """

    parameters: int
    routed_parameters: int
    matmul_parameters: int
    routed_matmul: int
    replicated: int
    divided: int
    light: int
    light_divided: int
    latent_divided: int
    narrow: int
    narrow_divided: int
    copies: int
    routed_divided: int
    up_parameters: int
    products: int
    up_products: int
    routed: int


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A whole model.

    Parameters
    ----------
    layers, heads, kv_heads, hidden, vocab, max_context, score_width, value_width
        As in `LanguageModel`.
    ring_width
        Keys and values of one token in one layer, as context parallelism passes them on.
    experts, experts_per_token
        Routed experts of a layer, and how many of them see a token; 1 and 0 without.
    expert_groups, groups_per_token
        Groups into which they fall, and those that one token's experts come from; 1 and 1 where
        routing is not limited.
    latent
        Whether attention is latent, with up-projections.
    dense_width, expert_width
        Inner widths of the MLPs that occur (twice the same where there is one kind).
    dense, expert
        The two kinds of layers (likewise).
    expert_layers
        Layers of the second kind.
    spread
        Whether they alternate with the others; if not, they follow them.
    tables
        Parameters of the embedding and of all that is not a layer or the head.
    head
        Matrix elements of the output head.
    own_head
        Those that it does not share with the embedding.
    window, sliding_share
        What a sliding layer sees, and the share of the layers that slide.
    """

    layers: int
    heads: int
    kv_heads: int
    hidden: int
    vocab: int
    max_context: int
    score_width: int
    value_width: int
    ring_width: int
    experts: int
    experts_per_token: int
    expert_groups: int
    groups_per_token: int
    latent: bool
    dense_width: int
    expert_width: int
    dense: LayerShape
    expert: LayerShape
    expert_layers: int
    spread: bool
    tables: int
    head: int
    own_head: int
    window: int
    sliding_share: float


def shape_of(model: LanguageModel) -> ModelShape:
    """Read a catalogue record."""
    dense = _dense_layer(model)
    expert, expert_width = dense, model.ffn
    if model.experts:
        expert, expert_width = _expert_layer(model), model.expert_ffn
    own_head = 0 if model.tied else model.embedding_parameters
    in_layers = sum(
        count * (layer.parameters + layer.routed_parameters)
        for count, layer in ((model.dense_layers, dense), (model.moe_layers, expert))
    )
    keys, values = _key_widths(model)
    return ModelShape(
        layers=model.layers,
        heads=model.heads,
        kv_heads=model.kv_heads,
        hidden=model.hidden,
        vocab=model.vocab,
        max_context=model.max_context,
        score_width=model.score_width,
        value_width=model.value_width,
        ring_width=keys + values,
        experts=model.experts or 1,
        experts_per_token=model.experts_per_token,
        expert_groups=model.expert_groups or 1,
        groups_per_token=model.groups_per_token or 1,
        latent=bool(model.kv_rank),
        dense_width=model.ffn if model.dense_layers else expert_width,
        expert_width=expert_width,
        dense=dense,
        expert=expert,
        expert_layers=model.moe_layers,
        # Llama 4 Maverick has experts in every second layer; others have dense layers in front.
        spread=2 * model.dense_layers == model.layers,
        tables=model.parameters - in_layers - own_head,
        head=model.embedding_parameters,
        own_head=own_head,
        window=model.sliding_window or model.max_context,
        sliding_share=model.sliding_layers / model.layers,
    )


def _dense_layer(model: LanguageModel) -> LayerShape:
    return LayerShape(
        parameters=model.attention_parameters
        + model.vector_parameters
        + model.dense_mlp_parameters,
        routed_parameters=0,
        matmul_parameters=model.attention_parameters + model.dense_mlp_parameters,
        routed_matmul=0,
        replicated=_replicated(model),
        divided=_divided(model) + model.mlp_matrices * model.ffn,
        light=2 * model.hidden,
        light_divided=model.ffn,
        latent_divided=_latent(model),
        narrow=2 * model.hidden,
        narrow_divided=model.mlp_matrices * model.ffn,
        copies=0,
        routed_divided=0,
        up_parameters=_up_parameters(model),
        # queries, keys and values at once, scores, weighted values, output; two in the MLP
        products=6,
        up_products=_up_products(model),
        routed=0,
    )


def _expert_layer(model: LanguageModel) -> LayerShape:
    own = model.attention_parameters + model.router_parameters
    shared = model.shared_experts * model.expert_parameters
    routed = model.experts_per_token
    return LayerShape(
        parameters=own + model.vector_parameters + shared,
        routed_parameters=model.experts * model.expert_parameters,
        matmul_parameters=own + shared,
        routed_matmul=routed * model.expert_parameters,
        replicated=_replicated(model),
        divided=_divided(model) + model.mlp_matrices * model.shared_experts * model.expert_ffn,
        light=2 * model.hidden,
        light_divided=(model.shared_experts + routed) * model.expert_ffn,
        latent_divided=_latent(model),
        narrow=2 * model.hidden,
        narrow_divided=model.mlp_matrices * model.shared_experts * model.expert_ffn,
        copies=routed * model.hidden,
        routed_divided=routed * model.mlp_matrices * model.expert_ffn,
        up_parameters=_up_parameters(model),
        # as above, the router, and two in the shared experts if there are any
        products=7 + 2 * min(model.shared_experts, 1),
        up_products=_up_products(model),
        routed=1,
    )


def _key_widths(model: LanguageModel) -> tuple[int, int]:
    """Give the widths of keys and of values as attention multiplies them."""
    if model.kv_rank:  # latent attention expands them for every head
        return model.score_width, model.value_width
    return model.kv_width, model.kv_width


def _latent(model: LanguageModel) -> int:
    # queries (where they are compressed), keys and values of all heads
    if not model.kv_rank:
        return 0
    return (model.score_width if model.query_rank else 0) + sum(_key_widths(model))


def _up_parameters(model: LanguageModel) -> int:
    queries = model.query_rank * model.score_width
    return queries + model.kv_rank * (model.query_width + model.value_width)


def _up_products(model: LanguageModel) -> int:
    return min(model.query_rank, 1) + min(model.kv_rank, 1)


def _replicated(model: LanguageModel) -> int:
    # inputs of the norms, of attention and of the MLP
    latents = model.query_rank + model.kv_rank + model.rope_dim
    return (model.norms_per_layer + 2) * model.hidden + latents


def _divided(model: LanguageModel) -> int:
    # queries, keys, values and the output of attention
    return model.score_width + sum(_key_widths(model)) + model.value_width
