"""What frameworks of training do alike on all hardware: stated facts, one record for each.

How gradients and weights travel between replicas is written in the code of each framework; how
much tuning is worth is the one figure here that is measured.
"""

import enum
from types import MappingProxyType
from typing import Any

from mlsysim.expr.functions import maximum, minimum, select, where
from mlsysim.physics.state import ZeroStage

# Megatron-Core's default size of a bucket of gradients: ``max(40e6, 1e6 * replicas)`` parameters
# (megatron/core/distributed/distributed_data_parallel.py).
_BUCKET = 40e6
_BUCKET_PER_REPLICA = 1e6
# Gradients that DeepSpeed brings together before it sums them (``reduce_bucket_size``, with
# ``contiguous_gradients``): once as they come, and once more as one array that is scattered.
_REDUCED = 5e8
_COPIES = 2
# Matrices, biases and norms of a layer that travel one by one.
_TENSORS_PER_LAYER = 9


class Sent(enum.StrEnum):
    """In what pieces gradients and weights travel between replicas."""

    BUCKET = "bucket"
    LAYER = "layer"
    TENSOR = "tensor"


STACKS = MappingProxyType(
    {"megatron": Sent.BUCKET, "torchtitan": Sent.LAYER, "deepspeed": Sent.TENSOR}
)
"""Frameworks, and in what pieces each sends."""


def messages_per_exchange(stack: Any, parameters: Any, layers: Any, replicas: Any) -> Any:
    """Count the messages in which an accelerator exchanges what it holds."""
    bucket = maximum(_BUCKET, _BUCKET_PER_REPLICA * replicas)
    counted = {
        Sent.BUCKET: maximum(parameters / bucket, 1),
        Sent.LAYER: layers,
        Sent.TENSOR: _TENSORS_PER_LAYER * layers,
    }
    return select(stack, {name: counted[sent] for name, sent in STACKS.items()})


def bucket_bytes(stack: Any, zero_stage: Any, parameters: Any, width: Any) -> Any:
    """Measure the gradients that wait to be divided in a backward pass, beside those at work.

    Parameters
    ----------
    stack
        The framework; None for none.
    zero_stage
        0, 1, 2 or 3.
    parameters
        Trained parameters that the accelerator holds or has gathered.
    width
        Bytes of a gradient as it is computed.
    """
    if stack is None:
        return 0.0
    reduced = _COPIES * minimum(_REDUCED, parameters) * width
    kept = select(stack, dict.fromkeys(STACKS, 0.0) | {"deepspeed": reduced})
    return where(zero_stage >= ZeroStage.GRADIENTS, kept, 0.0)
