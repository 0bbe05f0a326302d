"""Serving a language model: prefill, decode, memory and rates of equal replicas.

The arguments are the fields of `ServingDesign`; the metrics, those of `ServingResult`.
"""

from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes
from mlsysim.stages.knobs import takes
from mlsysim.stages.serving.checks import serving_checks
from mlsysim.stages.serving.design import ServingDesign
from mlsysim.stages.serving.memory import serving_memory_of
from mlsysim.stages.serving.result import (
    ServingResult,
    latency_metrics,
    memory_metrics,
    rate_metrics,
    use_metrics,
)
from mlsysim.stages.serving.setup import serving_run
from mlsysim.stages.serving.time import serving_time_of
from mlsysim.stages.stage import ForwardModel


class ServingModel(ForwardModel):
    """Predict latency, throughput and memory of serving a language model.

    A replica is ``tp_size * attention_dp_size * pp_size`` accelerators.  Prefill and
    decode are timed alone; rates are those of a steady state in which prefill takes its share of
    the time (`ContinuousBatchingModel` adds waiting, and what prefill does to decode).

    Parameters
    ----------
    calibration
        What hardware achieves, with its serving part; that of the family unless given.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> result = ServingModel().solve(
    ...     model=Models.Language.Llama3_70B, fleet=Systems.Nodes.DGX_H100, batch_size=32,
    ...     input_tokens=1024, output_tokens=256, tp_size=8,
    ... )
    >>> result.feasible, result.inter_token_latency.m_as("ms") < 50
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
    )

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    @takes(ServingDesign)
    def solve(self, design: ServingDesign) -> ServingResult:
        """Evaluate one design.

        Returns
        -------
        ServingResult
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
        time, memory = serving_time_of(run), serving_memory_of(run)
        metrics: dict[str, Any] = {
            **latency_metrics(run, time),
            **rate_metrics(run, time.rate),
            **memory_metrics(run, memory),
            **use_metrics(run, time),
        }
        checks = {
            "memory": Check.at_most(gigabytes(memory.total), gigabytes(memory.limit)),
            **serving_checks(run),
            **self.support(run.pace),
        }
        return ServingResult(checks=checks, **metrics)
