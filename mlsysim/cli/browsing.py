"""``mlsysim list`` and ``mlsysim show``: read the catalogue."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from mlsysim.catalog.accelerator import Accelerator, Precision
from mlsysim.catalog.builtin import TREES, find
from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fields import ChoiceField, TextField
from mlsysim.catalog.figure import Figure
from mlsysim.catalog.record import Record
from mlsysim.catalog.tree import Tree
from mlsysim.cli.console import console
from mlsysim.cli.stage_listing import (
    KINDS,
    known_stages,
    print_members,
    print_stage,
    print_stages,
)
from mlsysim.cli.status import errors_to_status
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError, UnknownNameError, suggest
from mlsysim.stages.calibration import calibration_of, differences
from mlsysim.units import magnitude

_ROUNDED = 1e4
"""Numbers from here on are written without a fraction."""


def print_kinds(kind: str | None, stage: str | None = None) -> None:
    """List all entries of the catalogue by kind, those of one kind, or what models take.

    Parameters
    ----------
    kind
        For example ``accelerators``, in any case, or ``stages``, ``knobs`` or ``metrics``; all
        entries if not given.
    stage
        The model whose knobs or metrics are listed.
    """
    with errors_to_status():
        if stage is not None and kind not in {"knobs", "metrics"}:
            raise ParameterError(f"{kind} are not of a stage; write mlsysim list knobs {stage}")
        if kind == "stages":
            print_stages()
            return
        if kind in {"knobs", "metrics"}:
            print_members(kind, stage)
            return
        trees = [tree for tree in TREES.values() if kind is None or _is_of(kind, tree)]
        if not trees:
            known = [*KINDS, *(_words(tree)[-1] for tree in TREES.values())]
            raise UnknownNameError(f"there is no kind {kind!r}{suggest(str(kind), known)}")
        for tree in trees:
            console().print(_entries_table(tree))


def print_entry(name: str) -> None:
    """Show every figure of an entry with its unit, source and confidence.

    Parameters
    ----------
    name
        The name of the entry, such as ``H100_SXM``, or of a model, such as ``ServingModel``.
    """
    with errors_to_status():
        if name in known_stages():
            print_stage(name)
        else:
            print_record(find(name))


def print_record(entry: Record) -> None:
    """Show every figure of a record with its unit, source and confidence."""
    out = console()
    heading = Text.assemble((entry.name, "bold"), f"  {type(entry).__name__}")
    if entry.title:
        heading.append(f": {entry.title}")
    out.print(heading)
    if entry.note:
        out.print(Text(entry.note))
    for field, words in _words_of(entry):
        out.print(Text(f"{field}: {words}"))
    for part, inner in _parts(entry):
        out.print(Text(f"{part}: {inner.name}"))
    references: dict[str, int] = {}
    out.print(_figures_table(entry, references))
    if (found := _differences(entry)) is not None:
        out.print(_differences_table(found, references))
    for text, position in references.items():
        out.print(Text(f"[{position}] {text}"))
    missing = [field for field in entry.described_fields() if not entry.has(field)]
    if missing:
        out.print(Text(f"not known: {', '.join(missing)}"))


def _words(tree: Tree[Any]) -> list[str]:
    return tree.path.casefold().split(".")


def _is_of(kind: str, tree: Tree[Any]) -> bool:
    """Tell whether a kind, in any case, plural or singular, names a tree or its branch."""
    folded = kind.casefold()
    return folded == tree.path.casefold() or any(
        folded in {word, word.removesuffix("s")} for word in _words(tree)
    )


# What lists tell of each entry, beside its title: what a planner chooses by.
_TOLD: Mapping[type[Record], Sequence[tuple[str, Callable[[Any], Any]]]] = {
    Accelerator: (
        ("memory [GB]", lambda item: magnitude(item.memory_capacity, "GB")),
        ("bf16 [Tflop/s]", lambda item: magnitude(item.peak(Precision.BF16), "Tflop/s")),
        ("rent [USD/h]", lambda item: magnitude(item.rental_price, "USD/hour")),
        ("price [USD]", lambda item: magnitude(item.unit_price, "USD")),
    ),
    Cluster: (
        ("nodes", lambda item: item.nodes),
        ("of accelerators", lambda item: item.node.accelerators),
        ("accelerator", lambda item: item.accelerator.name),
        ("fabric", lambda item: item.fabric.name),
    ),
}


def _entries_table(tree: Tree[Any]) -> Table:
    told = next((told for kind, told in _TOLD.items() if tree is TREES[kind]), ())
    table = Table(title=f"{tree.path} ({len(tree)})", title_justify="left", box=None)
    table.add_column("name", style="bold", no_wrap=True)
    table.add_column("title")
    for heading, _ in told:
        table.add_column(heading, justify="right")
    for name, entry in tree.items():
        table.add_row(name, Text(entry.title), *(_known(entry, read) for _, read in told))
    return table


def _known(entry: Any, read: Callable[[Any], Any]) -> str:
    """Write a figure; a dash where the catalogue does not have it, or the chip no such units."""
    try:
        value = read(entry)
    except (MissingFigureError, Infeasible):
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.4g}" if value < _ROUNDED else f"{value:,.0f}"


def _figures_table(entry: Record, references: dict[str, int]) -> Table:
    """List the figures; sources recur, so they are numbered below the table."""
    table = Table(box=None, header_style="bold")
    for heading in ("figure", "value", "unit", "confidence", "see"):
        table.add_column(heading, justify="right" if heading == "value" else "left", no_wrap=True)
    for name, figure in entry.figures.items():
        seen = _reference(figure, references)
        value = str(figure.value) if name == "year" else _number(figure.value)
        if figure.error is not None:
            value += f" ± {100 * figure.error:.0f} %"
        row = (name, value, figure.unit, figure.confidence.value, seen)
        table.add_row(*map(Text, row))
    return table


def _reference(figure: Figure, references: dict[str, int]) -> str:
    text = ": ".join(filter(None, (figure.source, figure.date, figure.note)))
    return f"[{references.setdefault(text, len(references) + 1)}]" if text else ""


def _differences(entry: Record) -> Calibration | None:
    """Give the calibration of an accelerator, or of the entry itself."""
    if isinstance(entry, Accelerator):
        return calibration_of(entry)
    return entry if isinstance(entry, Calibration) else None


def _differences_table(calibration: Calibration, references: dict[str, int]) -> Table:
    """List the constants in which training and serving differ, side by side."""
    title = f"where training and serving differ ({calibration.name})"
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    for heading in ("constant", "training", "see", "serving", "see"):
        figures = heading in ("training", "serving")
        table.add_column(heading, justify="right" if figures else "left", no_wrap=True)
    for found in differences(calibration):
        both = (found.training, found.serving)
        cells = ((_number(one.value), _reference(one, references)) for one in both)
        table.add_row(*map(Text, (found.name, *itertools.chain(*cells))))
    return table


def _parts(entry: Record) -> Iterator[tuple[str, Record]]:
    """Give the records that an entry is made of, such as the node of a cluster."""
    for name in entry.described_fields():
        value: Any = getattr(entry, name) if entry.has(name) else None
        if isinstance(value, Record):
            yield name, value


def _words_of(entry: Record) -> Iterator[tuple[str, str]]:
    """Give what an entry says in words beyond what all of them do, such as a kind of norm."""
    common = Record.described_fields()
    for name, field in entry.described_fields().items():
        if isinstance(field, TextField | ChoiceField) and name not in common and entry.has(name):
            yield name, str(getattr(entry, name))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
