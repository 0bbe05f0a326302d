"""Take the question, the answer and what launches it along."""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from mlsysim.live.draft import TabDraft
from mlsysim.live.elements import button, heading, markup_of
from mlsysim.report import Report


class ExportPanel:
    """Downloads: the question as TOML, the answer as JSON and HTML, and the launch.

    Parameters
    ----------
    draft
        Gives the question as it stands.
    page
        Called when the report is wanted as a page.
    launch
        Called with the framework for which the design is wanted.
    """

    def __init__(
        self,
        draft: Callable[[], TabDraft],
        page: Callable[[], None],
        launch: Callable[[str], None],
    ) -> None:
        self._draft = draft
        self._launch = launch
        self._report: Report | None = None
        with ui.element("section").classes("part") as self.place:
            heading("Take it along")
            with ui.element("div").classes("line"):
                button("Question (TOML)", self._toml, label="download the question file")
                button("Answer (JSON)", self._json, label="download the answer as JSON")
                button("Report (HTML)", page, label="download the report as a page")
            self._frameworks = ui.element("div").classes("line")
            self._text = ui.element("div")

    def show(self, report: Report) -> None:
        """Offer what there is of an answer."""
        self._report = report
        self._frameworks.clear()
        self._text.clear()
        with self._frameworks:
            runs = [item.framework.name for item in report.launched if not item.refusals]
            if runs:
                markup_of("span", "Launch with").classes("note")
            for name in runs:
                button(name, partial(self._launch, name), label=f"show the launch with {name}")

    def tell(self, framework: str, text: str) -> None:
        """Show what launches the design."""
        self._text.clear()
        with self._text:
            markup_of("pre", text).props(f"tabindex=0 aria-label='launch with {framework}'")
            name = f"launch-{framework}.txt"
            button("Download it", lambda: ui.download.content(text, name))

    def _toml(self) -> None:
        ui.download.content(self._draft().text, self._draft().path.name, "application/toml")

    def _json(self) -> None:
        if self._report is not None:
            ui.download.content(self._report.to_json(), "answer.json", "application/json")
