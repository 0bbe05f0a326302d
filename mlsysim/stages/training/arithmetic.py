"""What a token takes in the forward pass and in both, in operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import minimum, select, where
from mlsysim.physics import flops
from mlsysim.stages.kinds import is_zero
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.split import frozen_others


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
        The weights of all layers, adapters left out.
    adapters
        The adapters of all layers.
    head
        The weights of the output head.
    """

    cores: tuple[Any, ...]
    core: Any
    up: Any
    layers: Any
    adapters: Any
    head: Any

    @property
    def repeatable(self) -> Any:
        """What recomputation can repeat."""
        return self.core + self.layers + self.adapters


def arithmetic_of(run: TrainingRun) -> tuple[ForwardFlops, ForwardFlops]:
    """Count what one token takes in the forward pass: of the whole model, and of frozen layers."""
    cores = tuple(_core(run, kind) for kind in run.kinds)
    shape, design = run.shape, run.design

    def over(layers: Any, others: Any, head: Any) -> ForwardFlops:
        def matmul(values: Sequence[Any]) -> Any:
            return flops.matmul_flops(run.over(values, layers, others), 1)

        rank = 0 if design.adapter_rank is None else design.adapter_rank
        adapted = [kind.adapter_matmul + kind.routed_adapter_matmul for kind in run.kinds]
        return ForwardFlops(
            up=matmul([kind.up_parameters for kind in run.kinds]),
            cores=cores,
            core=run.over(cores, layers, others),
            layers=matmul([kind.matmul_parameters + kind.routed_matmul for kind in run.kinds]),
            adapters=matmul([rank * count for count in adapted]),
            head=flops.matmul_flops(head, 1),
        )

    everything = over(shape.layers, shape.other_layers, shape.head)
    frozen = minimum(design.frozen_layers, shape.layers)
    others = frozen_others(frozen, shape.layers, shape.other_layers, shape.spread)
    return everything, over(frozen, others, 0)


def model_flops(run: TrainingRun, everything: ForwardFlops, frozen: ForwardFlops) -> Any:
    """Count the operations that a token needs in both passes.

    Each product has two in the backward pass, for the gradients of either operand; a frozen
    weight needs none of its own, and layers that are frozen with all below them have no
    backward pass.
    """
    forward = everything.layers + everything.adapters - frozen.adapters + everything.head
    trained = everything.layers - frozen.layers + everything.head
    adapters = everything.adapters - frozen.adapters
    again = 2 if run.tunes_tables else 1
    return core_flops(everything, frozen) + forward + again * trained + 2 * adapters


def core_flops(everything: ForwardFlops, frozen: ForwardFlops) -> Any:
    """Count those of attention cores alone."""
    return 3 * everything.core - 2 * frozen.core


def _core(run: TrainingRun, kind: LayerShape) -> Any:
    """Count what mixes one token with others in one layer; of windows over some layers, the mean.

    An indexer scores all tokens before those are chosen that a token attends to.  Linear mixers
    multiply the pairs of a chunk, and work on their state besides.
    """
    design = run.design
    length = design.seq_len if design.document_len is None else design.document_len
    everything = flops.attended_positions(length, length)
    near = flops.attended_positions(length, kind.window)
    causal = everything + kind.near_share * (near - everything)
    # Padding attends to nothing; unfused kernels compute the square and then mask what they must.
    positions = select(
        design.attention,
        {
            "causal": run.filled * causal,
            "full": run.filled * length,
            "unfused": design.seq_len,
        },
    )
    if not is_zero(kind.state_flops):
        positions = where(kind.state_flops > 0, run.filled * causal, positions)
    core = flops.attention_flops(1, positions, kind.score_width, kind.value_width)
    if not is_zero(kind.beside):
        beside = run.filled * flops.attended_positions(length, kind.beside)
        core = core + flops.attention_flops(1, beside, kind.beside_width, 0)
    if not is_zero(kind.index_width):
        core = core + flops.attention_flops(1, run.filled * everything, kind.index_width, 0)
    return core if is_zero(kind.state_flops) else core + kind.state_flops
