"""What `DisaggregatedModel` reports."""

from dataclasses import dataclass

from mlsysim.stages.amounts import Gigabytes, Milliseconds, PerSecond
from mlsysim.stages.serving.continuous_batching_result import figures_under_load
from mlsysim.stages.serving.disaggregated_load import DECODE, LINK, PREFILL
from mlsysim.stages.stage import StageResult


@dataclass(frozen=True, kw_only=True)
class DisaggregatedResult(StageResult):
    """Speed and memory of two pools.

    Parameters
    ----------
    time_to_first_token
        Mean time from the arrival of a request to its first token, waiting for a prefill replica
        included.
    time_to_first_token_p50
        Time to the first token that half of the requests keep.
    time_to_first_token_p95
        Time to the first token that 95 of 100 requests keep.
    time_to_first_token_p99
        Time to the first token that 99 of 100 requests keep.
    inter_token_latency
        Time between two tokens of a sequence while the full batch decodes.
    transfer_latency
        Time for which the keys and values of a prompt are on their way to the decode pool.
    request_latency
        Mean time from the arrival of a request to its last token.
    request_rate
        Requests per second that are answered.
    capacity
        Requests per second that could be answered: the least of the three capacities of pools and
        network.
    prefill_capacity
        Requests per second that the prefill pool could answer.
    decode_capacity
        Requests per second that the decode pool could answer.
    transfer_capacity
        Requests per second whose caches the network between the pools could carry.
    utilization
        `request_rate` over `capacity`.
    prefill_utilization
        `request_rate` over `prefill_capacity`.
    decode_utilization
        `request_rate` over `decode_capacity`.
    tokens_per_second
        Output tokens of the decode pool.
    tokens_per_second_per_accelerator
        Output tokens over the accelerators of both pools.
    input_tokens_per_second
        Prompt tokens that the prefill pool takes in.
    tokens_per_second_per_user
        Tokens that a user sees per second: one over `inter_token_latency`.
    max_concurrency
        Sequences of full length that fit a decode replica's memory.
    prefix_share
        Share of a prompt that is found in the caches of prefill, as far as prefixes fit.
    prefix_memory
        Cache of prefixes that an accelerator of the prefill pool keeps.
    prefill_memory_per_accelerator
        What the fullest accelerator of a prefill replica holds.
    memory_per_accelerator
        What the fullest accelerator of a decode replica holds.
    prefill_accelerators
        Accelerators of the prefill pool.
    decode_accelerators
        Accelerators of the decode pool.
    accelerators
        Accelerators of both pools.
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
    prefix_share: float
    prefix_memory: Gigabytes
    prefill_memory_per_accelerator: Gigabytes
    memory_per_accelerator: Gigabytes
    prefill_accelerators: int
    decode_accelerators: int
    accelerators: int

    def key_figures(self) -> str:
        """Write the times that users see, and the throughput of an accelerator."""
        return figures_under_load(self)

    def bottleneck(self) -> str:
        """Name the pool that answers least, or the link between them."""
        each = {
            PREFILL: self.prefill_capacity,
            LINK: self.transfer_capacity,
            DECODE: self.decode_capacity,
        }
        rates = {part: rate.m_as("1/s") for part, rate in each.items()}
        least, *others = sorted(rates, key=rates.__getitem__)
        more = ", ".join(f"{part} {rates[part]:,.4g}" for part in others)
        return f"{least}: it can take {rates[least]:,.4g} requests/s, {more}"
