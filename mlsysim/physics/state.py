"""Memory and traffic of a model's state: weights, gradients, optimizer."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mlsysim.errors import ParameterError, suggest
from mlsysim.expr.functions import maximum, select, where
from mlsysim.numeric import from_numpy


class ZeroStage(IntEnum):
    """What replicas share instead of keeping copies; each stage includes those before."""

    NOTHING = 0
    OPTIMIZER = 1
    GRADIENTS = 2
    WEIGHTS = 3


@dataclass(frozen=True, kw_only=True)
class StateWidth:
    """Bytes per parameter (and per activation element) of a training precision.

    Parameters
    ----------
    weight
        A working weight; an activation takes the same.
    gradient
        The narrowest gradient that the optimizer accepts.
    master
        The optimizer's copy of the weight: 4 bytes where the working weight is narrower,
        else none.
    """

    weight: int
    gradient: int
    master: int


_MIXED = StateWidth(weight=2, gradient=2, master=4)
_SINGLE = StateWidth(weight=4, gradient=4, master=0)

# Products in 8 or 4 bits cast their operands on the fly; weights and activations stay in 16 bits.
STATE_WIDTHS = {
    "fp32": _SINGLE,
    "tf32": _SINGLE,
    "bf16": _MIXED,
    "fp16": _MIXED,
    "fp8": _MIXED,
    "fp4": _MIXED,
    "int8": _MIXED,
}


@from_numpy
def state_width(precision: str) -> StateWidth:
    """Look up what a parameter takes in mixed-precision training with Adam.

    Rajbhandari et al. 2020, section 3: 2 + 2 + 4 bytes, and the moments; 4 + 4 in single
    precision, where the weight is its own master copy.

    Raises
    ------
    ParameterError
        If nothing trains in this precision.
    """
    try:
        return STATE_WIDTHS[precision]
    except (KeyError, TypeError):
        near = suggest(str(precision), STATE_WIDTHS)
        raise ParameterError(f"precision: training in {precision!r} is not known{near}") from None


@dataclass(frozen=True, kw_only=True)
class StateBytes:
    """Bytes per parameter of everything that a step keeps, by where it is.

    Parameters
    ----------
    working
        A weight as products read it: kept whole below ZeRO-3, gathered from it on.
    shard
        A weight as ZeRO-3 shards it.
    beside
        A shard of it that lies beside the whole weight below ZeRO-3.
    gradient
        A summed gradient.
    optimizer
        The moments, and a master copy if that is not the shard.
    updated
        What an update moves of the weight itself.
    """

    working: Any
    shard: Any
    beside: Any
    gradient: Any
    optimizer: Any
    updated: Any


@from_numpy
def state_of(sharding: Any, width: StateWidth, gradient: Any, moment: Any) -> StateBytes:
    """Give the state as a family of frameworks keeps it.

    ``"zero"``: working weights, and the optimizer's master copies beside them: in mixed
    precision ``2 + g + (4 + 2 m)`` bytes, 18 with gradients and moments of 4 (Megatron-LM,
    DeepSpeed; Rajbhandari et al. 2020, section 3).  ``"fsdp"``: the shard of a weight
    is its master copy, and so is that of a gradient; working weights exist while they are
    gathered: ``4 + 4 + 2 m``, 16 (PyTorch's ``fully_shard``, torchtitan; Zhao et al.
    2023, arXiv 2304.11277, section 4.4).

    Parameters
    ----------
    sharding
        ``"zero"`` or ``"fsdp"``.
    width
        Of the precision.
    gradient
        Bytes of a gradient, g.
    moment
        Bytes of each of Adam's two moments, m.

    Examples
    --------
    >>> for sharding in ("zero", "fsdp"):
    ...     state = state_of(sharding, state_width("bf16"), 4, 4)
    ...     state.shard + state.gradient + state.optimizer
    18
    16
    """

    def kept(zero: Any, fsdp: Any) -> Any:
        return select(sharding, {"zero": zero, "fsdp": fsdp})

    return StateBytes(
        working=width.weight,
        shard=kept(width.weight, 4),
        beside=kept(0, 4),
        gradient=kept(gradient, 4),
        optimizer=kept(width.master, 0) + 2 * moment,
        updated=kept(width.weight, 8),
    )


@from_numpy
def shards(zero_stage: Any, from_stage: ZeroStage, data_parallel: Any) -> Any:
    """Count the replicas that share one copy: d from a ZeRO stage on, else 1.

    Rajbhandari et al. 2020, section 5.
    """
    return where(zero_stage >= from_stage, data_parallel, 1)


@from_numpy
def weight_bytes(parameters: Any, state: StateBytes, zero_stage: Any, sharing: Any) -> Any:
    """Measure the weights that one accelerator keeps (byte).

    ``N w_s/d`` at stage 3, and ``N (w + w_b/d)`` below, where w_b is a shard beside the
    whole weights.

    Examples
    --------
    >>> fsdp = state_of("fsdp", state_width("bf16"), 4, 4)
    >>> weight_bytes(1000, fsdp, 3, 4), weight_bytes(1000, fsdp, 2, 4)
    (1000.0, 3000.0)
    """
    whole = state.working + state.beside / sharing
    return parameters * where(zero_stage >= ZeroStage.WEIGHTS, state.shard / sharing, whole)


@from_numpy
def state_bytes(parameters: Any, width: Any, sharing: Any) -> Any:
    """Measure one part of the state on one accelerator: ``N w / d`` (byte).

    Examples
    --------
    >>> state_bytes(1000, 12, 4)
    3000.0
    """
    return parameters * width / sharing


@from_numpy
def gathered_bytes(
    layer_parameters: Any, table_parameters: Any, width: Any, zero_stage: Any
) -> Any:
    """Measure what ZeRO-3 has gathered: the layer at work, the next, and the tables (byte).

    ``(2 N_layer + N_tables) w``, and nothing below stage 3.  What is in no layer, the
    embedding and the head, stays gathered for the whole step: PyTorch's ``fully_shard``
    reshards all modules after the forward pass but the root.

    Examples
    --------
    >>> gathered_bytes(100, 50, 2, 3), gathered_bytes(100, 50, 2, 2)
    (500, 0)
    """
    gathered = (2 * layer_parameters + table_parameters) * width
    return where(zero_stage >= ZeroStage.WEIGHTS, gathered, 0 * gathered)


@from_numpy
def unreduced_bytes(
    layer_parameters: Any, head_parameters: Any, width: Any, gradient: Any, zero_stage: Any
) -> Any:
    """Measure the gradients that ZeRO-2 has not divided yet in the backward pass (byte).

    ``N_layer (w + w_g) + N_head w``, and nothing below stage 2: those of the layer at work,
    as computed and as summed, and those of the head, which the backward pass finds first
    and sums last, with the embedding.

    Examples
    --------
    >>> unreduced_bytes(100, 50, 2, 4, 2), unreduced_bytes(100, 50, 2, 4, 1)
    (700, 0)
    """
    whole = layer_parameters * (width + gradient) + head_parameters * width
    return where(zero_stage >= ZeroStage.GRADIENTS, whole, 0 * whole)


@from_numpy
def gradient_width(requested: Any, narrowest: Any) -> Any:
    """Give the bytes of a gradient: as requested, but not below what the precision takes."""
    return maximum(requested, narrowest)


@from_numpy
def optimizer_traffic(parameters: Any, state: StateBytes) -> Any:
    """Measure what an Adam step moves: ``N (2 w_o + w_g + w_u)`` (byte).

    States are read and written, gradients read, weights written (and read, where they are
    master copies): 30 bytes per parameter in mixed precision with 4-byte gradients.

    Examples
    --------
    >>> optimizer_traffic(1, state_of("zero", state_width("bf16"), 4, 4))
    30
    """
    return parameters * (2 * state.optimizer + state.gradient + state.updated)


@from_numpy
def gradient_traffic(parameters: Any, gradient: Any) -> Any:
    """Measure what readying the gradients moves before an Adam step: ``4 N w_g`` (byte).

    They are cleared, read for their norm, and read and written to be scaled (Pascanu et al.
    2013 for the clipping; Micikevicius et al. 2018 for the scaling).

    Examples
    --------
    >>> gradient_traffic(1, 4)
    16
    """
    return 4 * parameters * gradient
