"""Rows of measured runs: the columns of a file are the fields of a record.

The type of a field says how its cells are read: text, a whole number, a number, y or n,
or a word of a closed set (`mlsysim.validation.vocabulary`).
"""

from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_args, get_type_hints

from mlsysim.errors import MeasurementError
from mlsysim.validation.cells import RowCells
from mlsysim.validation.conventions import Convention
from mlsysim.validation.table import MeasuredTable
from mlsysim.validation.vocabulary import (
    WORDS,
    Latency,
    Load,
    MeasuredPrecision,
    MeasuredRuntime,
    Timed,
)


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    """What all rows have.

    Parameters
    ----------
    file, line
        Where it stands.
    id, group
        Its name, and the source that it shares with others.
    unread
        What is wrong with cells in the words of a source; empty where all could be read.
    doubts
        What was supposed in reading it.
    """

    file: str
    line: int
    id: str
    group: str = ""
    unread: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeasuredRun(MeasuredRow):
    """A measured run, of training or of serving; None, or an empty text, is what is not said.

    ``mlsysim/validation/measured/README.md`` tells what the columns mean.
    """

    accelerator: str
    n_accel: int | None
    memory_gib: float | None = None
    memory_tb_s: float | None = None
    link_gb_s: float | None = None
    power_w: float | None = None
    accel_per_node: int | None = None
    node: str = ""
    fabric: str = ""
    network_gb_s: float | None = None
    model: str = ""
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    ffn: int | None = None
    vocab: int | None = None
    gated: bool | None = None
    tied: bool | None = None
    biased: bool | None = None
    moe_experts: int | None = None
    moe_topk: int | None = None
    moe_ffn: int | None = None
    moe_shared: int | None = None
    precision: MeasuredPrecision | None = None
    tp: int | None = None
    pp: int | None = None
    value: float | None


AnyRow = TypeVar("AnyRow", bound=MeasuredRow)
_OURS = {field.name for field in fields(MeasuredRow)} - {"group"}
# What a row can do without: a word of a source that is not known is noted, and the usual supposed.
_SUPPOSABLE = {Convention, Timed, Latency, Load, MeasuredRuntime}
# Zero says that there are none.
_MAY_BE_ZERO = {"moe_experts", "moe_topk", "moe_ffn", "moe_shared"}


def _hints(kind: type[MeasuredRow]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def columns_of(kind: type[MeasuredRow]) -> tuple[str, ...]:
    """Name the columns that rows of a kind are read from."""
    return ("id", *(name for name in _hints(kind) if name not in _OURS))


def read_rows(
    table: MeasuredTable, kind: type[AnyRow], required: tuple[str, ...]
) -> tuple[AnyRow, ...]:
    """Read the rows of a table.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used; the message names the
        file, the row, the column and the cure.  In a collection, a word that is not known is
        told in the row instead.
    """
    table.require(required)
    hints = _hints(kind)
    return tuple(_row(cells, kind, hints, collected=table.collected) for cells in table.rows)


def _row(cells: RowCells, kind: type[AnyRow], hints: dict[str, Any], *, collected: bool) -> AnyRow:
    found: dict[str, Any] = {}
    unread, doubts = [], []
    for name, optional in hints.items():
        if name in _OURS:
            continue
        hint = next(iter(get_args(optional)), optional)
        if hint not in WORDS:
            found[name] = _plain(cells, name, hint)
            continue
        try:
            found[name] = cells.word(name, WORDS[hint], of_a_source=collected)
        except MeasurementError as error:
            if not collected:
                raise
            found[name] = None
            if hint in _SUPPOSABLE:
                doubts.append(f"{name} {cells.text(name)!r} is not known")
            else:
                unread.append(str(error).partition(f"row {cells.identity}: ")[2])
    return kind(
        file=cells.file,
        line=cells.line,
        id=cells.identity,
        unread="; ".join(unread),
        doubts=tuple(doubts),
        **found,
    )


def _plain(cells: RowCells, name: str, hint: Any) -> Any:
    if hint is str:
        return cells.text(name)
    if hint is int:
        return cells.whole(name, least=int(name not in _MAY_BE_ZERO))
    if hint is bool:
        return cells.flag(name)
    return cells.positive(name)
