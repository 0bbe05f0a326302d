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
    Replicas without work hold no shards.
    """
    stage, replicas, width = run.choices.zero_stage, run.layout.replicas, run.width
    first, last = _waiting(run, work)
    return Memory(
        weights=state.state_bytes(
            work.parameters, width.weight, state.shards(stage, ZeroStage.WEIGHTS, replicas)
        )
        + state.gathered_bytes(work.largest_layer, width.weight, stage),
        gradients=state.state_bytes(
            work.parameters, run.gradient, state.shards(stage, ZeroStage.GRADIENTS, replicas)
        ),
        optimizer=state.state_bytes(
            work.parameters, width.optimizer, state.shards(stage, ZeroStage.OPTIMIZER, replicas)
        ),
        activations=first,
        logits=activations.logits_beyond(work.logits, first, last),
        reserve=run.calibration.runtime_reserve,
    )


def _waiting(run: Run, work: Work) -> tuple[Any, Any]:
    """Measure the activations that the first and the last stage hold at their peak."""
    choices, layers = run.choices, run.layout.layers
    split = where(choices.sequence_parallel, choices.tensor, 1)
    checkpoint = layers * work.tokens * run.width.weight * run.shape.hidden / split
    stored = activations.stored_activations(
        choices.recompute, work.activations, work.scores, checkpoint
    )
    # Full recomputation rebuilds the activations of one layer at a time.
    one_layer = work.activations / layers
    rebuilt = select(choices.recompute, {"none": 0.0, "selective": 0.0, "full": one_layer})
    alive = schedule.microbatches_alive(
        run.layout.microbatches, choices.pipeline, choices.virtual_stages
    )
    first = alive * stored + rebuilt
    return first, where(choices.pipeline > 1, stored + rebuilt, first)
