"""What `ContinuousBatchingModel` reports."""

from dataclasses import dataclass
from typing import Any

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
    max_concurrency, memory_per_accelerator, memory_weights, memory_kv_cache, memory_activations,
    memory_reserve, memory_capacity, kv_cache_per_sequence
        As in `ServingResult`.
    accelerators_per_replica, accelerators, replicas
        As in `ServingResult`.
    """

    time_to_first_token: Any
    time_to_first_token_p50: Any
    time_to_first_token_p95: Any
    time_to_first_token_p99: Any
    inter_token_latency: Any
    longest_inter_token_latency: Any
    request_latency: Any
    request_rate: Any
    capacity: Any
    utilization: Any
    concurrency: Any
    prefill_share: Any
    tokens_per_second: Any
    tokens_per_second_per_accelerator: Any
    input_tokens_per_second: Any
    tokens_per_second_per_user: Any
    max_concurrency: Any
    memory_per_accelerator: Any
    memory_weights: Any
    memory_kv_cache: Any
    memory_activations: Any
    memory_reserve: Any
    memory_capacity: Any
    kv_cache_per_sequence: Any
    accelerators_per_replica: Any
    accelerators: Any
    replicas: Any
