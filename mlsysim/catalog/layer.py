"""One layer of a transformer: what mixes tokens, what feeds forward, and what both hold.

With h the hidden width, a query heads of width d, g key-value heads, q = a d
and k = g d, attention has h q + 2 h k + q h matrix elements; an MLP of width f
has n h f, n being 3 with a gate and 2 without.  Latent attention (DeepSeek-V2,
arXiv 2405.04434, section 2.1) compresses queries to rank r and keys and values
to rank c, with a rotary part of width p and values of width v:
h r + r a (d + p) + h (c + p) + c a (d + v) + a v h.

A linear mixer reads queries and keys of widths k each, values and gates of
widths v, and s numbers per head from the stream, and keeps a state of d_k d_v
numbers per head, whatever the sequence is long: h (2 k + 2 v + s a) + v h
(Mamba 2, arXiv 2405.21060; gated delta networks, arXiv 2412.06464).
"""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

import enum
from dataclasses import dataclass
from functools import cached_property

from mlsysim.catalog.fields import choice, count, flag
from mlsysim.catalog.record import Record

_CONVOLVED_BYTES = 2


class Normalization(enum.StrEnum):
    """What a normalization learns."""

    RMS = "rms"
    """A scale per channel."""

    LAYER = "layer"
    """A scale and a shift per channel."""


class Mixer(enum.StrEnum):
    """How tokens of a layer see one another."""

    ATTENTION = "attention"
    """Keys and values of the tokens before are kept: all, those of a window, or compressed."""

    LINEAR = "linear"
    """A state of constant size takes them up: state spaces, linear attention, delta rules."""

    NONE = "none"
    """They do not."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Layer(Record):
    """The widths of a layer: any usual mixer, dense or with experts.

    Parameters
    ----------
    hidden
        Width of the stream between layers.
    mixer
        How tokens see one another; the fields of the others are left unread.
    heads, kv_heads, head_dim
        Query heads, key and value heads (as many unless given), and the width of each
        (``hidden / heads`` unless given).
    query_rank, kv_rank, rope_dim, value_dim
        Of multi-head latent attention: the ranks of the compressed queries (0: not compressed) and
        of keys and values, the width of the rotary part of a head, and that of its values. Then
        `head_dim` is the width of the part that is not rotary. Zero for other attention.
    sliding_window
        How many tokens before it a token sees; 0 for all.
    block_tokens
        Of compressed attention (DeepSeek-V4): tokens whose keys and values become one entry of the
        cache.  A token attends to entries, and besides to the tokens of its `sliding_window` as
        they are.  0 where nothing is compressed; what compresses is among `other_matrices`.
    index_heads, index_dim, top_tokens
        Of sparse attention: heads and width of the indexer that scores all tokens, and how many of
        the best a token attends to. The index of a token is kept beside its keys and values; where
        tokens are compressed, all of this is about entries.
    output_gate
        Whether what the mixer gives out is multiplied with a gate as wide.
    shared_keys
        Whether values are the keys before their normalization, without a matrix of their own.
    one_cache
        Whether the same numbers are keys and values.
    output_rank, output_groups
        The rank to which each group of heads is compressed on its way out, and such groups; 0 where
        one matrix takes all heads.
    linear_heads, linear_key_heads, linear_key_dim, linear_value_dim, linear_scalars
        Of a linear mixer: heads of values, heads that queries and keys have, the widths of a key
        and of a value, and the numbers that each head reads from the stream besides.
    convolution
        Tokens over which queries, keys and values of a linear mixer are convolved; 0 for none.
    state_bytes
        Bytes of a number of its state.
    ffn, gated
        Inner width of a dense MLP (0: there is none), and whether it has a gate, that is three
        matrices and not two.
    experts, experts_per_token, shared_experts, expert_ffn
        Of a mixture of experts, which takes the place of the dense MLP: routed experts, how many
        of them see a token, experts that see every token, and the inner width of one.
    shared_ffn, expert_hidden
        Inner width of all shared experts together where they are not as wide as the others, and
        the width to which tokens are compressed for the routed ones; 0 for `hidden`.
    expert_groups, groups_per_token
        Groups into which the routed experts fall, and how many of them one token's experts may
        come from (node-limited routing); 0 where the router chooses among all.
    normalization, norms_per_layer, head_norms
        What a normalization learns, how many stand in a layer, and whether queries and keys are
        normalized within each head.
    qkv_bias, output_bias, mlp_bias, router_bias
        Which of the matrices have a bias.
    attention_sinks
        Whether each head learns a logit that takes up attention.
    other_matrices, other_vectors
        Elements of a layer that the fields above do not describe, of what multiplies every token
        and of what does not.
    """

    hidden: int = count()
    mixer: Mixer = choice(Mixer.ATTENTION)
    ffn: int = count(least=0)
    heads: int = count()
    kv_heads: int = count(0, least=0)
    head_dim: int = count(0, least=0)
    gated: bool = flag(default=True)
    experts: int = count(0, least=0)
    experts_per_token: int = count(0, least=0)
    shared_experts: int = count(0, least=0)
    shared_ffn: int = count(0, least=0)
    expert_ffn: int = count(0, least=0)
    expert_hidden: int = count(0, least=0)
    expert_groups: int = count(0, least=0)
    groups_per_token: int = count(0, least=0)
    query_rank: int = count(0, least=0)
    kv_rank: int = count(0, least=0)
    rope_dim: int = count(0, least=0)
    value_dim: int = count(0, least=0)
    sliding_window: int = count(0, least=0)
    block_tokens: int = count(0, least=0)
    index_heads: int = count(0, least=0)
    index_dim: int = count(0, least=0)
    top_tokens: int = count(0, least=0)
    output_gate: bool = flag()
    shared_keys: bool = flag()
    one_cache: bool = flag()
    output_rank: int = count(0, least=0)
    output_groups: int = count(0, least=0)
    linear_heads: int = count(0, least=0)
    linear_key_heads: int = count(0, least=0)
    linear_key_dim: int = count(0, least=0)
    linear_value_dim: int = count(0, least=0)
    linear_scalars: int = count(0, least=0)
    convolution: int = count(0, least=0)
    state_bytes: int = count(4)
    normalization: Normalization = choice(Normalization.RMS)
    norms_per_layer: int = count(2, least=0)
    head_norms: bool = flag()
    qkv_bias: bool = flag()
    output_bias: bool = flag()
    mlp_bias: bool = flag()
    router_bias: bool = flag()
    attention_sinks: bool = flag()
    other_matrices: int = count(0, least=0)
    other_vectors: int = count(0, least=0)

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

    def _check_shape(self) -> None:
        for reason, holds in self._rules().items():
            if not holds:
                raise self._refuse(reason)

    def _rules(self) -> dict[str, bool]:
        mixture = (self.experts_per_token, self.expert_ffn)
        linear = (
            self.linear_heads,
            self.linear_key_heads,
            self.linear_key_dim,
            self.linear_value_dim,
        )
        return {
            f"{self.heads} heads cannot share {self.kv_heads} kv_heads; it must divide them": (
                self.heads % self.kv_heads == 0
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
            "sparse attention needs index_heads, index_dim and top_tokens": (
                bool(self.index_heads) == bool(self.index_dim) == bool(self.top_tokens)
            ),
            "an output_rank needs output_groups that divide the heads": (
                bool(self.output_rank) == bool(self.output_groups)
                and (not self.output_groups or self.heads % self.output_groups == 0)
            ),
            "compressed attention needs a sliding_window, no kv_rank, and block_tokens that divide "
            "the widths of keys and index": not self.block_tokens
            or (
                self.sliding_window > 0
                and not self.kv_rank
                and self.head_dim % self.block_tokens == 0
                and (self.index_heads * self.index_dim) % self.block_tokens == 0
                and (not self.index_dim or self.index_dim % self.block_tokens == 0)
            ),
            "a linear mixer needs linear_heads, linear_key_heads, linear_key_dim and "
            "linear_value_dim": self.mixer is not Mixer.LINEAR or all(linear),
        }

    @property
    def attends(self) -> bool:
        """Whether tokens see the keys and values of others."""
        return self.mixer is Mixer.ATTENTION

    @cached_property
    def query_width(self) -> int:
        """The query heads side by side, the rotary part of latent attention left out."""
        return self.heads * self.head_dim

    @cached_property
    def kv_width(self) -> int:
        """The key heads, or the value heads, side by side."""
        return self.kv_heads * self.head_dim

    @cached_property
    def score_width(self) -> int:
        """What queries and keys are multiplied over, all heads together."""
        return self.heads * (self.head_dim + self.rope_dim)

    @cached_property
    def value_width(self) -> int:
        """What attention gives out, all heads together."""
        return self.heads * (self.value_dim or self.head_dim)

    @cached_property
    def linear_key_width(self) -> int:
        """Keys, or queries, of a linear mixer, all heads together."""
        return self.linear_key_heads * self.linear_key_dim

    @cached_property
    def linear_value_width(self) -> int:
        """Values of a linear mixer, and what it gives out, all heads together."""
        return self.linear_heads * self.linear_value_dim

    @cached_property
    def entry_tokens(self) -> int:
        """Tokens of an entry of the cache."""
        return self.block_tokens or 1

    @cached_property
    def kept_tokens(self) -> int:
        """How many tokens stay in the cache; 0 for all, compressed or not."""
        return 0 if self.block_tokens else self.sliding_window

    @cached_property
    def seen_tokens(self) -> int:
        """Over how many tokens a token attends, compressed or not; 0 for all."""
        chosen = self.top_tokens * self.entry_tokens
        return min((near for near in (self.kept_tokens, chosen) if near), default=0)

    @cached_property
    def token_elements(self) -> int:
        """Numbers that are the keys and values of one token in one layer."""
        if not self.attends:
            return 0
        if self.kv_rank:
            return self.kv_rank + self.rope_dim
        return (1 if self.one_cache else 2) * self.kv_width

    @cached_property
    def kv_elements(self) -> int:
        """Numbers cached for one token in one layer, those of its window left out if compressed."""
        if not self.attends:
            return 0
        return (self.token_elements + self.index_dim) // self.entry_tokens

    @cached_property
    def state_elements(self) -> int:
        """Numbers of the state that a linear mixer keeps of a sequence in one layer."""
        if self.mixer is not Mixer.LINEAR:
            return 0
        return self.linear_heads * self.linear_key_dim * self.linear_value_dim

    @cached_property
    def sequence_bytes(self) -> int:
        """Bytes that one layer keeps of a sequence however long: its state, and convolved tokens.

        ``b a d_k d_v + 2 (n - 1) (2 k + v)``.
        """
        if self.mixer is not Mixer.LINEAR:
            return 0
        convolved = max(self.convolution - 1, 0) * self._convolved_width
        return self.state_elements * self.state_bytes + _CONVOLVED_BYTES * convolved

    @cached_property
    def _convolved_width(self) -> int:
        return 2 * self.linear_key_width + self.linear_value_width

    @cached_property
    def mlp_matrices(self) -> int:
        """Matrices of one MLP: up and down, and the gate if there is one."""
        return 3 if self.gated else 2

    @cached_property
    def cache_matrices(self) -> int:
        """Elements of the matrices that make what is cached, and of the indexer."""
        if not self.attends:
            return 0
        if self.kv_rank:
            made = self.hidden * (self.kv_rank + self.rope_dim + self.query_rank)
        else:
            made = (1 if self.shared_keys or self.one_cache else 2) * self.hidden * self.kv_width
            made += self.hidden * self.query_rank
        return made + self._index_matrices

    @cached_property
    def _index_matrices(self) -> int:
        queries = (self.query_rank or self.hidden) * self.index_heads * self.index_dim
        return queries + self.hidden * (self.index_dim + self.index_heads)

    @cached_property
    def attention_parameters(self) -> int:
        """Elements of the matrices of the mixer of one layer."""
        if self.mixer is Mixer.NONE:
            return 0
        if self.mixer is Mixer.LINEAR:
            read = 2 * self.linear_key_width + self.linear_value_width
            read += self.linear_scalars * self.linear_heads
            gate = self.linear_value_width * self.output_gate
            return self.hidden * (read + gate + self.linear_value_width) + self.other_matrices
        gate = self.hidden * self.value_width * self.output_gate
        queries = (self.query_rank or self.hidden) * self.score_width
        up = self.kv_rank * (self.query_width + self.value_width)
        own = queries + up + self.output_parameters
        return own + self.cache_matrices + gate + self.other_matrices

    @cached_property
    def output_parameters(self) -> int:
        """Elements of the matrices that take what all heads give out to the stream."""
        if not self.output_rank:
            return self.value_width * self.hidden
        return self.output_rank * (self.value_width + self.output_groups * self.hidden)

    @cached_property
    def dense_mlp_parameters(self) -> int:
        """Elements of the matrices of one dense MLP."""
        return self.mlp_matrices * self.hidden * self.ffn

    @cached_property
    def expert_parameters(self) -> int:
        """Elements of the matrices of one expert."""
        return self.mlp_matrices * (self.expert_hidden or self.hidden) * self.expert_ffn

    @cached_property
    def shared_width(self) -> int:
        """Inner width of all experts that see every token."""
        return self.shared_ffn or self.shared_experts * self.expert_ffn

    @cached_property
    def shared_parameters(self) -> int:
        """Elements of the matrices of a layer's shared experts, and of those that compress."""
        shared = self.mlp_matrices * self.hidden * self.shared_width
        return shared + 2 * self.hidden * self.expert_hidden

    @cached_property
    def moe_mlp_parameters(self) -> int:
        """Elements of the matrices of all experts of one layer, the router left out."""
        return self.experts * self.expert_parameters + self.shared_parameters

    @cached_property
    def active_moe_mlp_parameters(self) -> int:
        """Elements of the matrices of the experts that see one token, in one layer."""
        return self.experts_per_token * self.expert_parameters + self.shared_parameters

    @cached_property
    def router_parameters(self) -> int:
        """Elements of the matrix of one router; zero without experts."""
        return self.hidden * self.experts

    @cached_property
    def vector_parameters(self) -> int:
        """Normalizations, biases, convolutions and sinks of the mixer: what is added or scaled."""
        vectors = self.norms_per_layer * self.norm_parameters + self.other_vectors
        if self.mixer is Mixer.LINEAR:
            return vectors + self._convolved_width * self.convolution
        if self.mixer is Mixer.NONE:
            return vectors
        vectors += (self.query_width + 2 * self.kv_width) * self.qkv_bias
        vectors += self.hidden * self.output_bias
        vectors += 2 * self.head_dim * self.head_norms
        latent_norms = self.query_rank + self.kv_rank
        index_norms = (1 if self.block_tokens else 2) * self.index_dim
        return vectors + latent_norms + self.heads * self.attention_sinks + index_norms

    @cached_property
    def norm_parameters(self) -> int:
        """What one normalization of the stream learns."""
        return self.hidden * (2 if self.normalization is Normalization.LAYER else 1)

    def mlp_biases(self, width: int) -> int:
        """Count the biases of one MLP of so many inner numbers."""
        return ((self.mlp_matrices - 1) * width + self.hidden) * self.mlp_bias

    def count_dense(self) -> int:
        """Count the parameters of a layer with a dense MLP."""
        biases = self.mlp_biases(self.ffn) if self.ffn else 0
        mixed = self.attention_parameters + self.vector_parameters
        return mixed + self.dense_mlp_parameters + biases

    def count_routed(self, experts: int) -> int:
        """Count those of a layer with experts, so many of the routed ones counted."""
        each = self.expert_parameters + self.mlp_biases(self.expert_ffn)
        shared = self.shared_parameters + self.shared_experts * self.mlp_biases(self.expert_ffn)
        router = self.router_parameters + self.experts * self.router_bias
        mixed = self.attention_parameters + self.vector_parameters
        return mixed + router + shared + experts * each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerGroup(Layer):
    """Layers of a model that are alike.

    Parameters
    ----------
    layers
        How many there are.
    in_front
        Whether they stand before all others; if not, they lie evenly among those that do not.
    """

    layers: int = count()
    in_front: bool = flag()

    @property
    def routed(self) -> bool:
        """Whether they have experts."""
        return self.experts > 0

    def count(self, experts: int | None = None) -> int:
        """Count the parameters of one, all routed experts or so many of them counted."""
        if not self.routed:
            return self.count_dense()
        return self.count_routed(self.experts if experts is None else experts)

    @cached_property
    def active_matrices(self) -> int:
        """Matrix elements of one that a token is multiplied with."""
        if not self.routed:
            return self.attention_parameters + self.dense_mlp_parameters
        experts = self.router_parameters + self.active_moe_mlp_parameters
        return self.attention_parameters + experts
