"""How the blocks of a report look in a terminal."""

from collections.abc import Iterable
from typing import assert_never

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from mlsysim.cli.tables import AdaptiveTable
from mlsysim.report import Report
from mlsysim.results.blocks import Bars, Block, Cell, Drawing, Headline, Lines, TableBlock, Tone
from mlsysim.results.plain import drawn

COLOURS = {Tone.GOOD: "green", Tone.BAD: "red", Tone.PLAIN: ""}
_AMOUNT = 11
_UNPROVEN = "bold yellow"


def view(report: Report, *, full: bool = False) -> RenderableType:
    """Show a report: the verdict, the best design, what limits it, and the others."""
    return stacked(report.blocks(full=full))


def stacked(blocks: Iterable[Block]) -> RenderableType:
    """Show blocks one below the other, with room between them."""
    parts: list[RenderableType] = []
    for block in blocks:
        parts += [Text(), *_drawn(block)] if parts else _drawn(block)
    return Group(*parts)


def _drawn(block: Block) -> list[RenderableType]:
    match block:
        case Headline():
            text = Text(str(block))
            colour = COLOURS[block.tone]
            text.stylize(f"bold {colour}" if colour else _UNPROVEN, 0, len(block.word))
            return [text, *map(Text, block.more)]
        case Lines():
            return [*([Text(block.title)] if block.title else []), *map(Text, block.lines)]
        case Bars():
            return [Text(f"{block.title}: {block.total}"), _bars(block)]
        case TableBlock():
            rows = [[_cell(cell) for cell in row] for row in block.rows]
            table = AdaptiveTable(block.header, rows, words=block.words)
            return [*([Text(block.title)] if block.title else []), table]
        case Drawing():
            return [Text("\n".join(block.lines), no_wrap=True, overflow="crop")]
        case _:
            assert_never(block)


def _bars(block: Bars) -> Grid:
    grid = Grid(box=None, show_header=False)
    # Where there is little room, the bars give way, not what they are called.
    longest = max((len(bar.name) for bar in block.bars), default=0)
    grid.add_column(no_wrap=True, min_width=longest)
    grid.add_column(justify="right", no_wrap=True, min_width=_AMOUNT)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True, overflow="crop")
    for bar in block.bars:
        texts = (bar.name, bar.amount, bar.percentage)
        grid.add_row(*map(Text, texts), Text(drawn(bar.share), style="cyan"))
    return grid


def _cell(cell: Cell) -> Text:
    return Text(cell.text, style=COLOURS[cell.tone])
