"""What the framework of a measured run did that no column says: the habits of its time.

- Sequence parallelism comes with tensor parallelism on accelerators from 2022
  on, the year in which it was published (Korthikanti et al. 2022).
- Attention is fused and causal, but unfused on V100 and in sources that are
  older than FlashAttention (Dao et al. 2022) or say so.  What llm-foundry and
  torchtitan use on Hopper is FlashAttention-2, which takes 1.5 to 2 times as long as kernels
  made for Hopper (Shah et al. 2024, FlashAttention-3): as long as the whole square on those.
- Traffic within a replica is overlapped where a source says so, and in what is
  built on Megatron-Core since 2023: NeMo, Megatron-Bridge and the MLPerf entries
  that are not on TPUs set ``tp_comm_overlap``; mixtures of experts only where the overlap
  of expert parallelism is mentioned.  Elsewhere only that between replicas is, with what
  runs beside gradients of weights, and not even that in sources older than this overlap.
- The schedule is zero-bubble where the row's own name says so.
"""

import re

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.validation.training_row import TrainingRow

_YEAR_OF_SEQUENCE_PARALLELISM = 2022
_YEAR_OF_AMPERE = 2020
# arXiv numbers up to May 2022, years up to 2021, and the projects of that time.
_BEFORE_FUSED_ATTENTION = re.compile(
    r"(?i)\b(1[0-9]|2[01])\d\d\.\d{4,5}\b|\b220[1-5]\.\d{5}\b|\b20(1\d|2[01])\b"
    r"|bigscience|alpa|no flash"
)
# The same before Korthikanti et al. of May 2022, with whom Megatron-LM began to overlap.
_BEFORE_OVERLAP = re.compile(
    r"(?i)\b(1[0-9]|2[01])\d\d\.\d{4,5}\b|\b220[1-4]\.\d{5}\b|\b20(1\d|2[01])\b"
    r"|bigscience|alpa|mt-?nlg"
)
_FLASH_ATTENTION_2 = re.compile(r"(?i)llm-?foundry|torchtitan|flash[ -]?attention[ -]?2")
_HOPPER = ("H100", "H200", "H800", "H20", "GH200")
_ZERO_BUBBLE = re.compile(r"(?i)\bzb\b|\bzb-?[12vh]|zero.?bubble")
_NO_OVERLAP = re.compile(r"(?i)not overlapped|no overlap|without overlap")
_SAYS_OVERLAP = re.compile(r"(?i)overlap of (dp/)?tp|(ep|tp|a2a) overlap|tp_comm_overlap")
_MEGATRON_CORE = re.compile(
    r"(?i)\bnemo\b|nemo/|megatron-bridge|dgxc|training_results|megatron-core|d98e8a6"
)


def sequence_parallel(row: TrainingRow, accelerator: Accelerator, tensor: int) -> bool:
    """Tell whether norms and residuals were split along the sequence."""
    if row.seq_parallel is not None:
        return row.seq_parallel and tensor > 1
    return tensor > 1 and accelerator.year >= _YEAR_OF_SEQUENCE_PARALLELISM


def options(row: TrainingRow, accelerator: Accelerator) -> dict[str, str]:
    """Give attention, overlap and schedule in the words of `DistributedModel.solve`.

    An option that is not among them is the model's own default.
    """
    found = {
        "attention": row.attention or _attention(row, accelerator),
        "overlap": row.overlap or _overlap(row, accelerator),
        "schedule": row.schedule or _schedule(row),
    }
    return {name: option for name, option in found.items() if option}


def _attention(row: TrainingRow, accelerator: Accelerator) -> str:
    told = f"{row.group} {row.source} {row.confidence}"
    unfused = accelerator.year < _YEAR_OF_AMPERE or _BEFORE_FUSED_ATTENTION.search(told)
    if unfused:
        return "unfused"
    second = _FLASH_ATTENTION_2.search(told) and accelerator.name.startswith(_HOPPER)
    return "full" if second else "causal"


def _schedule(row: TrainingRow) -> str:
    baseline = "1f1b" in row.id.casefold()
    return "zero-bubble" if _ZERO_BUBBLE.search(row.id) and not baseline else ""


def _overlap(row: TrainingRow, accelerator: Accelerator) -> str:
    old = _BEFORE_OVERLAP.search(f"{row.group} {row.source}")
    if _NO_OVERLAP.search(row.confidence) or old:
        return "none"
    if _SAYS_OVERLAP.search(row.confidence):
        return "all"
    modern = _MEGATRON_CORE.search(f"{row.group} {row.source} {row.confidence}")
    if modern and not row.moe_experts and not accelerator.name.startswith("TPU"):
        return "all"
    return ""
