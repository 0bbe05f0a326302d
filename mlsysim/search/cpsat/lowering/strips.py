"""Long tables of one choice as a few piecewise-linear strips.

An element constraint over 10,000 values is exact, but the solver drowns in it.
On each of a few pieces the values lie in a strip between two lines; in the
multiple-choice form used here the linear relaxation is the convex hull of the
strips.  A price with volume discounts comes out exact, a smooth curve with a
known slack.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering.scaled import Scaled, power_of_two

Array = NDArray[np.float64]

# Lines are resolved to as many bits of the largest value.
_BITS = 34
# A table that was computed in floating point is no straighter than this, relative.
_ROUNDING = 1e-14


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One piece: ``slope * position + offset`` lies within `below` and `above` of the entry."""

    first: int
    last: int
    slope: float
    below: float
    above: float

    @property
    def width(self) -> float:
        """The distance between the two lines."""
        return self.above - self.below


def strips_of(entries: Array, wish: float, most: int, marks: Sequence[int] = ()) -> list[Strip]:
    """Cut a table into pieces along which it is nearly linear."""
    inside = {place for place in marks if 0 <= place < len(entries)}
    starts = sorted({0, *inside, *(place + 1 for place in inside)} - {len(entries)})
    pieces = [
        _strip(entries, first, after - 1)
        for first, after in zip(starts, [*starts[1:], len(entries)], strict=True)
    ]
    most += len(pieces) - 1
    narrow = max(wish, _ROUNDING * float(np.max(np.abs(entries))))
    while len(pieces) < most:
        worst = max(pieces, key=lambda piece: piece.width)
        if worst.width <= narrow or worst.last - worst.first < 2:  # noqa: PLR2004 - two points
            break
        place = pieces.index(worst)
        cut = _cut(entries, worst)
        pieces[place : place + 1] = [
            _strip(entries, worst.first, cut - 1),
            _strip(entries, cut, worst.last),
        ]
    return pieces


def add_strips(
    model: cp_model.CpModel, place: cp_model.LinearExprT, entries: Array, pieces: list[Strip]
) -> Scaled:
    """Encode a table by strips alone."""
    chosen = [model.new_bool_var("") for _ in pieces]
    parts = [model.new_int_var(0, piece.last, "") for piece in pieces]
    model.add_exactly_one(chosen)
    model.add(cp_model.LinearExpr.sum(parts) == place)
    size = float(np.max(np.abs(entries))) or 1.0
    unit = power_of_two(size * 2.0**-_BITS)
    fine = 1 << len(entries).bit_length()  # so that rounded slopes err by less than a unit
    slopes, below, above = [], [], []
    for piece, one, part in zip(pieces, chosen, parts, strict=True):
        model.add(part >= piece.first * one)
        model.add(part <= piece.last * one)
        slope = round(piece.slope / unit * fine)
        at = np.arange(piece.first, piece.last + 1)
        offsets = entries[at] / unit * fine - slope * at
        rounding = _ROUNDING * size / unit * fine
        slopes.append(slope)
        below.append(math.floor(offsets.min() - rounding))
        above.append(math.ceil(offsets.max() + rounding))
    low, high = math.floor(entries.min() / unit) - 1, math.ceil(entries.max() / unit) + 1
    target = model.new_int_var(low, high, "")
    tilted = fine * target - cp_model.LinearExpr.weighted_sum(parts, slopes)
    half = fine // 2  # the value is rounded to whole units
    model.add(tilted >= cp_model.LinearExpr.weighted_sum(chosen, below) - half)
    model.add(tilted <= cp_model.LinearExpr.weighted_sum(chosen, above) + half)
    # Value and entry lie between the same two lines, and the value is rounded.
    wide = max(top - bottom for bottom, top in zip(below, above, strict=True)) + half
    spread = unit * wide / fine
    return Scaled(expression=target, low=low, high=high, unit=unit, slack=unit / 2, spread=spread)


def _strip(entries: Array, first: int, last: int) -> Strip:
    slope = (entries[last] - entries[first]) / max(1, last - first)
    offsets = entries[first : last + 1] - slope * np.arange(first, last + 1)
    return Strip(
        first=first,
        last=last,
        slope=float(slope),
        below=float(offsets.min()),
        above=float(offsets.max()),
    )


def _cut(entries: Array, piece: Strip) -> int:
    """Cut where the table leaves its chord the most, on the side of the larger jump."""
    at = np.arange(piece.first, piece.last + 1)
    offsets = entries[at] - piece.slope * at
    away = np.abs(offsets - offsets[0])
    cut = int(at[int(np.argmax(away))])
    before = abs(entries[cut] - entries[cut - 1]) if cut > piece.first else 0.0
    after = abs(entries[cut + 1] - entries[cut]) if cut < piece.last else 0.0
    cut += int(after > before)
    return min(max(cut, piece.first + 1), piece.last)
