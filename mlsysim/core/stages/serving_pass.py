"""How long one pass of a model over some tokens takes, on the fullest pipeline stage."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.serving_calibration import Runtime, ServingCalibration
from mlsysim.core.stages.serving_choices import ServingChoices, ServingLayout
from mlsysim.core.stages.serving_formats import WIDE_BYTES
from mlsysim.core.stages.serving_machine import ServingMachine
from mlsysim.core.stages.serving_shape import ServingShape
from mlsysim.expr.functions import maximum, minimum, where
from mlsysim.physics.collectives import all_reduce_time, gather_time, mesh_bandwidth
from mlsysim.physics.flops import matmul_flops
from mlsysim.physics.serving import overlapped_time, touched_experts


@dataclass(frozen=True, kw_only=True)
class ServingRun:
    """Everything about a replica that the formulas need."""

    choices: ServingChoices
    layout: ServingLayout
    shape: ServingShape
    machine: ServingMachine
    runtime: Runtime
    calibration: ServingCalibration


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a pass has to do for one attention group, over all layers.

    Parameters
    ----------
    tokens
        Tokens that it computes.
    sampled
        Tokens for which it computes logits.
    core_flops
        Operations of the attention core.
    cache_bytes
        Keys and values that it reads.
    yielding
        Sequences whose tokens the process of an attention group handles.
    """

    tokens: Any
    sampled: Any
    core_flops: Any
    cache_bytes: Any
    yielding: Any


@dataclass(frozen=True, kw_only=True)
class PassTime:
    """Time of a pass on one stage (s): the sum of the parts.

    Parameters
    ----------
    weights
        Matrix products: their arithmetic, overlapped with reading the weights.
    attention
        The attention core: the longer of its arithmetic and of reading the cache.
    activations
        Element-wise kernels.
    collectives
        Communication within the stage.
    overhead
        What the runtime adds.
    head
        The part of `weights` that only the last stage has.
    """

    weights: Any
    attention: Any
    activations: Any
    collectives: Any
    overhead: Any
    head: Any

    @property
    def total(self) -> Any:
        """The sum of the parts."""
        return self.weights + self.attention + self.activations + self.collectives + self.overhead


def time_of_pass(run: ServingRun, load: Load) -> PassTime:
    """Time a pass, roofline by roofline.

    The attention matrices, the dense MLPs, the experts, the head and the attention core
    each have their own: a decode pass can be bound by arithmetic in one and by memory in
    another.
    """
    layout, shape, runtime = run.layout, run.shape, run.runtime
    share = layout.stage_share
    head = _head(run, load)
    experts = shape.expert_layers * runtime.expert_time
    return PassTime(
        weights=share * (_attention_matrices(run, load) + _mlp(run, load)) + head,
        attention=share * _core(run, load),
        activations=share * _activations(run, load),
        collectives=share * _collectives(run, load),
        overhead=(runtime.step_time + load.yielding * runtime.sequence_time) / run.choices.pipeline
        + share * (shape.layers * runtime.layer_time + experts),
        head=head,
    )


def _product(run: ServingRun, weights: Any, tokens: Any, width: Any, rate: Any) -> Any:
    """Time products of tokens with weights that are read once."""
    reading = weights * width / run.machine.memory_rate
    return overlapped_time(matmul_flops(weights, tokens) / rate, reading)


def _attention_matrices(run: ServingRun, load: Load) -> Any:
    choices, shape, machine = run.choices, run.shape, run.machine
    kept = shape.query_parameters / choices.tensor
    # Key-value heads beyond which tensor parallelism repeats them.
    kept = kept + shape.cache_parameters / minimum(choices.tensor, shape.cache_parts)
    each = _product(run, kept, load.tokens, choices.attention_width, machine.attention_rate)
    return shape.layers * each


def _mlp(run: ServingRun, load: Load) -> Any:
    choices, shape, machine = run.choices, run.shape, run.machine
    width, rate = choices.weight_width, machine.matmul_rate
    dense = _product(run, shape.dense_parameters / choices.tensor, load.tokens, width, rate)
    shared = _product(run, shape.shared_parameters / choices.tensor, load.tokens, width, rate)
    router = shape.router_parameters / choices.tensor
    shared = shared + _product(run, router, load.tokens, WIDE_BYTES, machine.wide_rate)
    visits = load.tokens * choices.attention
    touched = touched_experts(shape.experts, shape.log_missed, visits)
    uneven = where(choices.expert > 1, run.calibration.expert_imbalance, 1.0)
    part = uneven * shape.expert_parameters / run.layout.group
    reading = touched * part * width / machine.memory_rate
    rate = rate * choices.expert_rate
    arithmetic = matmul_flops(part, visits * shape.experts_per_token) / rate
    routed = overlapped_time(arithmetic, reading)
    return shape.dense_layers * dense + shape.expert_layers * (shared + routed)


def _head(run: ServingRun, load: Load) -> Any:
    weights = run.shape.head_parameters / run.choices.tensor
    return _product(run, weights, load.sampled, WIDE_BYTES, run.machine.wide_rate)


def _core(run: ServingRun, load: Load) -> Any:
    choices, machine = run.choices, run.machine
    arithmetic = load.core_flops / choices.tensor / machine.core_rate
    parts = minimum(choices.tensor, run.shape.cache_parts)
    return maximum(arithmetic, load.cache_bytes / parts / machine.memory_rate)


def _activations(run: ServingRun, load: Load) -> Any:
    shape = run.shape
    numbers = shape.moved + shape.moved_divided / run.choices.tensor
    moved = run.calibration.activation_passes * WIDE_BYTES * load.tokens * numbers
    return shape.layers * moved / run.machine.memory_rate


def _collectives(run: ServingRun, load: Load) -> Any:
    """Time what a stage exchanges: two all-reduces per layer, or all-to-alls around experts."""
    choices, layout, shape, machine = run.choices, run.layout, run.shape, run.machine
    message = load.tokens * shape.hidden * WIDE_BYTES
    link = mesh_bandwidth(
        machine.link_bandwidth, layout.together, machine.domain, machine.full_mesh
    )
    network = (machine.network_bandwidth, machine.network_latency)
    inside = (link, machine.link_latency)
    steps = all_reduce_time(message, layout.together, layout.across, inside, network)
    start = machine.collective_start
    reduce = where(choices.tensor > 1, start + steps, 0.0)
    # Behind attention in groups, every token travels to its experts and back.
    wide = mesh_bandwidth(
        machine.link_bandwidth, layout.group_together, machine.domain, machine.full_mesh
    )
    copies = minimum(shape.experts_per_token, layout.group)
    travel = gather_time(
        message / choices.tensor * copies,
        layout.group_together,
        layout.group_across,
        (wide, machine.link_latency),
        network,
    )
    apart = choices.attention > 1
    around = where(apart, 2 * (start + travel), reduce)
    return shape.layers * reduce + shape.dense_layers * reduce + shape.expert_layers * around
