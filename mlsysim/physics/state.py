"""Memory and traffic of a model's state: weights, gradients, optimizer."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mlsysim.errors import ParameterError, suggest
from mlsysim.expr.functions import maximum, minimum, select, where
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
        What the optimizer keeps of a matrix of a layer, and a master copy if that is not the shard.
    table_optimizer
        The same of embeddings and the head.
    updated
        What an update moves of the weight itself.
    """

    working: Any
    shard: Any
    beside: Any
    gradient: Any
    optimizer: Any
    table_optimizer: Any
    updated: Any


@from_numpy
def state_of(
    sharding: Any, width: StateWidth, gradient: Any, moments: tuple[Any, Any], *, master: Any = True
) -> StateBytes:
    """Give the state as a family of frameworks keeps it.

    ``"zero"``: working weights, and the optimizer's master copies beside them: in mixed
    precision ``2 + g + (4 + o)`` bytes, 18 with gradients and Adam's moments of 4 (Megatron-LM,
    DeepSpeed; Rajbhandari et al. 2020, section 3).  ``"fsdp"``: the shard of a weight
    is its master copy, and so is that of a gradient; working weights exist while they are
    gathered: ``4 + 4 + o``, 16 (PyTorch's ``fully_shard``, torchtitan; Zhao et al.
    2023, arXiv 2304.11277, section 4.4).  Without master copies working weights are updated
    themselves, ``2 + g + o``, and shards are as wide as they are.

    Parameters
    ----------
    sharding
        ``"zero"`` or ``"fsdp"``.
    width
        Of the precision.
    gradient
        Bytes of a gradient, g.
    moments
        What the optimizer keeps, o, of layers and of tables (`optimizer_bytes`).
    master
        Whether weights narrower than 4 bytes have a master copy.

    Examples
    --------
    >>> adam = optimizer_bytes("adamw", 4, 4096)
    >>> for sharding in ("zero", "fsdp"):
    ...     state = state_of(sharding, state_width("bf16"), 4, adam)
    ...     state.shard + state.gradient + state.optimizer
    18
    16
    >>> adam = optimizer_bytes("adamw", 2, 4096)
    >>> pure = state_of("fsdp", state_width("bf16"), 2, adam, master=False)
    >>> pure.shard + pure.gradient + pure.optimizer
    8
    """

    def kept(zero: Any, fsdp: Any) -> Any:
        return select(sharding, {"zero": zero, "fsdp": fsdp})

    shard = where(master, 4, width.weight)
    copies = where(master, width.master, 0)
    layers, tables = (kept(copies, 0) + one for one in moments)
    return StateBytes(
        working=width.weight,
        shard=kept(width.weight, shard),
        beside=kept(0, shard),
        gradient=kept(gradient, where(master, 4, gradient)),
        optimizer=layers,
        table_optimizer=tables,
        # A master copy counts as part of what the optimizer keeps; a weight that is its own, in
        # single precision or without master copies, is read, too.
        updated=kept(where(copies > 0, 1, 2) * width.weight, 2 * shard),
    )


OPTIMIZERS = ("adamw", "adamw_8bit", "adafactor", "sgd", "sgd_momentum", "muon")


@from_numpy
def optimizer_bytes(optimizer: Any, moment: Any, hidden: Any) -> tuple[Any, Any]:
    """Give what an optimizer keeps of a parameter of a layer, and of one of the tables (byte).

    ``"adamw"``: two moments, ``2 m``.  ``"adamw_8bit"``: two of a byte, with a scale of 4 for each
    256 (Dettmers et al. 2022, arXiv 2110.02861, section 2.1).  ``"adafactor"``: the second moment
    as sums over rows and over columns, ``4/h`` each at most where no side of a matrix is
    shorter than h (Shazeer and Stern 2018, arXiv 1804.04235, section 3).  ``"sgd"``: nothing, or
    with momentum one moment.  ``"muon"``: one moment for the matrices of layers, Adam's two for
    tables (Liu et al. 2025, arXiv 2502.16982, section 2.1).

    Parameters
    ----------
    optimizer
        One of `OPTIMIZERS`.
    moment
        Bytes of a moment that is kept whole, m.
    hidden
        Width of the stream between layers, h.

    Examples
    --------
    >>> optimizer_bytes("adamw_8bit", 4, 4096), optimizer_bytes("muon", 4, 4096)
    ((2.03125, 2.03125), (4, 8))
    """
    narrow = 2 * (1 + 4 / 256)
    sums = 8 / hidden
    alike = {
        "adamw": 2 * moment,
        "adamw_8bit": narrow,
        "adafactor": sums,
        "sgd": 0,
        "sgd_momentum": moment,
    }
    layers, tables = ({**alike, "muon": count * moment} for count in (1, 2))
    return select(optimizer, layers), select(optimizer, tables)


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
    >>> fsdp = state_of("fsdp", state_width("bf16"), 4, optimizer_bytes("adamw", 4, 4096))
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


# DeepSpeed lets go of parameters when so many are there (``stage3_max_live_parameters``).
LIVE_PARAMETERS = 1e9


@from_numpy
def gathered_bytes(
    layer: Any, tables: Any, frozen: Any, width: Any, zero_stage: Any, sharding: Any
) -> Any:
    """Measure what ZeRO-3 has gathered: the layer at work, the next, and the tables (byte).

    ``2 S_layer + S_tables``, and nothing below stage 3.  What is in no layer, the
    embedding and the head, stays gathered for the whole step: PyTorch's ``fully_shard``
    reshards all modules after the forward pass but the root.  ZeRO lets go of those that are
    frozen, and have no gradients to wait for, when a thousand million parameters are gathered.

    Parameters
    ----------
    layer, tables, frozen
        Bytes of the largest layer, of what is in no layer, and of what of that is frozen, as they
        are gathered.
    width
        Bytes of a parameter.
    zero_stage
        0, 1, 2 or 3.
    sharding
        ``"zero"`` or ``"fsdp"``.

    Examples
    --------
    >>> gathered_bytes(200, 100, 0, 2, 3, "fsdp"), gathered_bytes(200, 100, 0, 2, 2, "zero")
    (500, 0)
    >>> gathered_bytes(1e9, 4e9, 4e9, 2, 3, "zero")
    2000000000.0
    """
    everything = 2 * layer + tables
    few = minimum(everything, maximum(everything - frozen, width * LIVE_PARAMETERS))
    gathered = select(sharding, {"fsdp": everything, "zero": few})
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
def thin_orthogonalization(rank: Any, sides: Any, matrices: Any) -> Any:
    """Count what makes the updates of adapters orthogonal: ``5 (4 r² s + 4 r³ n)`` (flop).

    Two matrices of r x m and n x r for each adapter; the rule is that of
    `mlsysim.stages.matrices.Matrix.orthogonalization`.

    Parameters
    ----------
    rank
        Their shorter side, r.
    sides
        The longer sides of all of them, s.
    matrices
        Adapters, n.
    """
    return 20 * rank**2 * (sides + rank * matrices)


@from_numpy
def optimizer_traffic(parameters: Any, tables: Any, state: StateBytes) -> Any:
    """Measure what an update moves: ``N (2 w_o + w_g + w_u)`` (byte).

    States are read and written, gradients read, weights written (and read, where they are
    master copies or have none): 30 bytes per parameter with Adam in mixed precision with 4-byte
    gradients.

    Parameters
    ----------
    parameters, tables
        Parameters of layers, and those of embeddings and the head.
    state
        What is kept of each.

    Examples
    --------
    >>> adam = optimizer_bytes("adamw", 4, 4096)
    >>> optimizer_traffic(1, 0, state_of("zero", state_width("bf16"), 4, adam))
    30
    """
    beside = state.gradient + state.updated
    layers = parameters * (2 * state.optimizer + beside)
    return layers + tables * (2 * state.table_optimizer + beside)


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
