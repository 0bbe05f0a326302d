"""Time of a training step's communication: where each group sits, and what it sends."""

from typing import Any

from mlsysim.core.stages.machine import Machine
from mlsysim.core.stages.training_run import Run
from mlsysim.expr.functions import select, where
from mlsysim.physics import collectives, data_parallel, schedule
from mlsysim.physics.partition import members_together
from mlsysim.physics.state import ZeroStage


def tensor_time(run: Run, message: Any) -> Any:
    """Time the collectives of tensor parallelism in one layer, for one microbatch.

    Two all-reduces in each pass (Shoeybi et al. 2019, section 3), and in a
    repeated forward pass two more.  Sequence parallelism replaces each by a
    reduce-scatter and an all-gather, and gathers two inputs again in the
    backward pass (Korthikanti et al. 2022, section 4.2.2).

    Parameters
    ----------
    run
        The run.
    message
        Bytes of a microbatch between two layers.
    """
    reductions = select(run.choices.recompute, {"none": 4, "selective": 4, "full": 6})
    gathers = 2 * reductions + where(run.choices.sequence_parallel, 2, 0)
    return gathers * _tensor_gather(run, message)


def boundary_time(run: Run, message: Any) -> Any:
    """Time a microbatch's way over a stage's boundary.

    Stages lie farthest apart of all ranks, so they use the network unless the
    whole run fits one domain.  Each accelerator of a tensor-parallel group
    sends its share, ``1/t`` of the message; without sequence parallelism the
    receivers then gather the whole (Narayanan et al. 2021, section 4.1).

    Parameters
    ----------
    run
        The run.
    message
        Bytes of a microbatch between two layers.
    """
    choices, machine = run.choices, run.machine
    local = run.layout.used <= machine.domain
    gather = where(choices.sequence_parallel, 0.0, _tensor_gather(run, message))
    return schedule.boundary_time(
        message / choices.tensor,
        choices.pipeline,
        choices.virtual_stages,
        where(local, _inside(machine, 2)[0], machine.network_bandwidth),
        where(local, machine.link_latency, machine.network_latency) + gather,
    )


def data_time(run: Run, parameters: Any, forward: Any, backward: Any) -> Any:
    """Time the traffic between replicas that computation does not hide, per step.

    Gradients hide under the last microbatch's backward pass and new weights
    under the first one's forward pass, however many microbatches there are;
    what each microbatch exchanges hides under its own passes.

    Parameters
    ----------
    run
        The run.
    parameters
        Parameters of an accelerator.
    forward, backward
        Computation of a microbatch in the two passes.
    """
    stage, machine, layout = run.choices.zero_stage, run.machine, run.layout
    together = members_together(layout.replicas, run.choices.tensor, machine.domain, layout.used)
    domains = collectives.domains_spanned(layout.replicas, together)
    blocking = where(layout.used > machine.pod, machine.oversubscription, 1.0)
    across = (machine.network_bandwidth / blocking, machine.network_latency)
    inside = _inside(machine, together)
    gradients, weights = (
        collectives.gather_time(parameters * width, together, domains, inside, across)
        for width in (run.gradient, run.width.weight)
    )
    hiding = run.calibration.hiding
    wider = hiding * (backward + where(stage >= ZeroStage.WEIGHTS, forward, 0.0))
    often = data_parallel.microbatch_traffic(stage, gradients, weights)
    return (
        layout.microbatches * data_parallel.exposed_time(often, wider)
        + data_parallel.exposed_time(
            data_parallel.step_gradients(stage, gradients), hiding * backward
        )
        + data_parallel.exposed_time(data_parallel.step_weights(stage, weights), hiding * forward)
    )


def _tensor_gather(run: Run, message: Any) -> Any:
    """Time an all-gather (or a reduce-scatter) within a tensor-parallel group."""
    size, machine = run.choices.tensor, run.machine
    together = members_together(size, 1, machine.domain, run.layout.used)
    return collectives.gather_time(
        message,
        together,
        collectives.domains_spanned(size, together),
        _inside(machine, together),
        (machine.network_bandwidth, machine.network_latency),
    )


def _inside(machine: Machine, members: Any) -> tuple[Any, Any]:
    bandwidth = collectives.mesh_bandwidth(
        machine.link_bandwidth, members, machine.domain, machine.full_mesh
    )
    return bandwidth, machine.link_latency
