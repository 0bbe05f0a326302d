"""Serving under a load: prefill takes time from decode, and requests wait for one another.

`ContinuousBatchingModel.solve` takes the arguments of `ServingModel.solve`, and
``request_rate``, ``utilization_limit``.  Metrics: the fields of `ContinuousBatchingResult`.
"""

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
from mlsysim.stages.serving.choices import serving_checks
from mlsysim.stages.serving.continuous_batching_result import ContinuousBatchingResult
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

    def solve(  # noqa: PLR0913 - these are the knobs of a serving engine
        self,
        model: LanguageModel,
        fleet: Cluster | Node | Accelerator,
        batch_size: int,
        *,
        input_tokens: int,
        output_tokens: int,
        request_rate: Any = None,
        utilization_limit: float = 0.95,
        tp_size: int = 1,
        pp_size: int = 1,
        ep_size: int = 1,
        attention_dp_size: int = 1,
        replicas: int = 1,
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
    ) -> ContinuousBatchingResult:
        """Evaluate one design under one load.

        Parameters
        ----------
        model, fleet, batch_size, input_tokens, output_tokens
            As in `ServingModel.solve`; `batch_size` is the most that is decoded at a time.
        request_rate
            Requests that arrive per second, over all replicas; without it `batch_size` users per
            replica ask again as soon as they are answered, so that the batch is always full.
        utilization_limit
            Share of its capacity that a replica may be asked for; no limit without a rate.
        tp_size, pp_size, ep_size, attention_dp_size, replicas
            As in `ServingModel.solve`.
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
        ContinuousBatchingResult
            Metrics, and the checks that a design must pass to be feasible.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        Infeasible
            If the accelerators have no arithmetic of a precision.
        MissingFigureError
            If a figure is needed that the catalogue does not have.
        """
        asked = None if request_rate is None else in_unit("request_rate", request_rate, "1/s")
        if asked is not None:
            check_number("request_rate", asked, above=True)
        check_number("utilization_limit", utilization_limit, most=1.0, above=True)
        run = serving_run(
            self.calibration,
            model=model,
            fleet=fleet,
            batch_size=batch_size,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            tp_size=tp_size,
            pp_size=pp_size,
            ep_size=ep_size,
            attention_dp_size=attention_dp_size,
            replicas=replicas,
            precision=precision,
            weight_precision=weight_precision,
            attention_precision=attention_precision,
            kv_precision=kv_precision,
            page_tokens=page_tokens,
            chunk_tokens=chunk_tokens,
            prefix_hit_rate=prefix_hit_rate,
            draft_tokens=draft_tokens,
            draft_acceptance=draft_acceptance,
            draft_layers=draft_layers,
            memory_fraction=memory_fraction,
            runtime_reserve=runtime_reserve,
            runtime=runtime,
        )
        time, memory = serving_time_of(run), serving_memory_of(run)
        load = serving_load_of(run, time, None if asked is None else asked / replicas)
        checks = {
            "memory": Check.at_most(gigabytes(memory.total), gigabytes(memory.limit)),
            **serving_checks(run.choices, run.layout, run.shape, run.machine),
        }
        if asked is not None:
            checks["load"] = Check.at_most(load.utilization, utilization_limit)
        return ContinuousBatchingResult(
            checks=checks,
            time_to_first_token=milliseconds(load.first_token + load.mean_wait),
            time_to_first_token_p50=milliseconds(load.first_token + load.wait(0.5)),
            time_to_first_token_p95=milliseconds(load.first_token + load.wait(0.95)),
            time_to_first_token_p99=milliseconds(load.first_token + load.wait(0.99)),
            inter_token_latency=milliseconds(load.between),
            longest_inter_token_latency=milliseconds(
                # Who is alone has nobody's prefill in between.
                time.step + where(run.choices.batch_size > 1, time.chunk, 0.0)
            ),
            request_latency=milliseconds(load.mean_wait + load.residence),
            capacity=per_second(time.rate * replicas),
            utilization=minimum(load.utilization, 1.0),
            concurrency=load.rate * replicas * load.residence,
            prefill_share=load.prefill_share,
            tokens_per_second_per_user=per_second(1 / load.between),
            accelerators_per_replica=run.layout.replica,
            accelerators=run.layout.accelerators,
            replicas=replicas,
            **rate_metrics(run, load.rate),
            **memory_metrics(memory),
        )
