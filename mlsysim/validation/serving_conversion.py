"""From a measured row to a question for the serving models: the conventions of the sources.

What a row leaves open is filled in as engines and checkpoints are known to work:

- `mlsysim.validation.serving_precisions` says how weights and caches are kept;
- a row without a concurrency is a run at the most load that its memory holds;
- a batch without a concurrency is that of each attention group.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.validation.clusters import machinery_of
from mlsysim.validation.serving_models import served_model
from mlsysim.validation.serving_precisions import (
    OLD_TENSORRT_LLM,
    TENSORRT_LLM,
    precisions_of,
)
from mlsysim.validation.serving_row import ServingRow

# The release from which TensorRT-LLM runs on PyTorch.
_FIRST_WITH_PYTORCH = 17
# The engines of the calibration by what frameworks call themselves.
_RUNTIMES = (
    (r"fastertransformer", OLD_TENSORRT_LLM),
    (r"trt|tensorrt", TENSORRT_LLM),
    (r"sglang", "sglang"),
    (r"", "vllm"),
)
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
    for column in ("accelerator", "isl", "osl", "value"):
        if not getattr(row, column):
            return f"{column} is missing"
    prefill, decode = _pool(row.prefill_config), _pool(row.decode_config)
    layout = _layout(row.tp, row.pp, row.attn_dp, row.moe_ep)
    count = row.n_accel or _accelerators(layout)
    machinery = machinery_of(row.accelerator, count, None)
    if machinery is None:
        return f"the catalogue has no accelerator {row.accelerator!r}"
    model = served_model(row)
    if isinstance(model, str):
        return model
    precisions = precisions_of(row, model, machinery.cluster.accelerator, runtime_of(row))
    if precisions is None:
        return f"precision {row.precision!r} is not known"
    return ServingQuestion(
        row=row,
        model=model,
        fleet=machinery.cluster,
        arguments={
            "input_tokens": row.isl,
            "output_tokens": row.osl,
            "memory_fraction": _MEMORY_FRACTION,
            "runtime": runtime_of(row),
            **precisions,
        },
        layout=layout,
        batch_size=_requests(row),
        prefill_layout=prefill[1],
        decode_layout=decode[1],
        prefill_replicas=prefill[0],
        decode_replicas=decode[0],
    )


def _requests(row: ServingRow) -> int | None:
    if row.concurrency or row.batch is None:
        return row.concurrency
    return row.batch * (row.attn_dp or 1)


def runtime_of(row: ServingRow) -> str:
    """Name the engine of a row as the calibration does."""
    said = row.framework.casefold()
    found = next(name for pattern, name in _RUNTIMES if re.search(pattern, said))
    version = re.match(r"v?0\.(\d+)", row.framework_version)
    old = version is not None and int(version[1]) < _FIRST_WITH_PYTORCH
    # Servers give Dynamo's version, which begins with 0 as well; they run TensorRT-LLM 1.
    if found == TENSORRT_LLM and old and row.mode.startswith("offline"):
        return OLD_TENSORRT_LLM
    return found


def _layout(
    tensor: int | None, pipeline: int | None, attention: int | None, expert: int | None
) -> dict[str, int]:
    return {
        "tp_size": tensor or 1,
        "pp_size": pipeline or 1,
        "attention_dp_size": attention or 1,
        "ep_size": expert or 1,
    }


def _accelerators(layout: Mapping[str, int]) -> int:
    return layout["tp_size"] * layout["pp_size"] * layout["attention_dp_size"]


def _pool(text: str) -> tuple[int, dict[str, int] | None]:
    """Read ``workers=4 tp=8 pp=1 attn_dp=1 moe_tp=1 moe_ep=8 batch=12``."""
    said = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", text)}
    if not said:
        return 1, None
    layout = _layout(said.get("tp"), said.get("pp"), said.get("attn_dp"), said.get("moe_ep"))
    return said.get("workers", 1), layout
