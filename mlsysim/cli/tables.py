"""A table that keeps its numbers whole: turned on its side where a terminal is too narrow."""

from collections.abc import Collection, Sequence
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_SENTENCE = 60
"""So wide may a last column of words be."""


class AdaptiveTable:
    """Rows under a header; or, where that is too wide, a line per column of it.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        The cells.
    words
        Columns that hold words, not numbers; they stand at the left of theirs.
    """

    def __init__(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str | Text]],
        words: Collection[int] = (),
    ) -> None:
        self._header = header
        self._rows = rows
        self._words = words

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        upright = Table(box=None, header_style="bold")
        for place, name in enumerate(self._header):
            words = place in self._words
            side: Literal["left", "right"] = "left" if words else "right"
            # Words at the end of a line go on below; everything else stays whole.
            if words and place == len(self._header) - 1:
                upright.add_column(_whole(name), justify=side, max_width=_SENTENCE)
            else:
                upright.add_column(_whole(name), justify=side, no_wrap=True)
        for row in self._rows:
            upright.add_row(*map(_whole, row))
        if _fits(console, options, upright):
            yield upright
            return
        # As many rows side by side as fit; the others below them.
        rows = list(self._rows)
        while rows:
            count = len(rows)
            while count > 1 and not _fits(console, options, self._on_its_side(rows[:count])):
                count -= 1
            yield self._on_its_side(rows[:count])
            rows = rows[count:]
            if rows:
                yield Text()

    def _on_its_side(self, rows: Sequence[Sequence[str | Text]]) -> Table:
        table = Table(box=None, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        for _ in rows:
            table.add_column(justify="right", overflow="fold")
        for name, *cells in zip(self._header, *rows, strict=True):
            table.add_row(*map(_whole, (name, *cells)))
        return table


def _fits(console: Console, options: ConsoleOptions, table: Table) -> bool:
    """Tell whether a table has room for all that is in it."""
    wide = options.update(max_width=10 * options.max_width)
    return Measurement.get(console, wide, table).maximum <= options.max_width


def _whole(cell: str | Text) -> Text:
    # As text, because the table would take "[ms]" for a style.
    return cell if isinstance(cell, Text) else Text(cell)
