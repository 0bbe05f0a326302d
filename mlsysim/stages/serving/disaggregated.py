"""Serving with prefill and decode on pools of their own.

`DisaggregatedModel.solve` takes ``prefill_fleet`` and ``decode_fleet``, for either pool
``prefill_tp_size``, ``prefill_pp_size``, ``prefill_ep_size``, ``prefill_attention_dp_size``,
``prefill_replicas`` (and the same with ``decode_``), and otherwise the arguments of
`ContinuousBatchingModel.solve`.  Metrics: the fields of `DisaggregatedResult`.
"""

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.node import Node
from mlsysim.expr.functions import minimum, where
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes, milliseconds, per_second
from mlsysim.stages.arguments import check_number, in_unit
from mlsysim.stages.calibration import calibration_of
from mlsysim.stages.machine import Fleet, accelerator_of, available, outward_bandwidth_of
from mlsysim.stages.mapping import mapped
from mlsysim.stages.serving.choices import serving_checks
from mlsysim.stages.serving.disaggregated_load import Pools, pools_load_of
from mlsysim.stages.serving.disaggregated_result import DisaggregatedResult
from mlsysim.stages.serving.memory import serving_memory_of
from mlsysim.stages.serving.setup import serving_run
from mlsysim.stages.serving.time import serving_time_of
from mlsysim.stages.stage import ForwardModel


class DisaggregatedModel(ForwardModel):
    """Predict serving with a pool of replicas for prefill and one for decode.

    A prompt is prefilled in one pool; its keys and values travel to the other while
    later layers are still at work, so that only the last layer's are waited for.  The
    rate of requests is that of the slowest of prefill, transfer and decode.

    Parameters
    ----------
    calibration
        What hardware achieves, with its serving part; that of the family unless given.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> result = DisaggregatedModel().solve(
    ...     model=Models.Language.Llama3_70B, batch_size=64, input_tokens=4096, output_tokens=256,
    ...     prefill_fleet=Systems.Nodes.DGX_H100, prefill_tp_size=4, prefill_replicas=2,
    ...     decode_fleet=Systems.Nodes.DGX_H100, decode_tp_size=8,
    ... )
    >>> result.feasible, result.accelerators
    (True, 16)
    """

    reads_none = ("weight_precision", "attention_precision")
    produces = (
        "request_rate",
        "tokens_per_second",
        "input_tokens_per_second",
        "accelerators",
        "request_latency",
    )

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    def solve(  # noqa: PLR0913 - these are the knobs of two pools
        self,
        model: LanguageModel,
        prefill_fleet: Cluster | Node | Accelerator,
        decode_fleet: Cluster | Node | Accelerator,
        batch_size: int,
        *,
        input_tokens: int,
        output_tokens: int,
        request_rate: Any = None,
        utilization_limit: float = 0.95,
        prefill_tp_size: int = 1,
        prefill_pp_size: int = 1,
        prefill_ep_size: int = 1,
        prefill_attention_dp_size: int = 1,
        prefill_replicas: int = 1,
        decode_tp_size: int = 1,
        decode_pp_size: int = 1,
        decode_ep_size: int = 1,
        decode_attention_dp_size: int = 1,
        decode_replicas: int = 1,
        transfer_bandwidth: Any = None,
        precision: str = "bf16",
        weight_precision: str | None = None,
        attention_precision: str | None = None,
        kv_precision: str = "bf16",
        page_tokens: int = 16,
        chunk_tokens: int = 8192,
        prefix_hit_rate: float = 0.0,
        draft_tokens: int = 0,
        draft_acceptance: float = 0.7,
        draft_layers: int = 1,
        memory_fraction: float = 0.9,
        runtime_reserve: Any = None,
        runtime: str = "vllm",
    ) -> DisaggregatedResult:
        """Evaluate one design.

        Parameters
        ----------
        model
            What is served.
        prefill_fleet, decode_fleet
            On what; a pool is checked against its own fleet, and both together against a cluster
            that they share.
        batch_size
            Sequences that a decode replica holds at a time.
        input_tokens, output_tokens
            Of a request.
        request_rate
            Requests that arrive per second; without it, as many as can be answered.
        utilization_limit
            Share of its capacity that any part may be asked for; no limit without a rate.
        prefill_tp_size, prefill_pp_size, prefill_ep_size, prefill_attention_dp_size
            Layout of a prefill replica, as in `ServingModel.solve`.
        prefill_replicas, decode_replicas
            Copies of the model in either pool.
        decode_tp_size, decode_pp_size, decode_ep_size, decode_attention_dp_size
            Layout of a decode replica.
        transfer_bandwidth
            Out of one accelerator of the prefill pool, in one direction, in GB/s or as a
            quantity; the slower of the two fleets' networks unless given.
        precision, weight_precision, attention_precision, kv_precision
            As in `ServingModel.solve`.
        page_tokens, chunk_tokens, prefix_hit_rate
            As in `ServingModel.solve`.
        draft_tokens, draft_acceptance, draft_layers
            As in `ServingModel.solve`.
        memory_fraction, runtime_reserve, runtime
            As in `ServingModel.solve`.

        Returns
        -------
        DisaggregatedResult
            Metrics, and the checks that a design must pass to be feasible.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        Infeasible
            If the accelerators of a pool have no arithmetic of a precision.
        MissingFigureError
            If a figure is needed that the catalogue does not have.
        """
        asked = None if request_rate is None else in_unit("request_rate", request_rate, "1/s")
        if asked is not None:
            check_number("request_rate", asked, above=True)
        check_number("utilization_limit", utilization_limit, most=1.0, above=True)
        common: dict[str, Any] = {
            "model": model,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "precision": precision,
            "weight_precision": weight_precision,
            "attention_precision": attention_precision,
            "kv_precision": kv_precision,
            "page_tokens": page_tokens,
            "chunk_tokens": chunk_tokens,
            "prefix_hit_rate": prefix_hit_rate,
            "draft_acceptance": draft_acceptance,
            "draft_layers": draft_layers,
            "memory_fraction": memory_fraction,
            "runtime_reserve": runtime_reserve,
            "runtime": runtime,
        }
        prefill = serving_run(
            self.calibration,
            fleet=prefill_fleet,
            # one prompt at a time in every group
            batch_size=prefill_attention_dp_size * prefill_pp_size,
            tp_size=prefill_tp_size,
            pp_size=prefill_pp_size,
            ep_size=prefill_ep_size,
            attention_dp_size=prefill_attention_dp_size,
            replicas=prefill_replicas,
            draft_tokens=0,
            **common,
        )
        decode = serving_run(
            self.calibration,
            fleet=decode_fleet,
            batch_size=batch_size,
            tp_size=decode_tp_size,
            pp_size=decode_pp_size,
            ep_size=decode_ep_size,
            attention_dp_size=decode_attention_dp_size,
            replicas=decode_replicas,
            draft_tokens=draft_tokens,
            **common,
        )
        if transfer_bandwidth is None:
            outward = minimum(
                _outward_bandwidth(prefill_fleet, self.calibration),
                _outward_bandwidth(decode_fleet, self.calibration),
            )
        else:
            given = in_unit("transfer_bandwidth", transfer_bandwidth, "GB/s")
            check_number("transfer_bandwidth", given, above=True)
            outward = 1e9 * given
        pools = Pools(prefill=prefill, decode=decode, bandwidth=outward)
        load = pools_load_of(pools, serving_time_of(prefill), serving_time_of(decode), asked)
        memories = {"prefill": serving_memory_of(prefill), "decode": serving_memory_of(decode)}
        checks = {}
        for name, run in (("prefill", prefill), ("decode", decode)):
            held = memories[name]
            checks[f"{name} memory"] = Check.at_most(gigabytes(held.total), gigabytes(held.limit))
            for reason, check in serving_checks(
                run.choices, run.layout, run.shape, run.machine
            ).items():
                checks[f"{name} {reason}"] = check
        accelerators = prefill.layout.accelerators + decode.layout.accelerators
        inventory = mapped(_shared_inventory, prefill_fleet, decode_fleet)
        checks["accelerators of both pools"] = Check.at_most(
            where(inventory.shared, accelerators, 0), inventory.accelerators
        )
        if asked is not None:
            checks["load"] = Check.at_most(load.utilization, utilization_limit)
        tokens = load.rate * output_tokens
        return DisaggregatedResult(
            checks=checks,
            time_to_first_token=milliseconds(load.first_token + load.mean_wait),
            time_to_first_token_p50=milliseconds(load.first_token + load.wait(0.5)),
            time_to_first_token_p95=milliseconds(load.first_token + load.wait(0.95)),
            time_to_first_token_p99=milliseconds(load.first_token + load.wait(0.99)),
            inter_token_latency=milliseconds(load.between),
            transfer_latency=milliseconds(load.transfer),
            request_latency=milliseconds(
                load.first_token + load.mean_wait + (output_tokens - 1) * load.between
            ),
            request_rate=per_second(load.rate),
            capacity=per_second(load.capacity),
            prefill_capacity=per_second(load.prefill_capacity),
            decode_capacity=per_second(load.decode_capacity),
            transfer_capacity=per_second(load.transfer_capacity),
            utilization=minimum(load.utilization, 1.0),
            prefill_utilization=load.rate / load.prefill_capacity,
            decode_utilization=load.rate / load.decode_capacity,
            tokens_per_second=per_second(tokens),
            tokens_per_second_per_accelerator=per_second(tokens / accelerators),
            input_tokens_per_second=per_second(load.rate * input_tokens),
            tokens_per_second_per_user=per_second(1 / load.between),
            max_concurrency=memories["decode"].concurrency,
            prefill_memory_per_accelerator=gigabytes(memories["prefill"].total),
            memory_per_accelerator=gigabytes(memories["decode"].total),
            prefill_accelerators=prefill.layout.accelerators,
            decode_accelerators=decode.layout.accelerators,
            accelerators=accelerators,
        )


@dataclass(frozen=True, kw_only=True)
class _Inventory:
    """What two pools share: how many accelerators, and whether they share any at all."""

    shared: bool
    accelerators: int


def _shared_inventory(first: Fleet, second: Fleet) -> _Inventory:
    """Tell whether two pools are taken from one cluster; what is rented is not used up."""
    shared = isinstance(first, Cluster) and first == second
    return _Inventory(shared=shared, accelerators=available(first))


def _outward_bandwidth(fleet: Any, calibration: Calibration | None) -> Any:
    known = calibration or mapped(calibration_of, mapped(accelerator_of, fleet))
    return mapped(outward_bandwidth_of, fleet, known)
