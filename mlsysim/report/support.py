"""What stands behind an answer: how exact the models are, whose prices, who can launch it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlsysim.report.launching import launch_lines
from mlsysim.report.records import ReportedDesign
from mlsysim.results.blocks import Block, Lines, table_of
from mlsysim.results.formatting import number
from mlsysim.stages.error_classes import COVERAGE

if TYPE_CHECKING:
    from mlsysim.report.report import Report

WITHIN = f"{100 * COVERAGE:g} % of measured runs like this stay within"


def support_blocks(report: "Report", *, full: bool) -> Iterator[Block]:
    """Tell how exact the models are, whose prices stand behind the cost, and who can run it.

    Parameters
    ----------
    report
        What is told.
    full
        Whether with every source and reason; otherwise each in a line.
    """
    if report.inert:
        yield Lines(lines=(f"Without effect on this design: {', '.join(report.inert)}",))
    if not full:
        lines = tuple(_in_short(report))
        if lines:
            yield Lines(lines=lines)
        return
    accuracy = _accuracy(report)
    if accuracy:
        yield Lines(title="Accuracy of the models:", lines=tuple(f"  {line}" for line in accuracy))
    if report.prices:
        told = tuple(f"  {price.text}" for price in report.prices)
        yield Lines(title="Prices behind the cost:", lines=told)
    if report.launched:
        yield Lines(lines=tuple(launch_lines(report.launched, several=_several(report))))


def interval_table(item: ReportedDesign) -> Iterator[Block]:
    """List what each predicted figure of a design stays within."""
    if item.intervals:
        rows = [
            [path, number(found.low), number(found.high), found.unit]
            for path, found in item.intervals.items()
        ]
        yield table_of(
            [["figure", "from", "to", "unit"], *rows], title=f"{WITHIN}:", words=frozenset({0, 3})
        )


def _in_short(report: "Report") -> Iterator[str]:
    accuracy = _accuracy(report)
    medians = [
        100 * errors["median"] for item in report.evidence for errors in item["errors"].values()
    ]
    if len(accuracy) > 1 and medians:
        yield (
            f"Accuracy of the models: median errors of {min(medians):.1f} to {max(medians):.1f} %"
            f" on measured runs of {len(accuracy)} kinds"
        )
    else:
        yield from (f"Accuracy of the models: {line}" for line in accuracy)
    if report.prices:
        yield f"Prices: {'; '.join(price.short for price in report.prices)}"
    if report.launched:
        first, *_ = launch_lines(report.launched, several=_several(report))
        yield first.removesuffix(":")


def _accuracy(report: "Report") -> list[str]:
    return [line for line in report.accuracy if line not in report.account]


def _several(report: "Report") -> bool:
    return len(report.designs) > 1 and report.is_front
