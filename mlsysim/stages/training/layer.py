"""One layer of one kind, for one microbatch, as one accelerator sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import logical_and, select, where
from mlsysim.physics.activations import (
    FP8_BYTES,
    eager_bytes,
    eager_scores,
    layer_activations,
    score_bytes,
)
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.frozen import FrozenWidth
from mlsysim.stages.training.layout import Layout


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """What a layer holds, keeps and moves.

    Parameters
    ----------
    parameters, routed_parameters
        Parameters that the accelerator holds, adapters left out, those of routed experts apart.
    trained, routed_trained
        Those of them that are trained; adapters in their place.
    weights, routed_weights
        Bytes of all weights, adapters included.
    asleep, routed_asleep
        Bytes of those of them that are frozen.
    frozen_weights, routed_frozen_weights, untrained
        Bytes of weights, and parameters that are trained (none), where all of the layer is frozen.
    kept
        What waits for the backward pass, scores included (byte).
    passing
        What comes and goes within the backward pass of its attention (byte).
    selected, projected
        What of it need not wait if it is cheap to make again: with selective recomputation,
        and with that of norms, activation functions and up-projections (byte).
    checkpoint
        The layer's input (byte).
    moved, light, latent
        What element-wise kernels move, scores excluded, and what of it norms with activation
        functions, and up-projections, make again (byte).
    casts
        What is moved to keep numbers in 8 bits (byte).
    scores
        Attention scores, where these are written to memory (byte).
    """

    parameters: Any
    routed_parameters: Any
    trained: Any
    routed_trained: Any
    weights: Any
    routed_weights: Any
    asleep: Any
    routed_asleep: Any
    frozen_weights: Any
    routed_frozen_weights: Any
    untrained: int
    kept: Any
    passing: Any
    selected: Any
    projected: Any
    checkpoint: Any
    moved: Any
    light: Any
    latent: Any
    casts: Any
    scores: Any


def layer_work(
    design: TrainingDesign,
    layout: Layout,
    layer: LayerShape,
    shape: ModelShape,
    tokens: Any,
    wide: Any,
    frozen: FrozenWidth,
) -> LayerWork:
    """Measure a layer."""

    def split(replicated: Any, divided: Any) -> Any:
        return layer_activations(
            tokens, replicated, divided, design.tp_size, design.sequence_parallel
        )

    # Copies meet whole experts split over the group, or are split like the sequence.
    carried = tokens * layer.copies / where(design.ep_size > 1, design.tp_size, 1)
    narrow = select(design.activation_storage, {"wide": wide, "fp8": FP8_BYTES})
    inside = layer.divided + layer.routed_divided
    scores = score_bytes(tokens, design.seq_len, layer.heads, design.tp_size, wide)
    scores = scores * select(design.attention, {"causal": 0, "full": 0, "unfused": 1})
    eager = select(design.kernels, {"fused": 0, "eager": 1})
    waiting, passing = eager_scores(scores, wide)
    scores = where(eager > 0, waiting, scores)
    everything = wide * (split(layer.replicated, inside) + carried)
    everything = everything + eager * eager_bytes(
        split(layer.normalized, 0), split(0, layer.activated), wide
    )
    idle = _idle(design, layer, tokens, split)
    narrowable = split(layer.narrow, layer.narrow_divided + layer.routed_divided) + carried - idle
    # What is not kept is as cheap to make again as what is.
    light = split(
        layer.light - layer.idle, layer.light_divided - layer.idle_divided - layer.idle_routed
    )
    latent = wide * split(0, layer.latent_divided)
    # Unfused attention has scores to drop; fused attention has what is cheap to make again.
    dropped = select(
        design.attention,
        {"causal": narrow * light, "full": narrow * light, "unfused": scores},
    )
    return LayerWork(
        **_weights(design, layout, layer, wide, frozen),
        kept=everything
        - wide * idle
        - (wide - narrow) * narrowable
        + scores
        + wide * _inside_adapters(design, layer, tokens)
        + _before_adapters(design, layer, split, wide),
        passing=eager * passing,
        selected=dropped,
        projected=narrow * light + latent,
        checkpoint=tokens
        * wide
        * shape.hidden
        / where(design.sequence_parallel, design.tp_size, 1),
        moved=everything + wide * carried,
        light=wide * light,
        latent=latent,
        # written once, and read once
        casts=select(design.activation_storage, {"wide": 0.0, "fp8": 2 * FP8_BYTES * narrowable}),
        scores=scores,
    )


def _idle(
    design: TrainingDesign,
    layer: LayerShape,
    tokens: Any,
    split: Callable[[Any, Any], Any],
) -> Any:
    """Count the numbers that need not wait because no weight's gradient reads them."""
    if design.adapter_rank is None:
        return 0
    carried = tokens * layer.idle_copies / where(design.ep_size > 1, design.tp_size, 1)
    return split(layer.idle, layer.idle_divided + layer.idle_routed) + carried


def _weights(
    design: TrainingDesign, layout: Layout, layer: LayerShape, wide: Any, frozen: FrozenWidth
) -> dict[str, Any]:
    """Count the parameters of a layer, those that are trained, and the bytes of both.

    Of the two matrices of an adapter, every member of a tensor-parallel group holds the one at the
    stream whole, and a part of the other.
    """
    rank, tensor = design.adapter_rank, design.tp_size
    own, routed = layer.parameters / tensor, layer.routed_parameters / layout.expert_shards
    whole, routed_whole = own * frozen.own, routed * frozen.routed
    if rank is None:
        trained, routed_trained = own, routed
        asleep: Any = 0
        routed_asleep: Any = 0
    else:
        trained = rank * (layer.adapter_whole + layer.adapter_divided / tensor)
        routed_trained = rank * layer.adapter_experts / layout.expert_shards
        asleep, routed_asleep = whole, routed_whole
    return {
        "parameters": own,
        "routed_parameters": routed,
        "trained": trained,
        "routed_trained": routed_trained,
        "weights": asleep + wide * trained,
        "routed_weights": routed_asleep + wide * routed_trained,
        "asleep": asleep,
        "routed_asleep": routed_asleep,
        "frozen_weights": whole,
        "routed_frozen_weights": routed_whole,
        "untrained": 0,
    }


def _inside_adapters(design: TrainingDesign, layer: LayerShape, tokens: Any) -> Any:
    """Count the numbers that wait between the two matrices of adapters."""
    if design.adapter_rank is None:
        return 0
    return tokens * design.adapter_rank * (layer.adapters + layer.routed_adapters)


def _before_adapters(
    design: TrainingDesign, layer: LayerShape, split: Callable[[Any, Any], Any], wide: Any
) -> Any:
    """Measure copies of what goes into adapters: dropped out, or cast to the width of these.

    PEFT casts the input of each adapter for itself, to the width of its weights and back to that of
    products.
    """
    if design.adapter_rank is None:
        return 0
    eager = select(design.kernels, {"fused": False, "eager": True})
    cast = where(logical_and(eager, design.master_weights), wide, 0)
    each = where(design.adapter_dropout, wide + 1, cast)
    return each * split(layer.adapter_inputs, layer.divided_adapter_inputs)
