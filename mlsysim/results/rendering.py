"""An answer as a short text table, and as HTML for a notebook."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, assert_never

from mlsysim.problem.domain import label
from mlsysim.results.formatting import gap, number, seconds, with_unit
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from mlsysim.results.pareto import ParetoFront
    from mlsysim.results.result import SearchResult


def as_text(result: "SearchResult") -> str:
    """Write the verdict, and the best designs as a table or the explanation."""
    return text_of(verdict(result), remarks(result), _rows(result))


def as_html(result: "SearchResult") -> str:
    """Write the same for a notebook."""
    return html_of(verdict(result), remarks(result), _rows(result))


def text_of(verdict: str, more: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write an answer as text.

    Parameters
    ----------
    verdict
        The first line.
    more
        What follows it, line by line.
    rows
        The header and the rows of a table; nothing if there is none.
    """
    lines = [verdict, *more]
    if rows:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines.append("")
        lines += ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def html_of(verdict: str, more: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write an answer as HTML; the parameters are those of `text_of`."""
    parts = [f"<p><b>{escape(verdict)}</b></p>"]
    if more:
        parts.append(f"<pre>{escape(chr(10).join(more))}</pre>")
    if rows:
        body = "".join(_html_row(row, "td") for row in rows[1:])
        parts.append(f"<table>{_html_row(rows[0], 'th')}{body}</table>")
    return "".join(parts)


def verdict(result: "SearchResult") -> str:
    """Write the first line: status, objective, proof, effort, method."""
    statistics = result.statistics
    effort = f"{seconds(statistics.total_seconds)} by {result.method}"
    over = f"{number(statistics.grid_size)} designs in {effort}"
    match result.status:
        case Status.OPTIMAL:
            return f"OPTIMAL (proven): {_best(result)}; {over}"
        case Status.FEASIBLE:
            known = f"{_best(result)}; {_bound(result)}"
            return f"FEASIBLE (not proven): {known}; {stop(statistics)}{over}"
        case Status.INFEASIBLE:
            return f"INFEASIBLE (proven): no design meets every requirement; {over}"
        case Status.UNKNOWN:
            return f"UNKNOWN: no feasible design found yet; {stop(statistics)}{over}"
        case _:
            assert_never(result.status)


def _best(result: "SearchResult") -> str:
    value = result.top_candidates[0].objective_value
    return f"{result.objective} = {with_unit(value, result.unit)}"


def _bound(result: "SearchResult") -> str:
    if result.bound is None:
        return "no bound known"
    told = "" if result.gap is None else f", gap {gap(result.gap)}"
    return f"bound {with_unit(result.bound, result.unit)}{told}"


def stop(statistics: Statistics) -> str:
    """Say what cut a search short, if anything did."""
    return f"stopped by {statistics.stopped_by}; " if statistics.stopped_by else ""


def account(statistics: Statistics) -> list[str]:
    """Say how many designs were counted, and why not by CP-SAT."""
    lines = []
    if statistics.feasible_points is not None:
        broken = sorted(statistics.rejected.items(), key=lambda item: -item[1])
        rejected = "".join(f", {count:,} break {name}" for name, count in broken)
        lines.append(
            f"{statistics.points_evaluated:,} of {statistics.grid_size:,} designs evaluated: "
            f"{statistics.feasible_points:,} feasible{rejected}"
        )
    if statistics.undefined:
        lines.append(
            f"{statistics.undefined:,} of them for nothing but a number that is not finite"
        )
    if statistics.fallback_reason:
        lines.append(f"searched exhaustively because: {statistics.fallback_reason}")
    return lines


def remarks(answer: "SearchResult | ParetoFront") -> list[str]:
    """Write what follows the verdict: the account, the explanation, what is not finished."""
    by = f" (stopped by {answer.statistics.stopped_by})" if answer.statistics.stopped_by else ""
    unfinished = [f"not finished{by}: {item}" for item in answer.unfinished]
    return [*account(answer.statistics), *answer.explanation.splitlines()[1:], *unfinished]


def _rows(result: "SearchResult") -> list[list[str]]:
    """Give the header and a row per design; nothing where there are none."""
    if not result.top_candidates:
        return []
    metric = result.objective.partition(": ")[2]
    unit = f" [{result.unit}]" if result.unit else ""
    rows = [
        [
            str(rank),
            *(label(value) for value in candidate.params.values()),
            number(candidate.objective_value),
        ]
        for rank, candidate in enumerate(result.top_candidates, start=1)
    ]
    return [["#", *result.top_candidates[0].params, f"{metric}{unit}"], *rows]


def _html_row(cells: Sequence[str], tag: str) -> str:
    inside = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"
