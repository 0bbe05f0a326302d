"""Time of a training step's computation: products, attention cores, element-wise kernels."""

from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import select, where
from mlsysim.physics import compute, flops
from mlsysim.physics.activations import RECOMPUTE, UP_PROJECTIONS
from mlsysim.stages.training.run import Arithmetic, Run, Work


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What one microbatch takes on the fullest stage (s).

    Parameters
    ----------
    forward, whole
        The forward pass alone, and everything.
    products
        Matrix products of one forward pass; gradients of inputs take as long.
    gradients
        Gradients of trained weights: products too, and at least the time in which memory adds them
        up.
    core
        Attention cores of one forward pass.
    idle_forward, idle_backward
        What accelerators wait for their host to launch kernels, spread over the passes as the
        attention core's work is; messages go on meanwhile.
    """

    forward: Any
    whole: Any
    products: Any
    gradients: Any
    core: Any
    idle_forward: Any
    idle_backward: Any

    @property
    def idle(self) -> Any:
        """What accelerators wait for their host in both passes."""
        return self.idle_forward + self.idle_backward

    @property
    def weight_gradients(self) -> Any:
        """What can fill a bubble: gradients of weights, and a third of the wait."""
        return self.gradients + self.idle / 3

    @property
    def other_products(self) -> Any:
        """Products of the forward pass and of gradients of inputs, and the rest of the wait."""
        return 2 * self.products + 2 / 3 * self.idle

    @property
    def backward(self) -> Any:
        """The backward pass, with what it computes again."""
        return self.whole - self.forward


def layers_time(run: Run, work: Work, arithmetic: Arithmetic) -> Passes:
    """Time a microbatch in the layers of the stage.

    ``3 (products + traffic) + core`` with one pass more of what is computed
    again.  Traffic is what the layers make, moved several times.  Products that are
    gradients of weights wait for these to be added up in memory, where tokens are few.
    Layers with routed experts take at least the time in which the host launches their many
    kernels.
    """
    calibration, machine, recompute = run.calibration, run.machine, run.design.recompute
    adapters = _adapters_time(run, work)
    products = _products_time(run, work) + adapters + _widening_time(run, work)
    core, cores = _core_time(run, work, arithmetic)
    passes = calibration.activation_passes
    moved = passes * work.activations / machine.memory_rate
    scores = passes * work.scores / machine.memory_rate
    once = products + moved
    launching = run.on_stage("routed") * calibration.routing_floor
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
    adding = 2 * run.gradient * (work.trained + work.routed_trained) / machine.memory_rate
    gradients = compute.roofline_time(products if run.tunes_tables else adapters, adding)
    whole = (
        (2 + again) * once
        + moved
        + gradients
        + cores
        + anew
        + work.casts / machine.memory_rate
        + (3 + rebuilt) * scores
    )
    ahead = once + core + scores
    forward = compute.roofline_time(ahead, launching)
    first = 1 / flops.core_passes(run.design.attention, "none")
    everything = compute.roofline_time(whole, (3 + again) * launching)
    return Passes(
        forward=forward,
        whole=everything,
        products=products,
        gradients=gradients,
        core=core,
        idle_forward=first * (everything - whole),
        idle_backward=(1 - first) * (everything - whole),
    )


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
        whole=passes.whole + below.forward,
        # Those of the forward pass count among twice the products.
        products=passes.products + below.products / 2,
    )


def head_time(run: Run, work: Work, arithmetic: Arithmetic) -> Any:
    """Time a microbatch's output head and loss, forward and backward."""
    once = arithmetic.head * work.tokens / run.design.tp_size
    # A frozen head has no gradient of its own.
    operations = flops.training_flops(once) if run.tunes_tables else 2 * once
    machine = run.machine
    moved = run.calibration.activation_passes * work.logits / machine.memory_rate
    return moved + compute.matmul_time(
        operations, machine.wide_peak, run.wide_efficiency, 3, machine.matmul_overhead
    )


def _products_time(run: Run, work: Work) -> Any:
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


def _adapters_time(run: Run, work: Work) -> Any:
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


def _widening_time(run: Run, work: Work) -> Any:
    """Time the widening of frozen weights for one pass: they are read, and written wide."""
    if run.design.adapter_rank is None:
        return 0
    wide = run.width.weight
    moved = work.parameters * (run.frozen.own + wide)
    moved = moved + work.routed_parameters * (run.frozen.routed + wide)
    return where(run.frozen.widened, moved / run.machine.memory_rate, 0.0)


def _up_time(run: Run, work: Work) -> Any:
    """Time the up-projections of latent attention in a forward pass."""
    return compute.matmul_time(
        flops.matmul_flops(run.on_stage("up_parameters"), work.tokens / run.design.tp_size),
        run.machine.peak,
        run.efficiency,
        run.on_stage("up_products"),
        run.machine.matmul_overhead,
    )


def _core_time(run: Run, work: Work, arithmetic: Arithmetic) -> tuple[Any, Any]:
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
