"""Serving under a load: prefill takes time from decode, and requests wait for one another.

The arguments are the fields of `ContinuousBatchingDesign`; the metrics, those of
`ContinuousBatchingResult`.
"""

from mlsysim.catalog.calibration import Calibration
from mlsysim.expr.functions import minimum, where
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes, milliseconds, per_second
from mlsysim.stages.knobs import takes
from mlsysim.stages.serving.checks import serving_checks
from mlsysim.stages.serving.continuous_batching_result import ContinuousBatchingResult
from mlsysim.stages.serving.design import ContinuousBatchingDesign
from mlsysim.stages.serving.load import serving_load_of
from mlsysim.stages.serving.memory import serving_memory_of
from mlsysim.stages.serving.result import memory_metrics, rate_metrics
from mlsysim.stages.serving.setup import serving_run
from mlsysim.stages.serving.time import serving_time_of
from mlsysim.stages.stage import ForwardModel


class ContinuousBatchingModel(ForwardModel):
    """Predict latency under a load, with prefill and decode on the same accelerators.

    Latencies are those of a full batch, so that they hold up to `batch_size` requests at a time.
    Prefills take their share of the passes from decode; requests wait for a place in
    the batch and for the prefills before theirs (`mlsysim.physics.serving_queue` states the
    approximations).

    Parameters
    ----------
    calibration
        What hardware achieves, with its serving part; that of the family unless given.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> result = ContinuousBatchingModel().solve(
    ...     model=Models.Language.Llama3_70B, fleet=Systems.Nodes.DGX_H100, batch_size=64,
    ...     input_tokens=1024, output_tokens=256, tp_size=8, request_rate=4.0,
    ... )
    >>> result.feasible, result.time_to_first_token_p99 > result.time_to_first_token_p50
    (True, True)
    """

    reads_none = ("weight_precision", "attention_precision")
    produces = (
        "request_rate",
        "tokens_per_second",
        "input_tokens_per_second",
        "accelerators",
        "request_latency",
        "prefill_share",
        "utilization",
    )

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    @takes(ContinuousBatchingDesign)
    def solve(self, design: ContinuousBatchingDesign) -> ContinuousBatchingResult:
        """Evaluate one design under one load.

        Returns
        -------
        ContinuousBatchingResult
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
        run = serving_run(design, self.calibration, self.pace(design.fleet, design.model))
        asked = design.request_rate
        time, memory = serving_time_of(run), serving_memory_of(run)
        load = serving_load_of(run, time, None if asked is None else asked / design.replicas)
        checks = {
            "memory": Check.at_most(gigabytes(memory.total), gigabytes(memory.limit)),
            **serving_checks(run),
            **self.support(run.pace),
        }
        if asked is not None:
            checks["load"] = Check.at_most(load.utilization, design.utilization_limit)
        return ContinuousBatchingResult(
            checks=checks,
            time_to_first_token=milliseconds(load.first_token + load.mean_wait),
            time_to_first_token_p50=milliseconds(load.first_token + load.wait(0.5)),
            time_to_first_token_p95=milliseconds(load.first_token + load.wait(0.95)),
            time_to_first_token_p99=milliseconds(load.first_token + load.wait(0.99)),
            inter_token_latency=milliseconds(load.between),
            longest_inter_token_latency=milliseconds(
                # Who is alone has nobody's prefill in between.
                time.step + where(design.batch_size > 1, time.chunk, 0.0)
            ),
            request_latency=milliseconds(load.mean_wait + load.residence),
            capacity=per_second(time.rate * design.replicas),
            utilization=minimum(load.utilization, 1.0),
            concurrency=load.rate * design.replicas * load.residence,
            prefill_share=load.prefill_share,
            tokens_per_second_per_user=per_second(1 / load.between),
            accelerators_per_replica=run.layout.replica,
            accelerators=run.layout.accelerators,
            replicas=design.replicas,
            **rate_metrics(run, load.rate),
            **memory_metrics(run, memory),
        )
