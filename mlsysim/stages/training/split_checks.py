"""Which splits of a pipeline exist, where a design tells its stages apart."""

from collections.abc import Sequence
from typing import Any

from mlsysim.expr.functions import logical_and, logical_not, maximum, minimum, where
from mlsysim.problem.verdict import Check
from mlsysim.stages.kinds import is_one_of
from mlsysim.stages.per_stage import is_for, stages_listed
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.split import StageGroup, between_ends, is_told, tells_ends


def split_checks(
    design: TrainingDesign, shape: ModelShape, groups: Sequence[StageGroup], both_ends: Any
) -> dict[str, Check]:
    """State which splits exist.

    Parameters
    ----------
    design, shape
        The run.
    groups
        Its stages (`split_of`).
    both_ends
        Whether microbatches enter the pipeline at both ends.
    """
    found = _told_checks(design, groups, both_ends) if is_told(design) else {}
    if tells_ends(design):
        found |= _end_checks(design, shape)
    if design.stage_layers is not None:
        held = sum(group.count * group.slowest.layers for group in groups)
        found["stages hold every layer once"] = Check.that(held == shape.layers)
    if design.recompute_layers is None:
        return found
    if stages_listed(design.recompute_layers):
        return found | {
            f"recomputed layers within stage {number}": Check.at_most(
                group.slowest.recompute_layers, group.slowest.place.chunk
            )
            for number, group in enumerate(groups, start=1)
        }
    chunks = [group.slowest.place.chunk for group in groups]
    least = minimum(
        *(where(group.count > 0, one, chunks[0]) for group, one in zip(groups, chunks, strict=True))
    )
    return found | {
        "recomputed layers within a stage": Check.at_most(design.recompute_layers, least)
    }


def _told_checks(
    design: TrainingDesign, groups: Sequence[StageGroup], both_ends: Any
) -> dict[str, Check]:
    """State what holds of all stages that are told apart."""
    virtual = design.virtual_stages
    # Where there is one chunk it is known beforehand.
    chunked = (
        []
        if is_one_of(virtual, (1,))
        else [where(group.count > 0, group.slowest.layers, 0) % virtual == 0 for group in groups]
    )
    return {
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


def _end_checks(design: TrainingDesign, shape: ModelShape) -> dict[str, Check]:
    """State which numbers of layers the first and the last stage can have."""
    rest, sharing = between_ends(design, shape)
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
