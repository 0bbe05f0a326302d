"""One layer of one kind, for one microbatch, as one accelerator sees it."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import select, where
from mlsysim.physics.activations import FP8_BYTES, layer_activations, score_bytes
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.layout import Layout


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """What a layer holds, keeps and moves.

    Parameters
    ----------
    parameters, routed_parameters
        Parameters that the accelerator holds, those of routed experts apart.
    kept
        What waits for the backward pass, scores included (byte).
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
    kept: Any
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
) -> LayerWork:
    """Measure a layer.

    Parameters
    ----------
    design, layout
        How the run is laid out.
    layer, shape
        The kind of layer, and the model.
    tokens
        Tokens of the microbatch on this accelerator.
    wide
        Bytes of a number as kernels compute with it.
    """

    def split(replicated: Any, divided: Any) -> Any:
        return layer_activations(
            tokens, replicated, divided, design.tp_size, design.sequence_parallel
        )

    # Copies meet whole experts split over the group, or are split like the sequence.
    carried = tokens * layer.copies / where(design.ep_size > 1, design.tp_size, 1)
    narrow = select(design.activation_storage, {"wide": wide, "fp8": FP8_BYTES})
    inside = layer.divided + layer.routed_divided
    narrowable = split(layer.narrow, layer.narrow_divided + layer.routed_divided) + carried
    scores = score_bytes(tokens, design.seq_len, layer.heads, design.tp_size, wide)
    scores = scores * select(design.attention, {"causal": 0, "full": 0, "unfused": 1})
    everything = wide * (split(layer.replicated, inside) + carried)
    light = split(layer.light, layer.light_divided)
    latent = wide * split(0, layer.latent_divided)
    # Unfused attention has scores to drop; fused attention has what is cheap to make again.
    dropped = select(
        design.attention,
        {"causal": narrow * light, "full": narrow * light, "unfused": scores},
    )
    return LayerWork(
        parameters=layer.parameters / design.tp_size,
        routed_parameters=layer.routed_parameters / layout.expert_shards,
        kept=everything - (wide - narrow) * narrowable + scores,
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
