"""How the weights and the cache of a measured serving row were kept and multiplied.

A row says in what experts, or all weights of a dense model, are kept, and in what all others.
Beyond that

- checkpoints of mixtures of experts in 4 bits keep attention in 16, those of dense models do not;
- "fp4" is MXFP4 for gpt-oss and NVFP4 for all others; integers of 4 bits share a scale by 32 in
  mixtures (Kimi K2.5), by 128 in dense models;
- weights are multiplied in 16 bits where the accelerator has no arithmetic of theirs, or where
  they are integers of 4 bits; gpt-oss in 8 bits where there is 4-bit arithmetic;
- keys and values are in 8 bits in TensorRT-LLM if the weights are in 8 or 4 bits, else in 16;
- TensorRT-LLM before PyTorch multiplies experts in 16 bits whatever they are kept in.
"""

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.validation.serving_row import ServingRow
from mlsysim.validation.vocabulary import MeasuredPrecision, MeasuredRuntime

_WIDE = "wide"
_TENSORRT = {MeasuredRuntime.TENSORRT_LLM, MeasuredRuntime.TENSORRT_LLM_0}
# What a format is kept in, and what it is multiplied in.
_FORMATS = {
    MeasuredPrecision.BF16: (_WIDE, _WIDE),
    MeasuredPrecision.FP16: (_WIDE, _WIDE),
    MeasuredPrecision.FP8: ("fp8", "fp8"),
    MeasuredPrecision.MXFP8: ("fp8", "fp8"),
    MeasuredPrecision.INT8: ("int8", "int8"),
    MeasuredPrecision.INT8_WEIGHTS: ("int8", _WIDE),
    MeasuredPrecision.FP4: ("fp4", "fp4"),
    MeasuredPrecision.NVFP4: ("fp4", "fp4"),
    MeasuredPrecision.MXFP4: ("fp4", "fp4"),
    MeasuredPrecision.MXFP4_WEIGHTS: ("fp4", _WIDE),
    MeasuredPrecision.FP4_FP8: ("fp4", "fp8"),
    MeasuredPrecision.INT4: ("int4", _WIDE),
    MeasuredPrecision.INT4_FP8: ("int4", "fp8"),
}


def precisions_of(
    row: ServingRow, model: LanguageModel, accelerator: Accelerator, runtime: MeasuredRuntime
) -> dict[str, str] | None:
    """Give the precisions as arguments of `ServingModel.solve`; None if a format is not served."""
    said = row.precision or MeasuredPrecision.FP16
    inside = _FORMATS.get(said)
    outside = _FORMATS.get(row.dense_precision or said)
    if inside is None or outside is None:
        return None
    halves = ("fp16", "bf16") if said is MeasuredPrecision.FP16 else ("bf16", "fp16")
    wide = next((name for name in halves if accelerator.supports(name)), halves[0])
    kept, multiplied = (wide if name == _WIDE else name for name in inside)
    if not accelerator.supports(multiplied):
        multiplied = wide
    if kept == "fp4" and model.attention_sinks:  # gpt-oss
        kept = "mxfp4"
        multiplied = "fp8" if multiplied == "fp4" else multiplied
    elif kept == "int4" and model.experts:
        kept = "int4_g32"
    if runtime is MeasuredRuntime.TENSORRT_LLM_0 and model.experts:
        multiplied = wide
    attention = wide if outside[1] == _WIDE else outside[1]
    if not accelerator.supports(attention) or (attention == "fp4" and model.experts):
        attention = wide
    narrow = runtime in _TENSORRT and kept not in {wide, "int4", "int4_g32"}
    return {
        "precision": multiplied,
        "weight_precision": kept,
        "attention_precision": attention,
        "kv_precision": row.kv_precision or ("fp8" if narrow else wide),
    }
