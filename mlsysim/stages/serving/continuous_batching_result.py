"""What `ContinuousBatchingModel` reports."""

from dataclasses import dataclass

from mlsysim.stages.stage import StageResult
from mlsysim.units import Amount


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

    time_to_first_token: Amount
    time_to_first_token_p50: Amount
    time_to_first_token_p95: Amount
    time_to_first_token_p99: Amount
    inter_token_latency: Amount
    longest_inter_token_latency: Amount
    request_latency: Amount
    request_rate: Amount
    capacity: Amount
    utilization: float
    concurrency: float
    prefill_share: float
    tokens_per_second: Amount
    tokens_per_second_per_accelerator: Amount
    input_tokens_per_second: Amount
    tokens_per_second_per_user: Amount
    max_concurrency: float
    memory_per_accelerator: Amount
    memory_weights: Amount
    memory_kv_cache: Amount
    memory_activations: Amount
    memory_reserve: Amount
    memory_capacity: Amount
    kv_cache_per_sequence: Amount
    accelerators_per_replica: int
    accelerators: int
    replicas: int
