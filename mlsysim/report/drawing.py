"""A Pareto front drawn with characters: the first objective across, the second up."""

from collections.abc import Sequence

from mlsysim.report.comparing import heading
from mlsysim.report.records import ReportedDesign
from mlsysim.results.blocks import Drawing
from mlsysim.results.formatting import number

WIDTH = 60
HEIGHT = 14
_POINT = "\N{BLACK CIRCLE}"


def front_drawing(designs: Sequence[ReportedDesign]) -> Drawing:
    """Draw the points of a front, with the least and the greatest value at each axis."""
    across, up = designs[0].measures[:2]
    xs = [item.measures[0].value for item in designs]
    ys = [item.measures[1].value for item in designs]
    low, high = number(min(ys)), number(max(ys))
    margin = max(len(low), len(high))
    rows = scattered(xs, ys)
    sides = [high, *[""] * (len(rows) - 2), low]
    left, right = number(min(xs)), number(max(xs))
    room = max(1, WIDTH - len(left) - len(right))
    return Drawing(
        lines=(
            f"{heading(up)} by {heading(across)}:",
            *(f"{side:>{margin}} \u2502{row}" for side, row in zip(sides, rows, strict=True)),
            f"{'':>{margin}} \u2514{chr(0x2500) * WIDTH}",
            f"{'':>{margin}}  {left}{'':>{room}}{right}",
        )
    )


def scattered(xs: Sequence[float], ys: Sequence[float]) -> list[str]:
    """Place points on a field of characters.

    Parameters
    ----------
    xs, ys
        The points; the greatest value is at the right and at the top.
    """
    field = [[" "] * WIDTH for _ in range(HEIGHT)]
    for x, y in zip(_places(xs, WIDTH), _places(ys, HEIGHT), strict=True):
        field[HEIGHT - 1 - y][x] = _POINT
    return ["".join(row).rstrip() for row in field]


def _places(values: Sequence[float], steps: int) -> list[int]:
    """Divide the range of values into equal steps, and say on which each value is."""
    least, span = min(values), max(values) - min(values)
    if not span:
        return [steps // 2] * len(values)
    return [round((value - least) / span * (steps - 1)) for value in values]
