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
        Mean time from the arrival of a request to its first token, waiting included.
    time_to_first_token_p50
        Time to the first token that half of the requests keep.
    time_to_first_token_p95
        Time to the first token that 95 of 100 requests keep.
    time_to_first_token_p99
        Time to the first token that 99 of 100 requests keep.
    inter_token_latency
        Mean time between two tokens of a sequence, prefills of others included.
    longest_inter_token_latency
        Time between two tokens of a sequence across a pass that prefills a chunk.
    request_latency
        Mean time from the arrival of a request to its last token.
    request_rate
        Requests per second that all replicas answer.
    capacity
        Requests per second that all replicas could answer.
    utilization
        `request_rate` over `capacity`; what is asked for beyond the capacity fails the check
        "load".
    concurrency
        Requests that are being answered on average, over all replicas.
    prefill_share
        Share of the time that goes into prefill.
    tokens_per_second
        Output tokens of all replicas.
    tokens_per_second_per_accelerator
        Output tokens over all accelerators.
    input_tokens_per_second
        Prompt tokens that all replicas take in.
    tokens_per_second_per_user
        Tokens that a user sees per second: one over `inter_token_latency`.
    max_concurrency
        Sequences that fit a replica's memory.
    memory_per_accelerator
        What the fullest accelerator holds: weights, cache, activations and reserve.
    memory_weights
        Weights that the fullest accelerator holds.
    memory_kv_cache
        Keys, values and states of the full batch on the fullest accelerator.
    memory_activations
        What a pass makes on the fullest accelerator.
    memory_reserve
        What driver, libraries and captured graphs take of the fullest accelerator.
    memory_capacity
        What the runtime may use of an accelerator: `memory_fraction` of what it has.
    kv_cache_per_sequence
        Cache of one sequence when it ends, on one accelerator.
    prefix_share
        Share of a prompt that is found in caches, as far as prefixes fit.
    prefix_memory
        Cache of prefixes that an accelerator keeps.
    accelerators_per_replica
        Accelerators of one replica.
    accelerators
        Accelerators of all replicas.
    replicas
        Copies of the model.
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
    prefix_share: float
    prefix_memory: Gigabytes
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
