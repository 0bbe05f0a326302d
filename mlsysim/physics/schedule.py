"""The pipeline schedule: 1F1B, plain or interleaved, zero-bubble, and bidirectional."""

from typing import Any

from mlsysim.expr.functions import maximum, minimum, where
from mlsysim.numeric import from_numpy

SCHEDULES = ("1f1b", "interleaved", "zero-bubble", "dualpipe")


@from_numpy
def bubble_time(others: Any, virtual_stages: Any) -> Any:
    """Time that a stage idles per step: ``(p - 1) τ / v`` where stages are alike (s).

    While the pipeline fills and drains it waits for one microbatch in each of the other stages.
    Narayanan et al. 2021, section 2.2; for stages that differ, Zheng et al. 2022 (Alpa, arXiv
    2201.12023), section 5.1.

    Parameters
    ----------
    others
        Forward and backward time of one microbatch on the other stages, one after the other,
        with the communication that is not hidden.
    virtual_stages
        Chunks per stage, v.

    Examples
    --------
    >>> bubble_time(3 * 1.0, 2)
    1.5
    """
    return others / virtual_stages


@from_numpy
def zero_bubble_time(others: Any, weight_time: Any, stages: Any, microbatches: Any) -> Any:
    """Time that a stage idles per step where weight gradients fill the bubble (s).

    ``max(0, (p - 1) (τ - W) - min(p - 1, m - 1) W)`` where stages are alike: schedule ZB-H1 of Qi
    et al. 2023 (arXiv 2401.10241), which is ``(p - 1) (τ - 2 W)`` as DeepSeek-V3 lists it (arXiv
    2412.19437, table 2) where there are enough microbatches.  Nobody waits for the gradients of
    the stages behind, and each waiting stage computes gradients meanwhile; those of the last
    microbatch are left to the end.

    Parameters
    ----------
    others
        Time of one microbatch on the other stages, one after the other, without what computes
        gradients of weights there: ``(p - 1) (τ - W)``.
    weight_time
        The part of a stage's own time that computes gradients of weights, W.
    stages
        Pipeline stages, p.
    microbatches
        Microbatches per step, m.

    Examples
    --------
    >>> zero_bubble_time(3 * (3.0 - 1.0), 1.0, 4, 16), zero_bubble_time(3 * (3.0 - 1.0), 1.0, 4, 1)
    (3.0, 6.0)
    """
    filled = minimum(stages - 1, microbatches - 1) * weight_time
    return maximum(others - filled, 0 * others)


@from_numpy
def bidirectional_bubble_time(
    stage_time: Any, backward_time: Any, weight_time: Any, stages: Any, microbatches: Any
) -> Any:
    """Time that a stage idles per step where microbatches enter a pipeline at both ends (s).

    ``max(0, (p/2 - 1) (τ + B - 2 W) - min(p/2 - 1, m - 1) W)``: DualPipe, which is
    ``(p/2 - 1) (τ + B - 3 W)`` where there are enough microbatches (DeepSeek-V3, arXiv
    2412.19437, table 2, where the forward and backward pass that run together are τ).

    Parameters
    ----------
    stage_time
        Forward and backward time of one microbatch on one stage, τ.
    backward_time
        The computation of a backward pass, B.
    weight_time
        The part of that which computes gradients of weights, W.
    stages
        Pipeline stages, p.
    microbatches
        Microbatches per step, m.

    Examples
    --------
    >>> bidirectional_bubble_time(3.0, 2.0, 1.0, 16, 64)
    14.0
    >>> bidirectional_bubble_time(3.0, 2.0, 1.0, 16, 2)
    20.0
    """
    rounds = maximum(stages / 2 - 1, 0)
    filled = minimum(rounds, microbatches - 1) * weight_time
    idle = rounds * (stage_time + backward_time - 2 * weight_time) - filled
    return maximum(idle, 0 * idle)


@from_numpy
def microbatches_alive(
    microbatches: Any, stages: Any, virtual_stages: Any, index: Any = 0, waiting: Any = 0
) -> Any:
    """Count the microbatches whose activations a stage holds.

    ``min(m, p - i + w)`` under 1F1B, ``min(m, p + (p - 1 - 2 i)/v + w)`` when interleaved
    (in stages' worth of layers).  Narayanan et al. 2021, section 2.2; Korthikanti
    et al. 2022, section 4.2.3; Megatron-LM's warm-up of ``2 (p - 1 - i) + (v - 1) p`` chunks.

    Parameters
    ----------
    microbatches
        Microbatches per step, m.
    stages
        Pipeline stages, p.
    virtual_stages
        Chunks per stage, v.
    index
        The stage, from 0 for the first, i.
    waiting
        Microbatches whose gradients of weights wait, w.

    Examples
    --------
    >>> microbatches_alive(64, 8, 1), microbatches_alive(3, 8, 1), microbatches_alive(64, 8, 1, 7)
    (8, 3, 1)
    >>> microbatches_alive(64, 5, 2), microbatches_alive(64, 5, 2, 4)
    (7.0, 3.0)
    """
    ahead = (stages - 1 - 2 * index) / virtual_stages
    held = where(virtual_stages > 1, stages + ahead, stages - index)
    return minimum(microbatches, held + waiting)


@from_numpy
def hiding_passes(microbatches: Any, stages: Any, virtual_stages: Any) -> Any:
    """Count the microbatches' passes beside which replicas can exchange a stage's weights.

    Plain 1F1B completes the gradients of a stage with its last microbatch: 1.  Interleaved,
    a chunk's are complete while the other ``v - 1`` chunks still work on the last p
    microbatches: ``min(m, 1 + (p - 1) (v - 1)/v)``.

    Parameters
    ----------
    microbatches
        Microbatches per step, m.
    stages
        Pipeline stages, p.
    virtual_stages
        Chunks per stage, v.

    Examples
    --------
    >>> hiding_passes(64, 8, 1), hiding_passes(64, 5, 2)
    (1.0, 3.0)
    """
    return minimum(microbatches, 1 + (stages - 1) * (virtual_stages - 1) / virtual_stages)


@from_numpy
def boundary_time(
    message: Any, stages: Any, virtual_stages: Any, bandwidth: Any, latency: Any
) -> Any:
    """Time that a microbatch spends crossing a stage's boundary (s).

    ``2 v (M/β + λ)``: an activation forward and a gradient backward for each
    chunk, and nothing where there is one stage.  Narayanan et al. 2021,
    section 2.2.2.

    Parameters
    ----------
    message
        Bytes that one accelerator sends, M.
    stages
        Pipeline stages, p.
    virtual_stages
        Chunks per stage, v.
    bandwidth
        Bytes per second and direction, β.
    latency
        Time of one message, λ.
    """
    crossing = 2 * virtual_stages * (message / bandwidth + latency)
    return where(stages > 1, crossing, 0 * crossing)
