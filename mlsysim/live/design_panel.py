"""One design with the bars of what it consists of, and another one beside it."""

from nicegui import ui

from mlsysim.live.elements import blocks, button, heading, markup
from mlsysim.report.comparing import comparison_table
from mlsysim.report.layout import design_blocks
from mlsysim.report.records import ReportedDesign
from mlsysim.results.markup import table


class DesignPanel:
    """Shows a design; one that was kept stands beside it, through all answers that follow."""

    def __init__(self) -> None:
        self._shown: tuple[ReportedDesign, str] | None = None
        self._kept: tuple[ReportedDesign, str] | None = None
        with ui.element("section").classes("part") as self.place:
            heading("The design")
            self._body = ui.element("div").classes("design")
            with ui.element("div").classes("line"):
                button("Keep it to compare", self._keep)
                self._forget = button("Forget what is kept", self._drop)
            self._beside = ui.element("div")
        self._draw()

    def show(self, design: ReportedDesign, title: str) -> None:
        """Show a design."""
        self._shown = design, title
        self._draw()

    def hide(self) -> None:
        """Show no design: there is none."""
        self._shown = None
        self._draw()

    def _keep(self) -> None:
        self._kept = self._shown
        self._draw()

    def _drop(self) -> None:
        self._kept = None
        self._draw()

    def _draw(self) -> None:
        self.place.set_visibility(self._shown is not None)
        self._forget.set_visibility(self._kept is not None)
        self._body.clear()
        self._beside.clear()
        if self._shown is None:
            return
        design, title = self._shown
        with self._body:
            blocks(design_blocks(design, title))
        if self._kept is None:
            return
        with self._beside:
            kept, _ = self._kept
            if kept == design:
                markup("<p class='note'>Kept. Move something, or choose another design.</p>")
                return
            heading("Side by side")
            markup(table(comparison_table(kept, design, "Shown", beside="kept")))
