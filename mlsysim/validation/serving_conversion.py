"""From a measured row to a question for the serving models: the conventions of the sources.

What a row leaves open is filled in as engines and checkpoints are known to work:

- `mlsysim.validation.serving_precisions` says how weights and caches are kept;
- a row without a concurrency is a run at the most load that its memory holds;
- a batch without a concurrency is that of each attention group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.validation.clusters import machinery_of
from mlsysim.validation.models import model_of
from mlsysim.validation.serving_precisions import precisions_of
from mlsysim.validation.serving_row import ServingRow
from mlsysim.validation.vocabulary import MeasuredRuntime

# TensorRT-LLM gives 90-95 % of what weights leave to keys and values.
_MEMORY_FRACTION = 0.93


@dataclass(frozen=True, kw_only=True)
class ServingQuestion:
    """A measured run in the models' terms.

    Parameters
    ----------
    row
        Where it is measured.
    model, fleet
        What was served, and on what.
    arguments
        The other arguments of `ServingModel.solve`, without layout and load.
    layout
        Sizes of the parallel groups by their names in `ServingModel.solve`.
    batch_size
        Requests at a time, or None for as many as memory holds.
    prefill_layout, decode_layout
        The layouts of two pools, or None.
    prefill_replicas, decode_replicas
        How many replicas they have.
    """

    row: ServingRow
    model: LanguageModel
    fleet: Cluster
    arguments: Mapping[str, Any]
    layout: Mapping[str, int]
    batch_size: int | None
    prefill_layout: Mapping[str, int] | None = None
    decode_layout: Mapping[str, int] | None = None
    prefill_replicas: int = 1
    decode_replicas: int = 1


def serving_question(row: ServingRow) -> ServingQuestion | str:
    """Put a measured row in the models' terms, or say what is missing."""
    for column in ("accelerator", "isl", "osl", "value", "unit"):
        if row.unread or not getattr(row, column):
            return row.unread or f"{column} is missing"
    layout = _layout(row.tp, row.pp, row.attn_dp, row.moe_ep)
    machinery = machinery_of(row, row.n_accel or _accelerators(layout))
    if isinstance(machinery, str):
        return machinery
    found = model_of(row, (row.isl or 0) + (row.osl or 0))
    if isinstance(found, str):
        return found
    runtime = row.runtime or MeasuredRuntime.VLLM
    precisions = precisions_of(row, found.model, machinery.cluster.accelerator, runtime)
    if precisions is None:
        return f"weights in {row.precision} are not served"
    return ServingQuestion(
        row=row,
        model=found.model,
        fleet=machinery.cluster,
        arguments={
            "input_tokens": row.isl,
            "output_tokens": row.osl,
            "memory_fraction": _MEMORY_FRACTION,
            "runtime": str(runtime),
            "prefix_hit_rate": row.prefix_hit_rate or 0.0,
            **precisions,
        },
        layout=layout,
        batch_size=_requests(row),
        prefill_layout=_pool(
            row.prefill_tp, row.prefill_pp, row.prefill_attn_dp, row.prefill_moe_ep
        ),
        decode_layout=_pool(row.decode_tp, row.decode_pp, row.decode_attn_dp, row.decode_moe_ep),
        prefill_replicas=row.prefill_workers or 1,
        decode_replicas=row.decode_workers or 1,
    )


def _requests(row: ServingRow) -> int | None:
    if row.concurrency or row.batch is None:
        return row.concurrency
    return row.batch * (row.attn_dp or 1)


def _layout(
    tensor: int | None, pipeline: int | None, attention: int | None, expert: int | None
) -> dict[str, int]:
    return {
        "tp_size": tensor or 1,
        "pp_size": pipeline or 1,
        "attention_dp_size": attention or 1,
        "ep_size": expert or 1,
    }


def _pool(*sizes: int | None) -> dict[str, int] | None:
    """Give the layout of a pool, or None where nothing is said of it."""
    return _layout(*sizes) if any(sizes) else None


def _accelerators(layout: Mapping[str, int]) -> int:
    return layout["tp_size"] * layout["pp_size"] * layout["attention_dp_size"]
