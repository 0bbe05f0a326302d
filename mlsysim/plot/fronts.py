"""Draw a Pareto front with matplotlib, which is loaded only for this."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlsysim.errors import ParameterError
from mlsysim.plot.figures import axes_or_new, written_out
from mlsysim.problem.domain import label
from mlsysim.results import ParetoFront, Status
from mlsysim.results.formatting import count, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# So many points are numbered, as they are in the table.
_LABELLED = 14
_LEGEND = 32
# Numbers closer than this share of the picture would cover one another.
_NEAR = 0.025
_COLOURED = 3
_WIDTH = 100


def front(found: ParetoFront, title: str = "", *, axes: "Axes | None" = None) -> "Axes":
    """Draw the first objective against the second, and the third as a colour.

    Parameters
    ----------
    found
        With at least one point.
    title
        What is asked.
    axes
        Where to draw; on a figure of its own unless given.

    Raises
    ------
    ParameterError
        If the front has no points, or matplotlib is not installed.

    Examples
    --------
    >>> from mlsysim import DSE
    >>> goals = ["minimize: x", "maximize: y"]
    >>> found = DSE({"x": [1, 2], "y": [3, 4]}, goals[0]).pareto(dict, objectives=goals)
    >>> front(found).get_ylabel()
    'y   (more is better)'
    """
    if not found:
        raise ParameterError("the front has no points to draw; print it to see why")
    axes = axes_or_new(axes, 9.6, 5.2)
    figure = axes.figure
    x, y, *more = zip(*(point.objective_values for point in found), strict=True)
    if more:
        dots = axes.scatter(x, y, c=more[0], cmap="viridis", s=42, zorder=3)
        figure.colorbar(dots, label=_axis(found, 2), location="bottom", shrink=0.8)
    else:
        # From point to point the first objective gives, until the second gains.
        axes.step(x, y, where="post", color="0.8", zorder=1)
        axes.scatter(x, y, color="C0", s=42, zorder=3)
    _mark(figure, axes, found)
    axes.set_xlabel(_axis(found, 0))
    axes.set_ylabel(_axis(found, 1))
    written_out(axes.xaxis, axes.yaxis)
    axes.margins(0.08)
    axes.grid(color="0.93")
    axes.set_title(_title(found, title), fontsize=10)
    return axes


def _mark(figure: Any, axes: Any, front: ParetoFront) -> None:
    """Write numbers at points spread over the front, and beside it which designs they are."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - an optional dependency

    names = varying([point.params for point in front])
    count = min(_LABELLED, len(front))
    places = {round(step * (len(front) - 1) / max(1, count - 1)) for step in range(count)}
    lines = []
    for place in _apart(front, sorted(places)):
        point = front[place]
        values = ", ".join(label(point.params[name]) for name in names)
        lines.append(f"{place + 1}: {values}")
        axes.annotate(
            str(place + 1),
            point.objective_values[:2],
            xytext=(-5, 5),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            zorder=4,
        )
    if names:
        figure.legend(
            handles=[Line2D([], [], linestyle="none") for _ in lines],
            labels=lines,
            title=textwrap.fill(", ".join(names), _LEGEND),
            loc="outside right upper",
            handlelength=0,
            handletextpad=0,
            fontsize=8,
            title_fontsize=8,
            alignment="left",
        )


def _apart(front: ParetoFront, places: Sequence[int]) -> list[int]:
    """Leave out points whose numbers would cover one another."""
    columns = list(zip(*(point.objective_values[:2] for point in front), strict=True))
    spans = [(max(column) - min(column)) or 1.0 for column in columns]
    kept: list[int] = []
    for place in places:
        gaps = [
            max(
                abs(column[place] - column[other]) / span
                for column, span in zip(columns, spans, strict=True)
            )
            for other in kept
        ]
        if not gaps or min(gaps) > _NEAR:
            kept.append(place)
    return kept


def _axis(front: ParetoFront, place: int) -> str:
    sense, _, metric = front.objectives[place].partition(": ")
    unit = f" [{front.units[place]}]" if front.units[place] else ""
    better = "less" if sense == "minimize" else "more"
    return f"{metric.rpartition('.')[2].replace('_', ' ')}{unit}   ({better} is better)"


def _title(front: ParetoFront, title: str) -> str:
    proof = "complete (proven)" if front.status is Status.OPTIMAL else "not proven complete"
    points = count(len(front), "point")
    left_out = "" if len(front.objectives) <= _COLOURED else "; only three objectives are drawn"
    return f"{textwrap.fill(title, _WIDTH)}\nPareto front of {points}, {proof}{left_out}"
