"""What frameworks of training do alike on all hardware: stated facts, one record for each.

How gradients and weights travel between replicas is written in the code of each framework; how
much tuning is worth is the one figure here that is measured.
"""

import enum
from types import MappingProxyType
from typing import Any

from mlsysim.expr.functions import maximum, select

# Megatron-Core's default size of a bucket of gradients: ``max(40e6, 1e6 * replicas)`` parameters
# (megatron/core/distributed/distributed_data_parallel.py).
_BUCKET = 40e6
_BUCKET_PER_REPLICA = 1e6
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
    """Count the messages in which an accelerator exchanges what it holds.

    Parameters
    ----------
    stack
        The framework.
    parameters, layers
        What it holds.
    replicas
        Members of the group.
    """
    bucket = maximum(_BUCKET, _BUCKET_PER_REPLICA * replicas)
    counted = {
        Sent.BUCKET: maximum(parameters / bucket, 1),
        Sent.LAYER: layers,
        Sent.TENSOR: _TENSORS_PER_LAYER * layers,
    }
    return select(stack, {name: counted[sent] for name, sent in STACKS.items()})
