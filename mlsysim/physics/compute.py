"""Time of computation: matrix products, traffic to memory, and the roofline of the two."""

from typing import Any

from mlsysim.expr.functions import maximum
from mlsysim.numeric import from_numpy


@from_numpy
def matmul_time(flops: Any, peak: Any, efficiency: Any, launches: Any, overhead: Any) -> Any:
    """Time some matrix products (s).

    ``n t₀ + F/(P η)``: affine in the work, so that small products reach less
    of the peak (half of it at ``F/n = P η t₀``).

    Parameters
    ----------
    flops
        Operations, F.
    peak
        Dense peak, P.
    efficiency
        Fraction of the peak that large products reach, η.
    launches
        Number of products, n.
    overhead
        Time that one costs whatever its size, t₀.

    Examples
    --------
    >>> matmul_time(1e12, 1e12, 0.5, 100, 0.001)
    2.1
    """
    return launches * overhead + flops / (peak * efficiency)


@from_numpy
def traffic_time(traffic: Any, bandwidth: Any, efficiency: Any) -> Any:
    """Time some reading and writing of memory: ``Q/(W ω)`` (s).

    Parameters
    ----------
    traffic
        Bytes moved, Q.
    bandwidth
        Memory bandwidth, W.
    efficiency
        Fraction of it that is reached, ω.
    """
    return traffic / (bandwidth * efficiency)


@from_numpy
def roofline_time(compute: Any, memory: Any) -> Any:
    """Time work whose arithmetic overlaps with its traffic: the longer of the two (s).

    Williams et al. 2009.

    Examples
    --------
    >>> roofline_time(2.0, 3.0)
    3.0
    """
    return maximum(compute, memory)
