"""``mlsysim list stages | knobs | metrics`` and ``mlsysim show STAGE``: read the models."""

from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text

from mlsysim.cli.console import console
from mlsysim.errors import UnknownNameError, suggest
from mlsysim.files.stage_names import built_in_stages, registered_stages, stage_named
from mlsysim.stages.documentation import Metric
from mlsysim.stages.knobs import Knob
from mlsysim.stages.stage import ForwardModel

KINDS = ("stages", "knobs", "metrics")
"""What can be listed beside the catalogue."""


def known_stages() -> tuple[str, ...]:
    """Name the models of the package, and those that installed packages register."""
    return (*built_in_stages(), *registered_stages())


def print_stages() -> None:
    """List the models, each with its first sentence."""
    table = Table(box=None, header_style="bold")
    table.add_column("stage", style="bold", no_wrap=True)
    table.add_column("what it does")
    for name in known_stages():
        table.add_row(name, _stage(name).summary())
    console().print(table)


def print_members(kind: str, stage: str | None) -> None:
    """List the arguments or the metrics of one model, or of all.

    Parameters
    ----------
    kind
        ``"knobs"`` or ``"metrics"``.
    stage
        The model; all unless given.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    for name in known_stages() if stage is None else (stage,):
        found = _stage(name)
        table = _knobs_table(found.knobs()) if kind == "knobs" else _metrics_table(found.metrics())
        table.title, table.title_justify = name, "left"
        console().print(table)


def print_stage(name: str) -> None:
    """Show a model: what it does, its arguments, its metrics, and what it hands on."""
    stage, out = _stage(name), console()
    out.print(Text.assemble((name, "bold"), f"  {stage.summary()}"))
    out.print(_knobs_table(stage.knobs()))
    out.print(_metrics_table(stage.metrics()))
    if stage.produces:
        out.print(Text(f"hands on: {', '.join(stage.produces)}"))


def _stage(name: str) -> type[ForwardModel]:
    if name not in known_stages() and ":" not in name:
        raise UnknownNameError(f"there is no stage {name!r}{suggest(name, known_stages())}")
    return stage_named(name, "stage")


def _knobs_table(knobs: Mapping[str, Knob]) -> Table:
    """List arguments, with what of them does not apply everywhere below their sentence."""
    rows = []
    for knob in knobs.values():
        *cells, meaning = knob.cells
        told = f"{meaning}  Applies {knob.applies}." if knob.applies else meaning
        rows.append((*cells, _plain(told)))
    return _table(Knob.COLUMNS, rows)


def _metrics_table(metrics: Mapping[str, Metric]) -> Table:
    rows = [(item.name, item.unit, _plain(item.text)) for item in metrics.values()]
    return _table(("metric", "unit", "meaning"), rows)


def _plain(text: str) -> str:
    """Take the marks of code away."""
    return text.replace("`", "")


def _table(header: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in header:
        wraps = title in {"range", "meaning"}
        table.add_column(title, no_wrap=not wraps, max_width=36 if title == "range" else None)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
