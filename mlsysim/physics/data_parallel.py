"""Traffic between replicas, and what of it a step has to wait for."""

from typing import Any

from mlsysim.expr.functions import maximum, where
from mlsysim.numeric import from_numpy
from mlsysim.physics.state import ZeroStage


@from_numpy
def exposed_time(communication: Any, window: Any) -> Any:
    """Find what communication outlasts the computation that hides it (s).

    ``max(0, T_c - T_w)``.

    Examples
    --------
    >>> exposed_time(3.0, 2.0), exposed_time(1.0, 2.0)
    (1.0, 0.0)
    """
    return maximum(communication - window, 0 * communication)


@from_numpy
def overlapped_time(communication: Any, window: Any, exposure: Any) -> Any:
    """Find what overlapped communication still costs a step (s).

    ``ψ T + max(0, (1 - ψ) T - T_w)``: a share ψ is felt whatever the computation beside
    it, because kernels that share an accelerator slow one another down (Calculon takes
    2-15 % of the processor away); the rest shows where it outlasts the computation.

    Parameters
    ----------
    communication
        Time of the communication alone, T.
    window
        Computation that it runs beside, T_w.
    exposure
        Share that is felt, ψ.

    Examples
    --------
    >>> overlapped_time(10.0, 100.0, 0.2), overlapped_time(10.0, 5.0, 0.2), overlapped_time(
    ...     10.0, 0.0, 0.2
    ... )
    (2.0, 5.0, 10.0)
    """
    felt = exposure * communication
    return felt + exposed_time(communication - felt, window)


@from_numpy
def step_gradients(zero_stage: Any, gradient: Any) -> Any:
    """Time the exchange of gradients that happens once per step (s).

    Stage 0 reduces them everywhere, ``2 G``; stage 1 to their owners, ``G``;
    from stage 2 on every microbatch does (`microbatch_traffic`).  Rajbhandari
    et al. 2020, section 7.

    Parameters
    ----------
    zero_stage
        0, 1, 2 or 3.
    gradient
        Time to reduce-scatter (or gather) all gradients of an accelerator, G.

    Examples
    --------
    >>> [step_gradients(stage, 4.0) for stage in range(4)]
    [8.0, 4.0, 0.0, 0.0]
    """
    shared = where(zero_stage >= ZeroStage.GRADIENTS, 0 * gradient, gradient)
    return where(zero_stage >= ZeroStage.OPTIMIZER, shared, 2 * gradient)


@from_numpy
def step_weights(zero_stage: Any, weight: Any) -> Any:
    """Time the exchange of new weights that happens once per step (s).

    Owners hand them out at stages 1 and 2, ``W``.  At stage 0 everyone has
    them, at stage 3 every microbatch gathers them.  Rajbhandari et al. 2020,
    section 7.

    Parameters
    ----------
    zero_stage
        0, 1, 2 or 3.
    weight
        Time to gather (or reduce-scatter) all weights of an accelerator, W.

    Examples
    --------
    >>> [step_weights(stage, 2.0) for stage in range(4)]
    [0.0, 2.0, 2.0, 0.0]
    """
    owned = where(zero_stage >= ZeroStage.OPTIMIZER, weight, 0 * weight)
    return where(zero_stage >= ZeroStage.WEIGHTS, 0 * weight, owned)


@from_numpy
def microbatch_traffic(zero_stage: Any, gradient: Any, weight: Any) -> Any:
    """Time what replicas exchange for every microbatch (s).

    Sharded gradients leave no room to accumulate, so each microbatch
    reduce-scatters them from stage 2 on, ``G``; at stage 3 the weights are
    gathered in both passes as well, ``G + 2 W``.  Rajbhandari et al. 2020,
    section 7.

    Parameters
    ----------
    zero_stage
        0, 1, 2 or 3.
    gradient, weight
        Times as for `step_gradients` and `step_weights`.

    Examples
    --------
    >>> [microbatch_traffic(stage, 4.0, 2.0) for stage in range(4)]
    [0.0, 0.0, 4.0, 8.0]
    """
    scattered = where(zero_stage >= ZeroStage.GRADIENTS, gradient, 0 * gradient)
    return where(zero_stage >= ZeroStage.WEIGHTS, scattered + 2 * weight, scattered)
