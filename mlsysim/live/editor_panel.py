"""The question file itself, to be read, edited, or replaced by another one."""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from mlsysim.files.templates import kinds, template
from mlsysim.live.elements import button, markup_of


class EditorPanel:
    """Shows the text of the question, and opens what is written there.

    Parameters
    ----------
    opened
        Told the text that is to be asked.
    """

    def __init__(self, opened: Callable[[str], None]) -> None:
        self._opened = opened
        with ui.element("details").classes("part editor"):
            markup_of("summary", "The question file")
            self._text = ui.textarea().props("outlined autogrow input-class=code spellcheck=false")
            self._text.props["aria-label"] = "the text of the question file"
            with ui.element("div").classes("line"):
                button("Ask this", lambda: opened(self._text.value), primary=True)
                markup_of("span", "or begin with").classes("note")
                for kind in kinds():
                    button(kind, partial(self._begin, kind), label=f"ask about {kind}")

    def show(self, text: str) -> None:
        """Show a text."""
        self._text.value = text

    def _begin(self, kind: str) -> None:
        self._opened(template(kind).replace("FILE", f"{kind}.toml"))
