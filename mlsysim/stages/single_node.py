"""One accelerator: the roofline of a forward pass."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any

from mlsysim.catalog.accelerator import Accelerator, Precision
from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.layer import Layer
from mlsysim.catalog.vision_model import VisionModel
from mlsysim.expr.functions import where
from mlsysim.physics import compute, flops, inference
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import (
    Gigabytes,
    Milliseconds,
    PerSecond,
    gigabytes,
    milliseconds,
    per_second,
)
from mlsysim.stages.arguments import check_record
from mlsysim.stages.calibration import calibration_of, serving_part
from mlsysim.stages.domains import Arithmetic, Entry, Measure, Number, Whole
from mlsysim.stages.knobs import Design, about, knob, takes
from mlsysim.stages.machine import efficiency_of, memory_efficiency
from mlsysim.stages.mapping import mapped
from mlsysim.stages.serving.formats import stored_width
from mlsysim.stages.shape import shape_of
from mlsysim.stages.stage import ForwardModel, StageResult
from mlsysim.units import Amount, Quantity, as_unit, magnitude

_INTENSITY = as_unit("flop/byte")


@dataclass(frozen=True, kw_only=True)
class SingleNodeResult(StageResult):
    """Speed and memory of a forward pass.

    Parameters
    ----------
    latency
        Time of the batch: the longest of `latency_compute`, `latency_memory` and
        `latency_launches`.
    latency_compute
        What arithmetic takes alone.
    latency_memory
        What traffic to memory takes alone.
    latency_launches
        What the launches of products take alone, whatever their size.
    throughput
        Sequences or images per second.
    compute_bound
        Whether arithmetic takes longest.
    arithmetic_intensity
        Operations per byte moved.
    mfu
        Model FLOPs utilization: operations over those possible in the time of the batch.
    memory_used
        What the batch holds, with weights and runtime reserve.
    memory_capacity
        Memory that the accelerator has.
    """

    latency: Milliseconds
    latency_compute: Milliseconds
    latency_memory: Milliseconds
    latency_launches: Milliseconds
    throughput: PerSecond
    compute_bound: bool
    arithmetic_intensity: Annotated[Amount, "flop/byte"]
    mfu: float
    memory_used: Gigabytes
    memory_capacity: Gigabytes


@dataclass(frozen=True, kw_only=True)
class _Workload:
    """A model per item (token or image): operations, numbers moved, held and cached."""

    sequential: bool
    max_context: int
    weights: float
    item_flops: float
    products: int
    core_layers: float
    score_width: float
    value_width: float
    moved: float
    live: float
    cached: float


@dataclass(frozen=True)
class SingleNodeDesign(Design):
    """One batch on one accelerator; the arguments of `SingleNodeModel.solve`."""

    model: LanguageModel | VisionModel = field(
        metadata=about(Entry((LanguageModel, VisionModel)), "What is computed.")
    )
    accelerator: Accelerator = field(metadata=about(Entry((Accelerator,)), "On what."))
    batch_size: int = knob(Whole(), "Sequences or images.", default=1)
    _: KW_ONLY
    precision: str = knob(
        Arithmetic(tuple(Precision)), "Of arithmetic, weights and activations.", default="fp16"
    )
    efficiency: float | None = knob(
        Number(most=1.0, above=True),
        "Fraction of the dense peak reached; the best measured one unless given.",
        default=None,
    )
    seq_len: int = knob(
        Whole(),
        "Tokens per sequence.",
        default=2048,
        unit="token",
        applies="to language models",
    )
    runtime_reserve: Any = knob(
        Measure("GB"),
        "Memory that driver and libraries take, in GB or as a quantity; what logs of runtimes show "
        "on an accelerator alone unless given.",
        default=None,
        unit="GB",
    )


class SingleNodeModel(ForwardModel):
    """Predict one forward pass on one accelerator by its roofline.

    ``max(F/(P η), Q/(W ω), n t₀)``: as in training, a pass takes the longest of its arithmetic, its
    traffic and the launches of its n products, so that a small batch takes longer for each item.
    For a language model this is the prefill of
    `batch_size` sequences of `seq_len` tokens; for a vision model, a batch of images.

    Parameters
    ----------
    calibration
        What the hardware achieves of what it promises; that of its family unless given.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> result = SingleNodeModel().solve(
    ...     model=Models.Vision.ResNet50,
    ...     accelerator=Systems.Accelerators.H100_SXM,
    ...     batch_size=256, efficiency=0.4,
    ... )
    >>> result.feasible
    True
    """

    produces = ("latency", "throughput")

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    @takes(SingleNodeDesign)
    def solve(self, design: SingleNodeDesign) -> SingleNodeResult:
        """Evaluate one batch.

        Returns
        -------
        SingleNodeResult
            Metrics, and the checks that the batch must pass.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        Infeasible
            If the accelerator has no arithmetic of this precision.
        MissingFigureError
            If no efficiency is given and none has been measured.
        """
        accelerator, precision, batch_size = design.accelerator, design.precision, design.batch_size
        efficiency = design.efficiency
        if efficiency is None:
            efficiency = mapped(efficiency_of, accelerator, precision)
        calibration = self.calibration or mapped(calibration_of, accelerator)
        work = mapped(_workload, design.model)
        peak = magnitude(mapped(_peak, accelerator, precision), "flop/s")
        width = mapped(stored_width, precision)

        length = where(work.sequential, design.seq_len, 1)
        items = batch_size * length
        core = flops.attention_flops(
            items, flops.attended_positions(length, length), work.score_width, work.value_width
        )
        operations = items * work.item_flops + work.core_layers * core
        traffic = inference.forward_traffic(work.weights, items, work.moved, width)
        arithmetic = compute.matmul_time(operations, peak, efficiency, 0, 0.0)
        launching = work.products * calibration.matmul_overhead
        moving = compute.traffic_time(
            traffic,
            magnitude(accelerator.memory_bandwidth, "byte/s"),
            mapped(memory_efficiency, accelerator, calibration),
        )
        pace = self.pace(accelerator, design.model)
        arithmetic, moving, launching = (
            pace.step * time for time in (arithmetic, moving, launching)
        )
        waiting = compute.roofline_time(moving, launching)
        latency = compute.roofline_time(arithmetic, waiting)
        held = inference.forward_memory(work.weights, items, work.live, work.cached, width)
        kept = (
            mapped(serving_part, calibration).runtime_reserve
            if design.runtime_reserve is None
            else 1e9 * design.runtime_reserve
        )
        used = gigabytes(held + kept)
        capacity = gigabytes(magnitude(accelerator.memory_capacity, "byte"))
        return SingleNodeResult(
            checks={
                "memory": Check.at_most(used, capacity),
                "sequence within the context": Check.at_most(length, work.max_context),
                **self.support(pace),
            },
            latency=milliseconds(latency),
            latency_compute=milliseconds(arithmetic),
            latency_memory=milliseconds(moving),
            latency_launches=milliseconds(launching),
            throughput=per_second(batch_size / latency),
            compute_bound=arithmetic >= waiting,
            arithmetic_intensity=Quantity(
                inference.arithmetic_intensity(operations, traffic), _INTENSITY
            ),
            mfu=flops.flops_utilization(operations, latency, 1, peak),
            memory_used=used,
            memory_capacity=capacity,
        )


def _peak(accelerator: Accelerator, precision: str) -> Any:
    return accelerator.peak(precision)


def _workload(model: LanguageModel | VisionModel) -> _Workload:
    if isinstance(model, VisionModel):
        # The widest feature map of a convolutional network has some 64 channels at half
        # the resolution (ResNet), which is 16 numbers per pixel; a map is written and read.
        pixels = model.image_size**2
        return _Workload(
            sequential=False,
            max_context=1,
            weights=model.parameters,
            item_flops=magnitude(model.forward_flops, "flop"),
            products=model.products,
            core_layers=0,
            score_width=0,
            value_width=0,
            moved=2 * 16 * pixels,
            live=2 * 16 * pixels,
            cached=0,
        )
    check_record("model", model, LanguageModel)
    layers = model.layer_groups or (model,)
    attending = [(layer.layers, layer) for layer in layers if layer.attends]
    attended = sum(count for count, _ in attending)
    inner = max(
        layer.mlp_matrices
        * max(layer.ffn, layer.experts_per_token * layer.expert_ffn + layer.shared_width)
        for layer in layers
    )
    return _Workload(
        sequential=True,
        max_context=model.max_context,
        weights=model.parameters,
        item_flops=flops.matmul_flops(model.matmul_parameters, 1),
        products=shape_of(model).products,
        core_layers=attended,
        score_width=_mean(attending, "score_width", attended),
        value_width=_mean(attending, "value_width", attended),
        # every layer writes and reads the stream twice, around attention and around the MLP
        moved=4 * model.hidden * model.layers,
        live=2 * model.hidden + inner,
        cached=model.kv_bytes_per_token(1),
    )


def _mean(attending: Sequence[tuple[int, Layer]], width: str, layers: int) -> float:
    """Give the mean width over all layers that attend."""
    return sum(count * getattr(layer, width) for count, layer in attending) / max(layers, 1)
