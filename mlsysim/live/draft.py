"""The question of a tab, which is edited value by value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from mlsysim.errors import QuestionError
from mlsysim.files.plans.plan_file import is_plan_text
from mlsysim.live import editing
from mlsysim.worker import draft


@dataclass(frozen=True, kw_only=True)
class TabDraft(draft.Draft):
    """The text of a question file as it stands in a tab."""

    @property
    def is_plan(self) -> bool:
        """Whether it is about jobs over time; not where it cannot be read, which is told later."""
        try:
            return is_plan_text(self.text, self.path)
        except QuestionError:
            return False

    def with_value(self, place: editing.Place, value: object) -> Self:
        """Give the draft with one value set."""
        return replace(self, text=editing.with_value(self.text, place, value))

    def with_values(self, place: editing.Place, values: Mapping[str, object]) -> Self:
        """Give the draft with several values of a table set."""
        changed = self
        for key, value in values.items():
            changed = changed.with_value((*place, key), value)
        return changed

    def without(self, place: editing.Place) -> Self:
        """Give the draft without one value or table."""
        return replace(self, text=editing.without(self.text, place))
