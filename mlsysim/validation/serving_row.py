"""A measured serving run, as a file states it.

Collections of published figures have other columns for two of these facts: the
framework and its version, from which the runtime follows, and a text such as
``workers=1 tp=4 pp=1`` for each of two pools.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from mlsysim.validation.cells import RowCells
from mlsysim.validation.rows import MeasuredRun, read_rows
from mlsysim.validation.table import MeasuredTable
from mlsysim.validation.vocabulary import (
    WORDS,
    Latency,
    Load,
    MeasuredPrecision,
    MeasuredRuntime,
    ServingUnit,
)

REQUIRED_COLUMNS = ("accelerator", "n_accel", "isl", "osl", "unit", "value")


@dataclass(frozen=True, kw_only=True)
class ServingRow(MeasuredRun):
    """One row; None, or an empty text, is what the file does not say.

    ``mlsysim/validation/measured/README.md`` tells what the columns mean.
    """

    dense_precision: MeasuredPrecision | None = None
    kv_precision: str = ""
    runtime: MeasuredRuntime | None = None
    mode: Load | None = None
    attn_dp: int | None = None
    moe_tp: int | None = None
    moe_ep: int | None = None
    prefill_workers: int | None = None
    prefill_tp: int | None = None
    prefill_pp: int | None = None
    prefill_attn_dp: int | None = None
    prefill_moe_ep: int | None = None
    decode_workers: int | None = None
    decode_tp: int | None = None
    decode_pp: int | None = None
    decode_attn_dp: int | None = None
    decode_moe_ep: int | None = None
    concurrency: int | None = None
    batch: int | None = None
    isl: int | None = None
    osl: int | None = None
    stream_interval: int | None = None
    requests_per_user: int | None = None
    prefix_hit_rate: float | None = None
    metric: Latency | None = None
    unit: ServingUnit | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None


READERS_COLUMNS = (
    "source", "locator", "remarks", "confidence", "dims_source", "framework", "framework_version",
    "prefill_config", "decode_config", "out_tok_s_gpu", "out_tok_s_total", "derived_out_tok_s_gpu",
)  # fmt: skip
"""Columns for readers: prose, the same measurement in other units, and what is said elsewhere."""

# NVIDIA's inference microservices keep caches in 16 bits also where weights are in 8: what a
# further user costs shows it.
NIM = "NIM"
# vLLM's second engine keeps prompts cached, also those that its benchmark of batches repeats
# (vllm-project/vllm#18639 turned that off): answers to prompts of 2,048 tokens on eight MI300X come
# as fast as to those of 128, where their prefill at the peak would have taken a tenth more.
_REPEATS_PROMPTS = ("0.8.", "0.9.")
# The release from which TensorRT-LLM runs on PyTorch: 0.17.
_FIRST_WITH_PYTORCH = 17


def serving_rows(table: MeasuredTable) -> tuple[ServingRow, ...]:
    """Read the rows of a file of serving runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    rows = tuple(_spread(cells) for cells in table.rows)
    return read_rows(dataclasses.replace(table, rows=rows), ServingRow, REQUIRED_COLUMNS)


def _spread(cells: RowCells) -> RowCells:
    """Put what columns of collections say into ours."""
    texts = dict(cells.texts)
    if not texts.get("runtime"):
        version = texts.get("framework_version", "")
        texts["runtime"] = runtime_of(texts.get("framework", ""), version)
        if version.startswith(NIM) and not texts.get("kv_precision"):
            texts["kv_precision"] = "bf16"
        if not texts.get("prefix_hit_rate") and repeats_prompts(texts):
            texts["prefix_hit_rate"] = "1"
    for pool in ("prefill", "decode"):
        for setting in texts.get(f"{pool}_config", "").split():
            name, _, number = setting.partition("=")
            texts.setdefault(f"{pool}_{name}", number)
    return dataclasses.replace(cells, texts=texts)


def repeats_prompts(texts: Mapping[str, str]) -> bool:
    """Tell whether vLLM measured a batch with prompts that it had cached before.

    Examples
    --------
    >>> texts = {"framework": "vllm", "framework_version": "0.9.1 (ROCm)", "mode": "static batch"}
    >>> repeats_prompts(texts), repeats_prompts(texts | {"framework_version": "0.11.0"})
    (True, False)
    """
    batch = WORDS[Load].meaning(texts.get("mode", ""), of_a_source=True) is Load.BATCH
    vllm = texts.get("framework", "").casefold() == str(MeasuredRuntime.VLLM)
    return batch and vllm and texts.get("framework_version", "").startswith(_REPEATS_PROMPTS)


def runtime_of(framework: str, version: str) -> str:
    """Tell TensorRT-LLM's C++ runtime by the version of the framework.

    Servers give Dynamo's version, which begins with 0 as well, and call the engine ``trtllm``.

    Examples
    --------
    >>> runtime_of("TensorRT-LLM", "v0.9.0"), runtime_of("TensorRT-LLM", "v1.0")
    ('tensorrt_llm_0', 'TensorRT-LLM')
    """
    major, _, rest = version.casefold().removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    early = major == "0" and minor.isdigit() and int(minor) < _FIRST_WITH_PYTORCH
    old = framework.casefold() == "tensorrt-llm" and early
    return str(MeasuredRuntime.TENSORRT_LLM_0) if old else framework
