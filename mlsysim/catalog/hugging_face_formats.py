"""Formats of weights that the quantization sections of Hugging Face configurations tell."""

from collections.abc import Mapping
from typing import Any

from mlsysim.errors import CatalogError

# By bits, numbers that share a scale, and whether they are floating point.
_PACKED = {
    (4, 16, True): "nvfp4",
    (4, 32, True): "mxfp4",
    (4, 128, False): "int4_symmetric",
    (4, 32, False): "int4_g32",
    (8, 32, True): "mxfp8",
    (8, 0, True): "fp8",
    (8, 0, False): "int8",
}
_ALGORITHMS = {"NVFP4": "nvfp4", "W4A16_NVFP4": "nvfp4", "FP8": "fp8", "MXFP4": "mxfp4"}


_OF_EXPERTS = {"fp4": "mxfp4"}


def format_named(place: str, section: Mapping[str, Any], experts: str = "") -> str:
    """Give the narrowest format that a section tells, by its name in ``Models.Formats``.

    Checkpoints keep most of their weights in it; which matrices they leave in 16 bits is a matter
    of the format's `coverage`.

    Parameters
    ----------
    place
        The file and the section, for messages.
    section
        The section, as the file has it.
    experts
        What experts are kept in where the file tells it apart.

    Raises
    ------
    CatalogError
        If the format is none of the catalogue.

    Examples
    --------
    >>> format_named("config.json", {"quant_method": "fp8", "weight_block_size": [128, 128]})
    'fp8_block'
    """
    if experts in _OF_EXPERTS:
        return _OF_EXPERTS[experts]
    method = section.get("quant_method")
    if method == "fp8":
        return "fp8_block" if section.get("weight_block_size") else "fp8"
    if method == "mxfp4":
        return "mxfp4"
    if method in {"awq", "gptq"} and (section.get("bits"), section.get("group_size")) == (4, 128):
        return "int4"
    groups = section.get("config_groups")
    if isinstance(groups, Mapping) and groups:
        weights = min((group["weights"] for group in groups.values()), key=_bits)
        size, floating = weights.get("group_size") or 0, weights.get("type") == "float"
        found = _PACKED.get((_bits(weights), size, floating))
        if found:
            return found
    algorithm = _ALGORITHMS.get(str(section.get("quant_algo")))
    if algorithm:
        return algorithm
    raise CatalogError(
        f"{place}: weights quantized by {method!r} in this way have no format in Models.Formats; "
        "remove the section and state the format as weight_precision"
    )


def _bits(weights: Mapping[str, Any]) -> int:
    return int(weights.get("num_bits") or 0)
