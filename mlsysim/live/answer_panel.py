"""What stands behind an answer: what it meets, the designs next to it, why nothing fits."""

from collections.abc import Callable
from functools import partial
from operator import methodcaller

from nicegui import ui

from mlsysim.live.control_panel import Edit
from mlsysim.live.controls import Controls, Limit
from mlsysim.live.elements import blocks, button, choosable, markup, markup_of, section
from mlsysim.report import Report
from mlsysim.report.layout import designs_table
from mlsysim.report.page import limit_meters
from mlsysim.report.support import support_blocks
from mlsysim.results import Relaxation


class AnswerPanel:
    """Shows a report below its first design.

    Parameters
    ----------
    chosen
        Told the place of a design that is to be looked at.
    applied
        Told what a cure does to the draft.
    """

    def __init__(self, chosen: Callable[[int], None], applied: Callable[[Edit], None]) -> None:
        self._chosen = chosen
        self._applied = applied
        self._place = ui.element("div").classes("answer")

    def show(self, report: Report, controls: Controls) -> None:
        """Show a report.

        Parameters
        ----------
        report
            The answer.
        controls
            What can be moved, for the cures where nothing fits.
        """
        self._place.clear()
        with self._place:
            if report.designs:
                self._found(report)
            elif report.conflict:
                self._conflict(report, {item.name: item for item in controls.limits})

    def _found(self, report: Report) -> None:
        if len(report.designs) > 1:
            with section("The best designs"):
                found = designs_table(report)
                if found.title:
                    markup_of("p", found.title).classes("note")
                choosable(found, self._chosen, what="design")
        if report.requirements:
            with section("Requirements"):
                markup(limit_meters(report))
        with section("What stands behind it"):
            blocks(support_blocks(report))

    def _conflict(self, report: Report, limits: dict[str, Limit]) -> None:
        with section("Why nothing fits"):
            markup_of("p", "These exclude them all; without any one of them, the rest would not.")
            with ui.element("ul").classes("cures"):
                for item in report.conflict:
                    with ui.element("li"):
                        text = f"{item.name}: {item.reason}" if item.reason else item.name
                        markup_of("span", f"{text}. {item.because}".strip())
                        self._drop(limits.get(item.name))
        if not report.relaxations:
            return
        title = "What each would have to become, with all others kept"
        with section(title), ui.element("ul").classes("cures"):
            for relaxation in report.relaxations:
                with ui.element("li"):
                    markup_of("span", relaxation.text)
                    self._cure(relaxation, limits.get(relaxation.name))

    def _drop(self, limit: Limit | None) -> None:
        """Offer to do without a requirement."""
        if limit is not None:
            cure = partial(self._applied, methodcaller("without", limit.place))
            button("Drop it", cure, label=f"drop the requirement {limit.name}")

    def _cure(self, relaxation: Relaxation, limit: Limit | None) -> None:
        """Offer to move a limit to what can be reached."""
        if limit is None or limit.dial is None or relaxation.value is None:
            return
        dial = limit.dial
        value = dial.reaching(relaxation.value)
        button(
            f"Take {dial.shown(value)}",
            lambda: self._applied(lambda draft: draft.with_value(dial.place, dial.written(value))),
            label=f"require {limit.name} {dial.shown(value)}",
            primary=True,
        )
