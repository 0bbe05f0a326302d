"""Text as it may leave the program: for a terminal, in one line, in the cell of a spreadsheet.

Names and prose come from files that others wrote.  A terminal obeys control
characters, and a spreadsheet runs what begins like a formula; neither may
happen to what is only to be read.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

# Control characters but tab and newline, and what turns the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str) -> str:
    r"""Show control characters, other than tab and newline, as escapes.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def one_line(text: str, longest: int | None = None) -> str:
    r"""Give a text as one line, without control characters; its middle left out if it is long.

    Parameters
    ----------
    text
        The text.
    longest
        How many characters are shown; all if not given.

    Examples
    --------
    >>> one_line("a\n  b")
    'a b'
    """
    line = " ".join(printable(text).split())
    if longest is None or len(line) <= longest:
        return line
    half = longest // 2
    return f"{line[:half]} ... ({len(line) - 2 * half:,} characters) ... {line[-half:]}"


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Write rows as CSV in which no cell is a formula.

    Text that begins as a formula does gets an apostrophe in front, which
    spreadsheets take for "this is text"; numbers stay numbers.

    Parameters
    ----------
    rows
        The cells.

    Examples
    --------
    >>> csv_text([["=1+1", "-2.5", -3]])
    "'=1+1,-2.5,-3\n"
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows([[_inert(cell) for cell in row] for row in rows])
    return target.getvalue()


def _inert(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    text = printable(cell)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
