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


def support_blocks(report: "Report") -> Iterator[Block]:
    """Tell how exact the models are, whose prices stand behind the cost, and who can run it."""
    if report.inert:
        yield Lines(lines=(f"Without effect on this design: {', '.join(report.inert)}",))
    accuracy = [line for line in report.accuracy if line not in report.account]
    if accuracy:
        yield Lines(title="Accuracy of the models:", lines=tuple(f"  {line}" for line in accuracy))
    if report.prices:
        told = tuple(f"  {price.text}" for price in report.prices)
        yield Lines(title="Prices behind the cost:", lines=told)
    if report.launched:
        several = len(report.designs) > 1 and report.is_front
        yield Lines(lines=tuple(launch_lines(report.launched, several=several)))


def interval_table(item: ReportedDesign) -> Iterator[Block]:
    """List what each predicted figure of a design stays within."""
    if item.intervals:
        rows = [
            [path, *map(number, found.told), found.unit] for path, found in item.intervals.items()
        ]
        yield table_of(
            [["figure", "from", "to", "unit"], *rows], title=f"{WITHIN}:", words=frozenset({0, 3})
        )
