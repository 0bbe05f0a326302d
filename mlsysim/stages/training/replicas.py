"""What replicas do together: exchange gradients and weights, and update the weights."""

from typing import Any

from mlsysim.expr.functions import maximum, minimum, select, where
from mlsysim.physics import collectives, data_parallel, schedule, state
from mlsysim.physics.state import ZeroStage
from mlsysim.stages.training.compute import Passes
from mlsysim.stages.training.levels import CollectiveGroup, group_of
from mlsysim.stages.training.run import TrainingRun, Work
from mlsysim.stages.training.stacks import messages_per_exchange


def data_time(run: TrainingRun, work: Work, passes: Passes, beside: Any) -> Any:
    """Time the traffic between replicas that computation does not hide, per step.

    Gradients hide under the last microbatch's backward pass and new weights
    under the first one's forward pass, however many microbatches there are, or under those
    of several where the schedule interleaves chunks;
    what each microbatch exchanges hides under its own passes.  Under ``overlap="none"``
    nothing hides; computation that hides other traffic (`beside`, per microbatch) hides none of
    this.  Sharded weights are copied to where they are gathered, and gradients
    to where they are scattered from.
    """
    stage, exposure = run.design.zero_stage, run.calibration.exposure
    hidden = select(run.design.overlap, {"none": 0.0, "data": 1.0, "all": 1.0})
    felt = 1.0 - hidden * (1.0 - exposure)
    gradients = _gather_time(run, work, minimum(run.gradient, 4))
    weights = _gather_time(run, work, run.width.weight)
    # Most of what goes on within a replica is in the backward pass.
    backward = hidden * maximum(passes.backward - beside, 0.0)
    forward = hidden * (passes.forward - maximum(beside - passes.backward, 0.0))
    wider = backward + where(stage >= ZeroStage.WEIGHTS, forward, 0.0)
    often = data_parallel.microbatch_traffic(stage, gradients, weights)
    copied = data_parallel.microbatch_traffic(stage, 2 * run.gradient, 2 * run.width.weight)
    copies = (work.exchanged + work.exchanged_routed) * copied / run.machine.memory_rate
    several = schedule.hiding_passes(
        run.layout.microbatches, run.design.pp_size, run.design.virtual_stages
    )
    return (
        run.layout.microbatches * (copies + data_parallel.overlapped_time(often, wider, felt))
        + data_parallel.overlapped_time(
            data_parallel.step_gradients(stage, gradients), several * backward, felt
        )
        + data_parallel.overlapped_time(
            data_parallel.step_weights(stage, weights), several * forward, felt
        )
    )


def optimizer_time(run: TrainingRun, work: Work) -> Any:
    """Time the update of the weights that an accelerator is responsible for.

    Gradients are made ready on the accelerator, wherever the optimizer is.
    """
    layout, stage = run.layout, run.design.zero_stage
    own = work.exchanged / state.shards(stage, ZeroStage.OPTIMIZER, layout.shards)
    routed = work.exchanged_routed / state.shards(
        stage, ZeroStage.OPTIMIZER, layout.expert_replicas
    )
    rate = where(
        run.design.optimizer_offload, run.calibration.host_bandwidth, run.machine.memory_rate
    )
    update = state.optimizer_traffic(own + routed, run.state) / rate
    readied = state.gradient_traffic(own + routed, run.state.gradient)
    return update + readied / run.machine.memory_rate


def _gather_time(run: TrainingRun, work: Work, width: Any) -> Any:
    """Time the exchange of all that an accelerator holds: shared parts, and its experts'.

    Experts have groups of their own: those that hold the same ones.  It travels in the messages of
    the framework, each of which goes round the whole ring.
    """
    layout, design = run.layout, run.design
    common = group_of(run, layout.shards, design.tp_size)
    alike = group_of(run, layout.expert_replicas, layout.expert_shards)
    common_time = _exchange_time(run, work.exchanged, layout.layers, layout.shards, common, width)
    routed_time = _exchange_time(
        run, work.exchanged_routed, run.on_stage("routed"), layout.expert_replicas, alike, width
    )
    return common_time + where(work.exchanged_routed > 0, routed_time, 0.0)


def _exchange_time(
    run: TrainingRun, parameters: Any, layers: Any, members: Any, group: CollectiveGroup, width: Any
) -> Any:
    """Time the exchange of some parameters: at once, or in the messages of the framework."""
    stack, machine = run.design.stack, run.machine
    levels = (group.together, group.domains, group.inside, group.across)
    if stack is None:
        return group.overhead + collectives.gather_time(parameters * width, *levels)
    return collectives.ring_exchange_time(
        parameters * width,
        messages_per_exchange(stack, parameters, run.layout.held * layers, members),
        *levels,
        (machine.bulk_link_latency, machine.bulk_network_latency),
    )
