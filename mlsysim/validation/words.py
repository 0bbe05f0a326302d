"""Closed sets of words: what a cell may say, and the spellings of it that sources use.

A cell is compared as a whole, without regard to case; failing that, what stands
before a parenthesis counts, for sources write "fp8 (current scaling)", and a
remark in parentheses is for readers.

A collection of published figures keeps the words of its sources
(`mlsysim.validation.table`).  There the first word of a cell counts, too, and
after it phrases that the cell contains.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mlsysim.errors import suggest

Word = TypeVar("Word", bound=enum.Enum)
_BETWEEN_WORDS = str.maketrans(dict.fromkeys(",;:/+=-", " "))


@dataclass(frozen=True, kw_only=True)
class Words(Generic[Word]):
    """What a column may say.

    Parameters
    ----------
    kind
        The closed set; its values are the words themselves.
    spellings
        Other ways to write them.
    phrases
        What sentences of sources contain, the first that is found counts.

    Examples
    --------
    >>> Colour = enum.StrEnum("Colour", "RED BLUE")
    >>> words = Words(kind=Colour, spellings={"rouge": Colour.RED})
    >>> words.meaning("Rouge (as the source says)")
    <Colour.RED: 'red'>
    >>> words.meaning("bleu") is None, words.cure("bleu")
    (True, "the words known are 'blue', 'red'; did you mean 'blue'?")
    """

    kind: type[Word]
    spellings: Mapping[str, Word] = field(default_factory=dict)
    phrases: tuple[tuple[str, Word], ...] = ()

    def meaning(self, cell: str, *, of_a_source: bool = False) -> Word | None:
        """Give what a cell means, or None where its words are not known."""
        whole = " ".join(cell.casefold().split())
        tries = [whole, without_remark(whole)]
        if of_a_source:
            tries += whole.translate(_BETWEEN_WORDS).split()[:1]
        known = {str(word.value).casefold(): word for word in self.kind}
        known |= {spelling.casefold(): word for spelling, word in self.spellings.items()}
        for said in tries:
            if said in known:
                return known[said]
        if of_a_source:
            return next((word for phrase, word in self.phrases if phrase in whole), None)
        return None

    def cure(self, cell: str) -> str:
        """List the words that are known, and the nearest one."""
        words = sorted(str(word.value) for word in self.kind)
        near = suggest(without_remark(cell), words)
        listed = ", ".join(repr(word) for word in words)
        return f"the words known are {listed}{near if 'did you mean' in near else ''}"


def without_remark(cell: str) -> str:
    """Give what stands before a parenthesis.

    Examples
    --------
    >>> without_remark("fp8 (current scaling)")
    'fp8'
    """
    return cell.partition("(")[0].strip()


def remark_of(cell: str) -> str:
    """Give what stands in a parenthesis at the end of a cell, or nothing.

    Examples
    --------
    >>> remark_of("B200-SXM (DGX-B200)"), remark_of("B200-SXM")
    ('DGX-B200', '')
    """
    return cell.partition("(")[2].rpartition(")")[0].strip()
