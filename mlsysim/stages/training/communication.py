"""Time of the communication within a replica, for one microbatch on the fullest stage."""

from dataclasses import dataclass, fields
from typing import Any

from mlsysim.expr.functions import logical_or, maximum, minimum, select, where
from mlsysim.physics import collectives, schedule
from mlsysim.physics.activations import FP8_BYTES
from mlsysim.physics.data_parallel import overlapped_time
from mlsysim.physics.flops import core_passes, repeated_layers
from mlsysim.stages.training.compute import Passes
from mlsysim.stages.training.experts import network_of, queueing_of, sorting_traffic
from mlsysim.stages.training.levels import CollectiveGroup, group_of, local_bandwidth
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.work import Work


@dataclass(frozen=True, kw_only=True)
class Messages:
    """What a microbatch waits for on the fullest stage, by the kind of parallelism (s).

    `hidden` is what of all these runs beside computation, which hides nothing else then;
    `beside_gradients` is what of it runs beside gradients of weights, which then cannot wait for
    a bubble.
    """

    tensor: Any
    context: Any
    expert: Any
    boundary: Any
    hidden: Any
    beside_gradients: Any

    @property
    def inside(self) -> Any:
        """What goes on in the layers of the stage: all but the boundary."""
        return self.tensor + self.context + self.expert

    def __add__(self, other: "Messages") -> "Messages":
        return Messages(
            **{
                item.name: getattr(self, item.name) + getattr(other, item.name)
                for item in fields(self)
            }
        )


def messages_of(run: TrainingRun, work: Work, passes: Passes) -> Messages:
    """Time what computation does not hide of each.

    Under ``overlap="all"`` collectives run beside the products of the same layers, save the
    all-reduces of tensor parallelism without sequence parallelism, on which the next
    operation waits.  Ring attention overlaps under any setting but ``"none"``.  Products
    that hide one kind do not hide the next.
    """
    design, exposure = run.design, run.calibration.exposure
    everything = select(design.overlap, {"none": False, "data": False, "all": True})
    something = select(design.overlap, {"none": False, "data": True, "all": True})
    window = passes.other_products + passes.weight_gradients
    expert = _expert_time(run, work)
    boundary = _boundary_time(run, work)
    # Keys and values travel in the forward pass, they and their gradients in the backward one.
    forward, latency = _ring_time(run, work)
    ring = overlapped_time(forward, passes.core + passes.idle_forward, exposure) + overlapped_time(
        2 * forward,
        (core_passes(design.attention, "none") - 1) * passes.core + passes.idle_inputs,
        exposure,
    )
    tensor, ahead, behind = _tensor_time(run, work, passes)
    beside_products = ahead + behind
    context = where(something, ring, 3 * forward)
    window = maximum(window - beside_products, 0.0)
    felt = where(everything, overlapped_time(expert, window, exposure), expert)
    window = maximum(window - (expert - felt), 0.0)
    crossing = where(everything, overlapped_time(boundary, window, exposure), boundary)
    beside_products = beside_products + (expert - felt) + (boundary - crossing)
    return Messages(
        tensor=tensor,
        context=3 * latency + context,
        expert=felt,
        boundary=crossing,
        hidden=beside_products + (3 * forward - context),
        beside_gradients=maximum(behind, beside_products - passes.other_products),
    )


def forward_messages(run: TrainingRun, work: Work) -> Messages:
    """Time those of the forward pass alone, of layers that have no other; nothing hides them."""
    nothing = 0.0
    forward, latency = _ring_time(run, work)
    tensor, context = 4 * _tensor_gathers(run, work), latency + forward
    expert = 2 * run.on_stage("routed") * _expert_exchange(run, work)
    return Messages(
        tensor=tensor,
        context=context,
        expert=expert,
        boundary=nothing,
        hidden=nothing,
        beside_gradients=nothing,
    )


def _tensor_time(run: TrainingRun, work: Work, passes: Passes) -> tuple[Any, Any, Any]:
    """Time the collectives of tensor parallelism that computation does not hide, and the rest.

    The rest is what is hidden in the forward pass, and what beside gradients of weights.

    Two all-reduces in each pass of a layer (Shoeybi et al. 2019, section 3), and in a
    repeated forward pass two more.  Sequence parallelism replaces each by a
    reduce-scatter and an all-gather, and gathers two inputs again in the
    backward pass; those of the backward pass run beside the gradients of weights unless
    nothing overlaps (Korthikanti et al. 2022, section 4.2.2), and those of
    sequence parallelism beside all products if everything does.  Experts that are dealt out
    whole have none, which leaves attention's half.
    """
    design, exposure = run.design, run.calibration.exposure
    once = _tensor_gathers(run, work)
    repeated = repeated_layers(design.recompute, run.repeated(run.layout.layers))
    forward = 4 * (1 + repeated) * once
    backward = where(design.sequence_parallel, 6, 4) * once
    beside = overlapped_time(backward, passes.weight_gradients, exposure)
    ahead = overlapped_time(
        forward, (1 + repeated) * passes.products + passes.idle_forward, exposure
    )
    ahead = where(design.sequence_parallel, ahead, forward)
    first = select(design.overlap, {"none": forward, "data": forward, "all": ahead})
    second = select(design.overlap, {"none": backward, "data": beside, "all": beside})
    return first + second, forward - first, backward - second


def _tensor_gathers(run: TrainingRun, work: Work) -> Any:
    """Time half an all-reduce of each layer."""
    halves = where(run.design.ep_size > 1, 0.5 * run.on_stage("routed"), 0.0)
    return (0.5 * run.on_stage("blocks") - halves) * tensor_gather(run, work)


def tensor_gather(run: TrainingRun, work: Work) -> Any:
    """Time an all-gather (or a reduce-scatter) of a microbatch within a tensor-parallel group."""
    group = group_of(run, run.design.tp_size, 1)
    return group.overhead + collectives.gather_time(
        _message(run, work), group.together, group.domains, group.inside, group.across
    )


def _expert_time(run: TrainingRun, work: Work) -> Any:
    """Time the all-to-alls that take tokens to their experts and back, twice for both passes."""
    design = run.design
    times = 4 + 2 * repeated_layers(design.recompute, run.repeated(run.layout.layers))
    return run.on_stage("routed") * times * _expert_exchange(run, work)


def _expert_exchange(run: TrainingRun, work: Work) -> Any:
    """Time the all-to-all of one layer, one way.

    Tokens on their way to experts, and their gradients on the same way, may be in 8 bits; what
    comes back is added up and stays wide (DeepSeek-V3, arXiv 2412.19437, section 3.3.2).
    """
    design, shape = run.design, run.shape
    group = group_of(run, design.ep_size, 1)
    token = run.calibration.imbalance * work.tokens / design.tp_size
    wide = run.width.weight
    there = select(design.dispatch, {"wide": wide, "fp8": FP8_BYTES})
    token = token * (there + wide) / 2 * shape.expert_hidden
    held = token * shape.experts_per_token / group.domains
    reach = collectives.domains_in_reach(group.domains, shape.expert_groups, shape.groups_per_token)
    sent = token * collectives.copies_leaving(shape.experts_per_token, group.domains, reach)
    bandwidth, latency = group.across
    bandwidth = network_of(design.dispatcher, bandwidth, run.calibration.network_efficiency)
    copies = work.tokens / design.tp_size * shape.experts_per_token
    sorting = sorting_traffic(design.dispatcher, copies, shape.expert_hidden * wide)
    there_and_back = collectives.all_to_all_time(
        (held, sent), group.together, group.domains, group.inside, (bandwidth, latency)
    )
    waited = queueing_of(design.graphs, design.overlap) * (group.overhead + there_and_back)
    # Where nobody is sent away, nothing is sorted for it.
    return waited + where(design.ep_size > 1, sorting / run.machine.memory_rate, 0.0)


def _ring_time(run: TrainingRun, work: Work) -> tuple[Any, Any]:
    """Time the keys and values of a forward pass on their ring: moving them, and the hops.

    ``c - 1`` steps, each of which passes on the keys and values of ``s/c`` tokens.  Liu et al.
    2023, arXiv 2310.01889.
    """
    design, shape = run.design, run.shape
    group = group_of(run, design.cp_size, design.tp_size)
    # Heads of keys and values are copied where there are fewer than accelerators.
    share = minimum(design.tp_size, shape.kv_heads)
    block = work.tokens * run.on_stage("ring_width") * run.width.weight / share
    bandwidth, latency = _slowest(group)
    steps = design.cp_size - 1
    return steps * block / bandwidth, run.layout.layers * steps * latency


def _slowest(group: CollectiveGroup) -> tuple[Any, Any]:
    apart = group.domains > 1
    return tuple(
        where(apart, far, near) for far, near in zip(group.across, group.inside, strict=True)
    )


def _boundary_time(run: TrainingRun, work: Work) -> Any:
    """Time a microbatch's way over a stage's boundary.

    Stages lie farthest apart of all ranks, so they use the network unless the
    whole run fits one domain.  Each accelerator of a tensor-parallel group
    sends its share, ``1/t`` of the message; without sequence parallelism the
    receivers then gather the whole (Narayanan et al. 2021, section 4.1), or each is sent all
    of it where the framework does not scatter.
    """
    design, machine = run.design, run.machine
    local = run.layout.used <= machine.domain
    divided = logical_or(design.sequence_parallel, design.scatter_gather)
    whole = where(design.scatter_gather, tensor_gather(run, work), 0.0)
    gather = where(design.sequence_parallel, 0.0, whole)
    return schedule.boundary_time(
        _message(run, work) / where(divided, design.tp_size, 1),
        design.pp_size,
        design.virtual_stages,
        where(local, local_bandwidth(machine, 2), machine.network_bandwidth),
        where(local, machine.link_latency, machine.network_latency) + gather,
    )


def _message(run: TrainingRun, work: Work) -> Any:
    """Measure a microbatch between two layers, on one context-parallel rank."""
    return work.tokens * run.width.weight * run.shape.hidden
