"""Runtimes: what an engine of serving adds to the kernels."""

from dataclasses import dataclass

from mlsysim.catalog.fields import number
from mlsysim.catalog.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Runtime(Record):
    """What an engine adds to the kernels, on any accelerator.

    Parameters
    ----------
    step_time
        Time of a pass that is neither arithmetic nor traffic: scheduling,
        sampling, handing tokens out (s).
    layer_time
        The same per layer: gaps between kernels, and what small kernels take (s).
    expert_time
        What a layer with experts takes more: routing and permutation (s).
    sequence_time
        What a decode pass takes more for each sequence of its batch: sampling, text, transport (s).
    expert_efficiency
        Rate of products with experts over that of products with one matrix.
    grouped_efficiency
        Bandwidth at which decode reads keys and values that query heads share, over that of
        weights.
    group_memory
        Memory that buffers of communication take, each time that a group is twice as wide (byte).
    """

    step_time: float = number()
    layer_time: float = number()
    expert_time: float = number()
    sequence_time: float = number(0.0)
    expert_efficiency: float = number(1.0)
    grouped_efficiency: float = number(1.0)
    group_memory: float = number(6.15e8)
