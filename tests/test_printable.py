"""Text of others is shown, not obeyed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.printable import csv_text, one_line, printable


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Control characters but tab and newline become escapes; all else stays as it is."""
    shown = printable(text)
    codes = [ord(sign) for sign in shown]
    assert not any((code < 32 and code not in (9, 10)) or 127 <= code < 160 for code in codes)
    assert not set(shown) & set("\u202a\u202e\u2066\u2028\u2029")
    if text.isascii() and text.isprintable():
        assert shown == text


@given(st.text(max_size=300), st.integers(20, 100))
def test_one_line_is_one_line(text: str, longest: int) -> None:
    """However long, and whatever counts as the end of a line."""
    line = one_line(text, longest)
    assert len(line.splitlines()) <= 1
    assert len(line) <= longest + 40


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-2 ms", "'-2 ms"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("\r=1", "\\r=1"),
        ("-2.5", "-2.5"),
        ("+1e3", "+1e3"),
        ("plain", "plain"),
        (-3.5, "-3.5"),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_no_cell_is_a_formula(cell: object, written: str) -> None:
    """Numbers stay numbers; text that begins like a formula gets an apostrophe."""
    (row,) = csv.reader(io.StringIO(csv_text([[cell]])))
    assert row == [written]
