"""A plan: its charts, its jobs, and what can be taken along."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from mlsysim.live.control_panel import Edit
from mlsysim.live.draft import TabDraft
from mlsysim.live.elements import button, heading, markup
from mlsysim.live.plan_why_panel import PlanWhyPanel
from mlsysim.live.planning import PlanView


class PlanPanel:
    """Shows who runs when, and what of the nodes is used.

    Parameters
    ----------
    draft
        Gives the plan's file as it stands.
    asked
        Told the key and the value that are to be forced.
    applied
        Told what a cure does to the draft.
    """

    def __init__(
        self,
        draft: Callable[[], TabDraft],
        asked: Callable[[Mapping[str, str]], Any],
        applied: Callable[[Edit], None],
    ) -> None:
        self._draft = draft
        self._view: PlanView | None = None
        with ui.element("div").classes("parts") as self.place:
            self._charts = markup("").classes("part")
            self._jobs = markup("").classes("part jobs")
            self._why = PlanWhyPanel(asked, applied)
            with ui.element("section").classes("part"):
                heading("Take it along")
                with ui.element("div").classes("line"):
                    button("Plan (TOML)", self._toml, label="download the plan's file")
                    button("Answer (JSON)", self._json, label="download the answer as JSON")
                    button("Report (HTML)", self._page, label="download the report as a page")
                    self._dated = button("Calendar", self._ical, label="download as a calendar")

    def show(self, view: PlanView) -> None:
        """Show an answer.

        Parameters
        ----------
        view
            The answer.
        """
        self._view = view
        self._charts.set_content(view.charts)
        self._charts.set_visibility(bool(view.charts))
        self._jobs.set_content(view.jobs)
        self._jobs.set_visibility(bool(view.jobs))
        self._why.show(view)
        self._dated.set_visibility(bool(view.calendar))

    def tell(self, text: str) -> None:
        """Say what a forced value costs."""
        self._why.tell(text)

    def _toml(self) -> None:
        ui.download.content(self._draft().text, self._draft().path.name, "application/toml")

    def _json(self) -> None:
        if self._view is not None:
            ui.download.content(self._view.json, "plan.json", "application/json")

    def _page(self) -> None:
        if self._view is not None:
            ui.download.content(self._view.page, "plan.html", "text/html")

    def _ical(self) -> None:
        if self._view is not None:
            ui.download.content(self._view.calendar, "plan.ics", "text/calendar")
