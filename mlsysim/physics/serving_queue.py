"""How long requests wait: queues in front of batches and of prefills, by stated approximations."""

from typing import Any

from mlsysim.expr.functions import log, maximum, minimum, sqrt
from mlsysim.numeric import from_numpy

_FULLEST = 0.999
"""Utilisation beyond which a queue is taken to be this full: there is no steady state."""


@from_numpy
def busy_share(utilization: Any) -> Any:
    """Keep a utilisation below one, so that waits stay finite where no steady state exists."""
    return minimum(utilization, _FULLEST)


@from_numpy
def chance_to_wait(utilization: Any, servers: Any) -> Any:
    """Estimate the chance that an arrival finds all servers busy: ``u^(√(2 (c + 1)) - 1)``.

    Sakasegawa 1977 for M/M/c; exact for one server.

    Parameters
    ----------
    utilization
        Share of the servers that is busy, u.
    servers
        How many there are, c: e.g. the places of a batch.

    Examples
    --------
    >>> chance_to_wait(0.5, 1)
    0.5
    """
    return busy_share(utilization) ** (sqrt(2 * (servers + 1)) - 1)


@from_numpy
def mean_wait_of_waiting(service: Any, servers: Any, utilization: Any, variation: Any) -> Any:
    """Estimate the mean wait of those who have to wait (s): ``S / (c (1 - u)) (1 + v²) / 2``.

    Pollaczek and Khinchine for one server, Allen and Cunneen for several.

    Parameters
    ----------
    service
        Mean time of service, S.
    servers
        How many serve at a time, c.
    utilization
        Share of them that is busy, u.
    variation
        Standard deviation of the service over its mean, v: 0 if all are alike, 1 as in M/M/c.

    Examples
    --------
    >>> mean_wait_of_waiting(1.0, 1, 0.5, 0.0)  # M/D/1 waits 0.5 on average, half of all wait
    1.0
    """
    return service * (1 + variation * variation) / (2 * servers * (1 - busy_share(utilization)))


@from_numpy
def wait_quantile(chance: Any, mean: Any, quantile: Any) -> Any:
    """Estimate a quantile of the wait (s): ``max(0, m log(C / (1 - q)))``.

    Those who wait are taken to wait exponentially long: exact for M/M/c, the usual
    tail approximation otherwise.

    Parameters
    ----------
    chance
        Chance to wait at all, C.
    mean
        Mean wait of those who do, m.
    quantile
        Share of the requests that wait no longer, q.

    Examples
    --------
    >>> wait_quantile(0.3, 1.0, 0.5)
    0.0
    """
    return maximum(mean * log(maximum(chance, 1e-12) / (1 - quantile)), 0.0)
