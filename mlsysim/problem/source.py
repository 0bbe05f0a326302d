"""A text that the user wrote, and how to complain about it."""

from dataclasses import dataclass

from mlsysim.errors import ConstraintError, InputError

_SHOWN = 300
"""So many characters of a text are repeated in a message."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The text of a constraint or objective, with the error that it raises.

    Parameters
    ----------
    text
        What the user wrote.
    kind
        What it is: ``constraint``, ``objective`` or ``expression``.
    error
        The class of its errors.
    """

    text: str
    kind: str = "expression"
    error: type[InputError] = ConstraintError

    def fault(self, what: str, write: str = "") -> InputError:
        """Build the error: the culprit, and the corrected text where there is one."""
        cure = f"; write {write!r}" if write and len(write) <= _SHOWN else ""
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]} ..."
        return self.error(f"{self.kind} {shown!r}: {what}{cure}")

    def replaced(self, start: int, stop: int, text: str) -> str:
        """Give the text with a part replaced, as a proposal."""
        return self.text[:start] + text + self.text[stop:]
