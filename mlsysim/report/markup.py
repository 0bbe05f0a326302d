"""A report as HTML: block by block, for notebooks and for the page."""

from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, assert_never

from mlsysim.report.blocks import Bars, Block, Drawing, Lines, Table, Verdict
from mlsysim.report.telling import blocks_of

if TYPE_CHECKING:
    from mlsysim.report.report import Report

# Hues that are told apart by everybody (after Okabe and Ito), on light and on dark.
HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a63d2", "#7f7f7f")


def as_fragment(report: "Report") -> str:
    """Write a report for a notebook: it brings its own style and needs no script."""
    body = "".join(map(html_of, blocks_of(report)))
    return f'<div class="mlsysim"><style>{asset("report.css")}</style>{body}</div>'


@cache
def asset(name: str) -> str:
    """Read a file that stands beside this module.

    Parameters
    ----------
    name
        Its name.
    """
    return files("mlsysim.report").joinpath("assets", name).read_text(encoding="utf-8")


def html_of(block: Block) -> str:
    """Write one block."""
    match block:
        case Verdict():
            rest = escape(block.text.removeprefix(block.word))
            line = f'<b class="{block.tone}">{escape(block.word)}</b>{rest}'
            return f'<p class="verdict">{line}</p>{_list(block.more)}'
        case Lines():
            return _title(block.title) + _list(block.lines)
        case Bars():
            return _bars(block)
        case Table():
            return _title(block.title) + table(block)
        case Drawing():
            return f'<pre class="drawing">{escape(chr(10).join(block.lines))}</pre>'
        case _:
            assert_never(block)


def table(block: Table) -> str:
    """Write a table without its title."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in block.header)
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
