"""What the remarks of a measured run tell beyond its columns: where its state is kept.

- The optimizer on the host, as ZeRO-Offload has it.
- Fused kernels of the loss (Liger), which never keep logits.
- Gradients summed in 32 bits beside those in 16 bits: DeepSpeed's bf16 optimizer.
- Shards in 32 bits that are the master copies, as PyTorch's FSDP has them: torchtitan,
  llm-foundry and what says so.
- Messages between pipeline stages that every accelerator of a tensor-parallel group sends whole,
  as DeepSpeed does.
"""

import re

from mlsysim.validation.training_row import TrainingRow

_ON_HOST = re.compile(r"(?i)optimizer[^;]*on (the )?(cpu|host)|(cpu|optimizer)[ -]offload")
_FUSED_LOSS = re.compile(r"(?i)liger|fused (linear )?cross.?entropy")
_TWO_GRADIENTS = re.compile(r"(?i)fp32 grad")
_DEEPSPEED = re.compile(r"(?i)deepspeed|bigscience")
_FSDP = re.compile(r"\bFSDP2?\b|torchtitan|llm-?foundry")
_SHARDS_GRADIENTS = 2
_BOTH_WIDTHS = 6


def kept(row: TrainingRow, zero_stage: int) -> dict[str, bool | int | str]:
    """Give what is told as arguments of `DistributedModel.solve`; nothing else is among them."""
    told: dict[str, bool | int | str] = {}
    if _ON_HOST.search(row.confidence):
        told["optimizer_offload"] = True
    if _FUSED_LOSS.search(row.confidence):
        told["fused_loss"] = True
    if _TWO_GRADIENTS.search(row.precision):
        told["gradient_bytes"] = _BOTH_WIDTHS
    if zero_stage >= _SHARDS_GRADIENTS and _FSDP.search(f"{row.source} {row.confidence}"):
        told["sharding"] = "fsdp"
    if _DEEPSPEED.search(f"{row.source} {row.confidence}"):
        told["scatter_gather"] = False
    return told
