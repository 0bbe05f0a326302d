"""The model that a measured row served, from its name or else from its dimensions.

Sources write "nvidia/DeepSeek-R1-0528-NVFP4" or "meta-llama/Llama-3.1-70B": what stands
before the slash is dropped, and the longest name of the catalogue with which the rest
begins counts.  Other models are put together from the row's dimensions.
"""

import functools
import re
from importlib import resources
from typing import Any

from mlsysim.catalog import Models, load_catalog
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.transformer_shape import Normalization
from mlsysim.errors import CatalogError
from mlsysim.validation.serving_row import ServingRow

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
# Requests longer than the published context were served all the same.
_ANY_CONTEXT = 10_000_000
_NEEDED = ("layers", "hidden", "heads")
_VOCABULARY = 128_256


def served_model(row: ServingRow) -> LanguageModel | str:
    """Find or build the model of a row, or say what is missing.

    Examples
    --------
    >>> named_served_model("nvidia/DeepSeek-R1-0528-NVFP4").name
    'DeepSeek_R1'
    """
    known = named_served_model(row.model)
    if known is not None and _agrees(known, row):
        return known
    missing = [name for name in _NEEDED if getattr(row, name) is None]
    if missing:
        said = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not stated"
        return f"{said}, and the catalogue has no model {row.model!r}"
    try:
        return _assembled(row)
    except CatalogError as error:
        return f"the shape does not hold together: {error}"


@functools.cache
def named_served_model(name: str) -> LanguageModel | None:
    """Find a model whose name a source writes in its own way, or None."""
    plain = _plain(name.rpartition("/")[2])
    known = _known()
    fitting = [found for found in known if plain.startswith(found)]
    if not fitting:
        return None
    return known[max(fitting, key=len)].replace(max_context=_ANY_CONTEXT)


def _agrees(model: LanguageModel, row: ServingRow) -> bool:
    stated = ((row.layers, model.layers), (row.hidden, model.hidden), (row.heads, model.heads))
    return all(said is None or said == known for said, known in stated)


def _assembled(row: ServingRow) -> LanguageModel:
    hidden = row.hidden or 0
    width = row.ffn or row.moe_ffn or 4 * hidden
    mixture: dict[str, Any] = {}
    if row.moe_experts:
        mixture = {
            "experts": row.moe_experts,
            "experts_per_token": row.moe_topk or 1,
            "expert_ffn": row.moe_ffn or width,
        }
    # Four times the width and no experts: an MLP without a gate, as in GPT and OPT.
    gated = bool(mixture) or width != 4 * hidden
    return LanguageModel(
        name=re.sub(r"\W+", "_", row.model).strip("_") or "unnamed",
        layers=row.layers or 0,
        hidden=hidden,
        ffn=width,
        heads=row.heads or 0,
        kv_heads=row.kv_heads or 0,
        head_dim=row.head_dim or 0,
        vocab=row.vocab or _VOCABULARY,
        max_context=_ANY_CONTEXT,
        gated=gated,
        normalization=Normalization.RMS if gated else Normalization.LAYER,
        **mixture,
    )


@functools.cache
def _known() -> dict[str, LanguageModel]:
    own = resources.files("mlsysim.validation") / "measured" / "serving_models.toml"
    with resources.as_file(own) as path:
        extra = load_catalog(path).models
    known = {_plain(name): tree[name] for tree in (Models.Language, extra) for name in tree}
    others = {said: known[_plain(name)] for said, name in _OTHER_NAMES.items()}
    return known | others


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
