"""Why a plan cannot be kept, with cures to click; and why a run is not another way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from operator import methodcaller
from typing import Any

from nicegui import ui

from mlsysim.live.control_panel import Edit
from mlsysim.live.elements import button, heading, markup_of, section
from mlsysim.live.plan_cures import PlanChoice, PlanCure
from mlsysim.live.planning import PlanView
from mlsysim.live.why_panel import value_row


class PlanWhyPanel:
    """Shows what stands in the way of a plan, or what of each run can be asked about.

    Parameters
    ----------
    asked
        Told the key and the value that are to be forced.
    applied
        Told what a cure does to the draft.
    """

    def __init__(
        self, asked: Callable[[Mapping[str, str]], Any], applied: Callable[[Edit], None]
    ) -> None:
        self._asked = asked
        self._applied = applied
        self._choices: tuple[PlanChoice, ...] = ()
        self._cures = ui.element("div")
        with ui.element("section").classes("part") as self._place:
            heading("Why not another way?")
            self._job = ui.select([], label="job", on_change=self._show_job)
            self._job.props("dense outlined options-dense hide-bottom-space")
            self._values = ui.element("div").classes("values")
            self._told = markup_of("p", "").props("aria-live=polite")
        self._place.set_visibility(False)

    def show(self, view: PlanView) -> None:
        """Show what belongs to an answer.

        Parameters
        ----------
        view
            The answer.
        """
        self._cures.clear()
        if view.cures:
            with self._cures, section("Why no plan fits"), ui.element("ul").classes("cures"):
                for cure in view.cures:
                    self._cure(cure)
        self._choices = tuple(item for item in view.choices if len(item.values) > 1)
        jobs = [*dict.fromkeys(item.job for item in self._choices)]
        kept = self._job.value if self._job.value in jobs else next(iter(jobs), None)
        self._place.set_visibility(bool(jobs))
        self._job.set_options(jobs, value=kept)
        self._show_job()

    def tell(self, text: str) -> None:
        """Say what a forced value costs, or that it leaves no plan."""
        self._told.set_content(text)

    def _show_job(self) -> None:
        self._told.set_content("")
        self._values.clear()
        with self._values:
            for choice in self._choices:
                if choice.job == self._job.value:
                    value_row(
                        choice.name, choice.values, choice.best, self._force(choice), choice.job
                    )

    def _force(self, choice: PlanChoice) -> Callable[[str], None]:
        return lambda value: self._asked({choice.key: choice.values[value]})

    def _cure(self, cure: PlanCure) -> None:
        with ui.element("li"):
            markup_of("span", f"{cure.text}.")
            if cure.helps:
                drop = partial(self._applied, methodcaller("without", cure.place))
                button("Drop it", drop, label=f"drop {cure.name}")
            if cure.value is not None:
                take = methodcaller("with_value", cure.place, cure.value)
                date = isinstance(cure.value, datetime)
                shown = f"{cure.value:%d %b %Y %H:%M}" if date else f"{cure.value}"
                name = f"set {cure.name} to {shown}"
                button(f"Take {shown}", partial(self._applied, take), label=name, primary=True)
