"""Draw predicted against measured values with matplotlib, which is loaded only for this."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsysim.errors import ParameterError
from mlsysim.plot.figures import new_figure
from mlsysim.validation.report import ValidationReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 1.3
_COLUMNS = 3
_SIDE = 4.6
# The band that measurements of one configuration themselves scatter over.
_BAND = 0.1
_COLOURS = 10
_MARKERS = "osD^vP*X"
# Units that are drawn together, with what a value is multiplied by.
_SAME = {"ms": ("s", 1e-3)}

Points = Mapping[str, Sequence[tuple[float, float]]]


def outcomes(report: ValidationReport) -> "Figure":
    """Draw every predicted row on logarithmic scales, a panel per unit; give the figure.

    Parameters
    ----------
    report
        With at least one prediction.

    Raises
    ------
    ParameterError
        If no row was predicted, or matplotlib is not installed.
    """
    by_unit = _points(report)
    if not by_unit:
        raise ParameterError(f"no row of {report.file} was predicted, so there is nothing to draw")
    names = sorted({name for points in by_unit.values() for name in points})
    columns = min(len(by_unit), _COLUMNS)
    rows = math.ceil(len(by_unit) / columns)
    figure = new_figure(_SIDE * columns + 2, _SIDE * rows + 0.5)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (unit, points) in zip(panels, by_unit.items(), strict=False):
        _draw_panel(axes, unit, points, names)
    for axes in panels[len(by_unit) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8)
    errors = report.total.errors
    mean = f"mean absolute error {100 * errors.mean:.1f} %; " if errors else ""
    title = f"{Path(report.file).name}: {mean}grey: within {100 * _BAND:.0f} %"
    figure.suptitle(title, fontsize=10)
    return figure


def _points(report: ValidationReport) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Give measured and predicted values by unit and accelerator."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for outcome in report.outcomes:
        if outcome.predicted and outcome.measured:
            unit, scale = _SAME.get(outcome.unit, (outcome.unit, 1.0))
            point = (scale * outcome.measured, scale * outcome.predicted)
            found.setdefault(unit, {}).setdefault(outcome.hardware, []).append(point)
    return found


def _draw_panel(axes: Any, unit: str, points: Points, names: Sequence[str]) -> None:
    values = [value for found in points.values() for point in found for value in point]
    ends = [min(values) / _MARGIN, max(values) * _MARGIN]
    axes.plot(ends, ends, color="0.4", linewidth=0.8)
    low, high = ([end * factor for end in ends] for factor in (1 - _BAND, 1 + _BAND))
    axes.fill_between(ends, low, high, color="0.92", zorder=0)
    for place, name in enumerate(names):
        measured, predicted = (
            zip(*points.get(name, ()), strict=True) if name in points else ((), ())
        )
        axes.scatter(
            measured,
            predicted,
            s=22,
            alpha=0.75,
            color=f"C{place % _COLOURS}",
            marker=_MARKERS[place // _COLOURS % len(_MARKERS)],
            label=name,
        )
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel(f"measured [{unit}]")
    axes.set_ylabel(f"predicted [{unit}]")
    axes.grid(color="0.93")
    axes.set_axisbelow(True)
