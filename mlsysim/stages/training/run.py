"""Everything that is known about a training run before memory and time are computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.expr.functions import logical_and, logical_not, maximum, minimum, select, where
from mlsysim.physics import activations, flops
from mlsysim.physics.state import StateBytes, StateWidth
from mlsysim.stages.kinds import heaviest, is_zero, kinds_of
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.machine import Machine
from mlsysim.stages.per_stage import stages_listed
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.frozen import FrozenWidth
from mlsysim.stages.training.layer import LayerWork, layer_work
from mlsysim.stages.training.layout import Layout
from mlsysim.stages.training.split import StagePart, frozen_others, listed_stages


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
    frozen
        Bytes per frozen weight.
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
    frozen: FrozenWidth
    efficiency: Any
    wide_efficiency: Any
    calibration: Calibration

    def repeated(self, layers: Any) -> Any:
        """Give the share of the layers of a stage that full recomputation repeats."""
        counted: Any = self.design.recompute_layers
        return 1 if counted is None else self._share(counted, layers)

    def repeated_of(self, layers: Any) -> Any:
        """Give the same share of the layers of the model that have a backward pass."""
        counted: Any = self.design.recompute_layers
        if counted is None:
            return 1
        if not stages_listed(counted):
            return self._share(counted * self.design.pp_size, layers)
        groups = self.layout.groups
        return self._share(
            sum(group.count * group.slowest.recompute_layers for group in groups), layers
        )

    def _share(self, counted: Any, layers: Any) -> Any:
        return minimum(counted * self.design.virtual_stages / maximum(layers, 1), 1)

    def of_part(self, part: StagePart) -> "TrainingRun":
        """Give the same with another stage of the pipeline in question."""
        if part is self.layout.groups[-1].slowest and not listed_stages(self.design):
            return self
        design = replace(self.design, recompute_layers=part.recompute_layers)
        return replace(self, layout=self.layout.of_part(part, self.shape), design=design)

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

    @property
    def useful(self) -> Any:
        """The tokens of a sequence that are not padding."""
        design = self.design
        if design.document_len is None:
            return design.seq_len
        return where(design.packed, design.seq_len, minimum(design.document_len, design.seq_len))

    @property
    def filled(self) -> Any:
        """The share of these."""
        return 1 if self.design.document_len is None else self.useful / self.design.seq_len

    @property
    def tunes_tables(self) -> bool:
        """Whether embeddings and the head are trained, and all else that has no adapters."""
        return self.design.adapter_rank is None

    @property
    def has_frozen_layers(self) -> bool:
        """Whether layers at the bottom may be frozen."""
        return not is_zero(self.design.frozen_layers)

    @property
    def is_partly_frozen(self) -> bool:
        """Whether any weight may be frozen."""
        return self.has_frozen_layers or not self.tunes_tables

    @cached_property
    def trained_part(self) -> "TrainingRun":
        """The same with the layers alone that have a backward pass."""
        layout = self.layout
        others = layout.other_layers
        return self._with_layers(layout.layers - layout.frozen, others - self.asleep(others), 0)

    @cached_property
    def frozen_part(self) -> "TrainingRun":
        """The same with the layers alone that have none."""
        frozen = self.layout.frozen
        return self._with_layers(frozen, self.asleep(self.layout.other_layers), frozen)

    def asleep(self, others: Any) -> Any:
        """Count the frozen layers of the stage among so many that do not stand in front."""
        return frozen_others(self.layout.frozen, self.layout.layers, others, self.shape.spread)

    def _with_layers(self, layers: Any, others: Any, frozen: Any) -> "TrainingRun":
        layout = replace(
            self.layout, layers=layers, other_layers=others, others_held=(others,), frozen=frozen
        )
        return replace(self, layout=layout)


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
    above = where(is_tied(run.shape), tables, minimum(heads, tables))
    return where(run.design.frozen_layers > 0, above, tables)


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


def is_tied(shape: ModelShape) -> Any:
    """Tell whether the embedding is also the head."""
    return logical_and(shape.head > 0, shape.own_head <= 0)


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
