"""Piecewise-linear encodings of monotone curves, with a rigorous error.

The range of the argument is cut into pieces; on each, the curve lies between
two parallel lines.  Their distance is measured on a fine grid and widened by
what the curve can do between grid points, so that no derivative is needed: a
concave one stays below the secants of its neighbours, any other within its rise.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.graph import Apply, Constant
from mlsysim.expr.operation import Bend
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering import products
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.scaled import LARGEST, Scaled, power_of_two
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

Array = NDArray[np.float64]

_MOST_PIECES = 64
_GRID = 257
_RELATIVE = 1e-12  # the curve itself is computed in floating point
_BITS = 28
_HELD_BITS = 32
# A piece is a line if rounding the argument makes it no more than so many times as wide.
_WIDENED = 4


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
    # Of the whole curve: conditions may leave less of the value than of the argument.
    with np.errstate(all="ignore"):
        whole = np.abs(curve.function(np.array([low, high])))
    size = max(abs(least), abs(most), 1e-300, float(np.max(whole)))
    if not math.isfinite(size):
        raise NotLowerableError("a curve is not finite on the range of its argument")
    inner = lowering.number(argument, (high - low) * 2.0**-_BITS)
    # A variable of its own, lest every piece repeat a long sum of literals; but none that
    # takes up what all variables together may.
    inner = products.coarsened(
        lowering, inner, power_of_two(inner.unit * inner.size * 2.0**-_HELD_BITS)
    )
    inner = replace(inner, expression=lowering.single(inner), weight=0)
    ends = _breakpoints(low, high, wish, curve)
    unit = power_of_two(max(wish / 4, size * 2.0**-_BITS))
    value = Scaled(
        expression=lowering.variable(math.floor(least / unit), math.ceil(most / unit)),
        low=math.floor(least / unit),
        high=math.ceil(most / unit),
        unit=unit,
    )
    reach = unit / 2 + _RELATIVE * size
    pieces = [_Piece.of(inner, start, end, reach, curve) for start, end in pairwise(ends)]
    pieces = [piece for piece in pieces if piece.width >= 0]  # between two steps there is none
    fine = _post(lowering, inner, value, pieces)
    worst = max(piece.above - piece.below for piece in pieces)
    lowering.record(node, EncodingKind.PIECEWISE_LINEAR, len(pieces), worst)
    away = inner.slack + _RELATIVE * max(abs(low), abs(high))
    steepest = max(abs(piece.slope) for piece in pieces) / inner.unit
    spread = worst + fine + steepest * away + _rise(curve, low, high, inner.spread + away)
    return replace(value, slack=unit / 2, spread=spread)


def _rise(curve: _Shape, low: float, high: float, step: float) -> float:
    """Bound what a monotone curve rises over a step of its argument: most, at an end."""
    if curve.bend(low, high) is Bend.NEITHER:
        with np.errstate(all="ignore"):
            ends = curve.function(np.array([low, high]))
        return float(abs(ends[1] - ends[0])) if step else 0.0
    at = np.array([low, min(low + step, high), max(high - step, low), high])
    with np.errstate(all="ignore"):
        values = curve.function(at)
    return float(max(abs(values[1] - values[0]), abs(values[3] - values[2])))


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """One piece: what the encoded value can be, on a line from where the piece begins.

    Parameters
    ----------
    first, width
        Where the encoded argument is: from `first` to `width` above it.
    slope
        What a step of the argument adds to the value.
    below, above
        Between which ends the value lies, the slope apart.
    """

    first: int
    width: int
    slope: float
    below: float
    above: float

    @classmethod
    def of(cls, inner: Scaled, start: float, end: float, reach: float, curve: _Shape) -> "_Piece":
        """Make the piece between two arguments; the value may leave the curve by `reach`."""
        # The encoded argument may leave the true range by its slack.
        away = inner.slack + _RELATIVE * max(abs(start), abs(end))
        first = max(inner.low, math.ceil((start - away) / inner.unit))
        last = min(inner.high, math.floor((end + away) / inner.unit))
        width = last - first
        slope, below, above = _strip(start, end, curve)
        if width <= 0 or width * inner.unit > _WIDENED * (end - start):
            # No wider than what the argument is off by: it tells no more of the value.
            ends = slope * start, slope * end
            slope, below, above = 0.0, below + min(ends), above + max(ends)
        shift = slope * first * inner.unit
        # The line meets the curve far from zero, where its offset is a small difference.
        reach += abs(slope) * inner.slack + 8 * sys.float_info.epsilon * abs(shift)
        return cls(
            first=first,
            width=width,
            slope=slope * inner.unit,
            below=below + shift - reach,
            above=above + shift + reach,
        )

    @property
    def size(self) -> float:
        """What the piece may take up in a sum."""
        return max(abs(self.below), abs(self.above)) + abs(self.slope) * self.width


def _post(lowering: "Lowering", inner: Scaled, value: Scaled, pieces: Sequence[_Piece]) -> float:
    """Divide the argument among the pieces, one of which holds it: the multiple-choice form.

    What the value may leave a piece by, for rounded slopes, is returned.

    Its relaxation is the convex hull of the pieces.  A conditional constraint per piece
    says the same, but from such ones OR-Tools 9.15 derives precedences that overflow: a
    solver with default parameters then calls the model infeasible.
    """
    model = lowering.model
    chosen = [model.new_bool_var("") for _ in pieces]
    parts = [lowering.variable(0, piece.width) for piece in pieces]
    model.add_at_most_one(chosen)
    lowering.post(model.add_bool_or(chosen))
    for piece, literal, part in zip(pieces, chosen, parts, strict=True):
        model.add(part <= piece.width * literal)
    sum_ = cp_model.LinearExpr.sum
    weighted = cp_model.LinearExpr.weighted_sum
    starts = [piece.first for piece in pieces]
    lowering.post(model.add(inner.expression == weighted(chosen, starts) + sum_(parts)))
    weight = value.size * value.unit + sum(piece.size for piece in pieces)
    fine = min(value.unit, power_of_two(weight / LARGEST))
    slopes = [round(piece.slope / fine) for piece in pieces]
    rounding = [
        abs(piece.slope / fine - slope) * piece.width
        for piece, slope in zip(pieces, slopes, strict=True)
    ]
    below = [math.floor(p.below / fine - err) for p, err in zip(pieces, rounding, strict=True)]
    above = [math.ceil(p.above / fine + err) for p, err in zip(pieces, rounding, strict=True)]
    whole: Any = round(value.unit / fine) * value.expression  # OR-Tools' types do not add up
    over = whole - weighted(parts, slopes)
    lowering.post(model.add(over >= weighted(chosen, below)))
    lowering.post(model.add(over <= weighted(chosen, above)))
    return fine * (2 * max(rounding) + 2)


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
