"""The left side of the page: what is asked, and everything in it that can be moved."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial

from nicegui import ui
from nicegui.element import Element

from mlsysim.live.controls import ChoiceControl, Controls, DateControl, EntryControl, Limit
from mlsysim.live.dials import Dial
from mlsysim.live.draft import TabDraft
from mlsysim.live.elements import heading, markup_of, slider
from mlsysim.results.formatting import number

Edit = Callable[[TabDraft], TabDraft]
"""What a movement does to the draft."""


@dataclass(frozen=True, kw_only=True)
class _Moved:
    """A number that can be moved: its row on the page, and the field that holds it."""

    dial: Dial
    row: Element
    typed: ui.number

    def written(self) -> str | int | float:
        """Write it for the file; an empty field stands for what it was."""
        value = self.typed.value
        return self.dial.written(self.dial.value if value is None else float(value))


class ControlPanel:
    """Shows the controls of a draft, and tells each movement.

    Parameters
    ----------
    changed
        Called with what a movement does.
    """

    def __init__(self, changed: Callable[[Edit], None]) -> None:
        self._changed = changed
        self._place = ui.element("div").classes("controls")

    def show(self, controls: Controls) -> None:
        """Show the controls of a draft that was opened."""
        self._place.clear()
        with self._place:
            markup_of("p", controls.question).classes("question")
            markup_of("p", controls.objective).classes("note")
            self._group("Limits", [partial(self._limit, item) for item in controls.limits])
            self._group("Dates", [partial(self._date, item) for item in controls.dates])
            self._group("Choices", [partial(self._choice, item) for item in controls.choices])
            words = [partial(self._entry, item) for item in controls.entries]
            self._group("Given", [*words, *(partial(self._dial, item) for item in controls.dials)])

    def _group(self, title: str, items: Sequence[Callable[[], None]]) -> None:
        if items:
            with ui.element("section").classes("group"):
                heading(title)
                for item in items:
                    item()

    def _limit(self, limit: Limit) -> None:
        with ui.element("div").classes("control"):
            kept = ui.checkbox(limit.name, value=True).props("dense")
            kept.props["aria-label"] = f"require {limit.name}"
            markup_of("p", limit.text if limit.dial is None else limit.dial.left).classes("note")
            moved = None if limit.dial is None else self._moved(limit.dial)
            if limit.because:
                markup_of("p", limit.because).classes("note because")

        def switch() -> None:
            if moved is not None:
                moved.row.set_visibility(kept.value)
            if not kept.value:
                self._changed(lambda draft: draft.without(limit.place))
                return
            text = limit.text if moved is None else moved.written()
            wanted = {"require": text} | ({"because": limit.because} if limit.because else {})
            self._changed(lambda draft: draft.with_values(limit.place, wanted))

        kept.on_value_change(switch)

    def _dial(self, dial: Dial) -> None:
        with ui.element("div").classes("control"):
            markup_of("span", dial.name).classes("name")
            self._moved(dial)

    def _moved(self, dial: Dial) -> "_Moved":
        """Show a slider, and beside it the number, which can be typed."""
        with ui.element("div").classes("dial") as row:
            typed = ui.number(value=dial.value).props("dense outlined hide-bottom-space")
            typed.props["aria-label"] = f"{dial.name}, in {dial.unit}" if dial.unit else dial.name
            if dial.relation is not None:
                typed.props["prefix"] = str(dial.relation)
            typed.props["suffix"] = dial.unit
            moved = _Moved(dial=dial, row=row, typed=typed)
            typed.on_value_change(
                lambda: self._changed(lambda draft: draft.with_value(dial.place, moved.written()))
            )
            if dial.scale:
                slider(
                    label=f"{dial.name} slider",
                    values=dial.scale,
                    value=dial.value,
                    moved=typed.set_value,
                    shown=dial.shown,
                )
        return moved

    def _entry(self, entry: EntryControl) -> None:
        with ui.element("div").classes("control"):
            field: ui.select | ui.input = (
                ui.select(list(entry.options), value=entry.value, label=entry.name, with_input=True)
                if entry.options
                else ui.input(entry.name, value=entry.value)
            )
            field.props("dense outlined options-dense hide-bottom-space")

            def tell() -> None:
                if field.value:
                    value = str(field.value)
                    self._changed(lambda draft: draft.with_value(("fixed", entry.name), value))

            field.on_value_change(tell)

    def _date(self, control: DateControl) -> None:
        with ui.element("div").classes("control"):
            field = ui.input(control.name, value=f"{control.value:%Y-%m-%d}")
            field.props("type=date stack-label dense outlined hide-bottom-space")

            def tell() -> None:
                with suppress(ValueError):  # a day that is not typed in full yet
                    day = date.fromisoformat(str(field.value))
                    self._changed(lambda draft: draft.with_value(control.place, day))

            field.on_value_change(tell)

    def _choice(self, choice: ChoiceControl) -> None:
        with ui.element("div").classes("control"):
            if choice.is_range:
                self._range(choice)
            else:
                self._list(choice)

    def _list(self, choice: ChoiceControl) -> None:
        known = {str(value): value for value in [*choice.values, *choice.options]}
        field = ui.select(
            list(known),
            value=[str(value) for value in choice.values],
            label=choice.name,
            multiple=True,
            with_input=bool(choice.options),
        ).props("dense outlined options-dense use-chips hide-bottom-space")

        def tell() -> None:
            chosen = set(field.value)
            values = [value for text, value in known.items() if text in chosen]
            if values:
                self._changed(lambda draft: draft.with_value(("space", choice.name), values))

        field.on_value_change(tell)

    def _range(self, choice: ChoiceControl) -> None:
        numbers = [int(value) for value in choice.values]
        first, last = numbers[0], numbers[-1]
        step = numbers[1] - first if len(numbers) > 1 else 1
        with ui.element("div").classes("ends"):
            markup_of("span", choice.name).classes("name")
            said = markup_of("span", f"{number(first)} to {number(last)}").classes("note")
        ends = [first, last]

        def take(end: int, value: float) -> None:
            ends[end] = int(value)
            low, high = min(ends), max(ends)
            said.set_content(f"{number(low)} to {number(high)}")
            span = {"from": low, "to": high} | ({} if step == 1 else {"step": step})
            self._changed(lambda draft: draft.with_value(("space", choice.name), span))

        for end, word in enumerate(("least", "most")):
            slider(
                label=f"{word} {choice.name}",
                values=numbers,
                value=numbers[-end],
                moved=partial(take, end),
                shown=number,
            )
