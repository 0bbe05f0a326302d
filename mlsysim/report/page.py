"""A report as one page of HTML: its own style, script and data, and nothing from a network."""

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from mlsysim.report.chart import chart_data, chart_markup
from mlsysim.report.cloud import Cloud
from mlsysim.report.comparing import comparison_table
from mlsysim.report.layout import (
    design_blocks,
    designs_table,
    front_blocks,
    requirement_blocks,
)
from mlsysim.report.markup import asset
from mlsysim.report.records import ReportedDesign
from mlsysim.report.requirements import room_share, used_text
from mlsysim.report.support import support_blocks
from mlsysim.results.blocks import Lines, TableBlock
from mlsysim.results.formatting import gap, number, seconds, with_unit
from mlsysim.results.markup import as_html, html_of, table

if TYPE_CHECKING:
    from mlsysim.report.report import Report


def as_page(report: "Report", cloud: Cloud | None) -> str:
    """Write the page.

    Parameters
    ----------
    report
        What to tell.
    cloud
        More designs for the chart; only those of the report if not given.
    """
    title = escape(report.question or ", ".join(report.objectives))
    data = _embedded(chart_data(report, cloud))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(report.headline.word)}: {title}</title>"
        f"<style>{asset('report.css')}{asset('page.css')}</style></head>"
        f'<body class="mlsysim"><main><header><p class="brand">mlsysim</p><h1>{title}</h1>'
        f"{verdict_line(report)}{fact_tiles(report)}</header>"
        f"{''.join(_sections(report, cloud))}{_footer(report)}</main>"
        f'<script type="application/json" id="data">{data}</script>'
        f"<script>{asset('page.js')}</script></body></html>\n"
    )


def verdict_line(report: "Report") -> str:
    """Write the verdict; what follows it has a section, unless it is about one given design."""
    more = report.account
    if report.is_search:  # how far to trust the answer stands beside it
        more = tuple(line for line in report.account if line in report.accuracy)
    return html_of(replace(report.headline, more=more))


def fact_tiles(report: "Report") -> str:
    """Give the key numbers as tiles."""
    facts: list[tuple[str, str]] = []
    if report.designs and not report.is_front:
        goal = report.designs[0].measures[0]
        facts.append((goal.name.replace("_", " "), with_unit(goal.value, goal.unit)))
        if report.bound is not None:
            facts.append(("bound", with_unit(report.bound, report.units[0])))
        if report.gap is not None:
            facts.append(("gap", gap(report.gap)))
    elif report.designs:
        facts.append(("points on the front", f"{len(report.designs):,}"))
    facts.append(("designs", number(report.statistics.grid_size)))
    facts.append((f"by {report.method}", seconds(report.statistics.total_seconds)))
    tiles = (f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in facts)
    return f'<dl class="facts">{"".join(tiles)}</dl>'


def _sections(report: "Report", cloud: Cloud | None) -> Iterator[str]:
    if not report.designs:
        _, *others = report.blocks()
        yield _section("Why nothing fits", as_html([Lines(lines=report.account), *others]))
        return
    yield _section("The designs", chart_markup(report, cloud))
    if report.is_front:
        blocks = list(front_blocks(report))
        told = as_html(block for block in blocks if isinstance(block, Lines))
        tables = map(_choosable, (block for block in blocks if isinstance(block, TableBlock)))
        yield _section("The Pareto front", told + "".join(tables))
    elif report.against is not None:
        beside = comparison_table(report.against, report.designs[0], report.title)
        yield _section("Beside the best design", table(beside))
    else:
        yield _section("The best designs", _choosable(designs_table(report)))
    yield _section("One design", "".join(map(_panel, range(len(report.shown)), report.shown)))
    support = as_html(support_blocks(report))
    if support:
        yield _section("What stands behind the best design", support)
    if report.requirements:
        yield _section("What the best design has to meet", limit_meters(report))
    if report.account and report.is_search:
        lines = "".join(f"<li>{escape(line)}</li>" for line in report.account)
        yield _section("What the search did", f'<ul class="lines">{lines}</ul>')


def _choosable(block: TableBlock) -> str:
    """Write the table of designs; a row can be chosen to show its design."""
    text = table(block).replace("<table>", '<table id="designs">')
    return f'{text}<p class="note">Choose a row to see what that design consists of.</p>'


def _panel(place: int, item: ReportedDesign) -> str:
    hidden = " hidden" if place else ""
    title = f"Design {place + 1}"
    body = as_html(design_blocks(item, title))
    return f'<div class="panel" id="design-{place}"{hidden}>{body}</div>'


def limit_meters(report: "Report") -> str:
    """Draw how much of each limit is used."""
    blocks = [
        block
        for block in requirement_blocks(report, full=True)
        if report.explanation is not None or isinstance(block, TableBlock)
    ]
    meters = []
    for item in report.requirements:
        share = room_share(item)
        if share is None:
            continue
        used = f"{100 * (1 - share):.1f}%"
        name = escape(item.label)
        amounts = escape(used_text(item))
        meters.append(
            f'<div class="meter"><span>{name}</span><b><i style="width:{used}"></i></b>'
            f"<span>{amounts}</span></div>"
        )
    title = "<h4>How much of each limit is used:</h4>" if meters else ""
    return f"{as_html(blocks)}{title}{''.join(meters)}"


def _footer(report: "Report") -> str:
    programs = ", ".join(f"{name} {text}" for name, text in report.versions.items())
    source = f"<p>Source: {escape(report.source)}</p>" if report.source else ""
    file = (
        f"<details><summary>The question file</summary><pre>{escape(report.text)}</pre></details>"
        if report.text
        else ""
    )
    return (
        f"<footer>{file}{source}<p>Proven optimal means: no design of the space is better "
        f"by these models. Made with {escape(programs)}.</p></footer>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _embedded(data: Any) -> str:
    """Write JSON that cannot end the script element that holds it."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
