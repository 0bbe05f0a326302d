"""What sources print as memory, and what their frameworks keep of the logits.

- What nvidia-smi prints is all that an accelerator holds, in GiB.  Sources that do not say are
  taken to print the same, in GB.
- PyTorch's peak of what is *reserved*, which torchtitan prints too, leaves out driver and
  communication buffers; its peak of what is *allocated*, and Alpa's of its runtime, leave out the
  gaps as well.  All count in GiB.
- PyTorch computes the loss in single precision and its gradient in two steps: 12 bytes for each
  logit.  torchtitan does so too, but since 2025 it compiles the loss along with the model, which
  leaves the logit and its gradient in 16 bits.
"""

import re
from typing import Any

from mlsysim.validation.training_row import TrainingRow

_BINARY = re.compile(r"GiB|nvidia-smi|max_memory|allocated|\balpa\b|torchtitan")
_RESERVED = re.compile(r"(?i)reserved|torchtitan")
_ALLOCATED = re.compile(r"(?i)allocated|\balpa\b")
_PYTORCH_LOSS = re.compile(r"(?i)torchtitan")
_COMPILED_LOSS = re.compile(r"(?i)_202[5-9]\d\d_.*compile")


def memory_unit(row: TrainingRow) -> str:
    """Tell the source's gigabytes."""
    return "GiB" if _BINARY.search(_told(row)) else "GB"


def accounted(row: TrainingRow) -> dict[str, Any]:
    """Give the figures of a `Calibration` that differ for what the source printed."""
    told, figures = _told(row), {}
    if _RESERVED.search(told) or _ALLOCATED.search(told):
        figures["runtime_reserve"] = 0.0
    if _ALLOCATED.search(told):
        figures["fragmentation"] = 1.0
    if _PYTORCH_LOSS.search(told):
        figures["logit_bytes"] = 4.0 if _COMPILED_LOSS.search(told) else 12.0
    return figures


def _told(row: TrainingRow) -> str:
    return f"{row.source} {row.confidence}"
