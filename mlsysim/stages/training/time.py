"""Time of a training step, part by part, for the slowest stage of the fullest replica."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mlsysim.expr.functions import log2, logical_and, logical_or, maximum, minimum, select, where
from mlsysim.physics import schedule
from mlsysim.stages.kinds import is_zero
from mlsysim.stages.training.arithmetic import ForwardFlops
from mlsysim.stages.training.communication import Messages, forward_messages, messages_of
from mlsysim.stages.training.compute import (
    Passes,
    embedding_time,
    head_time,
    layers_time,
    with_frozen,
)
from mlsysim.stages.training.replicas import data_time, optimizer_time
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.split import StageGroup
from mlsysim.stages.training.waiting import offload_beyond, offloading_time
from mlsysim.stages.training.work import Work, work_of

_ROUNDED = 1e-12


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """The parts of a step, in seconds, and the whole step, to which they add up."""

    compute: Any
    tensor: Any
    context: Any
    expert: Any
    pipeline: Any
    data: Any
    bubble: Any
    optimizer: Any
    offload: Any
    straggler: Any
    total: Any


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """What a microbatch takes on a stage.

    Parameters
    ----------
    run, work
        The stage.
    passes, messages
        Its layers, and what it waits for in them.
    ends
        The output head, as far as the stage has no time left for it, or what the embedding takes.
    other_ends
        What other stages with as many layers have of these.
    offload
        Activations on their way to the host and back.
    """

    run: TrainingRun
    work: Work
    passes: Passes
    messages: Messages
    ends: Any
    other_ends: Any
    offload: Any

    @property
    def layers(self) -> Any:
        """All but the head; a microbatch moves on while what it leaves is copied to the host."""
        return self.passes.whole + self.messages.inside + self.messages.boundary

    @property
    def weights(self) -> Any:
        """Gradients of weights beside which no messages go on, which would not be free to wait."""
        return maximum(self.passes.weight_gradients - self.messages.beside_gradients, 0.0)


def time_of(run: TrainingRun, work: Work, arithmetic: ForwardFlops) -> StepTime:
    """Assemble the step: ``m (τ + head) + bubble + exposed traffic + optimizer``, and its jitter.

    τ is what one microbatch takes on the slowest stage: computation, the
    collectives within the replica and the stage's boundary.  The head
    stands on a lightest stage; only what it takes beyond that stage's slack counts, and of the
    embedding what gradients of weights do not hide.
    Everyone waits for the slowest, the longer the more there are.  Of stages that differ
    the step is that of the one which takes longest; it waits once for a microbatch to pass all
    others.
    """
    paces = []
    for group in run.layout.groups:
        stage = run.of_part(group.slowest)
        held = work if stage is run else work_of(stage)
        paces.append((group.count, _pace(stage, held, arithmetic, group)))
    return _slowest(list(_steps(paces)))


def _steps(groups: Sequence[tuple[Any, _Pace]]) -> Iterator[StepTime]:
    """Give the step of the slowest stage of every group; it waits for all others."""
    for place, (many, pace) in enumerate(groups):
        alike = maximum(many - 1, 0)
        whole = alike * pace.layers + pace.other_ends
        unfilled = alike * (pace.layers - pace.weights) + pace.other_ends
        for at, (count, other) in enumerate(groups):
            if at != place:
                ends = where(count > 0, other.ends + other.other_ends, 0.0)
                whole = whole + count * other.layers + ends
                unfilled = unfilled + count * (other.layers - other.weights) + ends
        # Where a group has no stages, that of another has a longer step.
        yield _step(pace, *(where(many > 0, waited, 0.0) for waited in (whole, unfilled)))


def _slowest(steps: Sequence[StepTime]) -> StepTime:
    """Choose the longest."""
    found = steps[0]
    for other in steps[1:]:
        # Of steps as long as one another, as with one microbatch, whose stage computes longest.
        as_long = other.total >= (1 - _ROUNDED) * found.total
        computes = other.compute >= (1 - _ROUNDED) * found.compute
        longer = logical_or(
            other.total > (1 + _ROUNDED) * found.total, logical_and(as_long, computes)
        )
        parts = {
            item.name: where(longer, getattr(other, item.name), getattr(found, item.name))
            for item in fields(StepTime)
        }
        found = StepTime(**parts | {"total": maximum(found.total, other.total)})
    return found


def _pace(run: TrainingRun, work: Work, arithmetic: ForwardFlops, group: StageGroup) -> _Pace:
    """Time a microbatch on the slowest stage of a group."""
    passes, messages = _within_replica(run, work, arithmetic)
    offload = offload_beyond(run, offloading_time(run, work, passes), messages.inside)
    spare = run.layout.slack * (passes.whole + messages.inside + offload)
    spare = spare / maximum(run.layout.layers, 1)
    # Where a pipeline is entered at both ends, each end has these for half of the microbatches.
    head, embedding = (
        where(is_there, value, 0.0) / run.layout.held
        for is_there, value in (
            (group.slowest.is_last, maximum(head_time(run, work, arithmetic) - spare, 0.0)),
            (group.fullest.is_first, embedding_time(run, work, passes)),
        )
    )
    return _Pace(
        run=run,
        work=work,
        passes=passes,
        messages=messages,
        ends=where(group.count > 1, maximum(head, embedding), head + embedding),
        other_ends=where(group.count > 1, minimum(head, embedding), 0.0),
        offload=offload,
    )


def _step(pace: _Pace, others: Any, unfilled: Any) -> StepTime:
    """Assemble the step of a stage.

    Parameters
    ----------
    pace
        The stage.
    others, unfilled
        What a microbatch takes on all other stages, and what of it gradients of weights cannot
        fill.
    """
    run, work, passes, messages = pace.run, pace.work, pace.passes, pace.messages
    often = run.layout.microbatches
    data = data_time(run, work, passes, messages.hidden)
    steady = {
        "compute": often * (passes.whole + pace.ends),
        "tensor": often * messages.tensor,
        "context": often * messages.context,
        "expert": often * messages.expert,
        "pipeline": often * messages.boundary,
        "data": data,
        "bubble": _bubble(pace, others, unfilled),
        "optimizer": optimizer_time(run, work),
        "offload": offload_beyond(run, often * pace.offload, data),
    }
    delay = run.calibration.jitter * log2(run.layout.used)
    straggler = delay * sum(steady.values())
    working = sum(steady[name] for name in ("compute", "tensor", "context", "expert", "pipeline"))
    total = working + steady["data"] + steady["bubble"] + steady["optimizer"] + steady["offload"]
    total = total + straggler
    return StepTime(**steady, straggler=straggler, total=total)


def _within_replica(
    run: TrainingRun, work: Work, arithmetic: ForwardFlops
) -> tuple[Passes, Messages]:
    """Time a microbatch in the layers of the stage, and what it waits for there."""
    if is_zero(run.layout.frozen):
        passes = layers_time(run, work, arithmetic)
        return passes, messages_of(run, work, passes)
    upper, lower = run.trained_part, run.frozen_part
    above, below = work_of(upper), work_of(lower)
    trained = layers_time(upper, above, arithmetic)
    passes = with_frozen(trained, layers_time(lower, below, arithmetic))
    return passes, messages_of(upper, above, trained) + forward_messages(lower, below)


def _bubble(pace: _Pace, others: Any, unfilled: Any) -> Any:
    """Time that the pipeline takes to fill and drain.

    Gradients of weights beside which messages go on are not free to fill it.  Where microbatches
    enter at both ends, a message counts with the passes that run together, and no second time
    with a backward pass alone: a faster forward pass, which hides less of it, is no loss then.
    """
    design, often, weights = pace.run.design, pace.run.layout.microbatches, pace.weights
    usual = schedule.bubble_time(others, design.virtual_stages)
    filled = schedule.zero_bubble_time(unfilled, weights, design.pp_size, often)
    both_ends = schedule.bidirectional_bubble_time(
        pace.layers, pace.passes.backward, weights, design.pp_size, often
    )
    return select(
        design.schedule,
        {"1f1b": usual, "interleaved": usual, "zero-bubble": filled, "dualpipe": both_ends},
    )
