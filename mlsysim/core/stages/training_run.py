"""Everything that is known about a training run before memory and time are computed."""

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.core.stages.layout import Choices, Layout
from mlsysim.core.stages.machine import Machine
from mlsysim.core.stages.shape import ModelShape
from mlsysim.expr.functions import select, where
from mlsysim.physics import activations, flops
from mlsysim.physics.state import StateWidth


@dataclass(frozen=True, kw_only=True)
class Run:
    """A model, a machine, and how the one is laid out on the other.

    Parameters
    ----------
    choices, layout
        What the planner chose, and the counts that follow.
    shape, machine
        The model and the fleet as plain numbers.
    width
        Bytes per parameter.
    gradient
        Bytes per gradient.
    calibration
        What the hardware achieves.
    """

    choices: Choices
    layout: Layout
    shape: ModelShape
    machine: Machine
    width: StateWidth
    gradient: Any
    calibration: Calibration

    def on_stage(self, figure: str) -> Any:
        """Add a figure of `LayerShape` up over the layers of the fullest stage."""
        dense = getattr(self.shape.dense, figure)
        difference = getattr(self.shape.expert, figure) - dense
        return self.layout.layers * dense + self.layout.expert_layers * difference


@dataclass(frozen=True, kw_only=True)
class Work:
    """One microbatch on the fullest stage, as one accelerator sees it.

    Parameters
    ----------
    tokens
        Tokens of the microbatch that its context-parallel rank holds.
    parameters, routed_parameters
        Parameters of the stage that it holds, those of routed experts apart.
    largest_layer, tables, head
        Parameters of the largest layer, of what is in no layer, and of the output head, as many of
        them as it holds unless they are sharded.
    activations
        What its layers keep per microbatch, attention scores excluded (byte).
    light
        What of it norms and activation functions make again from the rest (byte).
    scores
        Their attention scores, where these are written to memory (byte).
    logits
        Logits and their gradient (byte).
    """

    tokens: Any
    parameters: Any
    routed_parameters: Any
    largest_layer: Any
    tables: Any
    head: Any
    activations: Any
    light: Any
    scores: Any
    logits: Any


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """Forward operations per token (flop).

    Parameters
    ----------
    core
        The attention core of one layer.
    layers
        The weights of all layers.
    head
        The weights of the output head.
    """

    core: Any
    layers: Any
    head: Any


def work_of(run: Run) -> Work:
    """Measure one microbatch on the fullest stage."""
    choices, shape, element = run.choices, run.shape, run.width.weight
    tokens = choices.micro_batch * choices.seq_len / choices.context
    # A stage other than the only one holds the embedding or the head, not both.
    tables = shape.tables + where(choices.pipeline > 1, 0, shape.own_head)
    kept = activations.layer_activations(
        tokens,
        element * run.on_stage("replicated"),
        element * (run.on_stage("divided") + run.on_stage("routed_divided")),
        choices.tensor,
        choices.sequence_parallel,
    )
    light = activations.layer_activations(
        tokens,
        element * run.on_stage("light"),
        element * run.on_stage("light_divided"),
        choices.tensor,
        choices.sequence_parallel,
    )
    # Copies meet whole experts split over the group, or are split like the sequence.
    carried = where(choices.expert > 1, choices.tensor, 1)
    scores = run.layout.layers * activations.score_bytes(
        tokens, choices.seq_len, shape.heads, choices.tensor, element
    )
    largest = where(shape.expert_layers > 0, shape.expert.parameters, shape.dense.parameters)
    return Work(
        tokens=tokens,
        parameters=(run.on_stage("parameters") + tables) / choices.tensor,
        routed_parameters=run.on_stage("routed_parameters") / run.layout.expert_shards,
        largest_layer=largest / choices.tensor
        + shape.expert.routed_parameters / run.layout.expert_shards,
        tables=tables / choices.tensor,
        head=where(choices.pipeline > 1, 0, shape.head) / choices.tensor,
        activations=kept + tokens * element * run.on_stage("copies") / carried,
        light=light,
        scores=scores * select(choices.attention, {"causal": 0, "full": 0, "unfused": 1}),
        logits=where(
            choices.fused_loss,
            0.0,
            activations.logit_bytes(
                tokens, shape.vocab, choices.tensor, run.calibration.logit_bytes
            ),
        ),
    )


def arithmetic_of(run: Run) -> Arithmetic:
    """Count what one token takes in the forward pass."""
    shape, length = run.shape, run.choices.seq_len
    causal = flops.attended_positions(length, length)
    sliding = flops.attended_positions(length, shape.window)
    causal = causal + shape.sliding_share * (sliding - causal)
    # Unfused kernels compute the square and then mask half of it.
    positions = select(run.choices.attention, {"causal": causal, "full": length, "unfused": length})
    dense, expert = shape.dense, shape.expert
    each = dense.matmul_parameters + dense.routed_matmul
    other = expert.matmul_parameters + expert.routed_matmul
    return Arithmetic(
        core=flops.attention_flops(1, positions, shape.score_width, shape.value_width),
        layers=flops.matmul_flops(shape.layers * each + shape.expert_layers * (other - each), 1),
        head=flops.matmul_flops(shape.head, 1),
    )
