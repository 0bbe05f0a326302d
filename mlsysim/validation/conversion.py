"""From a measured row to a question for `DistributedModel`: the conventions of the sources.

What a row leaves open is filled in as its source is known to work; each such
supposition is told in the notes of the configuration.  They are, where no
cell says otherwise:

- precision: one that the remarks name, else bf16, or fp16 where the accelerator has no bf16;
- sequence length: 2048 for MaxText on TPUs (its base.yml), else 4096;
- micro batch: the whole of a replica's batch for MaxText, which does not accumulate gradients,
  and 4 sequences on GPUs where that is not known either (its models/gpu); elsewhere as many
  sequences as give each accelerator 4,096 tokens, and in a pipeline a single one, but for
  torchtitan, which divides a replica's batch by the stages;
- global batch: one micro batch per replica without a pipeline, four per stage with one;
- recomputation: none;
- sequence parallelism, fused attention, overlap and schedule: `mlsysim.validation.frameworks`;
- where gradients, optimizer and logits are kept: `mlsysim.validation.remarks`;
- the parallel sizes: as `mlsysim.validation.layouts` says.

A row is skipped only if what is missing cannot be filled in so: the model's
dimensions, an accelerator of the catalogue, or both batch and layout.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.errors import UnknownNameError
from mlsysim.validation.accelerators import catalogue_name
from mlsysim.validation.clusters import Machinery, machinery_of
from mlsysim.validation.frameworks import options, sequence_parallel
from mlsysim.validation.layouts import Division, division_of, states_layout
from mlsysim.validation.models import model_of
from mlsysim.validation.remarks import kept
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.units import Unit, unit_of_row
from mlsysim.validation.wording import precision_of, recompute_of, zero_stage_of

_SEQ_LEN = 4096
_MAXTEXT_SEQ_LEN = 2048
_MICROBATCHES_PER_STAGE = 4
_MAXTEXT_MICRO_BATCH = 4
_TOKENS_PER_ACCELERATOR = 4096


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A measured run in the models' terms.

    Parameters
    ----------
    row
        Where it is measured.
    unit
        What its value is measured in.
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
    machinery = _machinery(row)
    if isinstance(machinery, str):
        return skip(reason=machinery)
    unit = unit_of_row(row)
    if unit is None:
        return skip(reason=f"unit {row.unit!r} is not known" if row.unit else "unit is missing")
    seq_len, notes = _seq_len(row)
    trained = model_of(row, seq_len)
    if trained.model is None:
        return skip(reason=trained.missing)
    words = _words(row, machinery.cluster.accelerator)
    if isinstance(words, str):
        return skip(reason=words)
    division = division_of(row, trained.model, machinery.cluster)
    sharded = division.zero_stage == 3  # noqa: PLR2004 - ZeRO's highest stage
    if row.gbs is None and not states_layout(row) and not sharded:
        return skip(reason="gbs is missing, and so are the parallel sizes")
    micro, batch, supposed = _batches(row, division, seq_len)
    return Configuration(
        row=row,
        unit=unit,
        model=trained.model,
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
            "sequence_parallel": sequence_parallel(
                row, machinery.cluster.accelerator, division.tensor
            ),
            **options(row, machinery.cluster.accelerator),
            **kept(row, division.zero_stage),
            **words,
        },
        notes=(*machinery.notes, *trained.notes, *notes, *division.notes, *supposed),
    )


def _machinery(row: TrainingRow) -> Machinery | str:
    """Give the cluster, or say why there is none."""
    for column in ("accelerator", "n_accel", "value"):
        if not getattr(row, column):
            return f"{column} is missing"
    count = row.n_accel or 1
    try:
        found = machinery_of(row.accelerator, count, row.accel_per_node, row.node, row.fabric)
    except UnknownNameError as error:
        return str(error)
    return found or f"the catalogue has no accelerator {row.accelerator!r}"


def _words(row: TrainingRow, accelerator: Accelerator) -> dict[str, Any] | str:
    """Read the columns of free words, or say which cannot be read."""
    usual = "bf16" if accelerator.supports("bf16") else "fp16"
    precision = precision_of(row.precision or row.confidence)
    if precision is None and not row.precision:
        precision = usual
    if precision is None:
        return f"precision {row.precision!r} is not known"
    if precision == "bf16" and not accelerator.supports("bf16"):
        return f"{accelerator.name} has no bf16 arithmetic"
    recompute = recompute_of(row.recompute) if row.recompute else "none"
    if recompute == "selective" and _is_torchtitan(row):
        recompute = "alternate"  # its policies repeat every second layer, or half of each
    if recompute is None:
        return f"recompute {row.recompute!r} is not known"
    if row.zero_stage and zero_stage_of(row.zero_stage) is None:
        return f"zero_stage {row.zero_stage!r} is not known"
    return {"precision": precision, "recompute": recompute}


def _seq_len(row: TrainingRow) -> tuple[int, tuple[str, ...]]:
    if row.seq_len:
        return row.seq_len, ()
    supposed = _MAXTEXT_SEQ_LEN if _is_maxtext(row) and _on_tpu(row) else _SEQ_LEN
    return supposed, (f"sequence length of {supposed} supposed",)


def _batches(
    row: TrainingRow, division: Division, seq_len: int
) -> tuple[int, int, tuple[str, ...]]:
    """Give the micro batch and the global batch in sequences."""
    notes = []
    micro = row.mbs
    if micro is None:
        micro = _micro_batch(row, division, seq_len)
        notes.append(f"micro batch of {micro} supposed")
    batch = row.gbs
    if batch is None:
        stages = division.pipeline
        each = 1 if stages == 1 else _MICROBATCHES_PER_STAGE * stages
        batch = micro * division.data * each
        notes.append(f"global batch of {batch} supposed")
    return micro, batch, tuple(notes)


def _micro_batch(row: TrainingRow, division: Division, seq_len: int) -> int:
    if division.pipeline > 1:
        batch = row.gbs // division.data if row.gbs and _is_torchtitan(row) else 1
        return max(batch // division.pipeline, 1)
    if row.gbs is None:
        return _MAXTEXT_MICRO_BATCH if _is_maxtext(row) and not _on_tpu(row) else 1
    whole = max(row.gbs // division.data, 1)
    if _is_maxtext(row):
        return whole
    shared = division.tensor * division.context
    enough = max(_TOKENS_PER_ACCELERATOR * shared // seq_len, 1)
    return max(size for size in range(1, whole + 1) if whole % size == 0 and size <= enough)


def _is_torchtitan(row: TrainingRow) -> bool:
    return "torchtitan" in f"{row.group} {row.source}".casefold()


def _is_maxtext(row: TrainingRow) -> bool:
    return "maxtext" in f"{row.group} {row.source} {row.model}".casefold()


def _on_tpu(row: TrainingRow) -> bool:
    return (catalogue_name(row.accelerator) or "").startswith("TPU")
