"""Language models: a shape, and how many parameters it has and multiplies per token.

The counts are computed from the shape; where a count has been published, or
was made independently, the record states it and refuses a shape that does not
give it, to the last digit.

With h the hidden width, a query heads of width d, g key-value heads, q = a d
and k = g d, attention has h q + 2 h k + q h matrix elements; an MLP of width f
has n h f, n being 3 with a gate and 2 without.  Latent attention (DeepSeek-V2,
arXiv 2405.04434, section 2.1) compresses queries to rank r and keys and values
to rank c, with a rotary part of width p and values of width v:
h r + r a (d + p) + h (c + p) + c a (d + v) + a v h.
"""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.fields import count
from mlsysim.catalog.number_format import NumberFormat
from mlsysim.catalog.reference import reference
from mlsysim.catalog.transformer_shape import Normalization, TransformerShape


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LanguageModel(TransformerShape):
    """A transformer over tokens, with its parameter counts.

    It takes the fields of `TransformerShape`, and three more.

    Parameters
    ----------
    native_format
        In which the weights are published, where it is not 16 bits.
    stated_parameters, stated_active_parameters
        Counts to hold the shape against; 0 for none.

    Examples
    --------
    >>> from mlsysim.catalog import Models
    >>> Models.Language.Llama3_70B.parameters
    70553706496
    """

    native_format: NumberFormat = reference(NumberFormat, optional=True)
    stated_parameters: int = count(0, least=0)
    stated_active_parameters: int = count(0, least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, computed in (
            ("stated_parameters", self.parameters),
            ("stated_active_parameters", self.active_parameters),
        ):
            stated = getattr(self, name)
            if stated and stated != computed:
                raise self._refuse(
                    f"{name} is {stated:,}, but the shape has {computed:,}; correct the shape, or "
                    "state what it leaves out as other_parameters; a shape of your own has "
                    "stated_parameters = 0"
                )

    @cached_property
    def full_attention_layers(self) -> int:
        """Layers in which a token sees all tokens before it."""
        return self.layers - self.sliding_layers

    def kv_bytes_per_token(self, bytes_per_element: Any) -> Any:
        """Give the key-value cache of one token over all layers, in bytes as a plain number.

        ``layers * kv_elements * bytes_per_element``; sliding layers hold no more tokens than
        their window, which the caller knows.

        Parameters
        ----------
        bytes_per_element
            How many bytes each cached number takes.

        Examples
        --------
        >>> from mlsysim.catalog import Models
        >>> Models.Language.Llama3_70B.kv_bytes_per_token(2)
        327680
        """
        return self.layers * self.kv_elements * bytes_per_element

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
    def kv_elements(self) -> int:
        """Numbers cached for one token in one layer."""
        return self.kv_rank + self.rope_dim if self.kv_rank else 2 * self.kv_width

    @cached_property
    def mlp_matrices(self) -> int:
        """Matrices of one MLP: up and down, and the gate if there is one."""
        return 3 if self.gated else 2

    @cached_property
    def attention_parameters(self) -> int:
        """Elements of the attention matrices of one layer."""
        if not self.kv_rank:
            return 2 * self.hidden * (self.query_width + self.kv_width)
        if self.query_rank:
            queries = self.query_rank * (self.hidden + self.score_width)
        else:
            queries = self.hidden * self.score_width
        keys_and_values = self.hidden * (self.kv_rank + self.rope_dim) + self.kv_rank * (
            self.query_width + self.value_width
        )
        return queries + keys_and_values + self.value_width * self.hidden

    @cached_property
    def dense_mlp_parameters(self) -> int:
        """Elements of the matrices of one dense MLP."""
        return self.mlp_matrices * self.hidden * self.ffn

    @cached_property
    def expert_parameters(self) -> int:
        """Elements of the matrices of one expert."""
        return self.mlp_matrices * self.hidden * self.expert_ffn

    @cached_property
    def moe_mlp_parameters(self) -> int:
        """Elements of the matrices of all experts of one layer, the router left out."""
        return (self.experts + self.shared_experts) * self.expert_parameters

    @cached_property
    def active_moe_mlp_parameters(self) -> int:
        """Elements of the matrices of the experts that see one token, in one layer."""
        return (self.experts_per_token + self.shared_experts) * self.expert_parameters

    @cached_property
    def router_parameters(self) -> int:
        """Elements of the matrix of one router; zero without experts."""
        return self.hidden * self.experts

    @cached_property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers

    @cached_property
    def embedding_parameters(self) -> int:
        """Elements of the embedding table; the output head has as many."""
        return self.vocab * self.hidden

    @cached_property
    def vector_parameters(self) -> int:
        """Normalizations, attention biases and sinks of one layer: what is added or scaled."""
        biases = (self.query_width + 2 * self.kv_width) * self.qkv_bias
        biases += self.hidden * self.output_bias
        norms = self.norms_per_layer * self._norm_parameters
        norms += 2 * self.head_dim * self.head_norms
        latent_norms = self.query_rank + self.kv_rank
        return biases + norms + latent_norms + self.heads * self.attention_sinks

    @cached_property
    def _norm_parameters(self) -> int:
        return self.hidden * (2 if self.normalization is Normalization.LAYER else 1)

    def _mlp_bias(self, width: int) -> int:
        return ((self.mlp_matrices - 1) * width + self.hidden) * self.mlp_bias

    def _count(self, experts: int) -> int:
        """Count everything, with that many experts in each layer that has any."""
        expert = self.expert_parameters + self._mlp_bias(self.expert_ffn)
        router = self.router_parameters + self.experts * self.router_bias
        dense = self.dense_mlp_parameters + self._mlp_bias(self.ffn)
        tables = self.embedding_parameters * (1 if self.tied else 2) + self.positions * self.hidden
        return (
            self.layers * (self.attention_parameters + self.vector_parameters)
            + self.dense_layers * dense
            + self.moe_layers * (router + experts * expert)
            + tables
            + self._norm_parameters * self.final_norm
            + self.other_parameters
        )

    @cached_property
    def parameters(self) -> int:
        """All parameters."""
        return self._count(self.experts + self.shared_experts)

    @cached_property
    def active_parameters(self) -> int:
        """The parameters without the experts that do not see a token; both tables counted."""
        return self._count(self.experts_per_token + self.shared_experts)

    @cached_property
    def matmul_parameters(self) -> int:
        """Matrix elements that one token is multiplied with: two flops each, forward.

        The output head counts once, looking up the embedding does not multiply;
        scales and biases are left out (Megatron-LM counts likewise).
        """
        return (
            self.layers * self.attention_parameters
            + self.dense_layers * self.dense_mlp_parameters
            + self.moe_layers * (self.router_parameters + self.active_moe_mlp_parameters)
            + self.embedding_parameters
        )
