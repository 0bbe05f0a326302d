"""The line that says what was found, what is under way, and what is wrong."""

from collections.abc import Callable

from nicegui import ui

from mlsysim.live.elements import button, markup
from mlsysim.search.options import Progress


class StatusPanel:
    """Shows the verdict with its proof, and the progress of what comes next.

    Parameters
    ----------
    stopped
        Called when what is under way is to end.
    """

    def __init__(self, stopped: Callable[[], None]) -> None:
        with ui.element("section").classes("part status") as self.place:
            self._wrong = ui.label().classes("wrong").props("role=alert")
            self._verdict = markup("").props("aria-live=polite role=status")
            with ui.element("div").classes("progress") as self._busy:
                self._bar = ui.linear_progress(show_value=False, size="4px").props(
                    "aria-hidden=true"
                )
                self._told = ui.label().classes("note")
                button("Stop", stopped, label="stop what is under way")
        self._wrong.set_visibility(False)
        self.rest()

    def work(self, what: str) -> None:
        """Say what is under way."""
        self._told.set_text(what)
        self._bar.props(add="indeterminate")
        self._busy.classes(remove="idle")

    def progress(self, progress: Progress) -> None:
        """Say how far it has come."""
        self._bar.props(remove="indeterminate")
        self._bar.value = progress.done / progress.total if progress.total else 0
        self._told.set_text(str(progress))

    def rest(self) -> None:
        """Say that nothing is under way."""
        self._busy.classes(add="idle")
        self._told.set_text("")

    def complain(self, text: str) -> None:
        """Say what is wrong; what was found before stands below it, and is of another question."""
        self._wrong.set_text(text)
        self._wrong.set_visibility(bool(text))
        self._verdict.classes(add="stale") if text else self._verdict.classes(remove="stale")

    def show(self, verdict: str, facts: str) -> None:
        """Show what was found."""
        self.complain("")
        self._verdict.set_content(f'<div class="headline">{verdict}</div>{facts}')
