"""Why not another value: each value of each choice can be asked about."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from nicegui import ui

from mlsysim.live.controls import ChoiceControl, Controls
from mlsysim.live.elements import button, heading, markup, markup_of
from mlsysim.problem.domain import label
from mlsysim.report import Report
from mlsysim.report.comparing import comparison_table
from mlsysim.report.page import verdict_line
from mlsysim.results.markup import table

_BUTTONS = 12
"""Of more values one is chosen from a list."""


class WhyPanel:
    """Shows the values of each choice, and what forcing one of them costs.

    Parameters
    ----------
    asked
        Told the choice and its value, as text.
    """

    def __init__(self, asked: Callable[[Mapping[str, str]], Any]) -> None:
        self._asked = asked
        with ui.element("section").classes("part") as self.place:
            heading("Why not another value?")
            self._values = ui.element("div").classes("values")
            self._told = markup("").props("aria-live=polite")
        self.place.set_visibility(False)

    def show(self, report: Report, controls: Controls) -> None:
        """Show the values beside those of the best design.

        Parameters
        ----------
        report
            The answer.
        controls
            The choices.
        """
        self._told.set_content("")
        self._values.clear()
        best = report.designs[0].params if report.designs else {}
        choices = [item for item in controls.choices if item.name in best]
        self.place.set_visibility(bool(choices))
        with self._values:
            for choice in choices:
                self._row(choice, label(best[choice.name]))

    def _row(self, choice: ChoiceControl, best: str) -> None:
        def ask(value: str) -> None:
            self._asked({choice.name: value})

        value_row(choice.name, map(label, choice.values), best, ask)

    def tell(self, report: Report) -> None:
        """Say what a forced value costs, or what it breaks."""
        beside = ""
        if report.against is not None:
            forced = comparison_table(report.against, report.designs[0], report.title)
            beside = table(forced)
        self._told.set_content(f'<div class="headline">{verdict_line(report)}</div>{beside}')


def value_row(
    name: str, values: Iterable[str], best: str, asked: Callable[[str], Any], of: str = ""
) -> None:
    """Show the values of a choice, each but the best with a button; many of them in a list.

    Parameters
    ----------
    name
        The choice.
    values, best
        What it may be, and what the best answer has.
    asked
        Told the value that is asked about.
    of
        What the choice belongs to, for those who do not see where it stands.
    """
    listed = [*values]
    others = [value for value in listed if value != best]
    full = f"{of} {name}".strip()
    with ui.element("div").classes("line"):
        markup_of("span", name).classes("name")
        if len(others) >= _BUTTONS:
            field = ui.select(others, label=f"{best}; why not ...", with_input=True)
            field.props("dense outlined options-dense hide-bottom-space")
            field.props["aria-label"] = f"why not another {full} than {best}?"
            field.on_value_change(lambda: field.value and asked(str(field.value)))
            return
        for value in listed:
            if value == best:
                markup_of("span", value).classes("chosen")
                continue
            button(value, partial(asked, value), label=f"why not {full} = {value}?")
