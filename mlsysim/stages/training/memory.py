"""Memory of the fullest accelerator of a training run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mlsysim.expr.functions import (
    logical_and,
    logical_or,
    maximum,
    minimum,
    select,
    where,
)
from mlsysim.physics import schedule, state
from mlsysim.physics.activations import RECOMPUTE
from mlsysim.physics.state import ZeroStage
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes
from mlsysim.stages.kinds import is_one_of
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.split import (
    StagePart,
    even_part,
    frozen_others,
    is_told,
    other_layers,
)
from mlsysim.stages.training.stacks import bucket_bytes
from mlsysim.stages.training.waiting import offloads, share_away, stored
from mlsysim.stages.training.work import Work


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The parts of the memory, in bytes, which add up to it; and what is offloaded besides."""

    weights: Any
    gradients: Any
    optimizer: Any
    activations: Any
    logits: Any
    reserve: Any
    offloaded: Any

    @property
    def total(self) -> Any:
        """All parts together."""
        state_parts = self.weights + self.gradients + self.optimizer
        return state_parts + self.activations + self.logits + self.reserve


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """A stage of the pipeline.

    Parameters
    ----------
    layers, other_layers
        Its layers that are trained, and those of them that do not stand in front.
    frozen, frozen_others
        The same of those that are frozen with all below them.
    alive
        Microbatches whose activations it keeps.
    """

    layers: Any
    other_layers: Any
    frozen: Any
    frozen_others: Any
    alive: Any


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Parameters that an accelerator holds of what is in no layer: all, and those trained."""

    held: Any
    trained: Any


def memory_of(run: TrainingRun, work: Work) -> tuple[Memory, Any]:
    """Measure what the fullest accelerator holds: the parts, and the total.

    State follows Rajbhandari et al. 2020, activations Korthikanti et al. 2022.
    Replicas without work hold no shards.  What comes and goes within a step
    leaves gaps, so that it takes more than it holds.

    The fullest accelerator is on the first stage, with the embedding and the most microbatches;
    or on the last one, with the logits, before its backward pass begins; or, where some layers are
    not like others, on the first stage with as many of either.  Where microbatches enter at both
    ends, each accelerator also holds the stage that mirrors its own, and it may be the second one
    or that in the middle.
    """
    return _fullest(list(_accelerators(run, work)))


def _accelerators(run: TrainingRun, work: Work) -> Iterator[Memory]:
    """Measure an accelerator of each group of stages, and of the last stage in its forward pass."""
    design, shape, groups = run.design, run.shape, run.layout.groups
    for group in groups:
        yield from _of_stage(run, work, group.fullest)
    if not is_one_of(run.layout.held, (1,)):
        for index in (1, design.pp_size // 2 - 1):
            inside = minimum(maximum(index, 0), design.pp_size - 1)
            for one in _of_stage(run, work, even_part(design, shape, inside)):
                yield _where(run.layout.held > 1, one)
    for group in groups:
        if group.slowest.is_last is not False:
            logits = where(group.slowest.is_last, work.logits, 0)
            yield from _of_stage(run, work, group.slowest, logits)


def _where(condition: Any, memory: Memory) -> Memory:
    """Give what an accelerator holds, or nothing."""
    parts = {item.name: getattr(memory, item.name) for item in fields(Memory)}
    return Memory(**{name: where(condition, part, 0.0) for name, part in parts.items()})


def _of_stage(
    run: TrainingRun, work: Work, part: StagePart, logits: Any = None
) -> Iterator[Memory]:
    """Measure an accelerator that holds a stage, of whatever kind this may have one layer more."""
    design, end = run.design, run.design.pp_size - 1
    stage, parts = run.of_part(part), [part]
    if not is_one_of(run.layout.held, (1,)) and not is_told(design):
        parts.append(even_part(design, run.shape, end - part.place.index))
    held = [list(_stages_of(stage, one)) for one in parts]
    tables = _Tables(
        held=where(part.at_end, work.tables, 0), trained=where(part.at_end, work.trained_tables, 0)
    )
    for own, mirrored in zip(held[0], held[-1], strict=True):
        yield _accelerator(stage, work, (own, mirrored), tables, logits)


def _stages_of(run: TrainingRun, part: StagePart) -> Iterator[_Stage]:
    """Describe a stage, with each number of layers that it may have of either kind."""
    layers = part.layers - part.slack
    frozen = minimum(part.frozen, layers)
    for others in other_layers(run.shape, part.place, layers):
        asleep = frozen_others(frozen, layers, others, run.shape.spread)
        yield _Stage(
            layers=layers - frozen,
            other_layers=others - asleep,
            frozen=frozen,
            frozen_others=asleep,
            alive=_alive(run, part.place.index),
        )


def _fullest(held: Sequence[Memory]) -> tuple[Memory, Any]:
    """Choose the largest."""
    found = held[0]
    total = found.total
    for other in held[1:]:
        larger = other.total > total
        found = Memory(
            **{
                item.name: where(larger, getattr(other, item.name), getattr(found, item.name))
                for item in fields(Memory)
            }
        )
        total = maximum(total, other.total)
    return found, total


def _alive(run: TrainingRun, index: Any) -> Any:
    """Count the microbatches whose activations a stage keeps."""
    design = run.design
    # Weight gradients that wait for the bubble, where there is one, keep a microbatch longer.
    longer = select(design.schedule, dict.fromkeys(schedule.SCHEDULES, 0) | {"zero-bubble": 1})
    return schedule.microbatches_alive(
        run.layout.microbatches,
        design.pp_size,
        design.virtual_stages,
        index,
        where(design.pp_size > 1, longer, 0),
    )


def _accelerator(
    run: TrainingRun,
    work: Work,
    stages: Sequence[_Stage],
    tables: _Tables,
    logits: Any = None,
) -> Memory:
    """Measure an accelerator: in its backward pass, or with logits before it.

    Parameters
    ----------
    run, work
        The run.
    stages
        Its stage, and the mirrored one, which counts where it holds both.
    tables
        What it holds of what is in no layer.
    logits
        Its logits, if they are there.
    """
    stage, kept = run.design.zero_stage, run.state
    gaps, mirrored = run.calibration.fragmentation, run.layout.held - 1
    before = logits is not None

    def held(trained: str, frozen: str) -> Any:
        return sum(
            share * _over_stage(run, work, one, trained, frozen)
            for one, share in zip(stages, (1, mirrored), strict=True)
        )

    own, routed = held("trained", "untrained"), held("routed_trained", "untrained")
    common, experts = run.layout.shards, run.layout.expert_replicas
    trained = ((own + tables.trained, common), (routed, experts))

    def shared(part: ZeroStage, sharing: Any) -> Any:
        return state.shards(stage, part, sharing)

    # The logits have gone when the first gradients of weights come.
    unreduced = 0.0
    if not before:
        unreduced = state.unreduced_bytes(
            work.largest_trained, work.head, kept.working, kept.gradient, stage
        )
        unreduced = unreduced + bucket_bytes(
            run.design.stack, stage, own + routed + tables.trained, kept.working
        )
    near, far = (one.alive * stored(run, work, one.layers, one.other_layers) for one in stages)
    waiting, away = near + mirrored * far, 0.0
    if offloads(run):
        out, beyond = (share_away(run, one.layers, one.alive) for one in stages)
        waiting = near * (1 - out) + mirrored * far * (1 - beyond)
        away = near * out + mirrored * far * beyond
    gathered = state.gathered_bytes(
        work.largest_layer,
        work.tables * kept.working,
        (work.tables - work.trained_tables) * kept.working,
        kept.working,
        stage,
        run.design.sharding,
    )
    weights = sum(state.weight_bytes(count, kept, stage, sharing) for count, sharing in trained)
    optimizer = sum(
        state.state_bytes(count, width, shared(ZeroStage.OPTIMIZER, sharing))
        for count, width, sharing in (
            (own, kept.optimizer, common),
            (tables.trained, kept.table_optimizer, common),
            (routed, kept.optimizer, experts),
        )
    )
    if run.is_partly_frozen:
        asleep = held("asleep", "frozen_weights")
        asleep = asleep + kept.working * (tables.held - tables.trained)
        routed_asleep = held("routed_asleep", "routed_frozen_weights")
        weights = weights + asleep / shared(ZeroStage.WEIGHTS, common)
        weights = weights + routed_asleep / shared(ZeroStage.WEIGHTS, experts)
    optimizer_away, asleep = run.design.optimizer_offload, run.design.parameter_offload
    # The host's optimizer reads gradients beside what it keeps.
    handed = sum(
        state.state_bytes(count, kept.gradient, shared(ZeroStage.OPTIMIZER, sharing))
        for count, sharing in trained
    )
    summed = sum(
        state.state_bytes(count, kept.gradient, shared(ZeroStage.GRADIENTS, sharing))
        for count, sharing in trained
    )
    return Memory(
        weights=where(asleep, 0.0, weights) + gathered + _widened(run),
        gradients=where(_hands_gradients_over(run), 0.0, summed) + unreduced,
        optimizer=where(optimizer_away, 0.0, optimizer),
        activations=gaps * (waiting if before else waiting + _rebuilt(run, work)),
        logits=gaps * logits if before else 0.0,
        reserve=where(run.layout.used > 1, run.machine.runtime_reserve, run.machine.reserve_alone),
        offloaded=where(optimizer_away, optimizer + handed, 0.0)
        + where(asleep, weights, 0.0)
        + away,
    )


def _hands_gradients_over(run: TrainingRun) -> Any:
    """Tell whether summed gradients go to the host as they come, where the optimizer reads them.

    Those that ZeRO divides do (Ren et al. 2021, arXiv 2101.06840, section 4.1); FSDP's do where its
    weights are offloaded as well.
    """
    design = run.design
    divided = design.zero_stage >= ZeroStage.GRADIENTS
    moves = logical_or(
        select(design.sharding, {"zero": True, "fsdp": False}), design.parameter_offload
    )
    return logical_and(design.optimizer_offload, divided, moves)


def host_check(run: TrainingRun, offloaded: Any) -> Check:
    """Demand that the hosts of a node have the memory for what is offloaded to them.

    Where nobody knows what they have, nothing is demanded.

    Parameters
    ----------
    run
        The run.
    offloaded
        By all accelerators of a node (byte).
    """
    design, machine = run.design, run.machine
    state_stays = design.optimizer_offload is False and design.parameter_offload is False
    if state_stays and not offloads(run):
        return Check.that(True)  # noqa: FBT003
    if design.host_memory is not None:
        limit = 1e9 * design.host_memory
    else:
        limit = where(machine.host_known, machine.host_memory, offloaded)
    return Check.at_most(gigabytes(offloaded), gigabytes(limit))


def _over_stage(run: TrainingRun, work: Work, one: _Stage, trained: str, frozen: str) -> Any:
    """Add up the trained layers and the frozen ones of a stage, each by a figure of its own."""
    awake = run.over(work.each(trained), one.layers, one.other_layers)
    if not run.has_frozen_layers:
        return awake
    return awake + run.over(work.each(frozen), one.frozen, one.frozen_others)


def _widened(run: TrainingRun) -> Any:
    """Measure the largest matrix as it is widened to be multiplied, where weights are frozen."""
    if not run.is_partly_frozen:
        return 0.0
    largest = maximum(*(kind.largest_matrix for kind in run.kinds))
    widened = run.frozen.widened
    if run.tunes_tables:
        widened = logical_and(widened, run.design.frozen_layers > 0)
    return where(widened, largest * run.width.weight / run.design.tp_size, 0.0)


def _rebuilt(run: TrainingRun, work: Work) -> Any:
    """Measure what comes and goes with a layer: what is made again, and what attention passes."""
    layer = maximum(*work.each("kept"))
    counted: Any = run.design.recompute_layers
    whole = layer if counted is None else where(counted > 0, layer, 0.0)
    again = select(
        run.design.recompute,
        dict.fromkeys(RECOMPUTE, 0.0) | {"alternate": layer, "full": whole},
    )
    return again + maximum(*work.each("passing"))
