"""A measured training run, as a file states it."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from mlsysim.physics.state import ZeroStage
from mlsysim.validation.cells import RowCells
from mlsysim.validation.conventions import Convention
from mlsysim.validation.rows import MeasuredRun, read_rows
from mlsysim.validation.table import MeasuredTable, read_table
from mlsysim.validation.vocabulary import (
    Attention,
    Certainty,
    Dispatcher,
    Graphs,
    MemoryAccounting,
    MemoryUnit,
    Overlap,
    PipelineSchedule,
    Recompute,
    Sharding,
    Stack,
    Timed,
    Unit,
)

REQUIRED_COLUMNS = ("accelerator", "n_accel", "unit", "value")


@dataclass(frozen=True, kw_only=True)
class TrainingRow(MeasuredRun):
    """One row; None is what the file does not say.

    ``mlsysim/validation/measured/README.md`` tells what the columns mean.
    """

    certainty: Certainty | None = None
    seq_len: int | None = None
    gbs: int | None = None
    mbs: int | None = None
    vpp: int | None = None
    dp: int | None = None
    cp: int | None = None
    ep: int | None = None
    seq_parallel: bool | None = None
    zero_stage: ZeroStage | None = None
    zero_group: int | None = None
    sharding: Sharding | None = None
    recompute: Recompute | None = None
    schedule: PipelineSchedule | None = None
    overlap: Overlap | None = None
    attention: Attention | None = None
    optimizer_offload: bool | None = None
    fused_loss: bool | None = None
    scatter_gather: bool | None = None
    gradient_bytes: int | None = None
    stack: Stack | None = None
    graphs: Graphs | None = None
    dispatcher: Dispatcher | None = None
    release: str = ""
    printed_release: str = ""
    metric: Timed | None = None
    unit: Unit | None = None
    flops_convention: Convention | None = None
    mem_gb: float | None = None
    mem_unit: MemoryUnit | None = None
    mem_accounting: MemoryAccounting | None = None
    logit_bytes: float | None = None


# "26.04.01 container", "v25.05", "Megatron-LM@f13818d695".
_RELEASE = re.compile(
    r"\b(\d\d\.\d\d(?:\.\d\d)?) container|\bv(\d\d\.\d\d)\b|Megatron-LM@([0-9a-f]{7})"
)
READERS_COLUMNS = (
    "source", "locator", "remarks", "tier", "confidence", "dims_source", "iter_time_s",
    "tokens_s_gpu", "tflops_gpu", "mfu_pct", "hfu_pct",
)  # fmt: skip
"""Columns for readers: prose, and the same measurement in other units."""


def read_training(path: str | Path) -> tuple[TrainingRow, ...]:
    """Read a file of measured training runs.

    Raises
    ------
    MeasurementError
        If the file or one of its cells cannot be used; the message names the
        file, the row, the column and the cure.
    """
    return training_rows(read_table(path))


def training_rows(table: MeasuredTable) -> tuple[TrainingRow, ...]:
    """Read the rows of a file of training runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    rows = tuple(_spread(cells) for cells in table.rows)
    return read_rows(dataclasses.replace(table, rows=rows), TrainingRow, REQUIRED_COLUMNS)


def _spread(cells: RowCells) -> RowCells:
    """Take the release from where a collection found a figure: it is for ranking alone."""
    if cells.text("release") or not cells.text("locator"):
        return cells
    found = release_of(f"{cells.text('locator')} {cells.text('source')}")
    return dataclasses.replace(cells, texts=dict(cells.texts) | {"printed_release": found})


def release_of(told: str) -> str:
    """Find the release of the software: that of a container, or the commit of Megatron-LM.

    Examples
    --------
    >>> release_of("line 112 (26.06 container, Pre-Training Performance)")
    '26.06'
    >>> release_of("GB300 table NVIDIA/Megatron-LM@f13818d695 examples"), release_of("table 5")
    ('f13818d', '')
    """
    found = _RELEASE.search(told)
    return next((one for one in found.groups() if one), "") if found else ""
