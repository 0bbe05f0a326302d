"""Draw the curve of a sweep with matplotlib, which is loaded only for this."""

import textwrap
from pathlib import Path
from typing import Any

from mlsysim.problem.expression import Expression
from mlsysim.results.what_if import Sweep
from mlsysim.textfiles import replacing
from mlsysim.units import magnitude, quantity, unit_of

_WIDTH = 90


def draw_sweep(found: Sweep, title: str, target: Path) -> None:
    """Draw the objective against what was varied last; further values make further curves.

    Parameters
    ----------
    found
        The answers.
    title
        What is asked.
    target
        The file to write.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    *others, across = found.over
    curves: dict[str, list[tuple[str, float | None]]] = {}
    for point in found.points:
        name = ", ".join(f"{key} = {point.values[key]}" for key in others)
        value = point.result.best_objective if point.result else None
        curves.setdefault(name, []).append((str(point.values[across]), value))
    labels = list(dict.fromkeys(step for curve in curves.values() for step, _ in curve))
    places = _places(labels)
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        known = [(places[step], value) for step, value in curve if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), marker="o", label=name)
        for step in (step for step, value in curve if value is None):
            axes.axvspan(places[step], places[step], color="0.6", linestyle=":")
    axes.set_xticks([places[step] for step in labels], labels)
    missing = any(not point.result for point in found.points)
    axes.set_xlabel(f"{across}   (dotted: no design)" if missing else across)
    metric = found.objective.partition(": ")[2].rpartition(".")[2].replace("_", " ")
    axes.set_ylabel(f"{metric} [{found.unit}]" if found.unit else metric)
    axes.grid(color="0.93")
    axes.margins(0.08)
    axes.set_title(textwrap.fill(title, _WIDTH), fontsize=10)
    if others:
        axes.legend()
    with replacing(target, f"--plot {target}") as beside:
        figure.savefig(beside, dpi=150)


def _places(labels: list[str]) -> dict[str, float]:
    """Place values along an axis: by their size where they are numbers, else evenly."""
    try:
        values = [Expression.parse(step).evaluate(_unit) for step in labels]
        unit = unit_of(values[0])
        numbers = [float(magnitude(value, unit)) for value in values]
    except (ValueError, TypeError):
        return {step: float(place) for place, step in enumerate(labels)}
    return dict(zip(labels, numbers, strict=True))


def _unit(name: str) -> Any:
    return quantity(1.0, name)
