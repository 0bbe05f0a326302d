"""Small pieces of the page: blocks of a report, sliders, tables with a button in each row."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from html import escape
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from mlsysim.results.blocks import Block, TableBlock
from mlsysim.results.markup import as_html


def blocks(items: Iterable[Block]) -> ui.html:
    """Show blocks of a report as it shows them itself."""
    return markup(as_html(items))


def markup(text: str) -> ui.html:
    """Show HTML that is written by the package."""
    return ui.html(text, sanitize=False)


def section(title: str) -> Element:
    """Open a part of the page that has a heading."""
    part = ui.element("section").classes("part")
    with part:
        heading(title)
    return part


def heading(title: str) -> Element:
    """Write a heading."""
    return markup_of("h2", title)


def markup_of(tag: str, text: str) -> ui.html:
    """Write text in an element of HTML."""
    return ui.html(escape(text), tag=tag, sanitize=False)


def slider(
    *,
    label: str,
    values: Sequence[float],
    value: float,
    moved: Callable[[float], object],
    shown: Callable[[float], str],
) -> Element:
    """Make a slider over some values; the browser's own, which keyboards and readers know."""
    start = values.index(value)
    made = ui.element("input").props(f"type=range min=0 max={len(values) - 1} step=1 value={start}")
    made.props["aria-label"] = label
    made.props["aria-valuetext"] = shown(value)

    def take(event: GenericEventArguments) -> None:
        found = values[min(max(int(event.args), 0), len(values) - 1)]
        made.props["aria-valuetext"] = shown(found)
        moved(found)

    made.on("input", take, js_handler="(event) => emit(event.target.value)", throttle=0.05)
    return made.classes("slider")


def button(
    text: str, clicked: Callable[[], Any], *, label: str | None = None, primary: bool = False
) -> Element:
    """Make a button; the browser's own.

    Parameters
    ----------
    text
        What stands on it.
    clicked
        Called when it is pressed.
    label
        What it does, for those who do not see where it stands.
    primary
        Whether it is what most will want.
    """
    made = ui.html(escape(text), tag="button", sanitize=False)
    made.props["type"] = "button"
    if label is not None:
        made.props["aria-label"] = label
    made.on("click", lambda _: clicked())
    return made.classes("press primary" if primary else "press")


def choosable(block: TableBlock, chosen: Callable[[int], Any], *, what: str) -> Element:
    """Show a table in which each row can be chosen by the button that its first cell becomes."""
    with ui.element("div").classes("wide") as made, ui.element("table"):
        with ui.element("thead"), ui.element("tr"):
            for column, name in enumerate(block.header):
                head = markup_of("th", name).props("scope=col")
                if column in block.words:
                    head.classes("word")
        with ui.element("tbody"):
            for place, row in enumerate(block.rows):
                with ui.element("tr"):
                    with ui.element("td"):
                        button(
                            row[0].text,
                            partial(chosen, place),
                            label=f"show {what} {row[0].text}",
                        )
                    for column, cell in enumerate(row[1:], 1):
                        kind = "word" if column in block.words else cell.tone
                        markup_of("td", cell.text).classes(kind)
    return made
