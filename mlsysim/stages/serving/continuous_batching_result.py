"""What `ContinuousBatchingModel` reports."""

from dataclasses import dataclass
from typing import Any

from mlsysim.stages.amounts import Gigabytes, Milliseconds, PerSecond
from mlsysim.stages.stage import StageResult


@dataclass(frozen=True, kw_only=True)
class ContinuousBatchingResult(StageResult):
    """Speed and waits of serving under a load.

    Parameters
    ----------
    time_to_first_token
        Mean over the requests, waiting included.
    time_to_first_token_p50, time_to_first_token_p95, time_to_first_token_p99
        Quantiles of it.
    inter_token_latency
        Mean time between two tokens of a sequence, prefills of others included.
    longest_inter_token_latency
        The same across a pass that prefills a chunk.
    request_latency
        Mean time from the arrival of a request to its last token.
    request_rate, capacity
        Requests per second over all replicas: answered, and the most that can be.
    utilization
        The one over the other; what is asked for beyond the capacity fails the check "load".
    concurrency
        Requests that are being answered on average, over all replicas.
    prefill_share
        Share of the time that goes into prefill.
    tokens_per_second, tokens_per_second_per_accelerator, input_tokens_per_second
        Output tokens, the same per accelerator, and prompt tokens.
    tokens_per_second_per_user
        One over `inter_token_latency`.
    max_concurrency
        Sequences that fit a replica.
    memory_per_accelerator
        What the fullest accelerator holds: the sum of the next four.
    memory_weights, memory_kv_cache, memory_activations, memory_reserve
        Weights, the full batch's cache, what a pass makes, and what driver and libraries take.
    memory_capacity
        What the runtime may use.
    kv_cache_per_sequence
        Cache of one sequence when it ends.
    accelerators_per_replica, accelerators, replicas
        Those of a replica, those of all, and how many replicas there are.
    """

    time_to_first_token: Milliseconds
    time_to_first_token_p50: Milliseconds
    time_to_first_token_p95: Milliseconds
    time_to_first_token_p99: Milliseconds
    inter_token_latency: Milliseconds
    longest_inter_token_latency: Milliseconds
    request_latency: Milliseconds
    request_rate: PerSecond
    capacity: PerSecond
    utilization: float
    concurrency: float
    prefill_share: float
    tokens_per_second: PerSecond
    tokens_per_second_per_accelerator: PerSecond
    input_tokens_per_second: PerSecond
    tokens_per_second_per_user: PerSecond
    max_concurrency: float
    memory_per_accelerator: Gigabytes
    memory_weights: Gigabytes
    memory_kv_cache: Gigabytes
    memory_activations: Gigabytes
    memory_reserve: Gigabytes
    memory_capacity: Gigabytes
    kv_cache_per_sequence: Gigabytes
    accelerators_per_replica: int
    accelerators: int
    replicas: int

    def key_figures(self) -> str:
        """Write the times that users see, and the throughput of an accelerator."""
        return figures_under_load(self)


def figures_under_load(result: Any) -> str:
    """Write the times that users see under a load, and the throughput of an accelerator.

    Parameters
    ----------
    result
        Of a stage that tells quantiles of the time to the first token.
    """
    quantiles = ", ".join(
        f"p{share} {getattr(result, f'time_to_first_token_p{share}').m_as('ms'):,.4g}"
        for share in (50, 95, 99)
    )
    return (
        f"first token after {result.time_to_first_token.m_as('ms'):,.4g} ms ({quantiles}), "
        f"{result.inter_token_latency.m_as('ms'):,.4g} ms per token, "
        f"{result.tokens_per_second_per_accelerator.m_as('1/s'):,.4g} tokens/s per accelerator"
    )
