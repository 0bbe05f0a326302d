"""What `DistributedModel` reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import maximum
from mlsysim.physics.flops import flops_utilization
from mlsysim.stages.amounts import (
    Gigabytes,
    Milliseconds,
    PerSecond,
    gigabytes,
    milliseconds,
    per_second,
)
from mlsysim.stages.layout_text import layout_text, parts_of
from mlsysim.stages.stage import StageResult
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.layout import Layout
from mlsysim.stages.training.memory import Memory
from mlsysim.stages.training.split import uneven, uneven_inside
from mlsysim.stages.training.time import StepTime


@dataclass(frozen=True, kw_only=True)
class DistributedResult(StageResult):
    """Speed and memory of a training step.

    Parameters
    ----------
    step_latency_total
        Time of a step: the sum of its ten parts, from `step_latency_compute` to
        `step_latency_straggler`.
    step_latency_compute
        Part of a step: matrix products and element-wise kernels, repeated ones included.
    step_latency_tensor
        Part of a step: collectives of tensor and sequence parallelism.
    step_latency_context
        Part of a step: keys and values on the rings of context parallelism.
    step_latency_expert
        Part of a step: tokens on their way to experts and back.
    step_latency_pipeline
        Part of a step: messages between pipeline stages.
    step_latency_data
        Part of a step: traffic between replicas that computation does not hide.
    step_latency_bubble
        Part of a step: waiting for the pipeline to fill and drain.
    step_latency_optimizer
        Part of a step: the update of the weights.
    step_latency_offload
        Activations on their way to the host and back, as far as computation does not hide it.
    step_latency_straggler
        Part of a step: waiting for the slowest accelerator.
    effective_throughput
        Tokens per second of the whole fleet: ``tokens_per_step / step``; idle replicas
        earn nothing.
    tokens_per_step
        ``batch_size * seq_len``, padding left out.
    memory_per_accelerator
        What the fullest accelerator holds: the sum of its six parts, from `memory_weights` to
        `memory_reserve`.
    memory_weights
        Weights that the fullest accelerator holds.
    memory_gradients
        Gradients that the fullest accelerator holds.
    memory_optimizer
        States of the optimizer, with copies of the weights in full precision, that the fullest
        accelerator holds.
    memory_activations
        What the fullest accelerator keeps for the backward pass.
    memory_logits
        Logits on the fullest accelerator, where it has the output head.
    memory_reserve
        What driver, libraries and communication buffers take of the fullest accelerator.
    memory_capacity
        Memory that an accelerator has.
    host_memory_used
        What is offloaded to the hosts of a node, for all its accelerators.
    trained_parameters
        Parameters of the whole model that are trained; those of adapters in place of the weights
        that they stand beside.
    checkpoint_size
        What a checkpoint holds: trained weights and what the optimizer keeps of them, and frozen
        layers; of adapters themselves alone.
    mfu
        Model FLOPs utilization: the model's own operations over those possible on all accelerators
        that are paid for.
    hfu
        Hardware FLOPs utilization: as `mfu`, with the operations that recomputation repeats.
    utilization
        Share of the accelerators' time spent computing; idle ones count.
    bubble_fraction
        Share of the step spent waiting for the pipeline.
    data_parallel_size
        Replicas of the model that the accelerators make.
    active_replicas
        Replicas that have a sequence to work on.
    microbatches
        Microbatches of the fullest replica.
    uneven_layers
        By how many layers a stage differs from another, where the design tells them apart.
    uneven_inner_layers
        By how many layers a stage between the ends of the pipeline has fewer than the fullest.
    uneven_recomputation
        By how many recomputed layers a stage differs from another, where they are told apart.
    accelerators_used
        Accelerators of all replicas.
    accelerators_total
        Accelerators that are paid for.
    parallelism
        Way to divide them -> its size.
    """

    step_latency_total: Milliseconds
    step_latency_compute: Milliseconds
    step_latency_tensor: Milliseconds
    step_latency_context: Milliseconds
    step_latency_expert: Milliseconds
    step_latency_pipeline: Milliseconds
    step_latency_data: Milliseconds
    step_latency_bubble: Milliseconds
    step_latency_optimizer: Milliseconds
    step_latency_offload: Milliseconds
    step_latency_straggler: Milliseconds
    effective_throughput: PerSecond
    tokens_per_step: int
    memory_per_accelerator: Gigabytes
    memory_weights: Gigabytes
    memory_gradients: Gigabytes
    memory_optimizer: Gigabytes
    memory_activations: Gigabytes
    memory_logits: Gigabytes
    memory_reserve: Gigabytes
    memory_capacity: Gigabytes
    host_memory_used: Gigabytes
    trained_parameters: int
    checkpoint_size: Gigabytes
    mfu: float
    hfu: float
    utilization: float
    bubble_fraction: float
    data_parallel_size: int
    active_replicas: int
    microbatches: int
    uneven_layers: int
    uneven_inner_layers: int
    uneven_recomputation: int
    accelerators_used: int
    accelerators_total: int
    parallelism: Mapping[str, Any]

    def time_breakdown(self) -> Mapping[str, Any]:
        """Give the parts of a step."""
        return parts_of(self, "step_latency_", without={"total"})

    def memory_breakdown(self) -> Mapping[str, Any]:
        """Give what the fullest accelerator holds, part by part."""
        return parts_of(self, "memory_", without={"per_accelerator", "capacity"})

    def layout_arithmetic(self) -> str:
        """Write the accelerators as the product of the ways to divide them."""
        return layout_text(self.accelerators_total, self.parallelism)

    def key_figures(self) -> str:
        """Write utilization, throughput of an accelerator, idle replicas, and what is offloaded."""
        each = self.effective_throughput.m_as("1/s") / self.accelerators_total
        idle = self.data_parallel_size - self.active_replicas
        told = [f"MFU {100 * self.mfu:.1f} %, {each:,.4g} tokens/s per accelerator"]
        if idle:
            told.append(f"{idle:,} of {self.data_parallel_size:,} replicas idle")
        if offloaded := self.host_memory_used.m_as("GB"):
            told.append(
                f"{offloaded:,.4g} GB of the memory of a node's hosts for what is offloaded"
            )
        return "; ".join(told)


def time_metrics(time: StepTime, tokens: Any) -> dict[str, Any]:
    """Give the metrics that are times, and the throughput."""
    total = time.total
    return {
        "step_latency_total": milliseconds(total),
        "step_latency_compute": milliseconds(time.compute),
        "step_latency_tensor": milliseconds(time.tensor),
        "step_latency_context": milliseconds(time.context),
        "step_latency_expert": milliseconds(time.expert),
        "step_latency_pipeline": milliseconds(time.pipeline),
        "step_latency_data": milliseconds(time.data),
        "step_latency_bubble": milliseconds(time.bubble),
        "step_latency_optimizer": milliseconds(time.optimizer),
        "step_latency_offload": milliseconds(time.offload),
        "step_latency_straggler": milliseconds(time.straggler),
        "effective_throughput": per_second(tokens / total),
        "tokens_per_step": tokens,
        "bubble_fraction": time.bubble / total,
    }


def memory_metrics(memory: Memory, total: Any, capacity: Any, offloaded: Any) -> dict[str, Any]:
    """Give the metrics that are amounts of memory."""
    return {
        "memory_per_accelerator": gigabytes(total),
        "memory_weights": gigabytes(memory.weights),
        "memory_gradients": gigabytes(memory.gradients),
        "memory_optimizer": gigabytes(memory.optimizer),
        "memory_activations": gigabytes(memory.activations),
        "memory_logits": gigabytes(memory.logits),
        "memory_reserve": gigabytes(memory.reserve),
        "memory_capacity": gigabytes(capacity),
        "host_memory_used": gigabytes(offloaded),
    }


def layout_metrics(design: TrainingDesign, layout: Layout) -> dict[str, Any]:
    """Give the metrics that are counts."""
    return {
        "data_parallel_size": layout.data,
        "active_replicas": layout.replicas,
        "microbatches": layout.microbatches,
        "uneven_layers": uneven(design, layout.groups, "layers"),
        "uneven_inner_layers": uneven_inside(design, layout.groups),
        "uneven_recomputation": uneven(design, layout.groups, "recompute_layers"),
        "accelerators_used": layout.used,
        "accelerators_total": layout.accelerators,
    }


def use_metrics(
    layout: Layout, time: StepTime, batch: Any, model_flops: Any, extra_flops: Any, peak: Any
) -> dict[str, Any]:
    """Give the metrics that are shares of what was paid for."""
    total = time.total
    # A layout larger than the fleet is infeasible; its shares are those of a fleet that held it.
    paid = maximum(layout.accelerators, layout.used)
    occupied = batch * layout.used / (layout.sequences * layout.data * paid)
    return {
        "mfu": flops_utilization(model_flops, total, paid, peak),
        "hfu": flops_utilization(model_flops + extra_flops, total, paid, peak),
        "utilization": occupied * time.compute / total,
    }
