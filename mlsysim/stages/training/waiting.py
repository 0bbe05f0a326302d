"""What waits for the backward pass: on the accelerator, or in the host's memory."""

from typing import Any

from mlsysim.expr.functions import floor, maximum, minimum, select, where
from mlsysim.physics import activations
from mlsysim.physics.data_parallel import exposed_time
from mlsysim.stages.training.compute import Passes
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.work import Work

_AT_HAND = 2
"""Layers whose activations are on the accelerator all the same: at work, and on their way."""


def offloads(run: TrainingRun) -> bool:
    """Tell whether activations may wait in the host's memory."""
    share: Any = run.design.activation_offload
    return not (isinstance(share, int | float) and share == 0)


def share_away(run: TrainingRun, layers: Any, alive: Any) -> Any:
    """Give the share of the waiting activations that is not on the accelerator."""
    return run.design.activation_offload * maximum(1 - _AT_HAND / maximum(layers * alive, 1), 0)


def offloading_time(run: TrainingRun, work: Work, passes: Passes) -> Any:
    """Time a microbatch's way to the host and back that its own passes do not hide (s).

    It goes beside the forward pass, and comes back beside the backward one, by engines that copy
    and take nothing from computation (NVIDIA, Transformer Engine, "CPU Offloading").
    """
    if not offloads(run):
        return 0.0
    upper = run.trained_part if run.has_frozen_layers else run
    kept = stored(run, work, upper.layout.layers, upper.layout.other_layers)
    one_way = run.design.activation_offload * kept / run.calibration.host_bandwidth
    beside = sum(exposed_time(one_way, window) for window in (passes.forward, passes.backward))
    return select(run.design.overlap, {"none": 2 * one_way, "data": beside, "all": beside})


def offload_beyond(run: TrainingRun, offload: Any, messages: Any) -> Any:
    """Give what is waited for the host beyond what is waited for other accelerators (s).

    Both go on beside the same passes, over links of their own: what is not hidden of them is
    waited for at once, so that the longer one counts.
    """
    if not offloads(run):
        return 0.0
    beyond = maximum(offload - messages, 0.0)
    return select(run.design.overlap, {"none": offload, "data": beyond, "all": beyond})


def stored(run: TrainingRun, work: Work, layers: Any, others: Any) -> Any:
    """Measure what a stage keeps of one microbatch for its backward pass (byte).

    Parameters
    ----------
    run, work
        The run.
    layers, others
        Layers of the stage that have a backward pass, and those that do not stand in front.
    """
    kept, selected, projected, checkpoint = (
        run.over(work.each(figure), layers, others)
        for figure in ("kept", "selected", "projected", "checkpoint")
    )
    if run.design.recompute_layers is not None:
        checkpoint = kept - _dropped(run, work, layers, others)
    return activations.stored_activations(
        run.design.recompute, kept, selected, projected, checkpoint
    )


def _dropped(run: TrainingRun, work: Work, held: Any, others: Any) -> Any:
    """Measure what the first layers of each chunk of a stage need not keep, by their kinds."""
    design = run.design
    chunk = maximum(held, 1) / design.virtual_stages
    each = minimum(design.recompute_layers, held / design.virtual_stages)
    layers = each * design.virtual_stages
    dense = held - others
    # Dense layers stand before the others: they fill whole chunks, and begin one.
    filled = floor(dense / chunk)
    in_front = filled * each + minimum(each, dense - filled * chunk)
    repeated = where(run.shape.spread, layers * dense / maximum(held, 1), in_front)
    kept, checkpoint = (
        run.over(work.each(figure), layers, layers - repeated) for figure in ("kept", "checkpoint")
    )
    return kept - checkpoint
