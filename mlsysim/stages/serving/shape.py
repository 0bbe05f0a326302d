"""A language model as the serving formulas see it: plain numbers, no catalogue."""

import math
from dataclasses import dataclass

from mlsysim.catalog.language_model import LanguageModel

_NEVER_MISSED = -50.0  # log of the chance to miss an expert that sees every token: e^-50 is none


@dataclass(frozen=True, kw_only=True)
class ServingShape:
    """A whole model; counts of parameters are those of one layer.

    Parameters
    ----------
    layers, expert_layers, dense_layers
        All layers, and how many of either kind.
    spread
        Whether the two kinds alternate.
    full_layers, sliding_layers, window
        Layers that see everything, those with a window, and its length.
    heads, cache_parts
        Query heads, and into how many parts keys and values can be divided: the
        key-value heads, or one with latent attention.
    hidden, vocab, max_context
        As in `LanguageModel`.
    active_parameters
        Matrix elements that one token is multiplied with, in the whole model.
    query_parameters
        Attention matrices that tensor parallelism divides.
    cache_parameters
        Attention matrices that it divides into `cache_parts` at most.
    vector_parameters
        What every member of a tensor-parallel group holds whole.
    dense_width, expert_width
        Inner widths of a dense MLP and of an expert; 0 where there is none.
    dense_parameters
        Matrices of a dense MLP.
    expert_parameters, experts, experts_per_token, log_missed
        Matrices of one expert, routed experts, how many see a token, and the log of the chance
        that a token passes one of them by.
    shared_parameters, router_parameters
        Matrices that see every token in a layer with experts: shared experts, and the router.
    table_parameters
        Input embedding and whatever is no layer and no head.
    head_parameters, own_head_parameters
        The output head, and what of it is not the embedding's.
    cache_elements
        Numbers cached per token and layer.
    score_width, value_width
        Widths over which a prefill multiplies queries with keys and scores with values.
    latent_score_width, latent_value_width
        The same in decode, where latent attention works on the compressed cache.
    moved, moved_divided
        Numbers per token that element-wise kernels of a layer move, outside and inside
        tensor-parallel blocks; each is written and read.
    """

    layers: int
    expert_layers: int
    dense_layers: int
    spread: bool
    full_layers: int
    sliding_layers: int
    window: int
    heads: int
    cache_parts: int
    hidden: int
    vocab: int
    max_context: int
    active_parameters: int
    query_parameters: int
    cache_parameters: int
    vector_parameters: int
    dense_width: int
    expert_width: int
    dense_parameters: int
    expert_parameters: int
    experts: int
    experts_per_token: int
    log_missed: float
    shared_parameters: int
    router_parameters: int
    table_parameters: int
    head_parameters: int
    own_head_parameters: int
    cache_elements: int
    score_width: int
    value_width: int
    latent_score_width: int
    latent_value_width: int
    moved: int
    moved_divided: float


def serving_shape_of(model: LanguageModel) -> ServingShape:
    """Read a catalogue record."""
    latent = model.kv_rank > 0
    if latent:
        cache = model.hidden * (model.kv_rank + model.rope_dim + model.query_rank)
    else:
        cache = 2 * model.hidden * model.kv_width
    own_head = 0 if model.tied else model.embedding_parameters
    layer_total = model.layers * (model.attention_parameters + model.vector_parameters)
    mlp_total = model.dense_layers * model.dense_mlp_parameters
    mlp_total += model.moe_layers * (model.moe_mlp_parameters + model.router_parameters)
    compressed = model.heads * (model.kv_rank + model.rope_dim)
    return ServingShape(
        layers=model.layers,
        expert_layers=model.moe_layers,
        dense_layers=model.dense_layers,
        # Llama 4 Maverick has experts in every second layer; others have dense layers in front.
        spread=2 * model.dense_layers == model.layers,
        full_layers=model.full_attention_layers,
        sliding_layers=model.sliding_layers,
        window=model.sliding_window or model.max_context,
        heads=model.heads,
        cache_parts=1 if latent else model.kv_heads,
        hidden=model.hidden,
        vocab=model.vocab,
        max_context=model.max_context,
        active_parameters=model.matmul_parameters,
        query_parameters=model.attention_parameters - cache,
        cache_parameters=cache,
        vector_parameters=model.vector_parameters,
        dense_width=model.ffn if model.dense_layers else 0,
        expert_width=model.expert_ffn,
        dense_parameters=model.dense_mlp_parameters,
        expert_parameters=model.expert_parameters,
        experts=model.experts,
        experts_per_token=model.experts_per_token,
        log_missed=_log_missed(model.experts, model.experts_per_token),
        shared_parameters=model.shared_experts * model.expert_parameters,
        router_parameters=model.router_parameters,
        table_parameters=model.parameters - layer_total - mlp_total - own_head,
        head_parameters=model.embedding_parameters,
        own_head_parameters=own_head,
        cache_elements=model.kv_elements,
        score_width=model.score_width,
        value_width=model.value_width,
        latent_score_width=compressed if latent else model.score_width,
        latent_value_width=model.heads * model.kv_rank if latent else model.value_width,
        # the stream before and after either norm and residual addition
        moved=4 * model.hidden,
        moved_divided=_moved_divided(model),
    )


def _log_missed(experts: int, visited: int) -> float:
    if visited >= experts:
        return _NEVER_MISSED
    return math.log1p(-visited / experts)


def _moved_divided(model: LanguageModel) -> float:
    """Count queries, keys, values and what attention gives out; every inner layer of the MLP."""
    attention = model.score_width + model.kv_elements + model.value_width
    inner = model.dense_layers * model.ffn
    visited = model.experts_per_token + model.shared_experts
    inner += model.moe_layers * visited * model.expert_ffn
    return attention + model.mlp_matrices * inner / model.layers
