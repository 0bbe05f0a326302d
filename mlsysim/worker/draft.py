"""A question that need not have been saved."""

from dataclasses import dataclass
from pathlib import Path

from mlsysim.files.question import Question, question_of


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The text of a question file, and where it would stand.

    Parameters
    ----------
    text
        What would stand in the file.
    path
        What messages call it; catalogues that it names are sought beside it.
    """

    text: str
    path: Path

    def loaded(self) -> Question:
        """Check every name in it, and give the question."""
        return question_of(self.text, self.path)
