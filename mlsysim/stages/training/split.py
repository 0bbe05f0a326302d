"""How layers are dealt out to the stages of a pipeline: evenly, or as the design says."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from mlsysim.problem.verdict import Check
from mlsysim.stages.kinds import is_one_of, is_zero
from mlsysim.stages.per_stage import is_for, on_stage, stages_listed
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
    """A stage, or one of several that are alike.

    Parameters
    ----------
    place
        Where it stands.
    layers, other_layers
        Its layers, and those of them that are not of the kind that stands in front.
    frozen, frozen_others
        The same of those that are frozen with all below them.
    slack
        How many layers fewer it holds, though it takes the time of those.
    recompute_layers
        How many are computed again in each chunk; all where it is None.
    at_end, is_last
        Whether it holds the embedding or the head, and whether that is the head.
    """

    place: StagePlace
    layers: Any
    other_layers: Any
    frozen: Any
    frozen_others: Any
    slack: Any
    recompute_layers: Any
    at_end: Any
    is_last: Any


@dataclass(frozen=True, kw_only=True)
class StageGroup:
    """Stages with equally many layers.

    Parameters
    ----------
    count
        How many they are.
    parts
        Those among them that may be the slowest or the fullest.
    """

    count: Any
    parts: tuple[StagePart, ...]


def even_place(design: TrainingDesign, index: Any, chunk: Any) -> StagePlace:
    """Place a stage among others with as many layers."""
    return StagePlace(index=index, before=index * chunk, chunk=chunk, around=design.pp_size * chunk)


def split_of(design: TrainingDesign, shape: ModelShape) -> tuple[StageGroup, ...]:
    """Give the stages one by one where the design tells some apart; nothing where it does not."""
    listed = max(map(stages_listed, (design.stage_layers, design.recompute_layers)))
    if listed:
        return _one_by_one(design, shape, listed)
    return _with_ends(design, shape) if _tells_ends(design) else ()


def split_checks(
    design: TrainingDesign, shape: ModelShape, groups: Sequence[StageGroup], both_ends: Any
) -> dict[str, Check]:
    """State which splits exist, where one is told.

    Parameters
    ----------
    design, shape
        The run.
    groups
        Its stages (`split_of`).
    both_ends
        Whether microbatches enter the pipeline at both ends.
    """
    if not groups:
        return {}
    stages, virtual = [group.parts[0] for group in groups], design.virtual_stages
    # Where there is one chunk it is known beforehand.
    chunked = [] if is_one_of(virtual, (1,)) else [part.layers % virtual == 0 for part in stages]
    found = {
        "virtual stages divide the layers of each stage": Check.that(
            logical_and(True, *chunked)  # noqa: FBT003
        ),
        "stages that differ have microbatches that enter at one end": Check.that(
            logical_not(both_ends)
        ),
        **{
            f"{name} has a number for each stage": Check.that(is_for(listed, design.pp_size))
            for name in ("stage_layers", "recompute_layers")
            if stages_listed(listed := getattr(design, name))
        },
    }
    if _tells_ends(design):
        found |= _end_checks(design, shape)
    if design.stage_layers is not None:
        held = sum(group.count * part.layers for group, part in zip(groups, stages, strict=True))
        found["stages hold every layer once"] = Check.that(held == shape.layers)
    if design.recompute_layers is not None:
        for number, part in enumerate(stages, start=1):
            found[f"recomputed layers within stage {number}"] = Check.at_most(
                part.recompute_layers, part.place.chunk
            )
    return found


def uneven(groups: Sequence[StageGroup], figure: str) -> Any:
    """Tell by how much stages differ in a figure of `StagePart`; 0 where nobody tells them apart.

    Parameters
    ----------
    groups
        The stages.
    figure
        The name of the figure.
    """
    if not groups or getattr(groups[0].parts[0], figure) is None:
        return 0
    first = getattr(groups[0].parts[0], figure)
    held = [where(group.count > 0, getattr(group.parts[0], figure), first) for group in groups]
    return maximum(*held) - minimum(*held)


def _end_checks(design: TrainingDesign, shape: ModelShape) -> dict[str, Check]:
    """State which numbers of layers the first and the last stage can have."""
    rest, sharing = _between(design, shape)
    return {
        "first and last stages need a pipeline": Check.that(design.pp_size > 1),
        "first and last stages leave others their layers": Check.that(
            where(sharing > 0, rest >= sharing, rest == 0)
        ),
        "other stages share their layers evenly": Check.that(rest % maximum(sharing, 1) == 0),
        "stages are listed, or the first and the last told": Check.that(
            design.stage_layers is None
        ),
    }


def _tells_ends(design: TrainingDesign) -> bool:
    return design.first_stage_layers is not None or design.last_stage_layers is not None


def _between(design: TrainingDesign, shape: ModelShape) -> tuple[Any, Any]:
    """Count the layers and the stages of which nothing is said."""
    told = [
        layers
        for layers in (design.first_stage_layers, design.last_stage_layers)
        if layers is not None
    ]
    return shape.layers - sum(told), design.pp_size - len(told)


def _with_ends(design: TrainingDesign, shape: ModelShape) -> tuple[StageGroup, ...]:
    """Give the first stage, the last, and those between them."""
    stages, virtual = design.pp_size, design.virtual_stages
    held = _ends(design, shape)
    around = shape.layers / virtual
    first, between, last = (layers / virtual for layers in held)

    def part(index: Any, before: Any, layers: Any, *, at_end: bool, is_last: bool) -> StagePart:
        place = StagePlace(index=index, before=before, chunk=layers / virtual, around=around)
        return _part(design, shape, place, layers, 0, at_end=at_end, is_last=is_last)

    edges: list[Any] = [1]
    marks = [design.frozen_layers]
    if not is_one_of(shape.other_layers, (0, shape.layers)):
        marks.append(shape.layers - shape.other_layers)
    for mark in marks:
        if not is_zero(mark):
            # The stages on which the first layers of some kind end.
            beyond = 1 + (mark - floor(mark / around) * around - first) / between
            edges += [
                minimum(maximum(place, 1), maximum(stages - 2, 1))
                for place in (floor(beyond), ceil(beyond))
            ]
    middle = tuple(
        part(index, first + (index - 1) * between, held[1], at_end=False, is_last=False)
        for index in edges
    )
    foremost = part(0, 0, held[0], at_end=True, is_last=False)
    hindmost = part(stages - 1, around - last, held[2], at_end=True, is_last=True)
    return (
        StageGroup(count=1, parts=(foremost,)),
        StageGroup(count=maximum(stages - 2, 0), parts=middle),
        StageGroup(count=1, parts=(hindmost,)),
    )


def _one_by_one(design: TrainingDesign, shape: ModelShape, listed: int) -> tuple[StageGroup, ...]:
    """Give as many stages as lists are about."""
    stages, virtual = design.pp_size, design.virtual_stages
    even = design.stage_layers is None and not _tells_ends(design)
    found: list[StageGroup] = []
    before: Any = 0
    for index in range(listed):
        layers = _told_layers(design, shape, index)
        chunk = layers / virtual
        around = stages * chunk if even else shape.layers / virtual
        place = StagePlace(index=index, before=before, chunk=chunk, around=around)
        is_last = index == stages - 1
        lacking = where(is_last, slack(shape.layers, stages * virtual), 0) if even else 0
        at_end = logical_or(index == 0, is_last)
        part = _part(design, shape, place, layers, lacking, at_end=at_end, is_last=is_last)
        found.append(StageGroup(count=where(index < stages, 1, 0), parts=(part,)))
        before = before + chunk
    return tuple(found)


def _told_layers(design: TrainingDesign, shape: ModelShape, index: int) -> Any:
    """Give how many layers a stage has, by its number."""
    stages = design.pp_size
    if design.stage_layers is not None:
        return on_stage(design.stage_layers, index)
    if _tells_ends(design):
        first, between, last = _ends(design, shape)
        return first if index == 0 else where(index == stages - 1, last, between)
    virtual = design.virtual_stages
    return fullest_share(shape.layers, stages * virtual) * virtual


def _ends(design: TrainingDesign, shape: ModelShape) -> tuple[Any, Any, Any]:
    """Give the layers of the first stage, of each between, and of the last.

    No stage has more than the model: what is told beyond that fails a check, and would begin
    before the first layer here.
    """
    rest, sharing = _between(design, shape)
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
    lacking: Any,
    *,
    at_end: Any,
    is_last: Any,
) -> StagePart:
    """Describe a stage by its place."""
    others = other_layers(shape, place, layers)
    frozen, asleep = 0, 0
    if not is_zero(design.frozen_layers):
        below = minimum(design.frozen_layers, shape.layers)
        frozen = minimum(place.holds_of_first(below), layers)
        asleep = frozen_others(frozen, layers, others, shape.spread)
    return StagePart(
        place=place,
        layers=layers,
        other_layers=others,
        frozen=frozen,
        frozen_others=asleep,
        slack=lacking,
        recompute_layers=None
        if design.recompute_layers is None
        else on_stage(design.recompute_layers, place.index),
        at_end=at_end,
        is_last=is_last,
    )


def other_layers(shape: ModelShape, place: StagePlace, layers: Any) -> Any:
    """Count the layers of a stage that are not of the kind that stands in front."""
    dense = place.holds_of_first(shape.layers - shape.other_layers)
    alternate = layers * shape.other_layers // shape.layers
    behind = minimum(layers - dense, shape.other_layers)
    return where(shape.spread, alternate, behind)


def frozen_others(frozen: Any, layers: Any, others: Any, spread: Any) -> Any:
    """Count the frozen layers, which are the first of some, that are not of the kind in front."""
    if is_zero(frozen):
        return 0
    return where(spread, frozen * others // layers, maximum(frozen - (layers - others), 0))
