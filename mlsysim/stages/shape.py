"""A language model as the formulas of all stages see it: plain numbers, no catalogue."""

import math
from dataclasses import dataclass

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.stages.layer_shape import LayerShape, dense_layer_of, expert_layer_of, key_widths

_NEVER_MISSED = -50.0  # log of the chance to miss an expert that sees every token: e^-50 is none


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A whole model; parameters without a word about layers are those of one layer.

    Parameters
    ----------
    layers, heads, kv_heads, hidden, vocab, max_context
        As in `LanguageModel`.
    expert_layers, dense_layers
        Layers with routed experts, and the others.
    spread
        Whether the two kinds alternate; if not, those with experts follow the others.
    dense, expert
        The two kinds as training sees them (twice the same where there is one kind).
    full_layers, sliding_layers, window
        Layers that see everything, those with a window, and its length.
    latent
        Whether attention is latent, with up-projections.
    cache_parts
        Into how many parts keys and values can be divided: the key-value heads, or one with
        latent attention.
    cache_elements
        Numbers cached per token and layer.
    ring_width
        Keys and values of one token in one layer, as context parallelism passes them on.
    score_width, value_width
        Widths over which queries are multiplied with keys, and scores with values.
    latent_score_width, latent_value_width
        The same in decode, where latent attention works on the compressed cache.
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
    experts, experts_per_token
        Routed experts of a layer, and how many of them see a token; 1 and 0 without.
    expert_groups, groups_per_token
        Groups into which they fall, and those that one token's experts come from; 1 and 1 where
        routing is not limited.
    log_missed
        Log of the chance that a token passes an expert by.
    expert_parameters, shared_parameters, router_parameters
        Matrices of one expert, and of what sees every token beside experts: shared experts, and the
        router.
    tables
        Parameters of the embedding and of all that is not a layer or the head.
    head, own_head
        Matrix elements of the output head, and those that it does not share with the embedding.
    moved, moved_divided
        Numbers per token that element-wise kernels of a layer move in a forward pass, outside and
        inside tensor-parallel blocks; each is written and read.
    """

    layers: int
    heads: int
    kv_heads: int
    hidden: int
    vocab: int
    max_context: int
    expert_layers: int
    dense_layers: int
    spread: bool
    dense: LayerShape
    expert: LayerShape
    full_layers: int
    sliding_layers: int
    window: int
    latent: bool
    cache_parts: int
    cache_elements: int
    ring_width: int
    score_width: int
    value_width: int
    latent_score_width: int
    latent_value_width: int
    active_parameters: int
    query_parameters: int
    cache_parameters: int
    vector_parameters: int
    dense_width: int
    expert_width: int
    dense_parameters: int
    experts: int
    experts_per_token: int
    expert_groups: int
    groups_per_token: int
    log_missed: float
    expert_parameters: int
    shared_parameters: int
    router_parameters: int
    tables: int
    head: int
    own_head: int
    moved: int
    moved_divided: float


def shape_of(model: LanguageModel) -> ModelShape:
    """Read a catalogue record."""
    latent = model.kv_rank > 0
    dense = dense_layer_of(model)
    expert = expert_layer_of(model) if model.experts else dense
    own_head = 0 if model.tied else model.embedding_parameters
    in_layers = sum(
        count * (layer.parameters + layer.routed_parameters)
        for count, layer in ((model.dense_layers, dense), (model.moe_layers, expert))
    )
    if latent:
        cache = model.hidden * (model.kv_rank + model.rope_dim + model.query_rank)
    else:
        cache = 2 * model.hidden * model.kv_width
    compressed = model.heads * (model.kv_rank + model.rope_dim)
    return ModelShape(
        layers=model.layers,
        heads=model.heads,
        kv_heads=model.kv_heads,
        hidden=model.hidden,
        vocab=model.vocab,
        max_context=model.max_context,
        expert_layers=model.moe_layers,
        dense_layers=model.dense_layers,
        # Llama 4 Maverick has experts in every second layer; others have dense layers in front.
        spread=2 * model.dense_layers == model.layers,
        dense=dense,
        expert=expert,
        full_layers=model.full_attention_layers,
        sliding_layers=model.sliding_layers,
        window=model.sliding_window or model.max_context,
        latent=latent,
        cache_parts=1 if latent else model.kv_heads,
        cache_elements=model.kv_elements,
        ring_width=sum(key_widths(model)),
        score_width=model.score_width,
        value_width=model.value_width,
        latent_score_width=compressed if latent else model.score_width,
        latent_value_width=model.heads * model.kv_rank if latent else model.value_width,
        active_parameters=model.matmul_parameters,
        query_parameters=model.attention_parameters - cache,
        cache_parameters=cache,
        vector_parameters=model.vector_parameters,
        dense_width=model.ffn if model.dense_layers else 0,
        expert_width=model.expert_ffn,
        dense_parameters=model.dense_mlp_parameters,
        experts=model.experts or 1,
        experts_per_token=model.experts_per_token,
        expert_groups=model.expert_groups or 1,
        groups_per_token=model.groups_per_token or 1,
        log_missed=_log_missed(model.experts, model.experts_per_token),
        expert_parameters=model.expert_parameters,
        shared_parameters=model.shared_experts * model.expert_parameters,
        router_parameters=model.router_parameters,
        tables=model.parameters - in_layers - own_head,
        head=model.embedding_parameters,
        own_head=own_head,
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
