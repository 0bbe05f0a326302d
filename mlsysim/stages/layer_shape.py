"""Kinds of layers of a language model as the formulas see them: plain numbers, no catalogue."""

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


def dense_layer_of(model: LanguageModel) -> LayerShape:
    """Read a layer without experts."""
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


def expert_layer_of(model: LanguageModel) -> LayerShape:
    """Read a layer with experts."""
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


def key_widths(model: LanguageModel) -> tuple[int, int]:
    """Give the widths of keys and of values as attention multiplies them."""
    if model.kv_rank:  # latent attention expands them for every head
        return model.score_width, model.value_width
    return model.kv_width, model.kv_width


def _latent(model: LanguageModel) -> int:
    # queries (where they are compressed), keys and values of all heads
    if not model.kv_rank:
        return 0
    return (model.score_width if model.query_rank else 0) + sum(key_widths(model))


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
    return model.score_width + sum(key_widths(model)) + model.value_width
