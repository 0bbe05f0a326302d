"""A table that keeps its numbers whole: turned on its side where a terminal is too narrow."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


class Sideways:
    """Rows under a header; or, where that is too wide, a line per column of it.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        The cells.
    """

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._header = header
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        upright = Table(box=None, header_style="bold")
        for name in self._header:
            upright.add_column(_whole(name), justify="right", no_wrap=True)
        for row in self._rows:
            upright.add_row(*map(_whole, row))
        wide = options.update(max_width=10 * options.max_width)
        if Measurement.get(console, wide, upright).maximum <= options.max_width:
            yield upright
        else:
            yield self._on_its_side()

    def _on_its_side(self) -> Table:
        table = Table(box=None, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        for _ in self._rows:
            table.add_column(justify="right", overflow="fold")
        for name, *cells in zip(self._header, *self._rows, strict=True):
            table.add_row(*map(_whole, (name, *cells)))
        return table


def _whole(cell: str) -> Text:
    # As text, because the table would take "[ms]" for a style.
    return Text(cell)
