"""What a forward pass moves and holds."""

from typing import Any

from mlsysim.errors import ParameterError, suggest

ELEMENT_BYTES = {
    "fp32": 4.0,
    "tf32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5,
    "int4": 0.5,
}


def element_bytes(precision: str) -> float:
    """Look up the bytes of a number in memory; tf32 is a way to multiply, not to store.

    Raises
    ------
    ParameterError
        If the precision is not known.

    Examples
    --------
    >>> element_bytes("tf32")
    4.0
    """
    try:
        return ELEMENT_BYTES[precision]
    except (KeyError, TypeError):
        near = suggest(str(precision), ELEMENT_BYTES)
        raise ParameterError(f"precision {precision!r} is not known{near}") from None


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


def arithmetic_intensity(flops: Any, traffic: Any) -> Any:
    """Divide operations by bytes moved (flop/byte).  Williams et al. 2009."""
    return flops / traffic
