"""Blocks as plain text."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from mlsysim.results.blocks import Bars, Block, Drawing, Headline, Lines, TableBlock

_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def as_text(blocks: Iterable[Block]) -> str:
    """Write blocks as lines of text, with an empty one between them."""
    return "\n\n".join("\n".join(lines_of(block)) for block in blocks)


def lines_of(block: Block) -> Iterator[str]:
    """Write one block."""
    match block:
        case Headline():
            yield str(block)
            yield from block.more
        case Lines():
            if block.title:
                yield block.title
            yield from block.lines
        case Bars():
            yield f"{block.title}: {block.total}"
            cells = [[bar.name, bar.amount, bar.percentage] for bar in block.bars]
            columns = zip(_aligned(cells, frozenset({0})), block.bars, strict=True)
            yield from (f"  {line}  {drawn(bar.share)}".rstrip() for line, bar in columns)
        case TableBlock():
            if block.title:
                yield block.title
            rows = [list(block.header), *([cell.text for cell in row] for row in block.rows)]
            yield from _aligned(rows, block.words)
        case Drawing():
            yield from block.lines
        case _:
            assert_never(block)


def drawn(share: float, width: int = _WIDTH) -> str:
    """Draw a share of a bar with characters, in eighths of one.

    Parameters
    ----------
    share
        From 0 to 1.
    width
        Of the whole.
    """
    eighths = max(0, min(round(8 * width * share), 8 * width))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + _EIGHTHS[rest].strip()


def _aligned(rows: list[list[str]], words: frozenset[int]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place in words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
