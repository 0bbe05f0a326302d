"""An answer as a short text table, and as HTML for a notebook."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, assert_never

from mlsysim.problem.domain import label
from mlsysim.results.formatting import number, seconds, with_unit
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from mlsysim.results.result import SearchResult


def as_text(result: "SearchResult") -> str:
    """Write the verdict, and the best designs as a table or the explanation."""
    lines = [verdict(result), *_account(result)]
    if result.status is Status.INFEASIBLE:
        lines += result.explanation.splitlines()[1:]
    if result.top_candidates:
        rows = [_header(result), *_rows(result)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines.append("")
        lines += ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def as_html(result: "SearchResult") -> str:
    """Write the same for a notebook."""
    parts = [f"<p><b>{escape(verdict(result))}</b></p>"]
    more = [*_account(result)]
    if result.status is Status.INFEASIBLE:
        more += result.explanation.splitlines()[1:]
    if more:
        parts.append(f"<pre>{escape(chr(10).join(more))}</pre>")
    if result.top_candidates:
        body = "".join(_html_row(row, "td") for row in _rows(result))
        parts.append(f"<table>{_html_row(_header(result), 'th')}{body}</table>")
    return "".join(parts)


def verdict(result: "SearchResult") -> str:
    """Write the first line: status, objective, proof, effort, method."""
    statistics = result.statistics
    effort = f"{seconds(statistics.total_seconds)} by {result.method}"
    over = f"{statistics.grid_size:,} designs in {effort}"
    match result.status:
        case Status.OPTIMAL:
            return f"OPTIMAL (proven): {_best(result)}; {over}"
        case Status.FEASIBLE:
            return (
                f"FEASIBLE (not proven): {_best(result)}; {_bound(result)}; {_stop(result)}{over}"
            )
        case Status.INFEASIBLE:
            return f"INFEASIBLE (proven): no design meets every requirement; {over}"
        case Status.UNKNOWN:
            return f"UNKNOWN: no feasible design found yet; {_stop(result)}{over}"
        case _:
            assert_never(result.status)


def _best(result: "SearchResult") -> str:
    value = result.top_candidates[0].objective_value
    return f"{result.objective} = {with_unit(value, result.unit)}"


def _bound(result: "SearchResult") -> str:
    if result.bound is None:
        return "no bound known"
    gap = "" if result.gap is None else f", gap {100 * result.gap:.2g} %"
    return f"bound {with_unit(result.bound, result.unit)}{gap}"


def _stop(result: "SearchResult") -> str:
    return f"stopped by {result.statistics.stopped_by}; " if result.statistics.stopped_by else ""


def _account(result: "SearchResult") -> list[str]:
    statistics = result.statistics
    lines = []
    if statistics.feasible_points is not None:
        broken = sorted(statistics.rejected.items(), key=lambda item: -item[1])
        rejected = "".join(f", {count:,} break {name}" for name, count in broken)
        lines.append(
            f"{statistics.points_evaluated:,} of {statistics.grid_size:,} designs evaluated: "
            f"{statistics.feasible_points:,} feasible{rejected}"
        )
    if statistics.fallback_reason:
        lines.append(f"searched exhaustively because: {statistics.fallback_reason}")
    return lines


def _header(result: "SearchResult") -> list[str]:
    metric = result.objective.partition(": ")[2]
    unit = f" [{result.unit}]" if result.unit else ""
    return ["#", *result.top_candidates[0].params, f"{metric}{unit}"]


def _rows(result: "SearchResult") -> list[list[str]]:
    return [
        [
            str(rank),
            *(label(value) for value in candidate.params.values()),
            number(candidate.objective_value),
        ]
        for rank, candidate in enumerate(result.top_candidates, start=1)
    ]


def _html_row(cells: Sequence[str], tag: str) -> str:
    inside = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"
