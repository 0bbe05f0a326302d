"""``mlsysim list`` and ``mlsysim show``: read the catalogue."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlsysim.catalog.builtin import TREES, find
from mlsysim.catalog.record import Record
from mlsysim.catalog.tree import Tree
from mlsysim.cli.status import errors_to_status
from mlsysim.errors import UnknownNameError, suggest


def print_kinds(kind: str | None) -> None:
    """List all entries of the catalogue by kind, or those of one kind.

    Parameters
    ----------
    kind
        For example ``accelerators``, in any case; everything if not given.
    """
    with errors_to_status():
        trees = [tree for tree in TREES.values() if kind is None or _is_of(kind, tree)]
        if not trees:
            known = [_words(tree)[-1] for tree in TREES.values()]
            raise UnknownNameError(f"there is no kind {kind!r}{suggest(str(kind), known)}")
        for tree in trees:
            Console().print(_entries_table(tree))


def print_entry(name: str) -> None:
    """Show every figure of an entry with its unit, source and confidence.

    Parameters
    ----------
    name
        The name of the entry, such as ``H100_SXM``.
    """
    with errors_to_status():
        entry: Record = find(name)
        console = Console()
        heading = Text.assemble((entry.name, "bold"), f"  {type(entry).__name__}")
        if entry.title:
            heading.append(f": {entry.title}")
        console.print(heading)
        if entry.note:
            console.print(Text(entry.note))
        for part, inner in _parts(entry):
            console.print(Text(f"{part}: {inner.name}"))
        console.print(_figures_table(entry))
        missing = [field for field in entry.described_fields() if not entry.has(field)]
        if missing:
            console.print(Text(f"not known: {', '.join(missing)}"))


def _words(tree: Tree[Any]) -> list[str]:
    return tree.path.casefold().split(".")


def _is_of(kind: str, tree: Tree[Any]) -> bool:
    """Tell whether a kind, in any case, plural or singular, names a tree or its branch."""
    folded = kind.casefold()
    return folded == tree.path.casefold() or any(
        folded in {word, word.removesuffix("s")} for word in _words(tree)
    )


def _entries_table(tree: Tree[Any]) -> Table:
    table = Table(title=f"{tree.path} ({len(tree)})", title_justify="left", box=None)
    table.add_column("name", style="bold", no_wrap=True)
    table.add_column("title")
    for name, entry in tree.items():
        table.add_row(name, Text(entry.title))
    return table


def _figures_table(entry: Record) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("confidence")
    table.add_column("source", overflow="fold")
    table.add_column("note", overflow="fold")
    for name, figure in entry.figures.items():
        row = (name, _number(figure.value), figure.unit, figure.confidence.value)
        table.add_row(*map(Text, (*row, figure.source, figure.note)))
    return table


def _parts(entry: Record) -> Iterator[tuple[str, Record]]:
    """Give the records that an entry is made of, such as the node of a cluster."""
    for name in entry.described_fields():
        value: Any = getattr(entry, name) if entry.has(name) else None
        if isinstance(value, Record):
            yield name, value


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
