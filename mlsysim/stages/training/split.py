"""How layers are dealt out to the stages of a pipeline: evenly, or as the design says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import (
    ceil,
    floor,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    where,
)
from mlsysim.physics.partition import first_layers_on_stage, fullest_share, slack
from mlsysim.stages.kinds import is_one_of, is_zero, kinds_of
from mlsysim.stages.per_stage import on_stage, stages_listed
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign


@dataclass(frozen=True, kw_only=True)
class StagePlace:
    """Where a stage stands.

    Parameters
    ----------
    index
        Its number, from 0 for the first.
    before, chunk, around
        Layers of a round through the pipeline: those before it, its own, and all.
    """

    index: Any
    before: Any
    chunk: Any
    around: Any

    def holds_of_first(self, layers: Any) -> Any:
        """Count the first so many layers of the model that it holds."""
        return first_layers_on_stage(self.before, self.chunk, layers, self.around)


@dataclass(frozen=True, kw_only=True)
class StagePart:
    """A stage.

    Parameters
    ----------
    place
        Where it stands.
    layers
        Its layers.
    frozen
        Those of them that are frozen with all below them.
    slack
        How many layers fewer it holds, though it takes the time of those.
    recompute_layers
        How many are computed again in each chunk; all where it is None.
    is_first, is_last
        Whether it holds the embedding, and the head.
    """

    place: StagePlace
    layers: Any
    frozen: Any
    slack: Any
    recompute_layers: Any
    is_first: Any
    is_last: Any

    @property
    def at_end(self) -> Any:
        """Whether it is either."""
        return logical_or(self.is_first, self.is_last)


@dataclass(frozen=True, kw_only=True)
class StageGroup:
    """Stages in a row that take as long as one another, but for embedding and head.

    Parameters
    ----------
    count
        How many they are; where it is 0, the stages below are of another group.
    slowest
        That of them which takes longest: the one with the head, if one of them has it.
    fullest
        That which holds most in its backward pass: the first of them.
    """

    count: Any
    slowest: StagePart
    fullest: StagePart


def split_of(design: TrainingDesign, shape: ModelShape) -> tuple[StageGroup, ...]:
    """Give the stages of the pipeline in groups, from the first to the last."""
    if listed := listed_stages(design):
        return tuple(_one_by_one(design, shape, listed))
    if tells_ends(design):
        return tuple(_with_ends(design, shape))
    return tuple(_evenly(design, shape))


def is_told(design: TrainingDesign) -> bool:
    """Tell whether the design tells stages apart."""
    return listed_stages(design) > 0 or tells_ends(design)


def even_part(
    design: TrainingDesign, shape: ModelShape, index: Any, *, is_last: Any = None
) -> StagePart:
    """Describe a stage among others with as many layers.

    Parameters
    ----------
    design, shape
        The run.
    index
        The stage, from 0 for the first.
    is_last
        Whether it is the last, where that is known beforehand.
    """
    stages, chunks = design.pp_size, design.pp_size * design.virtual_stages
    chunk = fullest_share(shape.layers, chunks)
    return _part(
        design,
        shape,
        StagePlace(index=index, before=index * chunk, chunk=chunk, around=stages * chunk),
        chunk * design.virtual_stages,
        is_last=index == stages - 1 if is_last is None else is_last,
        lacking=slack(shape.layers, chunks),
    )


def between_ends(design: TrainingDesign, shape: ModelShape) -> tuple[Any, Any]:
    """Count the layers and the stages of which nothing is said."""
    told = [
        layers
        for layers in (design.first_stage_layers, design.last_stage_layers)
        if layers is not None
    ]
    return shape.layers - sum(told), design.pp_size - len(told)


def uneven(design: TrainingDesign, groups: Sequence[StageGroup], figure: str) -> Any:
    """Tell by how much stages differ in a figure of `StagePart`; 0 if not told apart."""
    if not is_told(design) or getattr(groups[0].slowest, figure) is None:
        return 0
    held = [getattr(group.slowest, figure) for group in groups]
    held = [where(group.count > 0, one, held[0]) for group, one in zip(groups, held, strict=True)]
    return maximum(*held) - minimum(*held)


def uneven_inside(design: TrainingDesign, groups: Sequence[StageGroup]) -> Any:
    """Tell by how many layers a stage between the ends has fewer than the fullest."""
    if not is_told(design):
        return 0
    fullest = maximum(*(where(group.count > 0, group.slowest.layers, 0) for group in groups))
    inside = [
        where(
            logical_and(group.count > 0, logical_not(group.slowest.at_end)),
            group.slowest.layers,
            fullest,
        )
        for group in groups
    ]
    return fullest - minimum(*inside)


def other_layers(shape: ModelShape, place: StagePlace, layers: Any) -> tuple[Any, ...]:
    """Count the layers of a stage that are not of the kind that stands in front.

    Where kinds alternate, a stage may have one more of either: the fewest and the most, which are
    one number where nothing alternates.
    """
    others = shape.other_layers
    behind = minimum(layers - minimum(place.holds_of_first(shape.layers - others), layers), others)
    if shape.spread is False:
        return (behind,)
    share = layers * others / shape.layers
    return tuple(where(shape.spread, round_(share), behind) for round_ in (floor, ceil))


def slowest_others(shape: ModelShape, counts: tuple[Any, ...]) -> Any:
    """Choose of such counts the one with which a stage takes longest.

    That has most layers of the kind that multiplies more for a token; a tie goes to the others,
    which mostly have experts, which wait.
    """
    if len(counts) == 1:
        return counts[0]
    front, *others = (
        kind.matmul_parameters + kind.routed_matmul
        for kind in (shape.front, *kinds_of(shape, "others"))
    )
    fewest, most = counts
    return where(front > maximum(*others), fewest, most)


def frozen_others(frozen: Any, layers: Any, others: Any, spread: Any) -> Any:
    """Count the frozen layers, which are the first of some, that are not of the kind in front."""
    if is_zero(frozen):
        return 0
    return where(
        spread, frozen * others // maximum(layers, 1), maximum(frozen - (layers - others), 0)
    )


def listed_stages(design: TrainingDesign) -> int:
    """Count the stages that lists are about."""
    return max(map(stages_listed, (design.stage_layers, design.recompute_layers)))


def tells_ends(design: TrainingDesign) -> bool:
    """Tell whether the design gives the first or the last stage layers of its own."""
    return design.first_stage_layers is not None or design.last_stage_layers is not None


def _evenly(design: TrainingDesign, shape: ModelShape) -> Iterator[StageGroup]:
    """Give stages with as many layers each: one group, unless some layers are not like others."""
    first = even_part(design, shape, 0, is_last=False)
    last = even_part(design, shape, design.pp_size - 1, is_last=True)
    if not _marks(design, shape):
        yield StageGroup(count=design.pp_size, slowest=last, fullest=first)
        return
    yield from _runs(design, shape, first, design.pp_size - 1)
    yield StageGroup(count=1, slowest=last, fullest=last)


def _with_ends(design: TrainingDesign, shape: ModelShape) -> Iterator[StageGroup]:
    """Give the first stage, those between, and the last."""
    stages, held = design.pp_size, _ends(design, shape)
    around = shape.layers / design.virtual_stages
    first, between, last = (layers / design.virtual_stages for layers in held)
    foremost, second, hindmost = (
        _part(
            design,
            shape,
            StagePlace(index=index, before=before, chunk=chunk, around=around),
            layers,
            is_last=chunk is last,
        )
        for index, before, chunk, layers in (
            (0, 0, first, held[0]),
            (1, first, between, held[1]),
            (stages - 1, around - last, last, held[2]),
        )
    )
    yield StageGroup(count=1, slowest=foremost, fullest=foremost)
    yield from _runs(design, shape, second, maximum(stages - 2, 0))
    yield StageGroup(count=1, slowest=hindmost, fullest=hindmost)


def _runs(
    design: TrainingDesign, shape: ModelShape, first: StagePart, count: Any
) -> Iterator[StageGroup]:
    """Give consecutive stages with as many layers each, in groups that have the same layers.

    Of each group the first keeps most microbatches, and may have the embedding.
    """
    place, begin = first.place, 0
    found: list[tuple[Any, Any]] = []
    for edge in _edges(design, shape, place, count):
        found += [
            (begin, maximum(edge - begin, 0)),
            (edge, where(logical_and(edge >= begin, edge < count), 1, 0)),
        ]
        begin = maximum(begin, edge + 1)
    found.append((begin, maximum(count - begin, 0)))
    for start, many in found:
        if is_zero(many):
            continue
        # An empty group has a stage that another one has.
        ahead = minimum(start, maximum(count - 1, 0))
        behind = replace(
            place, index=place.index + ahead, before=place.before + ahead * place.chunk
        )
        part = _part(design, shape, behind, first.layers, is_last=False)
        yield StageGroup(count=many, slowest=part, fullest=part)


def _edges(
    design: TrainingDesign, shape: ModelShape, first: StagePlace, count: Any
) -> Sequence[Any]:
    """Give the stages of a run on which the first layers of some kind end, in their order."""
    found = []
    for mark in _marks(design, shape):
        rest = mark - floor(mark / first.around) * first.around
        found.append(minimum(maximum(floor((rest - first.before) / first.chunk), 0), count))
    return (minimum(*found), maximum(*found)) if len(found) > 1 else found


def _marks(design: TrainingDesign, shape: ModelShape) -> list[Any]:
    """Count the first layers of the model that are not like those behind them."""
    found = []
    if not is_zero(design.frozen_layers):
        found.append(minimum(design.frozen_layers, shape.layers))
    if shape.spread is not True and not is_one_of(shape.other_layers, (0, shape.layers)):
        found.append(where(shape.spread, 0, shape.layers - shape.other_layers))
    return found


def _one_by_one(design: TrainingDesign, shape: ModelShape, listed: int) -> Iterator[StageGroup]:
    """Give as many stages as lists are about."""
    stages, virtual = design.pp_size, design.virtual_stages
    even = design.stage_layers is None and not tells_ends(design)
    before: Any = 0
    for index in range(listed):
        if even:
            part = even_part(design, shape, index)
        else:
            layers = _told_layers(design, shape, index)
            chunk, around = layers / virtual, shape.layers / virtual
            place = StagePlace(index=index, before=before, chunk=chunk, around=around)
            part = _part(design, shape, place, layers, is_last=index == stages - 1)
            before = before + chunk
        yield StageGroup(count=where(index < stages, 1, 0), slowest=part, fullest=part)


def _told_layers(design: TrainingDesign, shape: ModelShape, index: int) -> Any:
    """Give how many layers a stage has, by its number."""
    if design.stage_layers is not None:
        return on_stage(design.stage_layers, index)
    first, between, last = _ends(design, shape)
    return first if index == 0 else where(index == design.pp_size - 1, last, between)


def _ends(design: TrainingDesign, shape: ModelShape) -> tuple[Any, Any, Any]:
    """Give the layers of the first stage, of each between, and of the last.

    No stage has more than the model: what is told beyond that fails a check, and would begin
    before the first layer here.
    """
    rest, sharing = between_ends(design, shape)
    between = maximum(ceil(rest / maximum(sharing, 1)), 1)
    first, last = (
        between if told is None else minimum(told, shape.layers)
        for told in (design.first_stage_layers, design.last_stage_layers)
    )
    return first, between, last


def _part(
    design: TrainingDesign,
    shape: ModelShape,
    place: StagePlace,
    layers: Any,
    *,
    is_last: Any,
    lacking: Any = 0,
) -> StagePart:
    """Describe a stage; the last one lacks some layers, unless it stands alone."""
    frozen = 0
    if not is_zero(design.frozen_layers):
        frozen = minimum(place.holds_of_first(minimum(design.frozen_layers, shape.layers)), layers)
    return StagePart(
        place=place,
        layers=layers,
        frozen=frozen,
        slack=where(logical_and(is_last, design.pp_size > 1), lacking, 0),
        recompute_layers=None
        if design.recompute_layers is None
        else on_stage(design.recompute_layers, place.index),
        is_first=place.index == 0,
        is_last=is_last,
    )
