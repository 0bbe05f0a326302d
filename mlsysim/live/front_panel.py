"""The exact Pareto front: a chart and a table of its points, each of which can be looked at."""

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments

from mlsysim.live.controls import Controls
from mlsysim.live.elements import blocks, choosable, heading
from mlsysim.report import Report
from mlsysim.report.comparing import heading as measured
from mlsysim.report.layout import front_blocks
from mlsysim.results.blocks import Drawing, TableBlock
from mlsysim.results.formatting import design

_ACCENT = "#0b62b0"
_SOFT = "#7b8794"
_PLANE = 2
_FAR = 20


class FrontPanel:
    """Shows a front.

    Parameters
    ----------
    chosen
        Told the place of a point that is to be looked at.
    weighed
        Called when other objectives are wanted.
    """

    def __init__(self, chosen: Callable[[int], None], weighed: Callable[[], None]) -> None:
        self._chosen = chosen
        self._weighed = weighed
        self._controls: Controls | None = None
        with ui.element("section").classes("part") as self.place:
            heading("The exact Pareto front")
            self._against = ui.select([], label="against", on_change=self._weigh)
            self._against.props("dense outlined options-dense hide-bottom-space")
            self._verdict = ui.label().classes("note")
            self._body = ui.element("div")
        self.place.set_visibility(False)

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is weighed against each other; nothing where there is only one objective."""
        if self._controls is None:
            return ()
        if self._controls.pareto:
            return self._controls.pareto
        return (self._controls.objective, self._against.value) if self._against.value else ()

    def offer(self, controls: Controls) -> None:
        """Offer what can be weighed."""
        self._controls = None  # what is set here is no wish of the user's
        goals = list(controls.goals)
        self._against.set_options(goals, value=goals[0] if goals else None)
        self._against.set_visibility(not controls.pareto)
        self._controls = controls
        self.hide()

    def hide(self, *, there_is_one: bool = False) -> None:
        """Show no front: there is none, or it is not known yet."""
        self._body.clear()
        self._verdict.set_text("")
        self.place.set_visibility(there_is_one and bool(self.objectives))

    def show(self, report: Report) -> None:
        """Show a front."""
        self._verdict.set_text(report.verdict)
        self._body.clear()
        with self._body:
            if len(report.designs) > 1:
                chart = ui.echart(_options(report), on_point_click=self._clicked)
                chart.props["aria-hidden"] = "true"  # the table below holds the same
                chart.classes("chart")
            for block in front_blocks(report) if report.designs else ():
                if isinstance(block, TableBlock):
                    choosable(block, self._chosen, what="point")
                elif not isinstance(block, Drawing):
                    blocks([block])

    def _weigh(self) -> None:
        if self._controls is not None:
            self._weighed()

    def _clicked(self, event: EChartPointClickEventArguments) -> None:
        self._chosen(event.data_index)


def _options(report: Report) -> dict[str, Any]:
    """Draw the points by their first two objectives."""
    across, up = report.designs[0].measures[:2]
    points = [
        {
            "value": [item.measures[0].value, item.measures[1].value],
            "name": f"{place}: {design(item.params)}",
        }
        for place, item in enumerate(report.designs, 1)
    ]
    axis = {
        "scale": True,
        "nameLocation": "middle",
        "axisLabel": {"color": _SOFT},
        "nameTextStyle": {"color": _SOFT},
        "splitLine": {"lineStyle": {"color": _SOFT, "opacity": 0.2}},
    }
    return {
        "animation": False,
        "grid": {"left": 80, "right": 24, "top": 16, "bottom": 52},
        "tooltip": {"trigger": "item", "formatter": "{b}", "confine": True},
        "xAxis": {**axis, "type": _scale(points, 0), "name": measured(across), "nameGap": 30},
        "yAxis": {**axis, "type": _scale(points, 1), "name": measured(up), "nameGap": 60},
        "series": [
            {
                "type": "line",
                "step": _step(report),
                "data": points,
                "symbol": "circle",
                "symbolSize": 11,
                "lineStyle": {"width": 1.2, "opacity": 0.5},
                "itemStyle": {"color": _ACCENT},
                "triggerLineEvent": False,
            }
        ],
    }


def _scale(points: list[dict[str, Any]], place: int) -> str:
    """Take a logarithmic axis where points lie far apart."""
    values = [point["value"][place] for point in points]
    return "log" if min(values) > 0 and max(values) > _FAR * min(values) else "value"


def _step(report: Report) -> str | bool:
    """Join two goals by the corners of what is known to be out of reach; more by nothing."""
    if len(report.objectives) != _PLANE:
        return False
    return "start" if report.objectives[0].startswith("maximize") else "end"
