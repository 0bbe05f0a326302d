"""A measured training run, as a file states it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from mlsysim.validation.cells import Cells
from mlsysim.validation.table import Table, read_table

REQUIRED_COLUMNS = ("accelerator", "n_accel", "unit", "value")


@dataclass(frozen=True, kw_only=True)
class TrainingRow:
    """One row; None, or an empty text, is what the file does not say.

    Parameters
    ----------
    file, line
        Where it stands.
    id, group
        Its name, and the source that it shares with others.
    source, locator, confidence, flops_convention
        Who measured it, where that is printed, how sure it is, and how operations were counted.
    accelerator, n_accel, accel_per_node
        On what.
    node, fabric
        Names of the catalogue, where the usual ones of the accelerator are not meant.
    model, layers, hidden, heads, kv_heads, head_dim, ffn, vocab
        What was trained.
    moe_experts, moe_topk, moe_ffn, moe_shared
        Its experts, those that see a token, the width of one, and those that see every token.
    seq_len, precision, gbs, mbs
        The length of sequences, the arithmetic, and the global and the micro batch in sequences.
    tp, pp, vpp, dp, cp, ep
        Sizes of the parallel groups, and the chunks per pipeline stage.
    seq_parallel, zero_stage, recompute
        How the state and the activations were kept.
    schedule, overlap, attention
        Options of `DistributedModel.solve` in its own words, where they are known.
    metric, unit, value
        What was measured.
    mem_gb
        The memory that an accelerator took, in the unit of the source.
    """

    file: str
    line: int
    id: str
    group: str
    source: str
    locator: str
    confidence: str
    flops_convention: str
    accelerator: str
    n_accel: int | None
    accel_per_node: int | None
    node: str
    fabric: str
    model: str
    layers: int | None
    hidden: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    ffn: int | None
    vocab: int | None
    moe_experts: int | None
    moe_topk: int | None
    moe_ffn: int | None
    moe_shared: int | None
    seq_len: int | None
    precision: str
    gbs: int | None
    mbs: int | None
    tp: int | None
    pp: int | None
    vpp: int | None
    dp: int | None
    cp: int | None
    ep: int | None
    seq_parallel: bool | None
    zero_stage: str
    recompute: str
    schedule: str
    overlap: str
    attention: str
    metric: str
    unit: str
    value: float | None
    mem_gb: float | None


# The columns of text, and those of numbers, are told apart by the types above.
_HINTS = get_type_hints(TrainingRow)
_TEXTS = [name for name, hint in _HINTS.items() if hint is str and name not in {"file", "id"}]
_WHOLES = [name for name, hint in _HINTS.items() if hint == int | None]
# Zero says that there are none.
_MAY_BE_ZERO = {"moe_experts", "moe_topk", "moe_ffn", "moe_shared"}


def read_training(path: str | Path) -> tuple[TrainingRow, ...]:
    """Read a file of measured training runs.

    Raises
    ------
    MeasurementError
        If the file or one of its cells cannot be used; the message names the
        file, the row, the column and the cure.
    """
    return training_rows(read_table(path))


def training_rows(table: Table) -> tuple[TrainingRow, ...]:
    """Read the rows of a file of training runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    table.require(REQUIRED_COLUMNS)
    return tuple(_row(cells) for cells in table.rows)


def _row(cells: Cells) -> TrainingRow:
    texts: dict[str, Any] = {name: cells.text(name) for name in _TEXTS}
    wholes: dict[str, Any] = {
        name: cells.whole(name, least=int(name not in _MAY_BE_ZERO)) for name in _WHOLES
    }
    return TrainingRow(
        file=cells.file,
        line=cells.line,
        id=cells.identity,
        seq_parallel=cells.flag("seq_parallel"),
        value=cells.positive("value"),
        mem_gb=cells.positive("mem_gb"),
        **texts,
        **wholes,
    )
