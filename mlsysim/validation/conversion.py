"""From a measured row to a question for `DistributedModel`: the conventions of the sources.

What a row leaves open is filled in as its source is known to work; each such
supposition is told in the notes of the configuration.  They are, where no
cell says otherwise:

- precision: bf16, or fp16 where the accelerator has no bf16;
- sequence length: 2048 for MaxText on TPUs (its base.yml), else 4096;
- micro batch: the whole of a replica's batch for MaxText, which does not accumulate gradients,
  and 4 sequences on GPUs where that is not known either (its models/gpu); elsewhere as many
  sequences as give each accelerator 4,096 tokens, and in a pipeline a single one, but for
  torchtitan, which divides a replica's batch by the stages;
- global batch: one micro batch per replica without a pipeline, four per stage with one;
- recomputation: none;
- operations are counted with the whole square of attention;
- the habits of its stack: `mlsysim.validation.stacks`;
- the parallel sizes: as `mlsysim.validation.layouts` says.

A row is skipped only if what is missing cannot be filled in so: the model's
dimensions, an accelerator of the catalogue, or both batch and layout.
"""

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.state import ZeroStage
from mlsysim.validation.clusters import machinery_of
from mlsysim.validation.conventions import Convention
from mlsysim.validation.layouts import ParallelSizes, division_of, states_layout
from mlsysim.validation.models import model_of
from mlsysim.validation.stacks import options, sequence_parallel, stack_of
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import (
    MeasuredPrecision,
    Recompute,
    Stack,
    Timed,
    Unit,
)

_SEQ_LEN = 4096
_MAXTEXT_SEQ_LEN = 2048
_MICROBATCHES_PER_STAGE = 4
_MAXTEXT_MICRO_BATCH = 4
_TOKENS_PER_ACCELERATOR = 4096
# Formats -> the arithmetic of `DistributedModel`.
_ARITHMETIC = {
    MeasuredPrecision.MXFP8: "fp8",
    MeasuredPrecision.NVFP4: "fp4",
    MeasuredPrecision.MXFP4: "fp4",
}
# What depends on how operations are counted.
_COUNTED = {Unit.TERAFLOPS, Unit.PETAFLOPS, Unit.PER_CENT_MODEL, Unit.PER_CENT_HARDWARE}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A measured run in the models' terms.

    Parameters
    ----------
    row
        Where it is measured.
    unit, metric, convention
        What its value is measured in, what of, and how operations are counted.
    model, cluster
        What was trained, and on what.
    arguments
        The other arguments of `DistributedModel.solve` by name, among them
        ``cp_size`` and ``ep_size``.
    notes
        What had to be supposed.
    """

    row: TrainingRow
    unit: Unit
    metric: Timed
    convention: Convention
    model: LanguageModel
    cluster: Cluster
    arguments: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def tokens_per_step(self) -> int:
        """The tokens of one step over all replicas."""
        return self.arguments["batch_size"] * self.arguments["seq_len"]


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A row that cannot be predicted.

    Parameters
    ----------
    row
        The row.
    reason
        What is missing.
    """

    row: TrainingRow
    reason: str


def convert(row: TrainingRow) -> Configuration | Skipped:
    """Put a measured row in the models' terms, or say what is missing.

    Examples
    --------
    >>> from mlsysim.validation.measured import training_rows
    >>> first = convert(training_rows()[0])
    >>> first.cluster.accelerators, first.arguments["batch_size"], first.arguments["recompute"]
    (32, 512, 'full')
    """
    skip = functools.partial(Skipped, row=row)
    for column in ("accelerator", "n_accel", "value", "unit"):
        if row.unread or not getattr(row, column):
            return skip(reason=row.unread or f"{column} is missing")
    machinery = machinery_of(row, row.n_accel or 1)
    if isinstance(machinery, str):
        return skip(reason=machinery)
    accelerator = machinery.cluster.accelerator
    stack, told = stack_of(row, accelerator)
    seq_len, notes = _seq_len(row, stack, accelerator)
    metric, convention = row.metric or Timed.STEP, row.flops_convention or Convention.FULL
    # One layer alone is timed without embedding and head.
    found = model_of(row, seq_len, **({"vocab": 1} if metric is Timed.LAYER else {}))
    if isinstance(found, str):
        return skip(reason=found)
    experts = row.moe_experts or found.model.routed_experts[0]
    full = dataclasses.replace(row, stack=stack, seq_len=seq_len, moe_experts=experts)
    precision = row.precision or (
        MeasuredPrecision.BF16 if accelerator.supports("bf16") else MeasuredPrecision.FP16
    )
    if precision is MeasuredPrecision.BF16 and not accelerator.supports("bf16"):
        return skip(reason=f"{accelerator.name} has no bf16 arithmetic")
    division = division_of(row, found.model, machinery.cluster)
    if gap := _gap(row, division):
        return skip(reason=gap)
    micro, batch, supposed = _batches(full, division, accelerator)
    counted = row.unit in _COUNTED
    supposed += tuple(one for one in row.doubts if counted or not one.startswith("flops_"))
    if counted and row.flops_convention is None:
        supposed = (*supposed, "operations supposed to count the square of attention")
    return Configuration(
        row=row,
        unit=row.unit or Unit.SECONDS,
        metric=metric,
        convention=convention,
        model=found.model,
        cluster=machinery.cluster,
        arguments={
            "batch_size": batch,
            "tp_size": division.tensor,
            "pp_size": division.pipeline,
            "cp_size": division.context,
            "ep_size": division.expert,
            "seq_len": seq_len,
            "micro_batch_size": micro,
            "virtual_stages": division.chunks,
            "zero_stage": division.zero_stage,
            "sequence_parallel": sequence_parallel(row, accelerator, division.tensor),
            "precision": _ARITHMETIC.get(precision, str(precision)),
            "recompute": str(row.recompute or Recompute.NONE),
            **options(full, accelerator, division),
        },
        notes=(*machinery.notes, *found.notes, *told, *notes, *division.notes, *supposed),
    )


def _gap(row: TrainingRow, division: ParallelSizes) -> str:
    """Say why a layout is none of the row's accelerators, or has no batch; nothing otherwise."""
    least = division.tensor * division.pipeline * division.context
    if least > (row.n_accel or 1):
        return f"tp, pp and cp take {least} accelerators, and n_accel is {row.n_accel}"
    sharded = division.zero_stage == ZeroStage.WEIGHTS
    if row.gbs is None and not states_layout(row) and not sharded:
        return "gbs is missing, and so are the parallel sizes"
    return ""


def _seq_len(
    row: TrainingRow, stack: Stack | None, accelerator: Accelerator
) -> tuple[int, tuple[str, ...]]:
    if row.seq_len:
        return row.seq_len, ()
    short = stack is Stack.MAXTEXT and _is_tpu(accelerator)
    supposed = _MAXTEXT_SEQ_LEN if short else _SEQ_LEN
    return supposed, (f"sequence length of {supposed} supposed",)


def _batches(
    row: TrainingRow, division: ParallelSizes, accelerator: Accelerator
) -> tuple[int, int, tuple[str, ...]]:
    """Give the micro batch and the global batch in sequences."""
    notes = []
    micro = row.mbs
    if micro is None:
        micro = _micro_batch(row, division, accelerator)
        notes.append(f"micro batch of {micro} supposed")
    batch = row.gbs
    if batch is None:
        stages = division.pipeline
        each = 1 if stages == 1 else _MICROBATCHES_PER_STAGE * stages
        batch = micro * division.data * each
        notes.append(f"global batch of {batch} supposed")
    return micro, batch, tuple(notes)


def _micro_batch(row: TrainingRow, division: ParallelSizes, accelerator: Accelerator) -> int:
    if division.pipeline > 1:
        batch = row.gbs // division.data if row.gbs and row.stack is Stack.TORCHTITAN else 1
        return max(batch // division.pipeline, 1)
    maxtext = row.stack is Stack.MAXTEXT
    if row.gbs is None:
        return _MAXTEXT_MICRO_BATCH if maxtext and not _is_tpu(accelerator) else 1
    whole = max(row.gbs // division.data, 1)
    if maxtext:
        return whole
    shared = division.tensor * division.context
    enough = max(_TOKENS_PER_ACCELERATOR * shared // (row.seq_len or _SEQ_LEN), 1)
    return max(size for size in range(1, whole + 1) if whole % size == 0 and size <= enough)


def _is_tpu(accelerator: Accelerator) -> bool:
    return accelerator.name.startswith("TPU")
