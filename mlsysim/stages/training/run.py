"""Everything that is known about a training run before memory and time are computed."""

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.expr.functions import maximum, minimum, select, where
from mlsysim.physics import activations, flops
from mlsysim.physics.state import StateBytes, StateWidth
from mlsysim.stages.machine import Machine
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.layer import LayerWork, layer_work
from mlsysim.stages.training.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Run:
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

    def on_stage(self, figure: str) -> Any:
        """Add a figure of `LayerShape` up over the layers of the slowest stage."""
        dense = getattr(self.shape.dense, figure)
        difference = getattr(self.shape.expert, figure) - dense
        return self.layout.layers * dense + self.layout.expert_layers * difference


@dataclass(frozen=True, kw_only=True)
class Work:
    """One microbatch on the slowest stage, as one accelerator sees it.

    Parameters
    ----------
    tokens
        Tokens of the microbatch that its context-parallel rank holds.
    dense, expert
        One layer of either kind.
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
    dense: LayerWork
    expert: LayerWork
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

    def over(self, figure: str, layers: Any, expert_layers: Any) -> Any:
        """Add a figure of `LayerWork` up over some layers, so many of which have experts."""
        dense = getattr(self.dense, figure)
        return layers * dense + expert_layers * (getattr(self.expert, figure) - dense)


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """Forward operations per token (flop).

    Parameters
    ----------
    core
        The attention core of one layer.
    up
        The up-projections of latent attention, of all layers.
    layers
        The weights of all layers.
    head
        The weights of the output head.
    """

    core: Any
    up: Any
    layers: Any
    head: Any


def work_of(run: Run) -> Work:
    """Measure one microbatch on the slowest stage."""
    design, layout, shape, element = run.design, run.layout, run.shape, run.width.weight
    tokens = design.micro_batch_size * design.seq_len / design.cp_size
    dense, expert = (
        layer_work(design, layout, kind, shape, tokens, element)
        for kind in (shape.dense, shape.expert)
    )
    # A stage other than the only one holds the embedding or the head, not both, unless it is
    # both the first and the last of a pipeline that is entered at either end.
    both = where(design.pp_size > 1, layout.held - 1, 1)
    tables = (shape.tables + both * shape.own_head) / design.tp_size

    def on_stage(figure: str, expert_layers: Any = layout.expert_layers) -> Any:
        plain = getattr(dense, figure)
        return layout.layers * plain + expert_layers * (getattr(expert, figure) - plain)

    own = maximum(
        on_stage("parameters", layout.front_experts), on_stage("parameters", layout.back_experts)
    )
    return Work(
        tokens=tokens,
        dense=dense,
        expert=expert,
        parameters=on_stage("parameters") + tables,
        routed_parameters=on_stage("routed_parameters"),
        exchanged=layout.held * own + tables,
        exchanged_routed=layout.held * on_stage("routed_parameters", layout.back_experts),
        largest_layer=maximum(
            dense.parameters,
            expert.parameters + shape.expert.routed_parameters / layout.expert_shards,
        ),
        tables=tables,
        head=where(design.pp_size > 1, 0, shape.head) / design.tp_size,
        activations=on_stage("moved"),
        light=on_stage("light"),
        latent=on_stage("latent"),
        casts=on_stage("casts"),
        scores=layout.layers * dense.scores,
        logits=where(
            design.fused_loss,
            0.0,
            activations.logit_bytes(
                tokens, shape.vocab, design.tp_size, run.calibration.logit_bytes
            ),
        ),
    )


def arithmetic_of(run: Run) -> Arithmetic:
    """Count what one token takes in the forward pass."""
    shape, length = run.shape, run.design.seq_len
    causal = flops.attended_positions(length, length)
    sliding = flops.attended_positions(length, shape.window)
    causal = causal + shape.sliding_layers / shape.layers * (sliding - causal)
    # Unfused kernels compute the square and then mask half of it.
    positions = select(run.design.attention, {"causal": causal, "full": length, "unfused": length})
    dense, expert = shape.dense, shape.expert
    each = dense.matmul_parameters + dense.routed_matmul
    other = expert.matmul_parameters + expert.routed_matmul
    return Arithmetic(
        up=flops.matmul_flops(shape.layers * dense.up_parameters, 1),
        core=flops.attention_flops(1, positions, shape.score_width, shape.value_width),
        layers=flops.matmul_flops(shape.layers * each + shape.expert_layers * (other - each), 1),
        head=flops.matmul_flops(shape.head, 1),
    )
