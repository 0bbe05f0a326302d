"""Memory of the fullest accelerator of a training run."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.training_run import Run, Work
from mlsysim.expr.functions import select, where
from mlsysim.physics import activations, schedule, state
from mlsysim.physics.state import ZeroStage


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The parts of the memory, in bytes; they add up to it."""

    weights: Any
    gradients: Any
    optimizer: Any
    activations: Any
    logits: Any
    reserve: Any

    @property
    def total(self) -> Any:
        """All parts together."""
        state_parts = self.weights + self.gradients + self.optimizer
        return state_parts + self.activations + self.logits + self.reserve


def memory_of(run: Run, work: Work) -> Memory:
    """Measure what the fullest accelerator holds.

    State follows Rajbhandari et al. 2020, activations Korthikanti et al. 2022.
    Replicas without work hold no shards.  What comes and goes within a step
    leaves gaps, so that it takes more than it holds.
    """
    stage, width = run.choices.zero_stage, run.width
    gaps = run.calibration.fragmentation
    first, last = _waiting(run, work)
    unreduced = state.unreduced_bytes(
        work.largest_layer, work.head, width.weight, run.gradient, stage
    )
    return Memory(
        weights=_shared_bytes(run, work, width.weight, ZeroStage.WEIGHTS)
        + state.gathered_bytes(work.largest_layer, work.tables, width.weight, stage),
        gradients=_shared_bytes(run, work, run.gradient, ZeroStage.GRADIENTS) + unreduced,
        optimizer=where(
            run.choices.optimizer_offload,
            0.0,
            _shared_bytes(run, work, width.optimizer, ZeroStage.OPTIMIZER),
        ),
        activations=gaps * first,
        # The logits have gone when the first gradients of weights come.
        logits=activations.logits_beyond(gaps * work.logits, gaps * first + unreduced, gaps * last),
        reserve=run.calibration.runtime_reserve,
    )


def _shared_bytes(run: Run, work: Work, width: Any, part: ZeroStage) -> Any:
    """Measure a part of the state, which routed experts share among fewer."""
    stage, layout = run.choices.zero_stage, run.layout
    return state.state_bytes(
        work.parameters, width, state.shards(stage, part, layout.shards)
    ) + state.state_bytes(
        work.routed_parameters, width, state.shards(stage, part, layout.expert_replicas)
    )


def _waiting(run: Run, work: Work) -> tuple[Any, Any]:
    """Measure the activations on the first stage at its peak, and beside the logits on the last."""
    choices, layers = run.choices, run.layout.layers
    split = where(choices.sequence_parallel, choices.tensor, 1)
    checkpoint = layers * work.tokens * run.width.weight * run.shape.hidden / split
    # Unfused attention has scores to drop; fused attention has what is cheap to make again.
    dropped = select(choices.attention, {"causal": work.light, "full": work.light, "unfused": 0.0})
    stored = activations.stored_activations(
        choices.recompute, work.activations - dropped, work.scores + dropped, checkpoint
    )
    # Full recomputation rebuilds the activations of one layer at a time.
    one_layer = (work.activations + work.scores) / layers
    rebuilt = select(
        choices.recompute,
        {"none": 0.0, "selective": 0.0, "alternate": one_layer, "full": one_layer},
    )
    # Weight gradients that wait for the bubble, where there is one, keep a microbatch longer.
    longer = select(choices.schedule, {"1f1b": 0, "interleaved": 0, "zero-bubble": 1})
    alive = schedule.microbatches_alive(
        run.layout.microbatches,
        choices.pipeline,
        choices.virtual_stages,
        where(choices.pipeline > 1, longer, 0),
    )
    first = alive * stored
    # The last stage is done with the logits when it begins to rebuild layers.
    return first + rebuilt, where(choices.pipeline > 1, stored, first)
