"""What weights and caches are kept in, told apart from what they are multiplied in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mlsysim.catalog.accelerator import Precision
from mlsysim.catalog.builtin import Models
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.number_format import Coverage
from mlsysim.errors import Infeasible
from mlsysim.stages.arguments import check_option

WIDE_BYTES = 2
"""Of activations, and of what stays in 16 bits: embeddings, head, norms, biases, routers."""

_WIDE_PRECISIONS = frozenset({Precision.FP32, Precision.TF32, Precision.BF16, Precision.FP16})

_AS_ACTIVATIONS = {"bf16": "auto", "fp16": "auto", "fp32": "auto"}
_NVFP4 = {"nvfp4": "nvfp4", "fp4": "nvfp4"}
# vLLM 0.33: vllm/config/cache.py.  SGLang 0.5.23: srt/server_args.py.  TensorRT-LLM 1.3:
# "Quantization" of its documentation; tensorrt_llm_0 is the C++ runtime of 0.9.
CACHE_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "vllm": {
            **_AS_ACTIVATIONS,
            "fp8": "fp8",
            "fp8_per_token_head": "fp8_per_token_head",
            "int8_per_token_head": "int8_per_token_head",
            "int4_per_token_head": "int4_per_token_head",
            **_NVFP4,
        },
        "sglang": {**_AS_ACTIVATIONS, "fp8": "fp8_e4m3", "mxfp8": "mxfp8", **_NVFP4},
        "tensorrt_llm": {**_AS_ACTIVATIONS, "fp8": "fp8", **_NVFP4},
        "tensorrt_llm_0": {**_AS_ACTIVATIONS, "fp8": "fp8", "int8": "int8"},
    }
)
"""In what formats an engine keeps a cache, with the engine's own word for each."""


def check_weights(name: str, value: Any) -> None:
    """Refuse what is no format of weights.

    Raises
    ------
    ParameterError
        If a plain value is not a format, or one of caches alone.
    """
    formats = Models.Formats.values()
    check_option(name, value, [one.name for one in formats if one.coverage is not Coverage.CACHE])


def stored_width(name: str) -> float:
    """Give the bytes of a number with its part of a shared scale."""
    width: float = Models.Formats[name].width
    return width


def is_widened(precision: str, weights: str) -> bool:
    """Tell whether weights have fewer bits than the arithmetic that multiplies them."""
    return Models.Formats[weights].element_bits < Models.Formats[precision].element_bits


def attention_width(
    model: LanguageModel, precision: str, weights: str, attention: str | None
) -> float:
    """Give the bytes of an attention weight.

    Parameters
    ----------
    model
        Of a mixture of experts some formats cover the experts only.
    precision
        Arithmetic of the MLPs.
    weights
        Format of their weights.
    attention
        As the user has it; None for what checkpoints in the format of the MLPs do.
    """
    if attention is not None:
        return stored_width(attention)
    if _covers_attention(model, weights):
        return stored_width(weights)
    return stored_width(precision) if precision in _WIDE_PRECISIONS else WIDE_BYTES


def attention_arithmetic(
    model: LanguageModel, precision: str, weights: str, attention: str | None
) -> str | None:
    """Give the precision in which attention matrices are multiplied; None for 16 bits.

    The parameters are those of `attention_width`.
    """
    if attention is not None:
        return Models.Formats[attention].arithmetic or precision
    if precision in _WIDE_PRECISIONS or _covers_attention(model, weights):
        return precision
    return None


def cache_width(runtime: str, name: str) -> float:
    """Give the bytes of a cached number.

    Parameters
    ----------
    runtime
        The engine; one that is not in `CACHE_WORDS` takes any format.
    name
        The format.

    Raises
    ------
    Infeasible
        If the engine keeps no cache in it.
    """
    known = CACHE_WORDS.get(runtime, Models.Formats)
    if name not in known:
        raise Infeasible(f"{runtime} keeps no cache in {name}; it has {', '.join(known)}")
    return stored_width(name)


def _covers_attention(model: LanguageModel, weights: str) -> bool:
    return not model.experts or Models.Formats[weights].coverage is Coverage.LAYERS
