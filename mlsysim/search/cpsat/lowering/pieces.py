"""Piecewise-linear encodings of monotone curves, with a rigorous error.

The range of the argument is cut into pieces; on each, the curve lies between
two parallel lines.  Their distance is measured on a fine grid and widened by
what the curve can do between grid points, so that no derivative is needed: a
concave one stays below the secants of its neighbours, any other within its rise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.graph import Apply, Constant
from mlsysim.expr.operation import Bend
from mlsysim.search.cpsat.lowering import products
from mlsysim.search.cpsat.lowering.scaled import LARGEST, NotLowerableError, Scaled, power_of_two
from mlsysim.search.cpsat.solving.model import Kind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

Array = NDArray[np.float64]

_MOST_PIECES = 64
_GRID = 257
_RELATIVE = 1e-12  # the curve itself is computed in floating point
_BITS = 28
_HELD_BITS = 40


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """A monotone function of one number, and how it curves between two values."""

    function: Callable[[Array], Array]
    bend: Callable[[float, float], Bend]


def _shape(node: Apply) -> _Shape:
    """Give the function of an operation; all its arguments but one are constants."""
    base = node.arguments[0]
    if isinstance(base, Constant):  # a positive number to a power, which is convex in it
        return _Shape(
            function=lambda x: node.operation.compute(base.value, x),
            bend=lambda _low, _high: Bend.CONVEX,
        )
    others = [one.value for one in node.arguments[1:] if isinstance(one, Constant)]
    return _Shape(
        function=lambda x: node.operation.compute(x, *others),
        bend=lambda low, high: node.operation.bend(low, high, *others),
    )


def encode(lowering: "Lowering", node: Apply, wish: float) -> Scaled:
    """Encode a monotone curve of one number.

    Parameters
    ----------
    lowering
        The model under construction.
    node
        The operation; its one argument that is no constant is the curve's.
    wish
        The error that is hoped for.

    Raises
    ------
    NotLowerableError
        If the curve is not finite on the range of its argument.
    """
    curve = _shape(node)
    argument = next(one for one in node.arguments if not isinstance(one, Constant))
    low, high = lowering.range(argument)
    least, most = lowering.range(node)
    size = max(abs(least), abs(most), 1e-300)
    inner = lowering.number(argument, (high - low) * 2.0**-_BITS)
    # A variable of its own, lest every piece repeat a long sum of literals; but none that
    # takes up what all variables together may.
    inner = products.coarsened(
        lowering, inner, power_of_two(inner.unit * inner.size * 2.0**-_HELD_BITS)
    )
    inner = replace(inner, expression=lowering.single(inner), weight=0)
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
    lowering.model.add_at_most_one(chosen)
    lowering.post(lowering.model.add_bool_or(chosen))
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


def _breakpoints(low: float, high: float, wish: float, curve: _Shape) -> Array:
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


def _error(start: float, end: float, curve: _Shape) -> float:
    _, below, above = _strip(start, end, curve)
    return above - below


def _strip(start: float, end: float, curve: _Shape) -> tuple[float, float, float]:
    """Find the slope of a chord, and between which offsets the curve runs along it."""
    grid = np.linspace(start, end, _GRID)
    with np.errstate(all="ignore"):
        values = np.asarray(curve.function(grid), np.float64)
    slope = float(values[-1] - values[0]) / (end - start) if end > start else 0.0
    offsets = values - slope * grid
    bend = curve.bend(start, end)
    if bend is Bend.CONCAVE:
        return slope, float(min(offsets[0], offsets[-1])), _peak(offsets)
    if bend is Bend.CONVEX:
        return slope, -_peak(-offsets), float(max(offsets[0], offsets[-1]))
    # Between two grid points both the curve and the line are monotone, hence
    # no further from the chord than the rise between them.
    rise = float(np.max(np.abs(np.diff(values)))) if len(values) > 1 else 0.0
    return slope, float(offsets.min()) - rise, float(offsets.max()) + rise


def _peak(values: Array) -> float:
    """Bound a concave function from above by its values on an even grid.

    Between two grid points it stays below the lines through the last two on
    either side.
    """
    steps = np.diff(values)
    before = np.concatenate([[np.inf], values[1:-1] + np.maximum(steps[:-1], 0.0)])
    after = np.concatenate([values[1:-1] + np.maximum(-steps[1:], 0.0), [np.inf]])
    return float(np.maximum(np.minimum(before, after), values[:-1]).max(initial=values[-1]))


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
