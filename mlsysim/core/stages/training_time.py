"""Time of a training step, part by part, for the fullest stage of the fullest replica."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.training_communication import boundary_time, data_time, tensor_time
from mlsysim.core.stages.training_run import Arithmetic, Run, Work
from mlsysim.expr.functions import maximum, select
from mlsysim.physics import compute, flops, schedule, state
from mlsysim.physics.state import ZeroStage


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """The parts of a step, in seconds; they add up to it."""

    compute: Any
    tensor: Any
    pipeline: Any
    data: Any
    bubble: Any
    optimizer: Any

    @property
    def total(self) -> Any:
        """The whole step."""
        work = self.compute + self.tensor + self.pipeline
        return work + self.data + self.bubble + self.optimizer


def time_of(run: Run, work: Work, arithmetic: Arithmetic) -> StepTime:
    """Assemble the step: ``m (τ + head) + (p - 1) τ/v + exposed traffic + optimizer``.

    τ is what one microbatch takes on the fullest stage: computation, the
    collectives of tensor parallelism and the stage's boundary.  The head
    stands on a lightest stage; only what it takes beyond that stage's slack counts.
    """
    layout, choices = run.layout, run.choices
    forward, layers = _layers_time(run, work, arithmetic)
    message = work.tokens * run.width.weight * run.shape.hidden
    tensor = layout.layers * tensor_time(run, message)
    boundary = boundary_time(run, message)
    spare = layout.slack * (layers + tensor) / layout.layers
    head = maximum(_head_time(run, work, arithmetic) - spare, 0.0)
    return StepTime(
        compute=layout.microbatches * (layers + head),
        tensor=layout.microbatches * tensor,
        pipeline=layout.microbatches * boundary,
        data=data_time(run, work.parameters, forward, layers - forward),
        bubble=schedule.bubble_time(
            layers + tensor + boundary, choices.pipeline, choices.virtual_stages
        ),
        optimizer=_optimizer_time(run, work),
    )


def _layers_time(run: Run, work: Work, arithmetic: Arithmetic) -> tuple[Any, Any]:
    """Time a microbatch in the stage's layers: the forward pass alone, and the whole."""
    recompute = run.choices.recompute
    share = work.tokens / run.choices.tensor
    core = run.layout.layers * arithmetic.core * share
    once = flops.matmul_flops(run.on_stage("matmul_parameters"), share) + core
    products = run.on_stage("products")
    moved = work.activations + select(
        recompute, {"none": work.scores, "selective": 0.0, "full": 0.0}
    )
    passes = 3 + select(recompute, {"none": 0, "selective": 0, "full": 1})
    whole = flops.training_flops(once) + flops.recomputed_flops(recompute, once, core)
    return (
        _kernel_time(run, once, products, moved),
        _kernel_time(run, whole, passes * products, passes * moved),
    )


def _head_time(run: Run, work: Work, arithmetic: Arithmetic) -> Any:
    """Time a microbatch's output head and loss, forward and backward."""
    operations = flops.training_flops(arithmetic.head * work.tokens / run.choices.tensor)
    return _kernel_time(run, operations, 3, work.logits)


def _kernel_time(run: Run, operations: Any, products: Any, moved: Any) -> Any:
    """Time matrix products and the element-wise kernels between them."""
    calibration = run.calibration
    arithmetic = compute.matmul_time(
        operations,
        run.machine.peak,
        run.choices.efficiency,
        products,
        calibration.matmul_overhead,
    )
    return arithmetic + compute.traffic_time(
        calibration.activation_passes * moved,
        run.machine.memory_bandwidth,
        calibration.memory_efficiency,
    )


def _optimizer_time(run: Run, work: Work) -> Any:
    """Time the update of the weights that an accelerator is responsible for."""
    own = work.parameters / state.shards(
        run.choices.zero_stage, ZeroStage.OPTIMIZER, run.layout.replicas
    )
    return compute.traffic_time(
        state.optimizer_traffic(own, run.width, run.gradient),
        run.machine.memory_bandwidth,
        run.calibration.memory_efficiency,
    )
