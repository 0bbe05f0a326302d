"""Draw the curve of a sweep with matplotlib, which is loaded only for this."""

import textwrap
from typing import TYPE_CHECKING, Any

from mlsysim.plot.figures import axes_or_new, written_out
from mlsysim.problem.expression import Expression
from mlsysim.results.what_if import Sweep
from mlsysim.units import magnitude, quantity, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 90
_RATIO = 8.0
"""From so many times the smallest on, values are drawn by their ratios: they would pile up."""
_LOW = 0.03
"""How high above the lower edge stands what says that there is no design."""
_UPRIGHT = 8
"""So many labels stand beside one another."""


def sweep(found: Sweep, title: str = "", *, axes: "Axes | None" = None) -> "Axes":
    """Draw the objective against what was varied last; further values make further curves.

    Parameters
    ----------
    found
        The answers.
    title
        What is asked.
    axes
        Where to draw; on a figure of its own unless given.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    axes = axes_or_new(axes, 8.4, 4.6)
    *others, across = found.over
    curves: dict[str, list[tuple[str, float | None]]] = {}
    for point in found.points:
        name = ", ".join(f"{key} = {point.values[key]}" for key in others)
        value = point.result.best_objective if point.result else None
        curves.setdefault(name, []).append((str(point.values[across]), value))
    labels = list(dict.fromkeys(step for curve in curves.values() for step, _ in curve))
    places = _places(labels)
    for name, curve in curves.items():
        known = [(places[step], value) for step, value in curve if value is not None]
        (line,) = axes.plot(
            [place for place, _ in known], [value for _, value in known], marker="o", label=name
        )
        if missing := [places[step] for step, value in curve if value is None]:
            axes.plot(
                missing,
                [_LOW] * len(missing),
                "x",
                color=line.get_color(),
                transform=axes.get_xaxis_transform(),
            )
    if _spread(list(places.values())):
        axes.set_xscale("log")
    axes.set_xticks([places[step] for step in labels], labels)
    axes.set_xticks([], minor=True)
    if len(labels) > _UPRIGHT:
        axes.tick_params(axis="x", rotation=45)
    lacking = any(not point.result for point in found.points)
    axes.set_xlabel(f"{across}   (x: no design)" if lacking else across)
    metric = found.objective.partition(": ")[2].rpartition(".")[2].replace("_", " ")
    axes.set_ylabel(f"{metric} [{found.unit}]" if found.unit else metric)
    written_out(axes.yaxis)
    axes.grid(color="0.93")
    axes.margins(0.08)
    axes.set_title(textwrap.fill(title, _WIDTH), fontsize=10)
    if others:
        axes.legend()
    return axes


def _places(labels: list[str]) -> dict[str, float]:
    """Place values along an axis: by their size where they are numbers, else evenly."""
    try:
        values = [Expression.parse(step).evaluate(_unit) for step in labels]
        unit = unit_of(values[0])
        numbers = [float(magnitude(value, unit)) for value in values]
    except (ValueError, TypeError):
        return {step: float(place) for place, step in enumerate(labels)}
    return dict(zip(labels, numbers, strict=True))


def _spread(places: list[float]) -> bool:
    return len(places) > 2 and min(places) > 0 and max(places) >= _RATIO * min(places)  # noqa: PLR2004


def _unit(name: str) -> Any:
    return quantity(1.0, name)
