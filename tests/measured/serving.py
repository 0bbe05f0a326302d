"""Serving rows as their sources say them, made into the columns of the package."""

import re

from measured.hardware import hardware
from measured.prose import says
from measured.writing import Row, remarks, whole

from mlsysim.validation.models import named_model
from mlsysim.validation.rows import columns_of
from mlsysim.validation.serving_row import NIM, ServingRow, repeats_prompts, runtime_of
from mlsysim.validation.vocabulary import (
    WORDS,
    Latency,
    Load,
    MeasuredPrecision,
    MeasuredRuntime,
    ServingUnit,
)

_KEPT = (
    "id", "group", "source", "locator", "n_accel", "layers", "hidden", "heads", "kv_heads",
    "head_dim", "ffn", "vocab", "moe_experts", "moe_topk", "moe_ffn", "tp", "pp", "attn_dp",
    "moe_tp", "moe_ep", "concurrency", "batch", "isl", "osl", "value", "ttft_ms", "tpot_ms",
    "framework", "framework_version", "out_tok_s_gpu", "out_tok_s_total", "derived_out_tok_s_gpu",
)  # fmt: skip
_SHAPE = (
    "layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocab", "moe_experts", "moe_topk",
    "moe_ffn",
)  # fmt: skip
_SAID = ("accelerator", "precision", "mode")
_POOL = ("workers", "tp", "pp", "attn_dp", "moe_ep")
COLUMNS = (
    *columns_of(ServingRow), "source", "locator", "remarks", "framework", "framework_version",
    "out_tok_s_gpu", "out_tok_s_total", "derived_out_tok_s_gpu",
)  # fmt: skip
# The runs that AIConfigurator collects from InferenceX: ten requests per user, the first of all
# users at once and counted; and tokens handed out in groups whose size their recipes set.  What
# fits the rows best, of 1 to 50.
_INFERENCEX = "aic_"
_HANDED_OUT = {
    MeasuredRuntime.VLLM: 9,
    MeasuredRuntime.SGLANG: 25,
    MeasuredRuntime.TENSORRT_LLM: 13,
}


def serving_row(row: Row) -> dict[str, object]:
    """Give the columns of a row."""
    found: dict[str, object] = {name: row[name] for name in _KEPT}
    found |= hardware(row["accelerator"], whole(row, "n_accel") or 1, None)
    runtime = _runtime(row)
    known = named_model(row["model"])
    if known is not None:  # its shape is that of the catalogue
        found |= dict.fromkeys(_SHAPE)
    found |= {
        "model": known.name if known else row["model"],
        "runtime": runtime,
        "mode": _word(row, "mode", Load),
        "metric": _word(row, "metric", Latency),
        "unit": _word(row, "unit", ServingUnit),
        "remarks": remarks(row, _SAID),
    }
    found |= _precisions(row, mixture=bool(known and known.experts))
    if row["group"].startswith(_INFERENCEX):
        found |= {"requests_per_user": 10, "stream_interval": _HANDED_OUT.get(runtime, 1)}
    if repeats_prompts(row):
        found["prefix_hit_rate"] = 1
    for pool in ("prefill", "decode"):
        sizes = dict(re.findall(r"(\w+)=(\d+)", row[f"{pool}_config"]))
        found |= {f"{pool}_{name}": sizes.get(name) for name in _POOL}
    return found


def _runtime(row: Row) -> MeasuredRuntime:
    """Name the engine; NIM 1.x and TensorRT-LLM before 0.17 have the C++ runtime."""
    said = runtime_of(row["framework"], row["framework_version"])
    found = WORDS[MeasuredRuntime].meaning(said, of_a_source=True)
    if found is None:
        raise ValueError(f"{row['id']}: framework is {said!r}; {WORDS[MeasuredRuntime].cure(said)}")
    return MeasuredRuntime(found)


def _precisions(row: Row, *, mixture: bool) -> dict[str, object]:
    """Give what weights and caches are kept in.

    "fp4 (gemm nvfp4, moe nvfp4)" has the matrices outside and inside experts apart.
    """
    parts = dict(re.findall(r"(gemm|moe) (\w+)", row["precision"]))
    words = WORDS[MeasuredPrecision]
    whole_model = words.meaning(row["precision"], of_a_source=True)
    inside = parts.get("moe" if mixture else "gemm")
    found = {"precision": words.meaning(inside, of_a_source=True) if inside else whole_model}
    if parts and mixture:
        found["dense_precision"] = words.meaning(parts["gemm"], of_a_source=True)
    if None in found.values():
        raise ValueError(f"{row['id']}: precision is {row['precision']!r}")
    narrow = says(row["confidence"], r"fp8 kv cache(?! for fp8 rows)")
    if narrow:
        return found | {"kv_precision": "fp8"}
    return found | ({"kv_precision": "bf16"} if row["framework_version"].startswith(NIM) else {})


def _word(row: Row, column: str, kind: type) -> str:
    words = WORDS[kind]
    found = words.meaning(row[column], of_a_source=True)
    if found is None:
        raise ValueError(f"{row['id']}: {column} is {row[column]!r}; {words.cure(row[column])}")
    return str(found.value)
