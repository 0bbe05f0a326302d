"""Time of a training step's computation: products, attention cores, element-wise kernels."""

from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import maximum, select, where
from mlsysim.physics import compute, flops
from mlsysim.physics.activations import RECOMPUTE, UP_PROJECTIONS
from mlsysim.stages.training.arithmetic import ForwardFlops
from mlsysim.stages.training.experts import floor_of
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.work import Work


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What one microbatch takes on the fullest stage (s), pass by pass.

    Each pass takes the longer of its work and of its kernels' launches, so that none gets
    shorter if the work of another grows.

    Parameters
    ----------
    forward
        The forward pass.
    input_gradients
        The backward pass without gradients of weights, with what it computes again.
    weight_gradients
        Gradients of weights, which can fill a bubble: products, and at least the time in which
        memory adds them up.
    products
        Matrix products of one forward pass; gradients of inputs take as long.
    core
        Attention cores of one forward pass.
    idle_forward, idle_inputs
        What accelerators wait for their host in the first two; messages go on meanwhile.
    """

    forward: Any
    input_gradients: Any
    weight_gradients: Any
    products: Any
    core: Any
    idle_forward: Any
    idle_inputs: Any

    @property
    def whole(self) -> Any:
        """All three."""
        return self.forward + self.backward

    @property
    def backward(self) -> Any:
        """The backward pass, with what it computes again."""
        return self.input_gradients + self.weight_gradients

    @property
    def other_products(self) -> Any:
        """Products of the forward pass and of gradients of inputs, and the wait in these."""
        return 2 * self.products + self.idle_forward + self.idle_inputs


def layers_time(run: TrainingRun, work: Work, arithmetic: ForwardFlops) -> Passes:
    """Time a microbatch in the layers of the stage.

    ``3 (products + traffic) + core`` with one pass more of what is computed
    again.  Traffic is what the layers make, moved several times.  Products that are
    gradients of weights wait for these to be added up in memory, where tokens are few.
    Each pass of layers with routed experts takes at least the time in which the host launches
    their many kernels.
    """
    calibration, machine, recompute = run.calibration, run.machine, run.design.recompute
    adapters = _adapters_time(run, work)
    products = _products_time(run, work) + adapters + _widening_time(run, work)
    core, cores = _core_time(run, work, arithmetic)
    passes = calibration.activation_passes
    moved = passes * work.activations / machine.memory_rate
    scores = passes * work.scores / machine.memory_rate
    once = products + moved
    floor = floor_of(run.design.graphs, calibration.routing_floor)
    launching = run.on_stage("routed") * floor
    share = run.repeated(run.layout.layers)
    again = flops.repeated_layers(recompute, share)
    light = passes * work.light / machine.memory_rate
    selected = light * select(run.design.attention, {"causal": 1, "full": 1, "unfused": 0})
    projected = light + _up_time(run, work) + passes * work.latent / machine.memory_rate
    anew = select(
        recompute,
        dict.fromkeys(RECOMPUTE, 0.0) | {"selective": selected, UP_PROJECTIONS: projected},
    )
    rebuilt = select(
        recompute, dict.fromkeys(RECOMPUTE, 0) | {"selective": 1, "alternate": 0.5, "full": share}
    )
    adding = adding_time(run, work.trained)
    gradients = compute.roofline_time(products if run.tunes_tables else adapters, adding)
    ahead = once + core + scores
    behind = (
        (1 + again) * once
        + moved
        + (cores - core)
        + anew
        + work.casts / machine.memory_rate
        + (2 + rebuilt) * scores
    )
    forward = compute.roofline_time(ahead, launching)
    inputs = compute.roofline_time(behind, (1 + again) * launching)
    return Passes(
        forward=forward,
        input_gradients=inputs,
        weight_gradients=compute.roofline_time(gradients, _launching_gradients(run, launching)),
        products=products,
        core=core,
        idle_forward=forward - ahead,
        idle_inputs=inputs - behind,
    )


def _launching_gradients(run: TrainingRun, launching: Any) -> Any:
    """Time the launches of gradients of weights; frozen experts without adapters have none."""
    if run.tunes_tables:
        return launching
    return where(run.on_stage("routed_adapters") > 0, launching, 0.0)


def with_frozen(passes: Passes, below: Passes) -> Passes:
    """Add layers that are frozen with all below them: they have a forward pass, and no other.

    Parameters
    ----------
    passes
        The layers that are trained.
    below
        What those that are frozen would take if they were.
    """
    return replace(
        passes,
        forward=passes.forward + below.forward,
        # Those of the forward pass count among twice the products.
        products=passes.products + below.products / 2,
    )


def adding_time(run: TrainingRun, parameters: Any) -> Any:
    """Time the adding up of so many gradients in memory, once for each microbatch."""
    return 2 * run.gradient * parameters / run.machine.memory_rate


def embedding_time(run: TrainingRun, work: Work, passes: Passes) -> Any:
    """Time the adding up of the embedding's gradients, as far as products do not hide it."""
    if not run.tunes_tables:
        return 0.0
    # Frozen layers freeze the embedding below them.
    trained = where(run.design.frozen_layers > 0, 0, run.shape.tables / run.design.tp_size)
    return maximum(adding_time(run, work.trained + trained) - passes.weight_gradients, 0.0)


def head_time(run: TrainingRun, work: Work, arithmetic: ForwardFlops) -> Any:
    """Time a microbatch's output head and loss, forward and backward.

    The gradient of its weights waits to be added up in memory, as that of a layer does.
    """
    tensor, machine = run.design.tp_size, run.machine
    moved = run.calibration.activation_passes * work.logits / machine.memory_rate
    product = compute.matmul_time(
        arithmetic.head * work.tokens / tensor,
        machine.wide_peak,
        run.wide_efficiency,
        1,
        machine.matmul_overhead,
    )
    if not run.tunes_tables:
        # A frozen head has no gradient of its own.
        return moved + 2 * product
    return (
        moved
        + 2 * product
        + compute.roofline_time(product, adding_time(run, run.shape.head / tensor))
    )


def _products_time(run: TrainingRun, work: Work) -> Any:
    """Time the matrix products of a forward pass.

    Routed experts whose tokens are few wait for their weights instead.
    """
    design, machine = run.design, run.machine
    share = work.tokens / design.tp_size
    own = compute.matmul_time(
        flops.matmul_flops(run.on_stage("matmul_parameters"), share),
        machine.peak,
        run.efficiency,
        run.on_stage("products"),
        machine.matmul_overhead,
    )
    routed = compute.matmul_time(
        run.calibration.imbalance * flops.matmul_flops(run.on_stage("routed_matmul"), share),
        machine.peak,
        run.efficiency,
        2 * run.on_stage("routed"),
        machine.matmul_overhead,
    )
    weights = work.routed_parameters * run.width.weight / machine.memory_rate
    return own + compute.roofline_time(routed, weights)


def _adapters_time(run: TrainingRun, work: Work) -> Any:
    """Time the products of adapters in a forward pass, two for each matrix that has one."""
    if run.design.adapter_rank is None:
        return 0
    share, machine = work.tokens / run.design.tp_size, run.machine
    parameters = run.on_stage("adapter_matmul") + run.on_stage("routed_adapter_matmul")
    return compute.matmul_time(
        flops.matmul_flops(run.design.adapter_rank * parameters, share),
        machine.peak,
        run.efficiency,
        2 * (run.on_stage("adapters") + run.on_stage("routed_adapters")),
        machine.matmul_overhead,
    )


def _widening_time(run: TrainingRun, work: Work) -> Any:
    """Time the widening of frozen weights for one pass: they are read, and written wide."""
    if run.design.adapter_rank is None:
        return 0
    wide = run.width.weight
    moved = work.parameters * (run.frozen.own + wide)
    moved = moved + work.routed_parameters * (run.frozen.routed + wide)
    return where(run.frozen.widened, moved / run.machine.memory_rate, 0.0)


def _up_time(run: TrainingRun, work: Work) -> Any:
    """Time the up-projections of latent attention in a forward pass."""
    return compute.matmul_time(
        flops.matmul_flops(run.on_stage("up_parameters"), work.tokens / run.design.tp_size),
        run.machine.peak,
        run.efficiency,
        run.on_stage("up_products"),
        run.machine.matmul_overhead,
    )


def _core_time(run: TrainingRun, work: Work, arithmetic: ForwardFlops) -> tuple[Any, Any]:
    """Time the attention cores of a forward pass, and all that a step does of them."""
    design, machine = run.design, run.machine
    layout = run.layout
    cores = run.over(arithmetic.cores, layout.layers, layout.other_layers)
    operations = cores * work.tokens / design.tp_size
    unfused = machine.wide_peak * run.wide_efficiency
    rate = select(
        design.attention,
        {"causal": machine.core_rate, "full": machine.core_rate, "unfused": unfused},
    )
    forward = operations / rate
    passes = flops.core_passes(design.attention, design.recompute, run.repeated(run.layout.layers))
    return forward, passes * forward
