"""Language models from Hugging Face configurations on disk: ``Models.from_hf``.

The shape is read from ``config.json`` alone; no weights, no network, no code of
the model.  What the configuration's architecture holds beyond the fields of a
`LanguageModel` is counted as its `other_parameters`, so that the total is the
published one to the last digit.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlsysim.catalog.figure import Confidence, Provenance
from mlsysim.catalog.hugging_face_config import Config, read_json
from mlsysim.catalog.hugging_face_dense import DENSE
from mlsysim.catalog.hugging_face_formats import format_named
from mlsysim.catalog.hugging_face_hybrids import HYBRIDS
from mlsysim.catalog.hugging_face_mixtures import MIXTURES
from mlsysim.catalog.hugging_face_parts import Reader
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.number_format import NumberFormat
from mlsysim.errors import CatalogError

ARCHITECTURES: Mapping[str, Reader] = {**DENSE, **MIXTURES, **HYBRIDS}
"""What each ``model_type`` holds."""

_CURE = (
    "; or describe the shape yourself, as LanguageModel(...) or in a [models.My_Model] table "
    "for mlsysim.load_catalog"
)


def model_from_hugging_face(
    path: str | Path, name: str | None = None, *, formats: Mapping[str, NumberFormat]
) -> LanguageModel:
    """Read a language model from a ``config.json``.

    Of a model that sees images too, the text decoder is read.

    Parameters
    ----------
    path
        The file, or the folder that holds it.
    name
        How to call the model; from the file, or else from its folder, unless given.
    formats
        The formats of numbers, of which the file may name one.

    Raises
    ------
    CatalogError
        If the file cannot be read, its architecture is not known here, or a key is missing or
        has a value that does not fit; the message names file, key and cure.
    """
    path = Path(path)
    file = path / "config.json" if path.is_dir() else path
    content = read_json(file)
    config, note = _decoder_of(str(file), content)
    shape = ARCHITECTURES[config.model_type](config).and_also(**_head_of(content))
    others = {what: count for what, count in shape.others.items() if count}
    title = name or _title(file, content)
    support = Provenance(note=", ".join(f"{what} {count:,}" for what, count in others.items()))
    fields: dict[str, Any] = dict(shape.fields)
    section = content.get("quantization_config") or config.keys.get("quantization_config")
    if isinstance(section, Mapping):
        experts = str(config.keys.get("expert_dtype", ""))
        found = format_named(f"{file}: quantization_config", section, experts)
        fields["native_format"] = formats[found]
    return LanguageModel(
        name=_identifier(title),
        title=title,
        source=f"{file} (model_type {config.model_type})",
        confidence=Confidence.B,
        note=note,
        other_parameters=sum(others.values()),
        provenance={"other_parameters": support} if others else {},
        **_placed(config, fields),
    )


def _placed(config: Config, fields: dict[str, Any]) -> dict[str, Any]:
    """Try the shape, so that what does not hold together is reported with the file."""
    try:
        LanguageModel(name="shape", **fields)
    except CatalogError as error:
        reason = str(error).partition(": ")[2]
        raise CatalogError(f"{config.place}: {reason}") from None
    return fields


def _decoder_of(file: str, content: Mapping[str, Any]) -> tuple[Config, str]:
    """Find the keys of the text decoder, and say what is left out."""
    inner = content.get("text_config")
    model_type = _model_type(file, content)
    if content.get("is_encoder_decoder"):
        raise CatalogError(
            f"{file}: is_encoder_decoder: layers of {model_type!r} that attend to what an encoder "
            f"gives out are not expressed by groups of layers{_CURE}"
        )
    if model_type in ARCHITECTURES or not isinstance(inner, Mapping):
        _require_known(file, model_type)
        note = ""
        if content.get("num_nextn_predict_layers"):
            note = "Without the layers that predict further tokens."
        return Config(place=file, model_type=model_type, keys=content), note
    place = f"{file}: text_config"
    decoder = _model_type(place, inner)
    _require_known(place, decoder)
    shared = {key: content[key] for key in ("tie_word_embeddings",) if key in content}
    config = Config(place=place, model_type=decoder, keys={**inner, **shared})
    return config, f"The text decoder of a {model_type} model; what sees images comes on top."


def _model_type(place: str, keys: Mapping[str, Any]) -> str:
    found = keys.get("model_type")
    if not isinstance(found, str) or not found:
        raise CatalogError(
            f'{place}: model_type: missing; write the architecture, e.g. "model_type": "llama"'
        )
    return found


def _require_known(place: str, model_type: str) -> None:
    if model_type in ARCHITECTURES:
        return
    # No suggestion: nobody mistypes it, and a neighbour's layers would give a wrong model.
    known = ", ".join(sorted(ARCHITECTURES))
    raise CatalogError(
        f"{place}: model_type: what the layers of {model_type!r} hold is not described here; "
        f"described are {known}{_CURE}"
    )


def _head_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the head that the architecture puts on the decoder, where it is no vocabulary's.

    ``...ForSequenceClassification`` gives one number per label, ``...Model`` has no head.
    """
    architectures = content.get("architectures") or [""]
    name = str(architectures[0])
    if name.endswith(("ForSequenceClassification", "ForTokenClassification")):
        labels = content.get("num_labels") or len(content.get("id2label") or {}) or 2
        return {"head_outputs": labels, "tied": False}
    bare = name.endswith("Model") and "LMHead" not in name
    return {"headless": True, "tied": False} if bare else {}


def _title(file: Path, content: Mapping[str, Any]) -> str:
    """Name the model: as the file says, or after its folder or the cache that it lies in."""
    stated = content.get("_name_or_path")
    if isinstance(stated, str) and stated.strip("/. "):
        return stated.rstrip("/").rpartition("/")[2]
    cached = [part for part in file.absolute().parts if part.startswith("models--")]
    if cached:
        return cached[-1].rpartition("--")[2]
    return file.absolute().parent.name if file.name == "config.json" else file.stem


def _identifier(title: str) -> str:
    """Make a name that can follow a dot in Python."""
    words = re.sub(r"\W+", "_", title).strip("_")
    return words if words.isidentifier() else f"Model_{words}".rstrip("_")
