"""The pipeline schedule: 1F1B, plain or interleaved."""

from typing import Any

from mlsysim.expr.functions import minimum, where


def bubble_time(stage_time: Any, stages: Any, virtual_stages: Any) -> Any:
    """Time that a stage idles per step: ``(p - 1) τ / v`` (s).

    Narayanan et al. 2021, section 2.2.

    Parameters
    ----------
    stage_time
        Forward and backward time of one microbatch on one stage, τ, with the
        communication that is not hidden.
    stages
        Pipeline stages, p.
    virtual_stages
        Chunks per stage, v.

    Examples
    --------
    >>> bubble_time(1.0, 4, 2)
    1.5
    """
    return (stages - 1) * stage_time / virtual_stages


def microbatches_alive(microbatches: Any, stages: Any, virtual_stages: Any) -> Any:
    """Count the microbatches whose activations the first stage holds.

    ``min(m, p)`` under 1F1B, ``min(m, p + (p - 1)/v)`` when interleaved (in
    stages' worth of layers).  Narayanan et al. 2021, section 2.2; Korthikanti
    et al. 2022, section 4.2.3.

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
    >>> microbatches_alive(64, 8, 1), microbatches_alive(3, 8, 1)
    (8, 3)
    >>> microbatches_alive(64, 5, 2)
    7.0
    """
    ahead = where(virtual_stages > 1, (stages - 1) / virtual_stages, 0)
    return minimum(microbatches, stages + ahead)


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
