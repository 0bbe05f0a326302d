"""What an answer consists of for a reader: a few kinds of blocks, which each form draws.

Every number in them is text already, so that all forms show the same digits.
"""

from dataclasses import dataclass
from enum import StrEnum

from mlsysim.results.status import Status


class Tone(StrEnum):
    """How a cell is meant."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table.

    Parameters
    ----------
    text
        What stands in it.
    tone
        How it is meant.
    """

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The first line: ``<word><aside>: <text>; <effort>``, and what follows it.

    Parameters
    ----------
    word
        The status, or another word for what came out.
    aside
        What stands between it and the colon: how sure it is.
    text
        What was found.
    effort
        Over how many designs, in which time, by which method; may be empty.
    tone
        Whether it is good news; plain where nothing is proven.
    more
        What follows, line by line.
    """

    word: str
    aside: str = ""
    text: str
    effort: str = ""
    tone: Tone = Tone.PLAIN
    more: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """What follows the word in its line."""
        return f"{self.aside}: {self.text}{self.effort and f'; {self.effort}'}"

    def __str__(self) -> str:
        return f"{self.word}{self.rest}"


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Sentences, one below the other.

    Parameters
    ----------
    title
        What they are about; may be empty.
    lines
        The sentences.
    """

    title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableBlock:
    """Rows under a header.

    Parameters
    ----------
    title
        What it shows; may be empty.
    header
        Names of the columns.
    rows
        The cells.
    words
        Columns that hold words, not numbers.
    """

    title: str = ""
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One part of a whole.

    Parameters
    ----------
    name
        What it is.
    amount, percentage
        How much, with its unit, and of the whole.
    share
        The same from 0 to 1.
    """

    name: str
    amount: str
    percentage: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A whole as bars of its parts.

    Parameters
    ----------
    title
        What is broken down.
    total
        How much it is, and of what.
    bars
        The parts, in the order in which the model gives them.
    """

    title: str
    total: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture made of characters, for forms that have no better one.

    Parameters
    ----------
    lines
        From top to bottom.
    """

    lines: tuple[str, ...]


Block = Headline | Lines | TableBlock | Bars | Drawing


def tone_of(status: Status) -> Tone:
    """Say whether a status is good news."""
    return {Status.OPTIMAL: Tone.GOOD, Status.INFEASIBLE: Tone.BAD}.get(status, Tone.PLAIN)


def table_of(
    rows: list[list[str]], *, title: str = "", words: frozenset[int] = frozenset()
) -> TableBlock:
    """Make a table of plain cells.

    Parameters
    ----------
    rows
        The header, then the others.
    title
        What it shows.
    words
        Columns that hold words, not numbers.
    """
    header, *others = rows
    cells = tuple(tuple(Cell(text=cell) for cell in row) for row in others)
    return TableBlock(title=title, header=tuple(header), rows=cells, words=words)
