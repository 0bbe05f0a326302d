"""Language models: a shape, and how many parameters it has and multiplies per token.

The counts are computed from the shape; where a count has been published, or
was made independently, the record states it and refuses a shape that does not
give it, to the last digit.
What one layer has is in `mlsysim.catalog.layer`.
"""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.fields import count
from mlsysim.catalog.number_format import NumberFormat
from mlsysim.catalog.reference import reference
from mlsysim.catalog.transformer_shape import TransformerShape


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
        """Layers in which a token attends to tokens without a window before it."""
        if self.groups:
            full = (g.layers for g in self.layer_groups if g.attends and not g.kept_tokens)
            return sum(full)
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
        return self._over_layers("kv_elements") * bytes_per_element

    @cached_property
    def bytes_per_sequence(self) -> int:
        """What linear mixers keep of one sequence over all layers, however long it is (byte)."""
        return self._over_layers("sequence_bytes")

    def _over_layers(self, figure: str) -> int:
        if self.groups:
            return sum(group.layers * getattr(group, figure) for group in self.layer_groups)
        return int(self.layers * getattr(self, figure))

    @cached_property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers

    @cached_property
    def embedding_parameters(self) -> int:
        """Elements of the embedding table."""
        return self.vocab * self.hidden

    @cached_property
    def outputs(self) -> int:
        """Numbers that the head gives out for a token."""
        return 0 if self.headless else self.head_outputs or self.vocab

    @cached_property
    def head_parameters(self) -> int:
        """Matrix elements of the output head, its own or those of the embedding."""
        return self.outputs * self.hidden

    @cached_property
    def own_head_parameters(self) -> int:
        """Those that are not the embedding's."""
        return 0 if self.tied else self.head_parameters

    def _count(self, experts: int) -> int:
        """Count everything, with that many of the routed experts in each layer that has any."""
        if self.groups:
            layers = sum(group.layers * group.count(experts) for group in self.layer_groups)
        else:
            layers = self.dense_layers * self.count_dense()
            layers += self.moe_layers * self.count_routed(experts)
        tables = self.embedding_parameters + self.own_head_parameters + self.positions * self.hidden
        return layers + tables + self.norm_parameters * self.final_norm + self.other_parameters

    @cached_property
    def parameters(self) -> int:
        """All parameters."""
        return self._count(self.routed_experts[0])

    @cached_property
    def active_parameters(self) -> int:
        """The parameters without the experts that do not see a token; both tables counted."""
        return self._count(self.routed_experts[1])

    @cached_property
    def routed_experts(self) -> tuple[int, int]:
        """Experts that a router chooses from in one layer, and how many it chooses."""
        found = next((group for group in self.layer_groups if group.routed), self)
        return found.experts, found.experts_per_token

    @cached_property
    def matmul_parameters(self) -> int:
        """Matrix elements that one token is multiplied with: two flops each, forward.

        The output head counts once, looking up the embedding does not multiply;
        scales and biases are left out (Megatron-LM counts likewise).
        """
        if self.groups:
            active = (group.layers * group.active_matrices for group in self.layer_groups)
            return sum(active) + self.head_parameters
        return (
            self.layers * self.attention_parameters
            + self.dense_layers * self.dense_mlp_parameters
            + self.moe_layers * (self.router_parameters + self.active_moe_mlp_parameters)
            + self.head_parameters
        )
