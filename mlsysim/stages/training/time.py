"""Time of a training step, part by part, for the fullest stage of the fullest replica."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import log2, maximum, select
from mlsysim.physics import schedule
from mlsysim.stages.training.communication import Messages, forward_messages, messages_of
from mlsysim.stages.training.compute import Passes, head_time, layers_time, with_frozen
from mlsysim.stages.training.replicas import data_time, optimizer_time
from mlsysim.stages.training.run import ForwardFlops, TrainingRun, Work, work_of


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """The parts of a step, in seconds; they add up to it."""

    compute: Any
    tensor: Any
    context: Any
    expert: Any
    pipeline: Any
    data: Any
    bubble: Any
    optimizer: Any
    straggler: Any

    @property
    def total(self) -> Any:
        """The whole step."""
        work = self.compute + self.tensor + self.context + self.expert + self.pipeline
        return work + self.data + self.bubble + self.optimizer + self.straggler


def time_of(run: TrainingRun, work: Work, arithmetic: ForwardFlops) -> StepTime:
    """Assemble the step: ``m (τ + head) + bubble + exposed traffic + optimizer``, and its jitter.

    τ is what one microbatch takes on the fullest stage: computation, the
    collectives within the replica and the stage's boundary.  The head
    stands on a lightest stage; only what it takes beyond that stage's slack counts.
    Everyone waits for the slowest, the longer the more there are.
    """
    layout = run.layout
    passes, messages = _within_replica(run, work, arithmetic)
    within = passes.whole + messages.tensor + messages.context + messages.expert
    spare = layout.slack * within / layout.layers
    # Where a pipeline is entered at both ends, each end has the head for half of the microbatches.
    head = maximum(head_time(run, work, arithmetic) - spare, 0.0) / layout.held
    often = layout.microbatches
    steady = {
        "compute": often * (passes.whole + head),
        "tensor": often * messages.tensor,
        "context": often * messages.context,
        "expert": often * messages.expert,
        "pipeline": often * messages.boundary,
        "data": data_time(run, work, passes, messages.hidden),
        "bubble": _bubble(run, passes, messages, within + messages.boundary),
        "optimizer": optimizer_time(run, work),
    }
    delay = run.calibration.jitter * log2(layout.used)
    return StepTime(**steady, straggler=delay * sum(steady.values()))


def _within_replica(
    run: TrainingRun, work: Work, arithmetic: ForwardFlops
) -> tuple[Passes, Messages]:
    """Time a microbatch in the layers of the stage, and what it waits for there."""
    if not run.has_frozen_layers:
        passes = layers_time(run, work, arithmetic)
        return passes, messages_of(run, work, passes)
    upper, lower = run.trained_part, run.frozen_part
    above, below = work_of(upper), work_of(lower)
    trained = layers_time(upper, above, arithmetic)
    passes = with_frozen(trained, layers_time(lower, below, arithmetic))
    return passes, messages_of(upper, above, trained) + forward_messages(lower, below)


def _bubble(run: TrainingRun, passes: Passes, messages: Messages, stage_time: Any) -> Any:
    """Time that the pipeline takes to fill and drain.

    Gradients of weights beside which messages go on are not free to fill it.  Where microbatches
    enter at both ends, a message counts with the passes that run together, and no second time
    with a backward pass alone: a faster forward pass, which hides less of it, is no loss then.
    """
    design = run.design
    usual = schedule.bubble_time(stage_time, design.pp_size, design.virtual_stages)
    often = run.layout.microbatches
    weights = maximum(passes.weight_gradients - messages.beside_gradients, 0.0)
    filled = schedule.zero_bubble_time(stage_time, weights, design.pp_size, often)
    both_ends = schedule.bidirectional_bubble_time(
        stage_time, passes.backward, weights, design.pp_size, often
    )
    return select(
        design.schedule,
        {"1f1b": usual, "interleaved": usual, "zero-bubble": filled, "dualpipe": both_ends},
    )
