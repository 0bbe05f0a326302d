"""What replicas do together: exchange gradients and weights, and update the weights."""

from collections.abc import Sequence
from typing import Any

from mlsysim.expr.functions import maximum, minimum, select, where
from mlsysim.physics import collectives, data_parallel, schedule, state
from mlsysim.physics.state import OPTIMIZERS, ZeroStage
from mlsysim.stages.training.compute import Passes
from mlsysim.stages.training.levels import CollectiveGroup, group_of
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.stacks import messages_per_exchange
from mlsysim.stages.training.work import Work


def data_time(run: TrainingRun, work: Work, passes: Passes, beside: Any) -> Any:
    """Time the traffic between replicas that computation does not hide, per step.

    Gradients hide under the last microbatch's backward pass and new weights
    under the first one's forward pass, however many microbatches there are, or under those
    of several where the schedule interleaves chunks;
    what each microbatch exchanges hides under its own passes, and leaves the rest of its backward
    pass to the sum over copies of the state.  Under ``overlap="none"``
    nothing hides; computation that hides other traffic (`beside`, per microbatch) hides none of
    this.  Sharded weights are copied to where they are gathered, and gradients
    to where they are scattered from.
    """
    stage, exposure = run.design.zero_stage, run.calibration.exposure
    hidden = select(run.design.overlap, {"none": 0.0, "data": 1.0, "all": 1.0})
    felt = 1.0 - hidden * (1.0 - exposure)
    counts = (work.exchanged, work.exchanged_routed)
    narrow = minimum(run.gradient, 4)
    gradients = _gather_time(run, counts, [count * narrow for count in counts])
    updated = _gather_time(run, counts, [count * run.width.weight for count in counts])
    whole = updated
    shared = (work.shared, work.shared_routed)
    if run.is_partly_frozen:
        whole = _gather_time(run, [size / run.width.weight for size in shared], shared)
    # Most of what goes on within a replica is in the backward pass.
    backward = hidden * maximum(passes.backward - beside, 0.0)
    forward = hidden * (passes.forward - maximum(beside - passes.backward, 0.0))
    wider = backward + where(stage >= ZeroStage.WEIGHTS, forward, 0.0)
    often = data_parallel.microbatch_traffic(stage, gradients, whole) + _fetching_time(run, work)
    free = minimum(backward, maximum(wider - (1 - felt) * often, 0.0))
    summed = 2 * _copies_time(run, counts, narrow)
    copied = data_parallel.microbatch_traffic(
        stage, 2 * run.gradient * sum(counts), 2 * sum(shared)
    )
    copies = copied / run.machine.memory_rate
    several = schedule.hiding_passes(
        run.layout.microbatches, run.design.pp_size, run.design.virtual_stages
    )
    return (
        run.layout.microbatches * (copies + data_parallel.overlapped_time(often, wider, felt))
        + data_parallel.overlapped_time(
            data_parallel.step_gradients(stage, gradients) + summed, several * free, felt
        )
        + data_parallel.overlapped_time(
            data_parallel.step_weights(stage, updated), several * forward, felt
        )
    )


def _fetching_time(run: TrainingRun, work: Work) -> Any:
    """Time the way of an accelerator's shards from its host, in both passes of a microbatch."""
    stage, layout = run.design.zero_stage, run.layout
    own = work.shared / state.shards(stage, ZeroStage.WEIGHTS, layout.shards)
    routed = work.shared_routed / state.shards(stage, ZeroStage.WEIGHTS, layout.expert_replicas)
    read = 2 * (own + routed) / run.calibration.host_bandwidth
    return where(run.design.parameter_offload, read, 0.0)


def optimizer_time(run: TrainingRun, work: Work) -> Any:
    """Time the update of the weights that an accelerator is responsible for.

    Gradients are made ready on the accelerator, wherever the optimizer is.
    """
    layout, stage = run.layout, run.design.zero_stage
    own = state.shards(stage, ZeroStage.OPTIMIZER, layout.shards)
    tables = work.trained_tables / own
    layers = work.exchanged_layers / own + work.exchanged_routed / state.shards(
        stage, ZeroStage.OPTIMIZER, layout.expert_replicas
    )
    rate = where(
        run.design.optimizer_offload, run.calibration.host_bandwidth, run.machine.memory_rate
    )
    update = state.optimizer_traffic(layers, tables, run.state) / rate
    readied = state.gradient_traffic(layers + tables, run.state.gradient)
    return update + readied / run.machine.memory_rate + _orthogonal_time(run)


def _orthogonal_time(run: TrainingRun) -> Any:
    """Time Muon's products, which accelerators that share an optimizer share by whole matrices."""
    stage, layout, tensor = run.design.zero_stage, run.layout, run.design.tp_size
    upper = run.trained_part if run.has_frozen_layers else run
    rank = run.design.adapter_rank
    if rank is None:
        own = upper.on_stage("orthogonalization")
        routed = upper.on_stage("routed_orthogonalization")
    else:
        sides, thin = upper.on_stage("adapter_matmul"), upper.on_stage("adapters")
        own = state.thin_orthogonalization(rank, sides, thin)
        routed = state.thin_orthogonalization(rank, upper.on_stage("adapter_experts"), 0)
    owners = state.shards(stage, ZeroStage.OPTIMIZER, layout.shards)
    alike = state.shards(stage, ZeroStage.OPTIMIZER, layout.expert_replicas)
    operations = own / tensor / owners + routed / layout.expert_shards / alike
    rate = run.machine.wide_peak * run.wide_efficiency
    muon = {name: name == "muon" for name in OPTIMIZERS}
    return where(select(run.design.optimizer, muon), layout.held * operations / rate, 0.0)


def _gather_time(run: TrainingRun, counts: Sequence[Any], sizes: Sequence[Any]) -> Any:
    """Time the exchange of parameters of so many bytes: shared parts, and an accelerator's experts.

    Experts have groups of their own: those that hold the same ones.  It travels in the messages of
    the framework, each of which goes round the whole ring.
    """
    layout, design = run.layout, run.design
    common = group_of(run, layout.shards, design.tp_size)
    alike = group_of(run, layout.expert_replicas, layout.expert_shards)
    count, routed = counts
    size, routed_size = sizes
    common_time = _exchange_time(run, count, size, layout.layers, layout.shards, common)
    routed_time = _exchange_time(
        run, routed, routed_size, run.on_stage("routed"), layout.expert_replicas, alike
    )
    return common_time + where(routed > 0, routed_time, 0.0)


def _copies_time(run: TrainingRun, counts: Sequence[Any], width: Any) -> Any:
    """Time half of the sum over the copies of the state, of what an accelerator has of it.

    Whatever the framework divides is whole there, and is summed in large buckets.
    """
    layout, design = run.layout, run.design
    if design.zero_group is None:
        return 0.0
    common = group_of(run, layout.copies, layout.shards * design.tp_size)
    alike = group_of(run, layout.expert_copies, layout.expert_replicas * layout.expert_shards)
    count, routed = counts[0] / layout.shards, counts[1] / layout.expert_replicas
    routed_time = _sum_time(routed * width, alike)
    return _sum_time(count * width, common) + where(routed > 0, routed_time, 0.0)


def _sum_time(size: Any, group: CollectiveGroup) -> Any:
    """Time a reduce-scatter, or a gather, of so many bytes in one message."""
    levels = (group.together, group.domains, group.inside, group.across)
    return group.overhead + collectives.gather_time(size, *levels)


def _exchange_time(
    run: TrainingRun, parameters: Any, size: Any, layers: Any, members: Any, group: CollectiveGroup
) -> Any:
    """Time the exchange of some parameters: at once, or in the messages of the framework."""
    stack, machine = run.design.stack, run.machine
    levels = (group.together, group.domains, group.inside, group.across)
    if stack is None:
        return _sum_time(size, group)
    return collectives.ring_exchange_time(
        size,
        messages_per_exchange(stack, parameters, run.layout.held * layers, members),
        *levels,
        (machine.bulk_link_latency, machine.bulk_network_latency),
    )
