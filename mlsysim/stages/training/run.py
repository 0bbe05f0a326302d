"""Everything that is known about a training run before memory and time are computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.expr.functions import maximum, minimum, select, where
from mlsysim.physics import activations, flops
from mlsysim.physics.state import StateBytes, StateWidth
from mlsysim.stages.kinds import heaviest, is_zero, kinds_of
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.machine import Machine
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.layer import LayerWork, layer_work
from mlsysim.stages.training.layout import Layout


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A model, a machine, and how the one is laid out on the other.

    Parameters
    ----------
    design, layout
        What the planner chose, and the counts that follow.
    shape, machine
        The model and the fleet as plain numbers.
    width
        Bytes per number of the precision.
    state
        Bytes per parameter, as the frameworks meant keep it.
    gradient
        Bytes per gradient on the wire and in kernels.
    efficiency, wide_efficiency
        Fraction of the peak that matrix products reach, and of the peak in 16 bits.
    calibration
        What the hardware achieves.
    """

    design: TrainingDesign
    layout: Layout
    shape: ModelShape
    machine: Machine
    width: StateWidth
    state: StateBytes
    gradient: Any
    efficiency: Any
    wide_efficiency: Any
    calibration: Calibration

    def repeated(self, layers: Any, stages: Any = 1) -> Any:
        """Give the share of the layers of some stages that full recomputation repeats."""
        if self.design.recompute_layers is None:
            return 1
        each = self.design.recompute_layers * self.design.virtual_stages
        return minimum(each * stages / maximum(layers, 1), 1)

    @cached_property
    def others(self) -> tuple[LayerShape, ...]:
        """The kinds of layers that do not stand in front, heaviest first."""
        return kinds_of(self.shape, "others")

    @cached_property
    def kinds(self) -> tuple[LayerShape, ...]:
        """That which stands in front, and the others; one alone where it is both."""
        front: LayerShape = self.shape.front
        alone = len(self.others) == 1 and front is self.others[0]
        return self.others if alone else (front, *self.others)

    def over(self, values: Sequence[Any], layers: Any, others: Any) -> Any:
        """Add the values of `kinds` up over some layers, so many of which do not stand in front.

        Of those, the kinds that give most are as many as a stage may have.
        """
        front, *rest = values
        if not rest:
            return layers * front
        if len(rest) == 1:
            return layers * front + others * (rest[0] - front)
        return (layers - others) * front + heaviest(others, self.others, rest)

    def on_stage(self, figure: str) -> Any:
        """Add a figure of `LayerShape` up over the layers of the slowest stage."""
        values = [getattr(kind, figure) for kind in self.kinds]
        return self.over(values, self.layout.layers, self.layout.other_layers)

    def over_model(self, values: Sequence[Any]) -> Any:
        """Add the values of `kinds` up over the whole model."""
        return self.over(values, self.shape.layers, self.shape.other_layers)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One microbatch on the slowest stage, as one accelerator sees it.

    Parameters
    ----------
    tokens
        Tokens of the microbatch that its context-parallel rank holds.
    kinds
        One layer of each kind.
    parameters, routed_parameters
        Parameters of the stage that it holds, those of routed experts apart.
    exchanged, exchanged_routed
        Those that it exchanges with its replicas: of all stages that it holds, and of the
        stages that have most.
    largest_layer, tables, head
        Parameters of the largest layer, of what is in no layer, and of the output head, as many of
        them as it holds unless they are sharded.
    activations
        What element-wise kernels of its layers move, attention scores excluded (byte).
    light
        What of it norms and activation functions make again from the rest (byte).
    latent
        What of it up-projections of latent attention make again (byte).
    casts
        What is moved to keep numbers in 8 bits (byte).
    scores
        Their attention scores, where these are written to memory (byte).
    logits
        Logits and their gradient (byte).
    """

    tokens: Any
    kinds: tuple[LayerWork, ...]
    parameters: Any
    routed_parameters: Any
    exchanged: Any
    exchanged_routed: Any
    largest_layer: Any
    tables: Any
    head: Any
    activations: Any
    light: Any
    latent: Any
    casts: Any
    scores: Any
    logits: Any

    def each(self, figure: str) -> list[Any]:
        """Give a figure of `LayerWork` for each kind of layer."""
        return [getattr(kind, figure) for kind in self.kinds]


@dataclass(frozen=True, kw_only=True)
class ForwardFlops:
    """Forward operations per token (flop).

    Parameters
    ----------
    cores
        The attention core of one layer of each kind.
    core
        That of all layers.
    up
        The up-projections of latent attention, of all layers.
    layers
        The weights of all layers.
    head
        The weights of the output head.
    """

    cores: tuple[Any, ...]
    core: Any
    up: Any
    layers: Any
    head: Any


def work_of(run: TrainingRun) -> Work:
    """Measure one microbatch on the slowest stage."""
    design, layout, shape, element = run.design, run.layout, run.shape, run.width.weight
    tokens = design.micro_batch_size * design.seq_len / design.cp_size
    kinds = tuple(layer_work(design, layout, kind, shape, tokens, element) for kind in run.kinds)
    # A stage other than the only one holds the embedding or the head, not both, unless it is
    # both the first and the last of a pipeline that is entered at either end.
    both = where(design.pp_size > 1, layout.held - 1, 1)
    tables = (shape.tables + both * shape.own_head) / design.tp_size

    def on_stage(figure: str, others: Any = layout.other_layers) -> Any:
        return run.over([getattr(kind, figure) for kind in kinds], layout.layers, others)

    own = maximum(
        on_stage("parameters", layout.front_others), on_stage("parameters", layout.back_others)
    )
    return Work(
        tokens=tokens,
        kinds=kinds,
        parameters=on_stage("parameters") + tables,
        routed_parameters=on_stage("routed_parameters"),
        exchanged=layout.held * own + tables,
        exchanged_routed=layout.held * on_stage("routed_parameters", layout.back_others),
        largest_layer=maximum(*(kind.parameters + kind.routed_parameters for kind in kinds)),
        tables=tables,
        head=where(design.pp_size > 1, 0, shape.head) / design.tp_size,
        activations=on_stage("moved"),
        light=on_stage("light"),
        latent=on_stage("latent"),
        casts=on_stage("casts"),
        scores=on_stage("scores"),
        logits=where(
            design.fused_loss,
            0.0,
            activations.logit_bytes(
                tokens, shape.outputs, design.tp_size, run.calibration.logit_bytes
            ),
        ),
    )


def arithmetic_of(run: TrainingRun) -> ForwardFlops:
    """Count what one token takes in the forward pass."""
    cores = tuple(_core(run, kind) for kind in run.kinds)
    each = [kind.matmul_parameters + kind.routed_matmul for kind in run.kinds]
    up = [kind.up_parameters for kind in run.kinds]
    return ForwardFlops(
        up=flops.matmul_flops(run.over_model(up), 1),
        cores=cores,
        core=run.over_model(cores),
        layers=flops.matmul_flops(run.over_model(each), 1),
        head=flops.matmul_flops(run.shape.head, 1),
    )


def _core(run: TrainingRun, kind: LayerShape) -> Any:
    """Count what mixes one token with others in one layer; of windows over some layers, the mean.

    An indexer scores all tokens before those are chosen that a token attends to.  Linear mixers
    multiply the pairs of a chunk, and work on their state besides.
    """
    length = run.design.seq_len
    everything = flops.attended_positions(length, length)
    near = flops.attended_positions(length, kind.window)
    causal = everything + kind.near_share * (near - everything)
    # Unfused kernels compute the square and then mask half of it.
    positions = select(run.design.attention, {"causal": causal, "full": length, "unfused": length})
    if not is_zero(kind.state_flops):
        positions = where(kind.state_flops > 0, causal, positions)
    core = flops.attention_flops(1, positions, kind.score_width, kind.value_width)
    if not is_zero(kind.index_width):
        core = core + flops.attention_flops(1, everything, kind.index_width, 0)
    return core if is_zero(kind.state_flops) else core + kind.state_flops
