"""What a forward pass moves and holds."""

from typing import Any

from mlsysim.numeric import from_numpy


@from_numpy
def forward_traffic(weights: Any, items: Any, moved: Any, width: Any) -> Any:
    """Measure what a forward pass moves: ``(N + n a) w`` (byte).

    Weights are read once for the whole batch, activations for each item, so
    that the arithmetic intensity saturates as the batch grows.

    Parameters
    ----------
    weights
        Parameters read, N.
    items
        Tokens or images, n.
    moved
        Numbers written and read again per item, a.
    width
        Bytes per number, w.

    Examples
    --------
    >>> forward_traffic(100, 10, 5, 2)
    300
    """
    return (weights + items * moved) * width


@from_numpy
def forward_memory(weights: Any, items: Any, live: Any, cached: Any, width: Any) -> Any:
    """Measure what a forward pass holds: ``(N + n (l + c)) w`` (byte).

    Parameters
    ----------
    weights
        Parameters, N.
    items
        Tokens or images in the batch, n.
    live
        Numbers per item in the layer at work, l.
    cached
        Numbers per item kept over all layers, c: keys and values.
    width
        Bytes per number, w.

    Examples
    --------
    >>> forward_memory(100, 10, 5, 2, 2)
    340
    """
    return (weights + items * (live + cached)) * width


@from_numpy
def arithmetic_intensity(flops: Any, traffic: Any) -> Any:
    """Divide operations by bytes moved (flop/byte).  Williams et al. 2009."""
    return flops / traffic
