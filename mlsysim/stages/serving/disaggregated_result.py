"""What `DisaggregatedModel` reports."""

from dataclasses import dataclass
from typing import Any

from mlsysim.stages.stage import StageResult


@dataclass(frozen=True, kw_only=True)
class DisaggregatedResult(StageResult):
    """Speed and memory of two pools.

    Parameters
    ----------
    time_to_first_token
        Mean, waiting for a prefill replica included.
    time_to_first_token_p50, time_to_first_token_p95, time_to_first_token_p99
        Quantiles of it.
    inter_token_latency
        Time between two tokens of a sequence while the full batch decodes.
    transfer_latency
        Time for which the keys and values of a prompt are on their way to the decode pool.
    request_latency
        Mean time from the arrival of a request to its last token.
    request_rate, capacity
        Requests per second: answered, and the most that can be.
    prefill_capacity, decode_capacity, transfer_capacity
        What either pool, and the network between them, could answer.
    utilization, prefill_utilization, decode_utilization
        The rate over the three capacities that it names.
    tokens_per_second, tokens_per_second_per_accelerator, input_tokens_per_second
        Output tokens, the same over the accelerators of both pools, and prompt tokens.
    tokens_per_second_per_user
        One over `inter_token_latency`.
    max_concurrency
        Sequences of full length that fit a decode replica's memory.
    prefill_memory_per_accelerator, memory_per_accelerator
        What the fullest accelerator of a prefill and of a decode replica holds.
    prefill_accelerators, decode_accelerators, accelerators
        Of either pool and of both.
    """

    time_to_first_token: Any
    time_to_first_token_p50: Any
    time_to_first_token_p95: Any
    time_to_first_token_p99: Any
    inter_token_latency: Any
    transfer_latency: Any
    request_latency: Any
    request_rate: Any
    capacity: Any
    prefill_capacity: Any
    decode_capacity: Any
    transfer_capacity: Any
    utilization: Any
    prefill_utilization: Any
    decode_utilization: Any
    tokens_per_second: Any
    tokens_per_second_per_accelerator: Any
    input_tokens_per_second: Any
    tokens_per_second_per_user: Any
    max_concurrency: Any
    prefill_memory_per_accelerator: Any
    memory_per_accelerator: Any
    prefill_accelerators: Any
    decode_accelerators: Any
    accelerators: Any
