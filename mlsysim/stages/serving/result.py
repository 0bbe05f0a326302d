"""What `ServingModel` reports."""

from dataclasses import dataclass
from typing import Any

from mlsysim.physics.flops import flops_utilization, matmul_flops
from mlsysim.stages.amounts import (
    Gigabytes,
    Milliseconds,
    PerSecond,
    gigabytes,
    milliseconds,
    per_second,
)
from mlsysim.stages.layout_text import parts_of
from mlsysim.stages.serving.memory import ServingMemory
from mlsysim.stages.serving.passes import ServingRun
from mlsysim.stages.serving.time import ServingTime
from mlsysim.stages.stage import StageResult


@dataclass(frozen=True, kw_only=True)
class ServingResult(StageResult):
    """Speed and memory of serving.

    Parameters
    ----------
    time_to_first_token
        From the arrival of a request to its first token, with nothing else going on.
    inter_token_latency
        Time between two tokens of a sequence while the full batch decodes.
    request_latency
        From the arrival of a request to its last token, with nothing else going on.
    tokens_per_second
        Output tokens of all replicas in a steady state: prefill takes its share of the time.
    tokens_per_second_per_accelerator
        `tokens_per_second` over all accelerators.
    tokens_per_second_per_user
        Tokens that a user sees per second: one over `inter_token_latency`.
    input_tokens_per_second
        Prompt tokens that all replicas take in.
    request_rate
        Requests that all replicas answer per second.
    prefill_share
        Share of the time that goes into prefill.
    max_concurrency
        Sequences of full length that fit a replica's memory.
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
        Keys and values of one sequence of full length, on one accelerator.
    prefix_share
        Share of a prompt that is found in caches, as far as prefixes fit.
    prefix_memory
        Cache of prefixes that an accelerator keeps.
    decode_latency_weights
        Part of a decode pass: reading and multiplying the weights.
    decode_latency_attention
        Part of a decode pass: attention to the cache.
    decode_latency_activations
        Part of a decode pass: element-wise kernels.
    decode_latency_collectives
        Part of a decode pass: communication within a pipeline stage.
    decode_latency_overhead
        Part of a decode pass: the runtime's own work.
    decode_latency_hops
        Part of a decode pass: messages between pipeline stages.
    decode_latency_waiting
        Part of a decode pass: what a micro-batch waits for the others in the pipeline.
    decode_latency_drafting
        Part of a decode pass: what the draft takes before it.
    prefill_latency_collectives
        What the prefill of a prompt spends on communication within stages.
    tokens_per_pass
        Tokens that a decode pass yields per sequence: one without a draft.
    prefill_mfu
        Model FLOPs utilization of a prefill: operations of the weights over those possible.
    decode_mfu
        Model FLOPs utilization of a decode pass: operations of the weights over those possible.
    accelerators_per_replica
        Accelerators of one replica.
    accelerators
        Accelerators of all replicas.
    replicas
        Copies of the model.
    """

    time_to_first_token: Milliseconds
    inter_token_latency: Milliseconds
    request_latency: Milliseconds
    tokens_per_second: PerSecond
    tokens_per_second_per_accelerator: PerSecond
    tokens_per_second_per_user: PerSecond
    input_tokens_per_second: PerSecond
    request_rate: PerSecond
    prefill_share: float
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
    decode_latency_weights: Milliseconds
    decode_latency_attention: Milliseconds
    decode_latency_activations: Milliseconds
    decode_latency_collectives: Milliseconds
    decode_latency_overhead: Milliseconds
    decode_latency_hops: Milliseconds
    decode_latency_waiting: Milliseconds
    decode_latency_drafting: Milliseconds
    prefill_latency_collectives: Milliseconds
    tokens_per_pass: float
    prefill_mfu: float
    decode_mfu: float
    accelerators_per_replica: int
    accelerators: int
    replicas: int

    def key_figures(self) -> str:
        """Write the times that users see, and the throughput of an accelerator."""
        return (
            f"first token after {self.time_to_first_token.m_as('ms'):,.4g} ms"
            f", {self.inter_token_latency.m_as('ms'):,.4g} ms per token, "
            f"{self.tokens_per_second_per_accelerator.m_as('1/s'):,.4g} tokens/s per accelerator"
        )

    def decode_pass_breakdown(self) -> dict[str, Any]:
        """Give the parts of a decode pass: `inter_token_latency` times `tokens_per_pass`."""
        return parts_of(self, "decode_latency_", without=())

    def memory_breakdown(self) -> dict[str, Any]:
        """Give what the fullest accelerator holds, part by part."""
        return parts_of(self, "memory_", without={"per_accelerator", "capacity"})


def latency_metrics(run: ServingRun, time: ServingTime) -> dict[str, Any]:
    """Give the metrics that are times of one request."""
    decode = time.decode
    return {
        "time_to_first_token": milliseconds(time.first_token),
        "inter_token_latency": milliseconds(time.between),
        "request_latency": milliseconds(
            time.first_token + (run.design.output_tokens - 1) * time.between
        ),
        "tokens_per_second_per_user": per_second(1 / time.between),
        "tokens_per_pass": time.accepted,
        "decode_latency_weights": milliseconds(decode.weights),
        "decode_latency_attention": milliseconds(decode.attention),
        "decode_latency_activations": milliseconds(decode.activations),
        "decode_latency_collectives": milliseconds(decode.collectives),
        "decode_latency_overhead": milliseconds(decode.overhead),
        "decode_latency_hops": milliseconds(time.hops),
        "decode_latency_waiting": milliseconds(time.waiting),
        "decode_latency_drafting": milliseconds(time.drafting),
        "prefill_latency_collectives": milliseconds(run.layout.chunks * time.prefill.collectives),
    }


def rate_metrics(run: ServingRun, rate: Any) -> dict[str, Any]:
    """Give the metrics that are rates of all replicas, from that of one."""
    design, layout = run.design, run.layout
    total = rate * design.replicas
    tokens = total * design.output_tokens
    return {
        "tokens_per_second": per_second(tokens),
        "tokens_per_second_per_accelerator": per_second(tokens / layout.accelerators),
        "input_tokens_per_second": per_second(total * design.input_tokens),
        "request_rate": per_second(total),
    }


def memory_metrics(run: ServingRun, memory: ServingMemory) -> dict[str, Any]:
    """Give the metrics that are amounts of memory, and what fits."""
    return {
        "prefix_share": run.found,
        "prefix_memory": gigabytes(run.prefix_bytes),
        "max_concurrency": memory.concurrency,
        "memory_per_accelerator": gigabytes(memory.total),
        "memory_weights": gigabytes(memory.weights),
        "memory_kv_cache": gigabytes(memory.cache),
        "memory_activations": gigabytes(memory.activations),
        "memory_reserve": gigabytes(memory.reserve),
        "memory_capacity": gigabytes(memory.limit),
        "kv_cache_per_sequence": gigabytes(memory.sequence),
    }


def use_metrics(run: ServingRun, time: ServingTime) -> dict[str, Any]:
    """Give the metrics that are shares of what was paid for, and the counts."""
    design, layout, peak = run.design, run.layout, run.machine.peak
    flops = matmul_flops(run.shape.active_parameters, 1)
    return {
        "prefill_share": time.rate * time.occupied,
        "prefill_mfu": flops_utilization(flops * layout.fresh, time.occupied, layout.replica, peak),
        "decode_mfu": flops_utilization(
            flops * design.batch_size * (design.draft_tokens + 1),
            time.step,
            layout.replica,
            peak,
        ),
        "accelerators_per_replica": layout.replica,
        "accelerators": layout.accelerators,
        "replicas": design.replicas,
    }
