"""Training rows as their sources say them, made into the columns of the package."""

import re
from types import MappingProxyType
from typing import Any

from measured.hardware import hardware
from measured.prose import figure, first, says
from measured.writing import Row, remarks, whole

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.state import ZeroStage
from mlsysim.validation.conventions import Convention
from mlsysim.validation.models import model_of, named_model
from mlsysim.validation.rows import columns_of
from mlsysim.validation.training_row import TrainingRow, release_of
from mlsysim.validation.vocabulary import (
    WORDS,
    MeasuredPrecision,
    Recompute,
    Timed,
    Unit,
)
from mlsysim.validation.words import Words

_STACKS = (
    (r"torchtitan", "torchtitan"),
    (r"llm-?foundry", "llm_foundry"),
    (r"maxtext|tpu-recipes", "maxtext"),
    (r"bigscience", "megatron_deepspeed"),
    (r"\balpa\b|alpa-projects", "alpa"),
    (r"mist", "mist"),
    (r"internevo", "internevo"),
    (r"primus", "primus"),
    (r"megatron-bridge", "megatron_bridge"),
    (r"HabanaLabs|AMD/results|cloud-tpu", "other"),
    (r"\bnemo\b|nemo/|dgxc|training_results|Megatron-Core|d98e8a6", "nemo"),
    (r"ml-engineering", "deepspeed"),
    (r"megatron-lm|narayanan|korthikanti|mt-nlg", "megatron_lm"),
    (r"megascale", "megascale"),
)
# Sources of before FlashAttention (arXiv numbers to May 2022, years to 2021, projects of the time).
_BEFORE_FUSED_ATTENTION = (
    r"\b(1[0-9]|2[01])\d\d\.\d{4,5}\b|\b220[1-5]\.\d{5}\b|\b20(1\d|2[01])\b|bigscience|alpa\b"
)
# The same before Korthikanti et al. of May 2022, with whom Megatron-LM began to overlap.
_BEFORE_OVERLAP = (
    r"\b(1[0-9]|2[01])\d\d\.\d{4,5}\b|\b220[1-4]\.\d{5}\b|\b20(1\d|2[01])\b|bigscience|alpa\b"
    r"|mt-?nlg"
)
_NOT_OVERLAPPED = r"(?i)not overlapped|no overlap|without overlap"
_ZERO_BUBBLE = r"\bzb\b|\bzb-?[12vh]|zero.?bubble"
# What remarks say of rows whose cell is empty.
_PRECISIONS = ((r"int8 quantised matmuls", "int8"), (r"\bfp16 assumed", "fp16"))
_GRAPHS = (
    (r"no cuda graphs", "none"),
    (r"full (cuda graph|cg)|full-iteration", "full"),
    (r"partial (cuda graph|cg)|cuda graph of router", "partial"),
)
_DISPATCHERS = (
    (r"hybridep", "hybridep"),
    (r"deepep", "deepep"),
    (r"(nccl )?all-?to-?all dispatcher|nccl all-?to-?all", "alltoall"),
)


_KEPT = (
    "group", "source", "locator", "tier", "n_accel", "accel_per_node", "layers", "hidden", "heads",
    "kv_heads", "ffn", "vocab", "moe_experts", "moe_topk", "moe_ffn", "seq_len", "gbs", "mbs", "tp",
    "pp", "vpp", "dp", "cp", "ep", "seq_parallel", "value", "iter_time_s", "tokens_s_gpu",
    "tflops_gpu", "mfu_pct", "hfu_pct", "mem_gb",
)  # fmt: skip
_SIZES = (
    "layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "moe_experts", "moe_topk", "moe_ffn",
)  # fmt: skip
_OF_RECIPES = ("graphs", "dispatcher", "overlap", "recompute")
# Cells whose own words are kept among the remarks.
_SAID = ("accelerator", "precision", "zero_stage", "recompute")
COLUMNS = (
    *columns_of(TrainingRow), "source", "locator", "remarks", "tier", "iter_time_s",
    "tokens_s_gpu", "tflops_gpu", "mfu_pct", "hfu_pct",
)  # fmt: skip


def training_row(row: Row, recipe: Row = MappingProxyType({})) -> dict[str, object]:
    """Give the columns of a row: what its page says, and what it leaves to the recipe of the run.

    Parameters
    ----------
    row
        The row of the page.
    recipe
        The options of its recipe by column, as far as one is known.
    """
    stated = {name: recipe[name] for name in _OF_RECIPES if recipe.get(name)}
    row = dict(row) | ({"recompute": stated.pop("recompute")} if "recompute" in stated else {})
    told = f"{row['group']} {row['source']} {row['confidence']}"
    found: dict[str, object] = {name: cell for name, cell in row.items() if name in _KEPT}
    found |= hardware(row["accelerator"], whole(row, "n_accel") or 1, whole(row, "accel_per_node"))
    found |= _model(row)
    found |= {
        "id": row["id"].strip(),
        "certainty": first(row["confidence"], ((r"^high", "high"), (r"^medium", "medium"),
                                               (r"^low", "low"))),
        "precision": _word(row, "precision", MeasuredPrecision)
        or first(row["confidence"], _PRECISIONS),
        "zero_stage": _word(row, "zero_stage", ZeroStage),
        "metric": _word(row, "metric", Timed),
        "unit": _word(row, "unit", Unit),
        "flops_convention": _word(row, "flops_convention", Convention),
        "stack": first(f"{row['group']} {row['source']} {row['model']}", _STACKS) or "other",
        "release": release_of(f"{row['locator']} {row['source']}"),
        "remarks": remarks(row, _SAID),
    }  # fmt: skip
    found["recompute"] = _recompute(row, str(found["stack"]))
    return found | _options(row, told) | _memory(row) | stated


def _recompute(row: Row, stack: str) -> str:
    said = _word(row, "recompute", Recompute)
    # torchtitan's policies repeat every second layer, or half of the operations of each.
    return "alternate" if stack == "torchtitan" and said == "selective" else said


def _word(row: Row, column: str, kind: type) -> str:
    words: Words[Any] = WORDS[kind]
    found = words.meaning(row[column], of_a_source=True) if row[column] else None
    if found is None and row[column] and kind is not Convention:
        raise ValueError(f"{row['id']}: {column} is {row[column]!r}; {words.cure(row[column])}")
    return "" if found is None else str(found.value)


def _model(row: Row) -> dict[str, object]:
    """Name the model of the catalogue, or say what its make implies."""
    known = named_model(row["model"])
    own = {"hidden": whole(row, "hidden"), "heads": whole(row, "heads")}
    if known is not None and all(
        number in {None, getattr(known, name)} for name, number in own.items()
    ):
        return {"model": known.name}
    sizes: dict[str, Any] = {name: whole(row, name) for name in _SIZES}
    asked = TrainingRow(
        file="", line=0, id="", accelerator="", n_accel=1, value=1, model=row["model"], **sizes
    )  # fmt: skip
    made = model_of(asked, whole(row, "seq_len") or 4096)
    if isinstance(made, str):
        return {"model": row["model"]}
    model: LanguageModel = made.model
    return {
        "model": row["model"],
        "gated": model.gated,
        "tied": model.tied,
        "biased": model.qkv_bias,
        "vocab": model.vocab,
        "ffn": model.ffn,
    }


def _options(row: Row, told: str) -> dict[str, object]:
    """Give the options that prose states, and those that the time of a source implies."""
    said = row["confidence"]
    found: dict[str, object] = {"overlap": _overlap(row)}
    if says(told, _BEFORE_FUSED_ATTENTION) or "no flash" in said:
        found["attention"] = "unfused"
    if says(row["id"], _ZERO_BUBBLE) and "1f1b" not in row["id"]:
        found["schedule"] = "zero-bubble"
    if says(said, r"optimizer[^;]*on (the )?(cpu|host)|(cpu|optimizer)[ -]offload"):
        found["optimizer_offload"] = True
    if says(said, r"liger|fused (linear )?cross.?entropy"):
        found["fused_loss"] = True
    if says(row["precision"], r"fp32 grad"):
        found["gradient_bytes"] = 6
    if group := figure(row["zero_stage"], r"within (\d+) GPUs"):
        found["zero_group"] = int(group)
    return found | {"graphs": first(said, _GRAPHS), "dispatcher": first(said, _DISPATCHERS)}


def _overlap(row: Row) -> str:
    said, source = row["confidence"], f"{row['group']} {row['source']}"
    if says(source, _BEFORE_OVERLAP) or re.search(_NOT_OVERLAPPED, said):
        return "none"
    # Dense entries of MLPerf set tp_comm_overlap or its like, whatever their stack.
    entry = says(row["source"], r"training_results.*(HabanaLabs|AMD/)")
    if says(said, r"overlap of (dp/)?tp|(ep|tp|a2a) overlap|tp_comm_overlap") or entry:
        return "all"
    return ""


def _memory(row: Row) -> dict[str, object]:
    """Tell what the source prints as memory, and what its framework keeps of each logit.

    nvidia-smi prints GiB; sources that do not say are taken to print GB.  PyTorch's peaks count
    GiB, and so does Alpa's runtime.  PyTorch computes the loss in single precision and its gradient
    in two steps, 12 bytes for each logit; torchtitan does so too, but since 2025 it compiles the
    loss along with the model, which leaves the logit and its gradient in 16 bits.
    """
    if not row["mem_gb"]:
        return {}
    told = f"{row['source']} {row['confidence']}"
    found: dict[str, object] = {
        "mem_unit": first(
            told, ((r"GiB|nvidia-smi|max_memory|allocated|\balpa\b|torchtitan", "GiB"), (r"", "GB"))
        ),
        "mem_accounting": first(
            told,
            ((r"allocated|\balpa\b", "allocated"), (r"reserved|torchtitan", "reserved"),
             (r"nvidia-smi", "device")),
        ),
    }  # fmt: skip
    if "torchtitan" in told:
        compiled = re.search(r"_202[5-9]\d\d_.*compile", told)
        found["logit_bytes"] = 4 if compiled else 12
    return found
