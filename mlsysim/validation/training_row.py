"""A measured training run, as a file states it."""

from dataclasses import dataclass
from pathlib import Path

from mlsysim.validation.conventions import Convention
from mlsysim.validation.rows import Row, read_rows
from mlsysim.validation.table import Table, read_table
from mlsysim.validation.vocabulary import (
    Attention,
    Certainty,
    Dispatcher,
    Graphs,
    MemoryAccounting,
    MemoryUnit,
    Overlap,
    Precision,
    Recompute,
    Schedule,
    Sharding,
    Stack,
    Timed,
    Unit,
    ZeroStage,
)

REQUIRED_COLUMNS = ("accelerator", "n_accel", "unit", "value")


@dataclass(frozen=True, kw_only=True)
class TrainingRow(Row):
    """One row; None, or an empty text, is what the file does not say.

    Parameters
    ----------
    certainty
        How sure the figure is.
    accelerator, n_accel, accel_per_node
        On what.
    memory_gib, memory_tb_s, link_gb_s, power_w
        Memory, its bandwidth, the bandwidth of the links in one direction and the power limit of
        each accelerator, where they are not those of the catalogue.
    node, fabric, network_gb_s
        Names of the catalogue where the usual ones of the accelerator are not meant, and what
        leaves a node for each accelerator.
    model, layers, hidden, heads, kv_heads, head_dim, ffn, vocab, gated, tied, biased
        What was trained.
    moe_experts, moe_topk, moe_ffn, moe_shared
        Its experts, those that see a token, the width of one, and those that see every token.
    seq_len, precision, gbs, mbs
        The length of sequences, the arithmetic, and the global and the micro batch in sequences.
    tp, pp, vpp, dp, cp, ep
        Sizes of the parallel groups, and the chunks per pipeline stage.
    seq_parallel, zero_stage, zero_group, sharding, recompute, schedule, overlap, attention
        Options of `DistributedModel.solve` in its own words; and the accelerators over which the
        optimizer is sharded where it is fewer than all replicas.
    optimizer_offload, fused_loss, scatter_gather, gradient_bytes, logit_bytes
        The same; and the bytes that the loss keeps of each logit.
    stack, graphs, dispatcher
        The software, how much of it is replayed from graphs, and what sends tokens to experts.
    metric, unit, value
        What was measured.
    flops_convention
        How the source counts operations.
    mem_gb, mem_unit, mem_accounting
        The memory that an accelerator took, in which gigabytes, and what it is of.
    """

    certainty: Certainty | None = None
    accelerator: str
    n_accel: int | None
    accel_per_node: int | None = None
    memory_gib: float | None = None
    memory_tb_s: float | None = None
    link_gb_s: float | None = None
    power_w: float | None = None
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
    seq_len: int | None = None
    precision: Precision | None = None
    gbs: int | None = None
    mbs: int | None = None
    tp: int | None = None
    pp: int | None = None
    vpp: int | None = None
    dp: int | None = None
    cp: int | None = None
    ep: int | None = None
    seq_parallel: bool | None = None
    zero_stage: ZeroStage | None = None
    zero_group: int | None = None
    sharding: Sharding | None = None
    recompute: Recompute | None = None
    schedule: Schedule | None = None
    overlap: Overlap | None = None
    attention: Attention | None = None
    optimizer_offload: bool | None = None
    fused_loss: bool | None = None
    scatter_gather: bool | None = None
    gradient_bytes: int | None = None
    stack: Stack | None = None
    graphs: Graphs | None = None
    dispatcher: Dispatcher | None = None
    metric: Timed | None = None
    unit: Unit | None = None
    value: float | None
    flops_convention: Convention | None = None
    mem_gb: float | None = None
    mem_unit: MemoryUnit | None = None
    mem_accounting: MemoryAccounting | None = None
    logit_bytes: float | None = None


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


def training_rows(table: Table) -> tuple[TrainingRow, ...]:
    """Read the rows of a file of training runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    return read_rows(table, TrainingRow, REQUIRED_COLUMNS)
