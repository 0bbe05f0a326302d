"""What one microbatch is on a stage of the pipeline: tokens, parameters, bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import logical_and, logical_not, maximum, minimum, select, where
from mlsysim.physics import activations
from mlsysim.stages.kinds import is_zero
from mlsysim.stages.training.layer import LayerWork, layer_work
from mlsysim.stages.training.run import TrainingRun


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
        Parameters of the layers that it holds, adapters left out, those of routed experts apart.
    trained
        Those of them that are trained, adapters in their place.
    exchanged_layers, exchanged_routed
        Trained parameters of layers that it exchanges with its replicas: of all stages that it
        holds, and those of routed experts, of the stages that have most.
    shared, shared_routed
        Bytes of all weights that it holds, of all stages and of the stages that have most.
    largest_layer, largest_trained
        Bytes of the largest layer as it is multiplied or gathered, and parameters of it that are
        trained.
    tables, trained_tables, head
        Parameters of what is in no layer, those of them that are trained, and those of the output
        head that are; as many as it holds unless they are sharded.
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
    trained: Any
    exchanged_layers: Any
    exchanged_routed: Any
    shared: Any
    shared_routed: Any
    largest_layer: Any
    largest_trained: Any
    tables: Any
    trained_tables: Any
    head: Any
    activations: Any
    light: Any
    latent: Any
    casts: Any
    scores: Any
    logits: Any

    @property
    def exchanged(self) -> Any:
        """Trained parameters that it exchanges, with those of what is in no layer."""
        return self.exchanged_layers + self.trained_tables

    def each(self, figure: str) -> list[Any]:
        """Give a figure of `LayerWork` for each kind of layer."""
        return [getattr(kind, figure) for kind in self.kinds]


def work_of(run: TrainingRun) -> Work:
    """Measure one microbatch on the slowest stage."""
    design, layout, shape, element = run.design, run.layout, run.shape, run.width.weight
    tokens = design.micro_batch_size * design.seq_len / design.cp_size
    kinds = tuple(
        layer_work(design, layout, kind, shape, tokens, element, run.frozen) for kind in run.kinds
    )
    # A stage other than the only one holds the embedding or the head, not both, unless it is
    # both the first and the last of a pipeline that is entered at either end.
    both = where(design.pp_size > 1, layout.held - 1, 1)
    tables = where(layout.at_end, (shape.tables + both * shape.own_head) / design.tp_size, 0)
    trained_tables = _trained_tables(run, tables)

    def on_stage(figure: str) -> Any:
        values = [getattr(kind, figure) for kind in kinds]
        return run.over(values, layout.layers, layout.other_layers)

    def apart(trained: str, frozen: str, others: Any = layout.others_held[-1]) -> Any:
        """Add up trained layers and frozen ones of a stage, each by a figure of its own."""
        awake = [getattr(kind, trained) for kind in kinds]
        if is_zero(layout.frozen):
            return run.over(awake, layout.layers, others)
        asleep, sleeping = [getattr(kind, frozen) for kind in kinds], run.asleep(others)
        above = run.over(awake, layout.layers - layout.frozen, others - sleeping)
        return above + run.over(asleep, layout.frozen, sleeping)

    def most(trained: str, frozen: str) -> Any:
        """Give the same where it has most, of whatever kind it may have one more."""
        held = [apart(trained, frozen, others) for others in layout.others_held]
        return held[0] if len(held) == 1 else maximum(*held)

    return Work(
        tokens=tokens,
        kinds=kinds,
        parameters=on_stage("parameters"),
        routed_parameters=on_stage("routed_parameters"),
        trained=apart("trained", "untrained", layout.other_layers)
        + apart("routed_trained", "untrained", layout.other_layers),
        exchanged_layers=layout.held * most("trained", "untrained"),
        exchanged_routed=layout.held * apart("routed_trained", "untrained"),
        shared=layout.held * most("weights", "frozen_weights") + tables * element,
        shared_routed=layout.held * apart("routed_weights", "routed_frozen_weights"),
        largest_layer=maximum(*(kind.weights + kind.routed_weights for kind in kinds)),
        largest_trained=_largest_trained(run, kinds),
        tables=tables,
        trained_tables=trained_tables,
        head=where(design.pp_size > 1, 0, shape.head if run.tunes_tables else 0) / design.tp_size,
        activations=on_stage("moved"),
        light=on_stage("light"),
        latent=on_stage("latent"),
        casts=on_stage("casts"),
        scores=on_stage("scores"),
        logits=where(
            design.fused_loss,
            0.0,
            activations.logit_bytes(
                tokens,
                shape.outputs,
                design.tp_size,
                select(
                    design.kernels,
                    {
                        "fused": run.calibration.logit_bytes,
                        "eager": activations.EAGER_LOGIT_BYTES,
                    },
                ),
            ),
        ),
    )


def _largest_trained(run: TrainingRun, kinds: Sequence[LayerWork]) -> Any:
    """Count the trained parameters of the largest layer that has any."""
    each = [kind.trained + kind.routed_trained for kind in kinds]
    largest = maximum(*each)
    if not run.has_frozen_layers or len(each) == 1:
        return largest
    in_front = run.shape.layers - run.shape.other_layers
    asleep = logical_and(run.design.frozen_layers >= in_front, logical_not(run.shape.spread))
    return where(asleep, maximum(*each[1:]), largest)


def _trained_tables(run: TrainingRun, tables: Any) -> Any:
    """Count the parameters that are in no layer and are trained, of those that are held.

    Frozen layers at the bottom freeze the embedding with them, unless it is also the head.
    """
    if not run.tunes_tables:
        return 0
    if not run.has_frozen_layers:
        return tables
    heads = run.shape.own_head / run.design.tp_size
    above = where(run.shape.is_tied, tables, minimum(heads, tables))
    return where(run.design.frozen_layers > 0, above, tables)
