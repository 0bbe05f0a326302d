"""The question of a tab: the text of a question file that need not have been saved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlsysim.files.question import Question, question_of
from mlsysim.live import editing


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

    def with_value(self, place: editing.Place, value: object) -> "Draft":
        """Give the draft with one value set."""
        return replace(self, text=editing.with_value(self.text, place, value))

    def with_values(self, place: editing.Place, values: Mapping[str, object]) -> "Draft":
        """Give the draft with several values of a table set."""
        draft = self
        for key, value in values.items():
            draft = draft.with_value((*place, key), value)
        return draft

    def without(self, place: editing.Place) -> "Draft":
        """Give the draft without one value or table."""
        return replace(self, text=editing.without(self.text, place))
