"""The model that a measured row ran, from its name and its dimensions.

A name of the catalogue, as sources write it ("Llama3.1-405B proxy", "GPT3-175B",
"nvidia/DeepSeek-R1-0528-NVFP4"), gives the shape, and the dimensions that the row states replace
those of it.  Any other model is put together from its dimensions; where no column says whether an
MLP has a gate, whether the output head is the embedding table and whether matrices have a bias,
its make tells.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from mlsysim.catalog import Models, load_catalog
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.layer import Normalization
from mlsysim.errors import CatalogError
from mlsysim.validation.rows import MeasuredRun
from mlsysim.validation.words import without_remark


@dataclass(frozen=True, kw_only=True)
class _Make:
    """What models of one make share.

    Parameters
    ----------
    gated, tied, biased
        Whether an MLP has a gate, the head is the embedding table, and matrices have a bias.
    vocab
        Rows of the embedding table.
    """

    gated: bool
    tied: bool
    biased: bool
    vocab: int


# GPT-2's vocabulary as Megatron-LM pads it, 51,200, where a row does not say otherwise.
_GPT = _Make(gated=False, tied=True, biased=True, vocab=51_200)
# By what names begin with.
_MAKES = {
    "bloom": _Make(gated=False, tied=True, biased=True, vocab=250_880),
    "mpt": _Make(gated=False, tied=True, biased=False, vocab=50_368),
    "nemotron": _Make(gated=False, tied=False, biased=False, vocab=256_000),
    "opt": _Make(gated=False, tied=True, biased=True, vocab=50_272),
    "gpt": _GPT,
    "megatron": _GPT,
    "mtnlg": _GPT,
    "tnlg": _GPT,
    "": _Make(gated=True, tied=False, biased=False, vocab=32_000),
}
# How sources call models of the catalogue.
_OTHER_NAMES = {
    "llama7b": "Llama2_7B",
    "llama13b": "Llama2_13B",
    "llama70b": "Llama2_70B",
    "llamav27b": "Llama2_7B",
    "llamav213b": "Llama2_13B",
    "llamav270b": "Llama2_70B",
    "mistral7b": "Mistral_7B_v0_3",
    "metallama38b": "Llama3_8B",
    "metallama370b": "Llama3_70B",
    "metallama318b": "Llama3_1_8B",
    "metallama3170b": "Llama3_1_70B",
    "metallama31405b": "Llama3_1_405B",
    "gptj": "GPT_J_6B",
    "minimaxm25": "MiniMax_M2",
}
# The columns of a row that are fields of a model.
_DIMENSIONS = {
    "layers": "layers",
    "hidden": "hidden",
    "heads": "heads",
    "kv_heads": "kv_heads",
    "head_dim": "head_dim",
    "ffn": "ffn",
    "vocab": "vocab",
    "gated": "gated",
    "tied": "tied",
    "moe_experts": "experts",
    "moe_topk": "experts_per_token",
    "moe_ffn": "expert_ffn",
    "moe_shared": "shared_experts",
}
_BIASES = ("qkv_bias", "output_bias", "mlp_bias")
# What a proxy with fewer layers keeps.
_OWN = ("hidden", "heads")
# What a shape cannot be guessed from.
_NEEDED = ("layers", "hidden", "heads")


@dataclass(frozen=True, kw_only=True)
class Found:
    """The model of a row.

    Parameters
    ----------
    model
        The model.
    notes
        What had to be supposed about it.
    """

    model: LanguageModel
    notes: tuple[str, ...] = ()


def model_of(row: MeasuredRun, context: int, **changes: Any) -> Found | str:
    """Find or build the model of a row, or say what is missing.

    Parameters
    ----------
    row
        The row.
    context
        Tokens of its sequences; the model is taken to have been made for them.
    changes
        Fields of the model that are not as the row has them.
    """
    stated = {
        field: value
        for column, field in _DIMENSIONS.items()
        if (value := getattr(row, column, None)) is not None
    } | changes
    if row.biased is not None:
        stated |= dict.fromkeys(_BIASES, row.biased)
    return _model(row.model, tuple(sorted(stated.items())), context)


@functools.cache
def _model(name: str, stated: tuple[tuple[str, Any], ...], context: int) -> Found | str:
    fields = dict(stated)
    known = named_model(name)
    if known and any(fields.get(one, getattr(known, one)) != getattr(known, one) for one in _OWN):
        known = None  # "GPT2-1B" is not GPT2
    missing = [field for field in _NEEDED if field not in fields]
    if known is None and missing:
        return (
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not stated, and"
            f" the catalogue has no model {name!r}"
        )
    try:
        if known is not None:
            return _adapted(known, fields, context)
        return _assembled(name, fields, context)
    except CatalogError as error:
        return f"the shape does not hold together: {error}"


def _adapted(known: LanguageModel, fields: Mapping[str, Any], context: int) -> Found:
    changes: dict[str, Any] = {
        field: value for field, value in fields.items() if getattr(known, field) != value
    }
    notes = () if fields else (f"dimensions of {known.name} supposed",)
    if changes:
        changes |= {"stated_parameters": 0, "stated_active_parameters": 0}
    if context > known.max_context:
        changes["max_context"] = context
    return Found(model=known.replace(**changes) if changes else known, notes=notes)


def _assembled(name: str, fields: dict[str, Any], context: int) -> Found:
    plain = _plain(name)
    make = next(make for begin, make in _MAKES.items() if plain.startswith(begin))
    habits = {"gated": make.gated, "tied": make.tied, **dict.fromkeys(_BIASES, make.biased)}
    fields = {**habits, **fields}
    notes = []
    if "vocab" not in fields:
        fields["vocab"] = make.vocab
        notes.append(f"vocabulary of {make.vocab} supposed")
    if "ffn" not in fields:
        # A dense MLP of the usual width; a mixture has the width of its experts.
        usual = _gated_width(fields["hidden"]) if fields["gated"] else 4 * fields["hidden"]
        fields["ffn"] = fields.get("expert_ffn") or usual
        notes.append(f"MLP width of {fields['ffn']} supposed")
    model = LanguageModel(
        name="_".join("".join(one if one.isalnum() else " " for one in name).split()) or "unnamed",
        max_context=context,
        normalization=Normalization.RMS if fields["gated"] else Normalization.LAYER,
        **fields,
    )
    return Found(model=model, notes=tuple(notes))


def _gated_width(hidden: int) -> int:
    """Give two thirds of four times the width, in multiples of 256 (Touvron 2023, section 2.2)."""
    return -(-8 * hidden // 3 // 256) * 256


@functools.cache
def named_model(name: str) -> LanguageModel | None:
    """Find a model whose name a source writes in its own way, or None.

    The longest name of the catalogue with which it begins counts.

    Examples
    --------
    >>> named_model("Llama3.1-405B proxy"), named_model("GPT-22B (one layer)")
    (<LanguageModel Llama3_1_405B>, None)
    >>> named_model("nvidia/DeepSeek-R1-0528-NVFP4").name
    'DeepSeek_R1'
    """
    said, known = without_remark(name).rpartition("/")[2], _named_models()
    # Not within a number: "GPT-22B" does not begin with GPT2.
    ends = [
        end
        for end in range(len(said), 0, -1)
        if not (said[end - 1].isdigit() and said[end : end + 1].isdigit())
    ]
    return next((known[plain] for end in ends if (plain := _plain(said[:end])) in known), None)


@functools.cache
def _named_models() -> Mapping[str, LanguageModel]:
    own = resources.files("mlsysim.validation") / "measured" / "models.toml"
    with resources.as_file(own) as path:
        extra = load_catalog(path).models
    known = {_plain(name): tree[name] for tree in (Models.Language, extra) for name in tree}
    return known | {said: known[_plain(name)] for said, name in _OTHER_NAMES.items()}


def _plain(name: str) -> str:
    return "".join(one for one in name.casefold() if one.isalnum())
