"""Blocks as HTML, for notebooks and for the page of a report."""

from collections.abc import Iterable
from html import escape
from typing import assert_never

from mlsysim.results.blocks import Bars, Block, Drawing, Headline, Lines, TableBlock

# Hues that are told apart by everybody (after Okabe and Ito), on light and on dark.
HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a63d2", "#7f7f7f")


def as_html(blocks: Iterable[Block]) -> str:
    """Write blocks one below the other."""
    return "".join(map(html_of, blocks))


def html_of(block: Block) -> str:
    """Write one block."""
    match block:
        case Headline():
            line = f'<b class="{block.tone}">{escape(block.word)}</b>{escape(block.rest)}'
            return f'<p class="verdict">{line}</p>{_list(block.more)}'
        case Lines():
            return _title(block.title) + _list(block.lines)
        case Bars():
            return _bars(block)
        case TableBlock():
            return _title(block.title) + table(block)
        case Drawing():
            return f'<pre class="drawing">{escape(chr(10).join(block.lines))}</pre>'
        case _:
            assert_never(block)


def table(block: TableBlock) -> str:
    """Write a table without its title."""
    head = "".join(
        f'<th scope="col"{" class=word" * (place in block.words)}>{escape(name)}</th>'
        for place, name in enumerate(block.header)
    )
    rows = []
    for row in block.rows:
        cells = (
            f'<td class="{"word" if place in block.words else cell.tone}">{escape(cell.text)}</td>'
            for place, cell in enumerate(row)
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide"><table>{body}</table></div>'


def _bars(block: Bars) -> str:
    """Draw the whole as one stacked bar, and the parts as a table beside their colours."""
    pieces, rows = [], []
    for place, bar in enumerate(block.bars):
        hue = HUES[place % len(HUES)]
        width = f"{100 * bar.share:.3f}%"
        label = escape(f"{bar.name}: {bar.amount}, {bar.percentage}")
        pieces.append(f'<i style="width:{width};background:{hue}" title="{label}"></i>')
        key = f'<i class="key" style="background:{hue}"></i>'
        rows.append(
            f'<tr><td class="word">{key}{escape(bar.name)}</td>'
            f"<td>{escape(bar.amount)}</td><td>{escape(bar.percentage)}</td></tr>"
        )
    return (
        f'<section class="bars"><h4>{escape(block.title)}: {escape(block.total)}</h4>'
        f'<div class="stack" aria-hidden="true">{"".join(pieces)}</div>'
        f"<table><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _list(lines: tuple[str, ...]) -> str:
    items = "".join(
        f'<li class="{"inner" if line.startswith(" ") else "outer"}">{escape(line.strip())}</li>'
        for line in lines
    )
    return f'<ul class="lines">{items}</ul>' if lines else ""


def _title(title: str) -> str:
    return f"<h4>{escape(title)}</h4>" if title else ""
