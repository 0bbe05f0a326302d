"""Serving a language model: prefill, decode, memory and rates of equal replicas.

Names that other stages and question files use
----------------------------------------------
Arguments of `ServingModel.solve`: ``model``, ``fleet`` (a cluster, a node or an accelerator),
``batch_size``, ``input_tokens``, ``output_tokens``, ``tp_size``, ``pp_size``, ``ep_size``,
``attention_dp_size``, ``replicas``, ``precision``, ``weight_precision``,
``attention_precision``, ``kv_precision``, ``page_tokens``, ``chunk_tokens``,
``prefix_hit_rate``, ``draft_tokens``, ``draft_acceptance``, ``draft_layers``,
``memory_fraction``, ``runtime_reserve``, ``runtime``.

Metrics: the fields of `ServingResult`; above all ``time_to_first_token``,
``inter_token_latency``, ``request_latency``, ``tokens_per_second``,
``tokens_per_second_per_user``, ``tokens_per_second_per_accelerator``, ``request_rate``,
``max_concurrency``, ``memory_per_accelerator``, ``accelerators``.
"""

from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.node import Node
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes
from mlsysim.stages.serving.choices import serving_checks
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

    def solve(  # noqa: PLR0913 - these are the knobs of a serving engine
        self,
        model: LanguageModel,
        fleet: Cluster | Node | Accelerator,
        batch_size: int,
        *,
        input_tokens: int,
        output_tokens: int,
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
    ) -> ServingResult:
        """Evaluate one design.

        Parameters
        ----------
        model
            What is served.
        fleet
            On what: a cluster, whose accelerators bound all replicas together; or what is rented
            by the piece, a node or an accelerator (with the others that its own links join), of
            which there are as many as wanted, each replica in one.
        batch_size
            Sequences that a replica decodes at a time.
        input_tokens, output_tokens
            Of a request.
        tp_size
            Accelerators that share each layer.  Beyond the key-value heads (beyond one with
            latent attention) they keep the same keys and values.
        pp_size
            Accelerators in a row that share the stack of layers.
        ep_size
            Ranks that divide the experts among them; the accelerators of a rank,
            ``tp_size * attention_dp_size / ep_size``, share each expert.  Tokens behind attention
            groups travel to fewer accelerators, and the fullest rank sets the pace.  Shared
            experts are divided by `tp_size` alone.
        attention_dp_size
            Groups of `tp_size` accelerators that each attend to sequences of their own; the
            experts span all of them.
        replicas
            Copies of all this.
        precision
            Arithmetic of the MLPs.
        weight_precision
            Format in which weights are kept (``Models.Formats``: "mxfp4", "fp8_block", "int4"
            for AWQ and GPTQ, ...); as `precision` unless given.  Weights that are narrower than
            `precision` are widened first.  Embeddings, head, norms and routers stay in 16 bits.
        attention_precision
            Format and arithmetic of the attention matrices.  Unless given they are kept as the
            other weights and multiplied in `precision`, or in 16 bits where the format covers only
            the experts of a mixture ("mxfp4", "nvfp4", "fp4", "int4_g32").
        kv_precision
            Format in which keys and values are kept; what there is depends on `runtime`.
        page_tokens
            Tokens per page of the cache.
        chunk_tokens
            Tokens of a prompt that one pass takes at most.
        prefix_hit_rate
            Share of a prompt that is in the cache already.
        draft_tokens
            Tokens that a draft proposes per pass (speculative decoding); 0 for none.
        draft_acceptance
            Chance that a proposed token is accepted.
        draft_layers
            Layers of the draft, each like one of the model's.
        memory_fraction
            Share of the accelerator's memory that the runtime may use.
        runtime_reserve
            What driver, libraries and communication buffers take of it, in GB or as a quantity;
            unless given, what logs of such runtimes show on an accelerator alone, and more with
            every doubling of the group that shares a layer.
        runtime
            The engine, by its name in `Systems.Runtimes`.

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
        metrics: dict[str, Any] = {
            **latency_metrics(run, time),
            **rate_metrics(run, time.rate),
            **memory_metrics(memory),
            **use_metrics(run, time),
        }
        checks = {
            "memory": Check.at_most(gigabytes(memory.total), gigabytes(memory.limit)),
            **serving_checks(run.choices, run.layout, run.shape, run.machine),
        }
        return ServingResult(checks=checks, **metrics)
