"""The model that a measured row trained, from its dimensions and what its name implies.

A name of the catalogue ("Llama3.1-405B proxy", "GPT3-175B") gives the shape, and
the dimensions that the row states replace those of it.  Any other name is a
family: whether an MLP has a gate, and whether the output head is the embedding
table, is in no column.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from mlsysim.catalog import Models, load_catalog
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.transformer_shape import Normalization
from mlsysim.errors import CatalogError
from mlsysim.validation.training_row import TrainingRow


@dataclass(frozen=True, kw_only=True)
class _Family:
    """What models of one make share.

    Parameters
    ----------
    pattern
        What their names begin with.
    gated, tied, biased
        Whether an MLP has a gate, the head is the embedding table, and matrices have a bias.
    vocab
        Rows of the embedding table.
    """

    pattern: str
    gated: bool
    tied: bool
    biased: bool
    vocab: int


# GPT-2's vocabulary as Megatron-LM pads it, 51,200, where a row does not say otherwise.
_FAMILIES = (
    _Family(pattern="bloom", gated=False, tied=True, biased=True, vocab=250_880),
    _Family(pattern="mpt", gated=False, tied=True, biased=False, vocab=50_368),
    _Family(pattern="nemotron", gated=False, tied=False, biased=False, vocab=256_000),
    _Family(pattern="opt", gated=False, tied=True, biased=True, vocab=50_272),
    _Family(
        pattern="gpt|megatron|mt-?nlg|t-nlg", gated=False, tied=True, biased=True, vocab=51_200
    ),
    _Family(pattern="", gated=True, tied=False, biased=False, vocab=32_000),
)
# The columns of a row that are fields of a model.
_DIMENSIONS = {
    "layers": "layers",
    "hidden": "hidden",
    "heads": "heads",
    "kv_heads": "kv_heads",
    "head_dim": "head_dim",
    "ffn": "ffn",
    "vocab": "vocab",
    "moe_experts": "experts",
    "moe_topk": "experts_per_token",
    "moe_ffn": "expert_ffn",
    "moe_shared": "shared_experts",
}
# What a shape cannot be guessed from.
_NEEDED = ("layers", "hidden", "heads")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a row trained.

    Parameters
    ----------
    model
        The model, or None where it cannot be told.
    missing
        Why not.
    notes
        What had to be supposed about it.
    """

    model: LanguageModel | None = None
    missing: str = ""
    notes: tuple[str, ...] = ()


def model_of(row: TrainingRow, seq_len: int) -> Trained:
    """Build the model of a row.

    Parameters
    ----------
    row
        The row.
    seq_len
        The sequence length of the run; the model is taken to have been made for it.
    """
    stated = {
        field: value
        for column, field in _DIMENSIONS.items()
        if (value := getattr(row, column)) is not None
    }
    if row.metric.casefold().startswith("layer "):
        # One layer was timed, without embedding and head.
        stated["vocab"] = 1
    return _model(row.model, tuple(sorted(stated.items())), seq_len)


@functools.cache
def _model(name: str, stated: tuple[tuple[str, int], ...], seq_len: int) -> Trained:
    dimensions = dict(stated)
    known = named_model(name)
    missing = [field for field in _NEEDED if field not in dimensions]
    if known is None and missing:
        return Trained(
            missing=f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not stated, and"
            f" the catalogue has no model {name!r}"
        )
    try:
        if known is not None:
            return _adapted(known, dimensions, seq_len)
        return _assembled(name, dimensions, seq_len)
    except CatalogError as error:
        return Trained(missing=f"the shape does not hold together: {error}")


def _adapted(known: LanguageModel, dimensions: Mapping[str, int], seq_len: int) -> Trained:
    changes: dict[str, Any] = {
        field: value for field, value in dimensions.items() if getattr(known, field) != value
    }
    notes = () if dimensions else (f"dimensions of {known.name} supposed",)
    if changes:
        changes |= {"stated_parameters": 0, "stated_active_parameters": 0}
    if seq_len > known.max_context:
        changes["max_context"] = seq_len
    return Trained(model=known.replace(**changes) if changes else known, notes=notes)


def _assembled(name: str, dimensions: Mapping[str, int], seq_len: int) -> Trained:
    family = next(found for found in _FAMILIES if re.match(found.pattern, name.casefold()))
    fields: dict[str, Any] = dict(dimensions)
    notes = []
    if "vocab" not in fields:
        fields["vocab"] = family.vocab
        notes.append(f"vocabulary of {family.vocab} supposed")
    if "ffn" not in fields:
        # A dense MLP of the family's usual width; a mixture has the width of its experts.
        usual = 4 * fields["hidden"] if not family.gated else _gated_width(fields["hidden"])
        fields["ffn"] = fields.get("expert_ffn") or usual
        notes.append(f"MLP width of {fields['ffn']} supposed")
    model = LanguageModel(
        name=re.sub(r"\W+", "_", name).strip("_") or "unnamed",
        max_context=seq_len,
        gated=family.gated,
        tied=family.tied,
        normalization=Normalization.RMS if family.gated else Normalization.LAYER,
        qkv_bias=family.biased,
        output_bias=family.biased,
        mlp_bias=family.biased,
        **fields,
    )
    return Trained(model=model, notes=tuple(notes))


def _gated_width(hidden: int) -> int:
    """Give two thirds of four times the width, in multiples of 256 (Touvron 2023, section 2.2)."""
    return -(-8 * hidden // 3 // 256) * 256


@functools.cache
def named_model(name: str) -> LanguageModel | None:
    """Find a model whose name a source writes in its own way, or None.

    Examples
    --------
    >>> named_model("Llama3.1-405B proxy"), named_model("GPT-22B (one layer)")
    (<LanguageModel Llama3_1_405B>, None)
    """
    known = _named_models()
    words = re.sub(r"\(.*?\)", " ", name).split()
    for end in range(len(words), 0, -1):
        if found := known.get(_plain("".join(words[:end]))):
            return found
    return None


@functools.cache
def _named_models() -> Mapping[str, LanguageModel]:
    own = resources.files("mlsysim.validation") / "measured" / "models.toml"
    with resources.as_file(own) as path:
        extra = load_catalog(path).models
    return {_plain(name): tree[name] for tree in (Models.Language, extra) for name in tree}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
