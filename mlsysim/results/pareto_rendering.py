"""A Pareto front as a text table, and as HTML for a notebook."""

from typing import TYPE_CHECKING, assert_never

from mlsysim.problem.domain import label
from mlsysim.results.formatting import number, seconds
from mlsysim.results.rendering import html_of, remarks, stop, text_of
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from mlsysim.results.pareto import ParetoFront


def front_as_text(front: "ParetoFront") -> str:
    """Write the verdict, and the points as a table or the explanation."""
    return text_of(front_verdict(front), remarks(front), _rows(front))


def front_as_html(front: "ParetoFront") -> str:
    """Write the same for a notebook."""
    return html_of(front_verdict(front), remarks(front), _rows(front))


def front_verdict(front: "ParetoFront") -> str:
    """Write the first line: status, number of points, objectives, effort, method."""
    statistics = front.statistics
    effort = f"{seconds(statistics.total_seconds)} by {front.method}"
    over = f"{statistics.grid_size:,} designs in {effort}"
    points = "1 point" if len(front) == 1 else f"{len(front):,} points"
    goals = ", ".join(front.objectives)
    match front.status:
        case Status.OPTIMAL:
            return f"OPTIMAL (proven): the Pareto front has {points}: {goals}; {over}"
        case Status.FEASIBLE:
            return (
                f"FEASIBLE (not proven): {points} found so far, others may be missing or dominate "
                f"these: {goals}; {stop(statistics)}{over}"
            )
        case Status.INFEASIBLE:
            return f"INFEASIBLE (proven): no design meets every requirement; {over}"
        case Status.UNKNOWN:
            return f"UNKNOWN: no feasible design found yet; {stop(statistics)}{over}"
        case _:
            assert_never(front.status)


def _rows(front: "ParetoFront") -> list[list[str]]:
    """Give the header and a row per point; nothing where there are no points."""
    if not front.points:
        return []
    metrics = [
        f"{text.partition(': ')[2]}{f' [{unit}]' if unit else ''}"
        for text, unit in zip(front.objectives, front.units, strict=True)
    ]
    rows = [
        [str(rank), *map(label, point.params.values()), *map(number, point.objective_values)]
        for rank, point in enumerate(front.points, start=1)
    ]
    return [["#", *front.points[0].params, *metrics], *rows]
