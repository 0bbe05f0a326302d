"""Put a report into words: the verdict first, then the design, what limits it, the others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.domain import label
from mlsysim.report.comparing import change_cell, comparison_table, heading
from mlsysim.report.drawing import front_drawing
from mlsysim.report.fleets import fleet_table, pool_changes, waits_table
from mlsysim.report.records import ReportedDesign
from mlsysim.report.requirements import met_line, requirement_table
from mlsysim.report.support import WITHIN, interval_table, support_blocks
from mlsysim.results.blocks import Bar, Bars, Block, Cell, Lines, TableBlock
from mlsysim.results.breakdowns import Breakdown
from mlsysim.results.formatting import count, design, number, share_of, varying, with_unit
from mlsysim.results.sensitivity_table import notes

if TYPE_CHECKING:
    from mlsysim.report.report import Report

# A front of fewer points needs no drawing.
_DRAWN = 4


def blocks_of(report: "Report", *, full: bool) -> Iterator[Block]:
    """Tell a report, block by block.

    Parameters
    ----------
    report
        What to tell.
    full
        Whether with the interval of each figure, and every condition of the models.
    """
    yield replace(report.headline, more=report.account)
    if not report.designs:
        yield from _reasons(report)
    elif report.is_front:
        yield from front_blocks(report)
        yield from support_blocks(report)
    else:
        yield from design_blocks(report.designs[0], report.title, full=full)
        if full:
            yield from interval_table(report.designs[0])
        yield from support_blocks(report)
        yield from requirement_blocks(report, full=full)
        if report.against is not None:
            yield comparison_table(report.against, report.designs[0], report.title)
        elif len(report.designs) > 1 or report.is_search:
            yield designs_table(report)


def design_blocks(
    item: ReportedDesign, title: str = "The best design", *, full: bool = True
) -> Iterator[Block]:
    """Tell what one design is: its layout, and what it spends time, memory and money on.

    Parameters
    ----------
    item, title
        The design, and what it is.
    full
        Whether with the intervals of the waits on each pool of a mixed fleet.
    """
    if item.pools:
        yield Lines(lines=(f"{title}: {_pools_in_words(item)}", *item.arithmetic))
        yield fleet_table(item.pools)
        if full:
            yield from waits_table(item.pools, f"{WITHIN}:")
    else:
        yield Lines(lines=(f"{title}: {design(item.params)}", *item.arithmetic))
    for breakdown in item.breakdowns:
        yield bars_of(breakdown)
    if item.bottlenecks:
        yield Lines(lines=tuple(f"Bottleneck: {text}" for text in item.bottlenecks))
    told = [f"{one.name} {one.interval}" for one in item.measures if one.interval is not None]
    if told:
        risk = f"; at an end of these fails {', '.join(item.at_risk)}" if item.at_risk else ""
        yield Lines(lines=(f"{WITHIN}: {'; '.join(told)}{risk}",))


def requirement_blocks(report: "Report", *, full: bool) -> Iterator[Block]:
    """Tell what the best design has to meet, and how much room is left."""
    table = requirement_table(report)
    if table is not None:
        yield table
    if report.explanation is not None:
        lines = notes(report.explanation.result, report.requirements, full=full)
    else:
        lines = met_line(report.requirements) if full else []
    if lines:
        yield Lines(lines=tuple(lines))
    if report.explanation is not None:
        binding = [item.name for item in report.explanation.binding]
        yield from _reasons_of(report, binding, "Why what binds is required:")


def bars_of(breakdown: Breakdown) -> Bars:
    """Draw a breakdown; parts of nothing, or of what rounding left, are left out."""
    total, limit = breakdown.total, breakdown.capacity
    text = with_unit(total, breakdown.unit)
    if limit:
        text = f"{text} of {with_unit(limit, breakdown.unit)} ({share_of(total, limit)})"
    bars = tuple(
        Bar(
            name=part.name,
            amount=with_unit(part.value, breakdown.unit),
            percentage=share_of(part.value, total),
            share=part.value / total if total else 0.0,
        )
        for part in breakdown.parts
        if abs(part.value) > TOLERANCE * abs(total)
    )
    return Bars(title=breakdown.name, total=text, bars=bars)


def designs_table(report: "Report") -> TableBlock:
    """List the designs with their measures; from the second on, with what changes.

    Measures in which no design differs from the best are left out.
    """
    if report.designs[0].pools:
        return _fleets_table(report.designs)
    best, *others = report.designs
    names = varying([item.params for item in report.designs]) if others else list(best.params)
    kept = [place for place in range(1, len(best.measures)) if _differs(report.designs, place)]
    header = ["#", *names, heading(best.measures[0]), *(["change"] if others else [])]
    rows = []
    for rank, item in enumerate(report.designs, 1):
        goal = item.measures[0]
        chosen = [label(item.params[name]) for name in names]
        row = [Cell(text=cell) for cell in (str(rank), *chosen, number(goal.value))]
        row += [change_cell(goal)] if others else []
        measures = [item.measures[place] for place in kept]
        row += [Cell(text=number(m.value)) if rank == 1 else change_cell(m) for m in measures]
        rows.append(tuple(row))
    return TableBlock(
        title=_shared(report.designs, names) if others else "",
        header=(*header, *(heading(best.measures[place]) for place in kept)),
        rows=tuple(rows),
    )


def _fleets_table(designs: tuple[ReportedDesign, ...]) -> TableBlock:
    """List mixed fleets by the pools that differ, for there may be dozens of them."""
    best = designs[0]
    rows = [
        (
            Cell(text=str(rank)),
            Cell(text=number(item.measures[0].value)),
            change_cell(item.measures[0]),
            Cell(text=pool_changes(best, item)),
        )
        for rank, item in enumerate(designs, 1)
    ]
    return TableBlock(
        title="The best fleets, and by which replicas the others differ:",
        header=("#", heading(best.measures[0]), "change", "replicas"),
        rows=tuple(rows),
        words=frozenset({3}),
    )


def _differs(designs: tuple[ReportedDesign, ...], place: int) -> bool:
    """Tell whether a measure is of use in a table: of one design all are."""
    return len(designs) == 1 or any(item.measures[place].change for item in designs[1:])


def _pools_in_words(item: ReportedDesign) -> str:
    used = sum(pool.replicas for pool in item.pools)
    return f"{count(used, 'replica')} in {len(item.pools):,} of {count(len(item.params), 'pool')}"


def _shared(designs: tuple[ReportedDesign, ...], names: list[str]) -> str:
    """Head the table of the best designs; choices that all of them share are told once."""
    same = {name: value for name, value in designs[0].params.items() if name not in names}
    all_have = f" (all with {design(same)})" if same else ""
    return f"The best designs, and what the others change{all_have}:"


def front_blocks(report: "Report") -> Iterator[Block]:
    """List the points of a front; choices that all of them share are told once."""
    names = varying([item.params for item in report.designs])
    first = report.designs[0].params
    mixed = bool(report.designs[0].pools)  # whose choices are counts, most of them of nothing
    same = {n: value for n, value in first.items() if n not in names and (value or not mixed)}
    if same:
        yield Lines(lines=(f"All points have {design(same)}.",))
    goals = len(report.objectives)
    measured = tuple(map(heading, report.designs[0].measures[:goals]))
    rows = []
    for rank, item in enumerate(report.designs, 1):
        values = [number(m.value) for m in item.measures[:goals]]
        held = {name: item.params[name] for name in names}
        row = [str(rank), *map(label, held.values()), *values]
        if mixed:
            row = [str(rank), *values, ", ".join(f"{n} {name}" for name, n in held.items() if n)]
        rows.append(tuple(Cell(text=cell) for cell in row))
    if len(report.designs) >= _DRAWN:
        yield front_drawing(report.designs)
    if mixed:
        header, words = ("#", *measured, "replicas"), frozenset({goals + 1})
        yield TableBlock(header=header, rows=tuple(rows), words=words)
    else:
        yield TableBlock(header=("#", *names, *measured), rows=tuple(rows))


def _reasons(report: "Report") -> Iterator[Block]:
    """Tell why nothing fits."""
    yield from _reasons_of(
        report, [item.name for item in report.conflict], "Why they are required:"
    )


def _reasons_of(report: "Report", names: list[str], title: str) -> Iterator[Block]:
    lines = [f"  {name}: {report.reasons[name]}" for name in names if report.reasons.get(name)]
    if lines:
        yield Lines(title=title, lines=tuple(lines))
