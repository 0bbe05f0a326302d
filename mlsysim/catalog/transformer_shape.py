"""The shape of a transformer over tokens: what a planner must know of a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.fields import Field, Presence, count, flag
from mlsysim.catalog.layer import Layer, LayerGroup
from mlsysim.errors import CatalogError, suggest


class Groups(Field):
    """Groups of layers: tables of the fields of a `LayerGroup`, those of the model left out."""

    def __init__(self) -> None:
        super().__init__(Presence.DEFAULT, ())

    def parse(self, value: Any) -> tuple[Mapping[str, Any], ...]:
        """Accept tables."""
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, Mapping) for v in value):
            raise CatalogError(f"{value!r} is not a list of tables; write e.g. {self.example()!r}")
        known = [name for name in LayerGroup.described_fields() if name != "hidden"]
        for number, group in enumerate(value, 1):
            for name in group:
                if name not in known:
                    raise CatalogError(
                        f"group {number}: unknown key {name!r}{suggest(name, known)}"
                    )
        return tuple(dict(group) for group in value)

    def example(self) -> list[dict[str, object]]:
        """Show a group."""
        return [
            {"name": "full", "layers": 8},
            {"name": "near", "layers": 24, "sliding_window": 512},
        ]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TransformerShape(Layer):
    """The widths and depths of a transformer: layers that are alike, or groups of such layers.

    It takes the fields of `Layer`, which describe every layer, and those below.

    Parameters
    ----------
    layers
        Transformer blocks.
    groups
        Groups of layers that are alike inside, as tables of the fields of `LayerGroup`; each has
        the fields of the model where it does not state its own.  None: the fields of the model
        describe all layers, but for the two that follow.
    dense_layers
        Layers with a dense MLP; all layers of a model without experts.
    sliding_layers
        In how many layers the window holds.
    vocab
        Rows of the embedding table.
    max_context
        The longest sequence, in tokens, that the model was made for.
    tied
        Whether the output head is the embedding table.
    head_outputs, headless
        How many numbers the head gives out for a token where it is not one for each of `vocab`
        (classes, a reward), and whether there is no head (embeddings).
    final_norm
        Whether a normalization stands before the head.
    positions
        Rows of a learnt table of positions.
    other_parameters
        What the fields above do not describe, e.g. the pooler of BERT.
    """

    layers: int = count()
    vocab: int = count()
    max_context: int = count()
    tied: bool = flag()
    groups: Sequence[Mapping[str, Any]] = Groups()  # type: ignore[assignment]
    head_outputs: int = count(0, least=0)
    headless: bool = flag()
    dense_layers: int = count(0, least=0)
    sliding_layers: int = count(0, least=0)
    final_norm: bool = flag(default=True)
    positions: int = count(0, least=0)
    other_parameters: int = count(0, least=0)

    def _complete(self) -> None:
        super()._complete()
        if self.groups:
            dense = sum(group.layers for group in self.layer_groups if not group.routed)
            self._derive("dense_layers", dense)
        elif not self.experts:
            self._derive("dense_layers", self.layers)

    @cached_property
    def layer_groups(self) -> tuple[LayerGroup, ...]:
        """The groups with all their fields; none where the fields of the model say it all."""
        own = Layer.described_fields()
        derived = self.__dict__.get("_derived", ())
        common = {
            name: self.__dict__[name]
            for name in own
            if name not in derived and name not in _OF_RECORDS
        }
        return tuple(
            LayerGroup(**{"name": f"group_{number}", **common, **group})
            for number, group in enumerate(self.groups, 1)
        )

    def _rules(self) -> dict[str, bool]:
        rules = {
            f"{self.dense_layers} dense_layers of {self.layers} layers": (
                self.dense_layers <= self.layers
            ),
            f"{self.sliding_layers} sliding_layers of {self.layers} layers": (
                self.sliding_layers <= self.layers
            ),
            "headless models have no head_outputs": not (self.headless and self.head_outputs),
        }
        if not self.groups:
            window = "sliding_window and sliding_layers go together; state both"
            together = bool(self.sliding_window) == bool(self.sliding_layers)
            return {**super()._rules(), **rules, window: together}
        held = sum(group.layers for group in self.layer_groups)
        routed = {
            tuple(getattr(group, name) for name in _OF_EXPERTS)
            for group in self.layer_groups
            if group.routed
        }
        return {
            **super()._rules(),
            **rules,
            f"groups of {held} layers in all, but {self.layers} layers": held == self.layers,
            "groups state their own windows; leave out sliding_layers": not self.sliding_layers,
            "groups with experts of different widths or numbers": len(routed) <= 1,
        }


_OF_RECORDS = frozenset({"name", "title", "source", "confidence", "note"})
_OF_EXPERTS = tuple(
    name for name in Layer.described_fields() if "expert" in name or name == "shared_ffn"
)
