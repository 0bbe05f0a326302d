"""How often a large machine fails, and what is left of its time.

Failures are taken to be independent and to come at a constant rate.  A run
saves its state every now and then; a failure costs the work since the last
save, and the time to start again.
"""

from typing import Any

from mlsysim.expr.functions import exp, expm1, minimum, sqrt, where
from mlsysim.numeric import from_numpy

# exp of more than this overflows; such a machine does no work in any case.
_HOPELESS = 500.0
# Up to here the series of the work lost in a cycle is good to 14 digits.
_SHORT = 0.05


@from_numpy
def system_mtbf(accelerators: Any, accelerator_mtbf: Any, nodes: Any, node_mtbf: Any) -> Any:
    """Give the mean time between failures of a machine that stops when any part does.

    ``1 / (n_a / M_a + n_n / M_n)``: the rates of parts in series add up.
    Trivedi 2001, section 3.

    Parameters
    ----------
    accelerators, nodes
        How many, n_a and n_n.
    accelerator_mtbf, node_mtbf
        Mean time between failures of one; what fails in a node beside its accelerators.

    Examples
    --------
    >>> system_mtbf(100, 1000.0, 10, 100.0)
    5.0
    """
    return 1 / (accelerators / accelerator_mtbf + nodes / node_mtbf)


@from_numpy
def checkpoint_time(state: Any, bandwidth: Any) -> Any:
    """Time the writing of a checkpoint: ``S / B``.

    Where training goes on while a copy in host memory is written out, B is the
    bandwidth at which that copy is made.

    Parameters
    ----------
    state
        Bytes that are saved, S.
    bandwidth
        Of all writers together, B.

    Examples
    --------
    >>> checkpoint_time(1e12, 2e10)
    50.0
    """
    return state / bandwidth


@from_numpy
def young_interval(write: Any, mtbf: Any) -> Any:
    """Give the best time between checkpoints to first order: ``sqrt(2 d M)``.

    Young 1974, "A first order approximation to the optimum checkpoint interval".

    Parameters
    ----------
    write
        Time to write a checkpoint, d.
    mtbf
        Mean time between failures, M.

    Examples
    --------
    >>> young_interval(2.0, 100.0)
    20.0
    """
    return sqrt(2 * write * mtbf)


@from_numpy
def daly_interval(write: Any, mtbf: Any) -> Any:
    """Give the best time of work between checkpoints.

    ``sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + d / 18M) - d``, and M where writing
    takes longer than 2 M.  Daly 2006, equation 37.

    Parameters
    ----------
    write
        Time to write a checkpoint, d.
    mtbf
        Mean time between failures, M.

    Examples
    --------
    >>> round(daly_interval(60.0, 3.1 * 3600))
    1118
    >>> daly_interval(250.0, 100.0)
    100.0
    """
    share = write / (2 * mtbf)
    series = 1 + sqrt(share) / 3 + share / 9
    return where(share < 1, young_interval(write, mtbf) * series - write, mtbf)


@from_numpy
def goodput(interval: Any, write: Any, restart: Any, mtbf: Any) -> Any:
    """Give the share of the time that ends up in work that is kept.

    ``t / (M e^(R/M) (e^((t + d)/M) - 1))``, the work over the expected time
    with failures that may also strike while a checkpoint is written or the run
    starts again.  Daly 2006, equation 20.  For short times it is
    ``1 - d/t - (t + d)/2M - R/M``: writing, work lost, starting again.

    Parameters
    ----------
    interval
        Time of work between checkpoints, t.
    write
        Time to write one, d.
    restart
        Time from a failure until work goes on, R.
    mtbf
        Mean time between failures, M.

    Examples
    --------
    >>> round(goodput(1000.0, 10.0, 300.0, 1e5), 3)  # 1 - 0.010 - 0.005 - 0.003
    0.982
    """
    cycle = minimum((interval + write) / mtbf, _HOPELESS)
    delay = minimum(restart / mtbf, _HOPELESS)
    return (interval / mtbf) * exp(-delay) / expm1(cycle)


@from_numpy
def lost_to_failures(interval: Any, write: Any, restart: Any, mtbf: Any) -> Any:
    """Give the share of the time in which work is lost or does not go on.

    ``t/(t + d) (1 - e^(-R/M) c / (e^c - 1))`` with ``c = (t + d)/M``: what `goodput` and the
    share ``d/(t + d)`` of writing leave.  For short times it is ``(t + d)/2M + R/M``.

    Parameters
    ----------
    interval, write, restart, mtbf
        As in `goodput`.

    Examples
    --------
    >>> round(lost_to_failures(1000.0, 10.0, 300.0, 1e5), 4)  # 0.00505 + 0.003
    0.0079
    """
    cycle = minimum((interval + write) / mtbf, _HOPELESS)
    delay = minimum(restart / mtbf, _HOPELESS)
    # Each part is positive: the difference of two numbers next to one would be noise.
    waiting = -expm1(-delay)
    series = cycle / 2 * (1 - cycle / 6 * (1 - cycle**2 / 60 * (1 - cycle**2 / 42)))
    redone = where(cycle < _SHORT, series, 1 - cycle / expm1(cycle))
    return interval / (interval + write) * (waiting + exp(-delay) * redone)
