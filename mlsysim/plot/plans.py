"""Draw a plan as a Gantt chart with matplotlib, which is loaded only for this."""

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlsysim.plans.answers.front import PlanFront
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.answers.utilisation import there, used
from mlsysim.plot.figures import axes_or_new, new_figure
from mlsysim.results.markup import HUES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 90
_DAY = 86400


def plan(found: PlanResult, title: str = "") -> "Axes":
    """Draw the jobs over time, and below what each fleet has and what of it is used.

    Parameters
    ----------
    found
        An answer with a plan.
    title
        What is asked.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the jobs; below them in their figure are those of the fleets.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    question, schedule = found.question, found.schedule
    fleets = question.fleets
    runs = [] if schedule is None else sorted(schedule, key=lambda item: (item.begin, item.job))
    height = 1.6 + 0.34 * len(runs) + 1.3 * len(fleets)
    figure = new_figure(9.6, height)
    heights = [max(0.34 * len(runs), 0.6), *(1.3 for _ in fleets)]
    first, *others = figure.subplots(1 + len(fleets), 1, sharex=True, height_ratios=heights)
    colours = {fleet.name: HUES[at % len(HUES)] for at, fleet in enumerate(fleets)}
    end = max((run.end for run in runs), default=_DAY)
    told: dict[str, Any] = {}
    for place, run in enumerate(reversed(runs)):
        for begin, until in run.pieces:
            first.barh(
                place,
                (until - begin) / _DAY,
                left=begin / _DAY,
                height=0.7,
                color=colours[run.row.fleet],
            )
        due = question.job(run.job).deadline
        if due is not None and due <= 1.2 * end:
            first.plot([due / _DAY] * 2, [place - 0.42, place + 0.42], color="#b00020", lw=2)
            told["deadline"] = first.lines[-1]
        first.text(
            run.begin / _DAY, place, f" {run.row.nodes}", va="center", color="white", fontsize=8
        )
    first.set_yticks(range(len(runs)), [run.job for run in reversed(runs)])
    if told:
        first.legend(told.values(), told.keys(), loc="upper right", fontsize=7)
    first.set_title(textwrap.fill(title, _WIDTH), fontsize=10)
    for axes, fleet in zip(others, fleets, strict=True):
        _stairs(axes, there(found, fleet.name), end, color="0.85", label="available")
        _stairs(axes, used(found, fleet.name), end, color=colours[fleet.name], label="used")
        axes.set_ylabel(f"nodes\nof {fleet.name}", fontsize=8)
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right", fontsize=7)
    for axes in (first, *others):
        axes.set_xlim(0, end / _DAY)
        axes.grid(axis="x", color="0.93")
        axes.set_axisbelow(True)
    last = others[-1]
    last.set_xlabel("days")
    if question.origin is not None:
        ticks = [tick for tick in last.get_xticks() if 0 <= tick <= end / _DAY]
        dates = [question.origin + timedelta(days=float(tick)) for tick in ticks]
        last.set_xticks(ticks, [f"{date:%d}.{date:%m}.{date:%y}" for date in dates])
        last.set_xlabel("day.month.year")
    return first


def plan_front(found: PlanFront, title: str = "") -> "Axes":
    """Draw a front of plans: the first goal against the second.

    Parameters
    ----------
    found
        With at least one plan.
    title
        What is asked.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    axes = axes_or_new(None, 9.6, 5.2)
    x, y = zip(*(point.values for point in found), strict=True)
    axes.step(x, y, where="post", color="0.8", zorder=1)
    axes.scatter(x, y, s=42, zorder=3)
    names = [f"{goal} [{goal.unit}]" if goal.unit else goal.value for goal in found.goals]
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.margins(0.08)
    axes.grid(color="0.93")
    axes.set_title(textwrap.fill(title, _WIDTH), fontsize=10)
    return axes


def _stairs(
    axes: "Axes", levels: list[tuple[int, int]], end: int, *, color: str, label: str
) -> None:
    """Fill what there is from each moment on."""
    begins = [begin / _DAY for begin, _ in levels] + [end / _DAY]
    axes.stairs([level for _, level in levels], begins, fill=True, color=color, label=label)
