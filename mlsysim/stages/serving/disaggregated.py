"""Serving with prefill and decode on pools of their own.

The arguments are the fields of `DisaggregatedDesign`; the metrics, those of `DisaggregatedResult`.
"""

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.expr.functions import minimum, where
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes, milliseconds, per_second
from mlsysim.stages.calibration import calibration_of
from mlsysim.stages.knobs import takes
from mlsysim.stages.machine import Fleet, accelerator_of, available, outward_bandwidth_of
from mlsysim.stages.mapping import mapped
from mlsysim.stages.serving.checks import serving_checks
from mlsysim.stages.serving.disaggregated_load import Pools, pools_load_of
from mlsysim.stages.serving.disaggregated_result import DisaggregatedResult
from mlsysim.stages.serving.memory import serving_memory_of
from mlsysim.stages.serving.pools import DisaggregatedDesign
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

    @takes(DisaggregatedDesign)
    def solve(self, design: DisaggregatedDesign) -> DisaggregatedResult:
        """Evaluate one design.

        Returns
        -------
        DisaggregatedResult
            Metrics, and the checks that a design must pass to be feasible.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        Infeasible
            If the accelerators have no arithmetic of a precision, or the runtime no such cache.
        MissingFigureError
            If a figure is needed that the catalogue does not have.
        """
        asked = design.request_rate
        prefill, decode = (
            serving_run(pool, self.calibration, self.pace(pool.fleet, pool.model))
            for pool in (design.prefill, design.decode)
        )
        if design.transfer_bandwidth is None:
            outward = minimum(
                _outward_bandwidth(design.prefill_fleet, self.calibration),
                _outward_bandwidth(design.decode_fleet, self.calibration),
            )
        else:
            outward = 1e9 * design.transfer_bandwidth
        outward = outward / prefill.pace.first
        pools = Pools(prefill=prefill, decode=decode, bandwidth=outward)
        load = pools_load_of(pools, serving_time_of(prefill), serving_time_of(decode), asked)
        memories = {"prefill": serving_memory_of(prefill), "decode": serving_memory_of(decode)}
        checks = dict(self.support(prefill.pace, decode.pace))
        for name, run in (("prefill", prefill), ("decode", decode)):
            held = memories[name]
            checks[f"{name} memory"] = Check.at_most(gigabytes(held.total), gigabytes(held.limit))
            for reason, check in serving_checks(run).items():
                checks[f"{name} {reason}"] = check
        accelerators = prefill.layout.accelerators + decode.layout.accelerators
        inventory = mapped(_shared_inventory, design.prefill_fleet, design.decode_fleet)
        checks["accelerators of both pools"] = Check.at_most(
            where(inventory.shared, accelerators, 0), inventory.accelerators
        )
        if asked is not None:
            # Each on its own, so that an answer names what is too small.
            for part, capacity in load.capacities.items():
                checks[f"load of {part}"] = Check.at_most(
                    asked / capacity, design.utilization_limit
                )
        tokens = load.rate * design.output_tokens
        return DisaggregatedResult(
            checks=checks,
            time_to_first_token=milliseconds(load.first_token + load.mean_wait),
            time_to_first_token_p50=milliseconds(load.first_token + load.wait(0.5)),
            time_to_first_token_p95=milliseconds(load.first_token + load.wait(0.95)),
            time_to_first_token_p99=milliseconds(load.first_token + load.wait(0.99)),
            inter_token_latency=milliseconds(load.between),
            transfer_latency=milliseconds(load.transfer),
            request_latency=milliseconds(
                load.first_token + load.mean_wait + (design.output_tokens - 1) * load.between
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
            input_tokens_per_second=per_second(load.rate * design.input_tokens),
            tokens_per_second_per_user=per_second(1 / load.between),
            max_concurrency=memories["decode"].concurrency,
            prefix_share=prefill.found,
            prefix_memory=gigabytes(prefill.prefix_bytes),
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
