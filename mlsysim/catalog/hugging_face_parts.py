"""What the architectures of Hugging Face configurations have in common.

Each architecture is a function from its keys to a `Shape`: the fields of a
`LanguageModel`, and the parameters that these cannot express, by reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsysim.catalog.hugging_face_config import Config
from mlsysim.catalog.layer import Normalization

SLIDING = frozenset({"sliding_attention", "chunked_attention"})


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a configuration says about a model.

    Parameters
    ----------
    fields
        The fields of a `LanguageModel`.
    others
        Parameters that no field describes, by what they are.
    """

    fields: Mapping[str, Any]
    others: Mapping[str, int] = field(default_factory=dict)

    def and_also(self, others: Mapping[str, int] | None = None, **fields: Any) -> "Shape":
        """Add fields, or change them, and add what no field describes."""
        return Shape(fields={**self.fields, **fields}, others={**self.others, **(others or {})})

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


Reader = Callable[[Config], Shape]


def decoder(config: Config, *, tied: bool = False) -> Shape:
    """Read the widths and depths under the names that most architectures use.

    Parameters
    ----------
    config
        The configuration.
    tied
        Whether the output head is the embedding where the file does not say.
    """
    heads = config.whole("num_attention_heads")
    hidden = config.whole("hidden_size")
    return Shape(
        fields={
            "layers": config.whole("num_hidden_layers"),
            "hidden": hidden,
            "ffn": config.whole("intermediate_size"),
            "heads": heads,
            "kv_heads": config.whole("num_key_value_heads", heads),
            "head_dim": config.whole("head_dim", hidden // max(heads, 1)),
            "vocab": config.whole("vocab_size"),
            "max_context": config.whole("max_position_embeddings"),
            "tied": config.flag("tie_word_embeddings", default=tied),
        }
    )


def plain_mlp(shape: Shape, *, biased: bool) -> Shape:
    """Make the MLP two matrices, and the norms those that learn a shift as well."""
    return shape.and_also(
        gated=False,
        normalization=Normalization.LAYER,
        qkv_bias=biased,
        output_bias=biased,
        mlp_bias=biased,
    )


def slides(config: Config, shape: Shape, rule: Callable[[int], bool], window: int = 0) -> Shape:
    """Say which layers see a window only.

    Parameters
    ----------
    config
        The configuration; its ``layer_types``, where it has them, decide.
    shape
        What is known so far.
    rule
        Whether a layer, numbered from 0, slides, where the file does not list the layers.
    window
        The window where the file does not give one.
    """
    window = config.whole("sliding_window", window)
    # A window as long as the context hides nothing.
    if not window or window >= shape["max_context"]:
        return shape
    kinds = config.names("layer_types")
    count = (
        sum(kind in SLIDING for kind in kinds)
        if kinds
        else config.count_layers(shape["layers"], rule)
    )
    return shape.and_also(sliding_window=window, sliding_layers=count) if count else shape


def always(layer: int) -> bool:
    """Hold of every layer."""
    return layer >= 0


def all_but_every(period: int) -> Callable[[int], bool]:
    """Hold of every layer but the last of each so many."""
    return lambda layer: bool((layer + 1) % period)


def wide_norms(shape: Shape) -> dict[str, int]:
    """Count norms of queries and keys that have a scale for each head, not one for all heads."""
    heads = shape["heads"] + shape["kv_heads"]
    return {
        "scales of the norms of all query and key heads": shape["layers"]
        * heads
        * shape["head_dim"]
    }


def head_bias(shape: Shape) -> dict[str, int]:
    """Count the bias of the output head."""
    return {"bias of the output head": shape["vocab"]}


def grouped(shape: Shape, kinds: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> Shape:
    """Give a shape its groups.

    Parameters
    ----------
    shape
        What all layers have in common.
    kinds
        What each kind of layer has of its own.
    order
        The kind of each layer.  A kind all of whose layers come first is said to stand in front.
    """
    groups = []
    for name in dict.fromkeys(order):
        count = order.count(name)
        front = count < len(order) and all(kind == name for kind in order[:count])
        alone = front and count * 2 < len(order) and name.startswith("dense")
        place = {"in_front": True} if alone else {}
        groups.append({"name": name, "layers": count, **place, **kinds[name]})
    return shape.and_also(groups=groups)
