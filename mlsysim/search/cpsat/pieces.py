"""Piecewise-linear encodings of monotone curves, with a rigorous error.

The range of the argument is cut into pieces; on each, the curve lies between
two parallel lines.  Their distance is measured on a fine grid and widened by
the curve's own rise between grid points, so that no derivative is needed.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.graph import Apply
from mlsysim.search.cpsat.model import Kind
from mlsysim.search.cpsat.scaled import LARGEST, NotLowerableError, Scaled, power_of_two

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering import Lowering

Array = NDArray[np.float64]

_MOST_PIECES = 64
_GRID = 257
_RELATIVE = 1e-12  # the curve itself is computed in floating point
_BITS = 28


def encode(
    lowering: "Lowering", node: Apply, wish: float, curve: Callable[[Array], Array]
) -> Scaled:
    """Encode a monotone curve of one number.

    Parameters
    ----------
    lowering
        The model under construction.
    node
        The operation; its first argument is the curve's.
    wish
        The error that is hoped for.
    curve
        The curve, on arrays.

    Raises
    ------
    NotLowerableError
        If the curve is not finite on the range of its argument.
    """
    low, high = lowering.range(node.arguments[0])
    least, most = lowering.range(node)
    size = max(abs(least), abs(most), 1e-300)
    inner = lowering.number(node.arguments[0], (high - low) * 2.0**-_BITS)
    # The encoded argument may leave the true range by its slack.
    ends = _breakpoints(low, high, wish, curve)
    unit = power_of_two(max(wish / 4, size * 2.0**-_BITS))
    value = Scaled(
        expression=lowering.variable(math.floor(least / unit), math.ceil(most / unit)),
        low=math.floor(least / unit),
        high=math.ceil(most / unit),
        unit=unit,
    )
    chosen = [lowering.model.new_bool_var("") for _ in ends[1:]]
    lowering.model.add_exactly_one(chosen)
    worst = 0.0
    for literal, (start, end) in zip(chosen, pairwise(ends), strict=True):
        slope, below, above = _strip(start, end, curve)
        lowering.between([inner], start, end, literal)
        tilted, rounding = _tilted(inner, -slope, unit)
        reach = unit / 2 + rounding + _RELATIVE * size
        lowering.between([value, tilted], below - reach, above + reach, literal)
        worst = max(worst, above - below + abs(slope) * inner.slack)
    lowering.record(node, Kind.PIECEWISE_LINEAR, len(chosen), worst + unit / 2)
    return Scaled(
        expression=value.expression, low=value.low, high=value.high, unit=unit, slack=unit / 2
    )


def _breakpoints(low: float, high: float, wish: float, curve: Callable[[Array], Array]) -> Array:
    """Cut the range into pieces, evenly or by ratio, whichever errs less."""
    count = 1
    while True:
        cuts = [np.linspace(low, high, count + 1)]
        if low > 0:
            cuts.append(np.geomspace(low, high, count + 1))
            cuts[-1][[0, -1]] = low, high
        errors = [max(_error(start, end, curve) for start, end in pairwise(cut)) for cut in cuts]
        best = int(np.argmin(errors))
        if not math.isfinite(errors[best]):
            raise NotLowerableError("a curve is not finite on the range of its argument")
        if errors[best] <= wish or count >= _MOST_PIECES:
            return cuts[best]
        count *= 2


def _error(start: float, end: float, curve: Callable[[Array], Array]) -> float:
    _, below, above = _strip(start, end, curve)
    return above - below


def _strip(start: float, end: float, curve: Callable[[Array], Array]) -> tuple[float, float, float]:
    """Find the slope of a chord, and between which offsets the curve runs along it."""
    grid = np.linspace(start, end, _GRID)
    with np.errstate(all="ignore"):
        values = np.asarray(curve(grid), np.float64)
    slope = float(values[-1] - values[0]) / (end - start) if end > start else 0.0
    offsets = values - slope * grid
    # Between two grid points both the curve and the line are monotone, hence
    # no further from the chord than the rise between them.
    rise = float(np.max(np.abs(np.diff(values)))) if len(values) > 1 else 0.0
    return slope, float(offsets.min()) - rise, float(offsets.max()) + rise


def _tilted(number: Scaled, slope: float, unit: float) -> tuple[Scaled, float]:
    """Multiply a number by a slope; give the result and its rounding error."""
    steep = abs(slope) * number.unit
    fine = power_of_two(
        max(
            unit / min(number.size, 1 << _BITS),
            steep * 2.0**-_BITS,
            steep * number.size / (LARGEST >> 2),
        )
    )
    factor = round(slope * number.unit / fine)
    rounding = abs(slope * number.unit - factor * fine) * number.size
    scaled = number.times(factor)
    tilted = Scaled(
        expression=scaled.expression,
        low=scaled.low,
        high=scaled.high,
        unit=fine,
        slack=abs(slope) * number.slack,
    )
    return tilted, rounding
