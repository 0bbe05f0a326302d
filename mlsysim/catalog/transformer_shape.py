"""The shape of a transformer over tokens: what a planner must know of a language model."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

import enum
from dataclasses import dataclass

from mlsysim.catalog.fields import choice, count, flag
from mlsysim.catalog.record import Record


class Normalization(enum.StrEnum):
    """What a normalization learns."""

    RMS = "rms"
    """A scale per channel."""

    LAYER = "layer"
    """A scale and a shift per channel."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TransformerShape(Record):
    """The widths and depths of a transformer: dense or a mixture of experts, any usual attention.

    Parameters
    ----------
    layers, hidden
        Transformer blocks, and the width of the stream between them.
    ffn
        Inner width of a dense MLP.
    heads, kv_heads, head_dim
        Query heads, key and value heads (as many unless given), and the width of each
        (``hidden / heads`` unless given).
    vocab
        Rows of the embedding table.
    max_context
        The longest sequence, in tokens, that the model was made for.
    tied
        Whether the output head is the embedding table.
    gated
        Whether an MLP has a gate, that is three matrices and not two.
    experts, experts_per_token, shared_experts, expert_ffn
        Of a mixture of experts: routed experts, how many of them see a token, experts that see
        every token, and the inner width of one. All zero in a dense model.
    expert_groups, groups_per_token
        Groups into which the routed experts fall, and how many of them one token's experts may
        come from (node-limited routing); 0 where the router chooses among all.
    dense_layers
        Layers with a dense MLP; all layers of a model without experts.
    query_rank, kv_rank, rope_dim, value_dim
        Of multi-head latent attention: the ranks of the compressed queries (0: not compressed) and
        of keys and values, the width of the rotary part of a head, and that of its values. Then
        `head_dim` is the width of the part that is not rotary. Zero for other attention.
    sliding_window, sliding_layers
        In how many layers a token sees only that many tokens before it.
    normalization, norms_per_layer, final_norm, head_norms
        What a normalization learns, how many stand in a layer, whether one stands before the head,
        and whether queries and keys are normalized within each head.
    qkv_bias, output_bias, mlp_bias, router_bias
        Which of the matrices have a bias.
    attention_sinks
        Whether each head learns a logit that takes up attention.
    positions
        Rows of a learnt table of positions.
    other_parameters
        What the fields above do not describe, e.g. the pooler of BERT.
    """

    layers: int = count()
    hidden: int = count()
    ffn: int = count()
    heads: int = count()
    kv_heads: int = count(0, least=0)
    head_dim: int = count(0, least=0)
    vocab: int = count()
    max_context: int = count()
    tied: bool = flag()
    gated: bool = flag(default=True)
    experts: int = count(0, least=0)
    experts_per_token: int = count(0, least=0)
    shared_experts: int = count(0, least=0)
    expert_ffn: int = count(0, least=0)
    expert_groups: int = count(0, least=0)
    groups_per_token: int = count(0, least=0)
    dense_layers: int = count(0, least=0)
    query_rank: int = count(0, least=0)
    kv_rank: int = count(0, least=0)
    rope_dim: int = count(0, least=0)
    value_dim: int = count(0, least=0)
    sliding_window: int = count(0, least=0)
    sliding_layers: int = count(0, least=0)
    normalization: Normalization = choice(Normalization.RMS)
    norms_per_layer: int = count(2, least=0)
    final_norm: bool = flag(default=True)
    head_norms: bool = flag()
    qkv_bias: bool = flag()
    output_bias: bool = flag()
    mlp_bias: bool = flag()
    router_bias: bool = flag()
    attention_sinks: bool = flag()
    positions: int = count(0, least=0)
    other_parameters: int = count(0, least=0)

    def __post_init__(self) -> None:
        self._complete()
        self._check_shape()

    def _complete(self) -> None:
        if not self.kv_heads:
            self._derive("kv_heads", self.heads)
        if not self.head_dim:
            if self.hidden % self.heads:
                raise self._refuse(
                    f"{self.heads} heads do not divide a hidden width of {self.hidden}; "
                    "state head_dim"
                )
            self._derive("head_dim", self.hidden // self.heads)
        if not self.experts:
            self._derive("dense_layers", self.layers)

    def _check_shape(self) -> None:
        mixture = (self.experts_per_token, self.expert_ffn)
        rules = {
            f"{self.heads} heads cannot share {self.kv_heads} kv_heads; it must divide them": (
                self.heads % self.kv_heads == 0
            ),
            f"{self.dense_layers} dense_layers of {self.layers} layers": (
                self.dense_layers <= self.layers
            ),
            f"{self.sliding_layers} sliding_layers of {self.layers} layers": (
                self.sliding_layers <= self.layers
            ),
            "sliding_window and sliding_layers go together; state both": (
                bool(self.sliding_window) == bool(self.sliding_layers)
            ),
            "a mixture of experts needs experts, experts_per_token and expert_ffn": (
                all(mixture) if self.experts else not (any(mixture) or self.shared_experts)
            ),
            f"{self.experts_per_token} experts_per_token of {self.experts} experts": (
                self.experts_per_token <= self.experts
            ),
            f"{self.groups_per_token} groups_per_token of {self.expert_groups} expert_groups of "
            f"{self.experts} experts": (
                bool(self.expert_groups) == bool(self.groups_per_token)
                and self.groups_per_token <= self.expert_groups <= self.experts
            ),
            "latent attention needs kv_rank, rope_dim and value_dim": (
                bool(self.kv_rank) == bool(self.rope_dim) == bool(self.value_dim)
            ),
        }
        for reason, holds in rules.items():
            if not holds:
                raise self._refuse(reason)
