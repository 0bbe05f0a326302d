"""A language model as the training formulas see it: plain numbers, no catalogue."""

from dataclasses import dataclass

from mlsysim.catalog.language_model import LanguageModel


@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """One kind of layer.

    Parameters
    ----------
    parameters
        All its parameters.
    matmul_parameters
        Those that one token is multiplied with.
    replicated, divided, routed
        Numbers kept per token for the backward pass: outside the tensor-parallel
        blocks, inside them, and copies of the token on its way to experts and back.
    products
        Matrix products in a forward pass.
    """

    parameters: int
    matmul_parameters: int
    replicated: int
    divided: int
    routed: int
    products: int


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A whole model.

    Parameters
    ----------
    layers, heads, kv_heads, hidden, vocab, max_context, score_width, value_width
        As in `LanguageModel`.
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
    dense = _layer(model, model.dense_mlp_parameters, model.dense_mlp_parameters, model.ffn)
    expert = dense
    expert_width = model.ffn
    if model.experts:
        expert_width = model.expert_ffn
        visited = model.experts_per_token + model.shared_experts
        expert = _layer(
            model,
            model.moe_mlp_parameters + model.router_parameters,
            model.active_moe_mlp_parameters + model.router_parameters,
            visited * model.expert_ffn,
            routed=2 * model.experts_per_token * model.hidden,
        )
    own_head = 0 if model.tied else model.embedding_parameters
    in_layers = model.dense_layers * dense.parameters + model.moe_layers * expert.parameters
    return ModelShape(
        layers=model.layers,
        heads=model.heads,
        kv_heads=model.kv_heads,
        hidden=model.hidden,
        vocab=model.vocab,
        max_context=model.max_context,
        score_width=model.score_width,
        value_width=model.value_width,
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


def _layer(
    model: LanguageModel, stored: int, active: int, inner_width: int, *, routed: int = 0
) -> LayerShape:
    attention = model.attention_parameters
    keys = model.score_width if model.kv_rank else model.kv_width
    values = model.value_width if model.kv_rank else model.kv_width
    latents = model.query_rank + model.kv_rank + model.rope_dim
    return LayerShape(
        parameters=attention + model.vector_parameters + stored,
        matmul_parameters=attention + active,
        # inputs of the norms, of attention and of the MLP
        replicated=(model.norms_per_layer + 2) * model.hidden + latents,
        # queries, keys, values and the output of attention; every inner layer of the MLP
        divided=model.score_width
        + keys
        + values
        + model.value_width
        + model.mlp_matrices * inner_width,
        routed=routed,
        # queries with keys and values, scores, weighted values, output; both halves of the MLP
        products=6,
    )
