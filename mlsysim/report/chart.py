"""The chart of a page: designs by two measures, drawn by ``assets/page.js``."""

from html import escape
from typing import TYPE_CHECKING, Any

from mlsysim.problem.domain import label
from mlsysim.problem.objective import Sense
from mlsysim.report.cloud import Cloud
from mlsysim.results.formatting import number
from mlsysim.results.jsonable import jsonable

if TYPE_CHECKING:
    from mlsysim.report.report import Report


def chart_markup(report: "Report", cloud: Cloud | None) -> str:
    """Write the elements that the script fills with the chart."""
    what = "the points of the front" if report.is_front else "the best designs"
    more = ""
    if cloud is not None:
        kind = "all" if cloud.evaluated == cloud.designs else "an even sample"
        more = (
            f" Dots are {len(cloud.values):,} of the {cloud.feasible:,} feasible ones among "
            f"{kind} of {number(cloud.evaluated)} designs."
        )
    return (
        '<div class="axes"><label>across <select id="across"></select></label>'
        '<label>up <select id="up"></select></label></div>'
        '<svg id="chart" role="img" aria-label="designs by two measures" viewBox="0 0 900 460">'
        '</svg><p id="told" aria-live="polite">Point at a design, or move through the numbered '
        "ones with the keyboard.</p>"
        f'<p class="note">Numbers are {what}.{escape(more)} The line joins those that no drawn '
        "design beats in both measures.</p>"
    )


def chart_data(report: "Report", cloud: Cloud | None) -> dict[str, Any]:
    """Give the chart's data: measures, designs and dots, choices as numbers or labels."""
    if not report.designs:
        return {"measures": [], "choices": [], "designs": [], "cloud": []}
    first = report.designs[0]
    return {
        "measures": [
            {"name": item.name, "unit": item.unit, "better": _better(item.sense)}
            for item in first.measures
        ],
        "choices": list(first.params),
        "designs": [
            {"p": _labels(item.params.values()), "v": [jsonable(m.value) for m in item.measures]}
            for item in report.shown
        ],
        "cloud": [] if cloud is None else _dots(report, cloud),
        "front": report.is_front,
    }


def _dots(report: "Report", cloud: Cloud) -> list[dict[str, Any]]:
    """Give the designs around the best, by the same measures."""
    names = [item.name for item in report.designs[0].measures]
    if not set(names) <= set(cloud.names):
        return []
    places = [cloud.names.index(name) for name in names]
    shown = [item.params for item in report.shown]
    return [
        {"p": _labels(params.values()), "v": [row[place] for place in places]}
        for params, row in zip(cloud.params, cloud.values, strict=True)
        if params not in shown
    ]


def _labels(values: Any) -> list[Any]:
    return [
        value if isinstance(value, (int, float)) and not isinstance(value, bool) else label(value)
        for value in values
    ]


def _better(sense: Sense | None) -> int:
    return 0 if sense is None else -sense.sign
