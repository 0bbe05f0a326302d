"""How the weights and the cache of a measured serving row were kept and multiplied.

A row says "fp8", or "fp4 (gemm nvfp4, moe nvfp4)" with the matrices outside and inside
experts apart.  Beyond that

- checkpoints of mixtures of experts in 4 bits keep attention in 16, those of dense models do not;
- "fp4" is MXFP4 for gpt-oss and NVFP4 for all others; integers of 4 bits share a scale by 32 in
  mixtures (Kimi K2.5), by 128 in dense models;
- weights are multiplied in 16 bits where the accelerator has no arithmetic of theirs, or where
  they are integers of 4 bits; gpt-oss in 8 bits where there is 4-bit arithmetic;
- keys and values are in 8 bits in TensorRT-LLM if the weights are in 8 or 4 bits, else in 16;
- TensorRT-LLM before PyTorch multiplies experts in 16 bits whatever they are kept in.
"""

import re

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.validation.serving_row import ServingRow

TENSORRT_LLM = "tensorrt_llm"
OLD_TENSORRT_LLM = "tensorrt_llm_0"

_WIDE = "wide"
# What a format is kept in, and what it is multiplied in; the more special ones come first.
_FORMATS = (
    (r"w4a16.*mxfp4|w4a16.*fp4", ("fp4", _WIDE)),
    (r"w4a8.*fp4", ("fp4", "fp8")),
    (r"w4a(fp)?8", ("int4", "fp8")),
    (r"int4|w4a16|awq|gptq", ("int4", _WIDE)),
    (r"int8_wo|w8a16", ("int8", _WIDE)),
    (r"int8|w8a8|^sq", ("int8", "int8")),
    (r"nvfp4|mxfp4|fp4", ("fp4", "fp4")),
    (r"fp8", ("fp8", "fp8")),
    (r"bf16|fp16|float16|half", (_WIDE, _WIDE)),
)


def precisions_of(
    row: ServingRow, model: LanguageModel, accelerator: Accelerator, runtime: str
) -> dict[str, str] | None:
    """Give the precisions as arguments of `ServingModel.solve`; None if a format is not known.

    Parameters
    ----------
    row
        What is said.
    model
        What is served.
    accelerator
        On what.
    runtime
        The engine, by its name in the calibration.
    """
    said = row.precision.casefold()
    parts = dict(re.findall(r"(gemm|moe) (\w+)", said))
    whole = said.partition("(")[0].strip()
    inside = _format(parts.get("moe" if model.experts else "gemm", whole))
    outside = _format(parts.get("gemm", whole))
    if inside is None or outside is None:
        return None
    halves = ("fp16", "bf16") if whole.startswith("fp16") else ("bf16", "fp16")
    wide = next((name for name in halves if accelerator.supports(name)), halves[0])
    kept, multiplied = (wide if name == _WIDE else name for name in inside)
    if not accelerator.supports(multiplied):
        multiplied = wide
    if kept == "fp4" and model.attention_sinks:  # gpt-oss
        kept = "mxfp4"
        multiplied = "fp8" if multiplied == "fp4" else multiplied
    elif kept == "int4" and model.experts:
        kept = "int4_g32"
    if runtime == OLD_TENSORRT_LLM and model.experts:
        multiplied = wide
    attention = wide if outside[1] == _WIDE else outside[1]
    if not accelerator.supports(attention) or (attention == "fp4" and model.experts):
        attention = wide
    narrow = runtime in {TENSORRT_LLM, OLD_TENSORRT_LLM} and kept not in {wide, "int4", "int4_g32"}
    return {
        "precision": multiplied,
        "weight_precision": kept,
        "attention_precision": attention,
        "kv_precision": "fp8" if narrow else wide,
    }


def _format(text: str) -> tuple[str, str] | None:
    return next((found for pattern, found in _FORMATS if re.search(pattern, text)), None)
