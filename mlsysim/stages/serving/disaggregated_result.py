"""What `DisaggregatedModel` reports."""

from dataclasses import dataclass

from mlsysim.stages.amounts import Gigabytes, Milliseconds, PerSecond
from mlsysim.stages.serving.continuous_batching_result import figures_under_load
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

    time_to_first_token: Milliseconds
    time_to_first_token_p50: Milliseconds
    time_to_first_token_p95: Milliseconds
    time_to_first_token_p99: Milliseconds
    inter_token_latency: Milliseconds
    transfer_latency: Milliseconds
    request_latency: Milliseconds
    request_rate: PerSecond
    capacity: PerSecond
    prefill_capacity: PerSecond
    decode_capacity: PerSecond
    transfer_capacity: PerSecond
    utilization: float
    prefill_utilization: float
    decode_utilization: float
    tokens_per_second: PerSecond
    tokens_per_second_per_accelerator: PerSecond
    input_tokens_per_second: PerSecond
    tokens_per_second_per_user: PerSecond
    max_concurrency: float
    prefill_memory_per_accelerator: Gigabytes
    memory_per_accelerator: Gigabytes
    prefill_accelerators: int
    decode_accelerators: int
    accelerators: int

    def key_figures(self) -> str:
        """Write the times that users see, and the throughput of an accelerator."""
        return figures_under_load(self)
