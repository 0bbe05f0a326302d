"""How much arithmetic a training step takes: counts of floating-point operations."""

from typing import Any

from mlsysim.expr.functions import minimum, select
from mlsysim.numeric import from_numpy
from mlsysim.physics.activations import RECOMPUTE, UP_PROJECTIONS


@from_numpy
def matmul_flops(parameters: Any, tokens: Any) -> Any:
    """Count the forward operations of weight matrices (flop).

    ``2 N T``: one multiply and one add per weight and token.  Kaplan et al.
    2020, section 2.1; exact when N counts only weights that are multiplied.

    Parameters
    ----------
    parameters
        Weights multiplied per token, N; look-up tables and idle experts excluded.
    tokens
        Tokens, T.

    Examples
    --------
    >>> matmul_flops(7e9, 1000)
    14000000000000.0
    """
    return 2 * parameters * tokens


@from_numpy
def attended_positions(seq_len: Any, window: Any) -> Any:
    """Average the positions that a token attends to under a causal mask.

    ``w - w (w - 1) / (2 s)`` with ``w = min(window, s)``; without a window
    this is ``(s + 1) / 2``.  Counted exactly, as Megatron-LM does up to the
    diagonal; a full mask would be s.

    Parameters
    ----------
    seq_len
        Sequence length, s.
    window
        Positions that a layer can see; anything from s on means all.

    Examples
    --------
    >>> attended_positions(4, 4)  # 1, 2, 3 and 4 positions
    2.5
    >>> attended_positions(4, 2)  # 1, 2, 2 and 2 positions
    1.75
    """
    reach = minimum(window, seq_len)
    return reach - reach * (reach - 1) / (2 * seq_len)


@from_numpy
def attention_flops(tokens: Any, positions: Any, score_width: Any, value_width: Any) -> Any:
    """Count the forward operations of the attention core of one layer (flop).

    ``2 T c (w_s + w_v)``: scores from queries and keys, then the weighted sum
    of values.  Narayanan et al. 2021, appendix, with the mask counted.

    Parameters
    ----------
    tokens
        Tokens, T.
    positions
        Positions attended per token, c (`attended_positions`).
    score_width
        Query heads times the width of a query, w_s.
    value_width
        Query heads times the width of a value, w_v.
    """
    return 2 * tokens * positions * (score_width + value_width)


@from_numpy
def repeated_layers(recompute: Any, share: Any = 1.0) -> Any:
    """Give the share of the layers whose forward pass the backward pass repeats.

    Parameters
    ----------
    recompute
        One of `mlsysim.physics.activations.RECOMPUTE`.
    share
        The share that ``"full"`` repeats.

    Examples
    --------
    >>> [repeated_layers(mode) for mode in ("none", "selective", "alternate", "full")]
    [0.0, 0.0, 0.5, 1.0]
    """
    repeated = dict.fromkeys(RECOMPUTE, 0.0)
    return select(recompute, repeated | {"alternate": 0.5, "full": share})


@from_numpy
def core_passes(attention: Any, recompute: Any, share: Any = 1.0) -> Any:
    """Count the attention core's work in forward passes: all that a training step does.

    Fused kernels rebuild the scores within the backward pass, five products where the
    forward pass has two (Dao 2023, arXiv 2307.08691, section 3.1): ``1 + 2.5``.  Unfused
    ones take ``1 + 2``, and one more where the core is recomputed; recomputing whole
    layers adds one to either.

    Parameters
    ----------
    attention
        ``"causal"`` or ``"full"`` (fused), or ``"unfused"``.
    recompute
        One of `mlsysim.physics.activations.RECOMPUTE`.
    share
        The share of the layers that ``"full"`` repeats.

    Examples
    --------
    >>> core_passes("causal", "none"), core_passes("unfused", "selective")
    (3.5, 4.0)
    """
    unfused = select(
        recompute,
        dict.fromkeys(RECOMPUTE, 3.0) | {"selective": 4.0, "alternate": 3.5, "full": 3 + share},
    )
    fused = 3.5 + repeated_layers(recompute, share)
    return select(attention, {"causal": fused, "full": fused, "unfused": unfused})


@from_numpy
def training_flops(forward: Any) -> Any:
    """Count a forward and a backward pass: three times the forward (flop).

    Each product has two in the backward pass, one for either operand.  Kaplan
    et al. 2020, section 2.1.

    Examples
    --------
    >>> training_flops(2.0)
    6.0
    """
    return 3 * forward


@from_numpy
def recomputed_flops(recompute: Any, forward: Any, core: Any, up: Any, share: Any = 1.0) -> Any:
    """Count the forward operations that the backward pass repeats (flop).

    Nothing; the attention core; latent attention's up-projections; every second layer; or
    every layer.  Korthikanti et al. 2022, section 5.

    Parameters
    ----------
    recompute
        One of `mlsysim.physics.activations.RECOMPUTE`.
    forward
        Forward operations of the layers, core included.
    core, up
        Forward operations of the attention core alone, and of the up-projections.
    share
        The share of the layers that ``"full"`` repeats.

    Examples
    --------
    >>> recomputed_flops("full", 10.0, 1.0, 0.5), recomputed_flops("selective", 10.0, 1.0, 0.5)
    (10.0, 1.0)
    """
    return select(
        recompute,
        {
            "none": 0 * core,
            "selective": core,
            UP_PROJECTIONS: up,
            "alternate": forward / 2,
            "full": share * forward,
        },
    )


@from_numpy
def flops_utilization(flops: Any, time: Any, accelerators: Any, peak: Any) -> Any:
    """Compare operations done with those possible: ``F / (T n P)``.

    With the model's own operations this is the MFU, with the repeated ones
    added the HFU.  Chowdhery et al. 2022, appendix B.

    Parameters
    ----------
    flops
        Operations per step, F.
    time
        Time per step, T.
    accelerators
        Accelerators that are paid for, n.
    peak
        Dense peak of one, P.
    """
    return flops / (time * accelerators * peak)
