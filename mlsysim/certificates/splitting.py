"""Choose along which choice to cut boxes: the one that, on a sample, tells most."""

import numpy as np

from mlsysim.certificates.bounds import BoxTable
from mlsysim.certificates.formulas import CertifiedRequirement, Formulas, Positions, Result
from mlsysim.certificates.judging import BoxJudge, Judgement
from mlsysim.certificates.parts import taken
from mlsysim.certificates.rounding import Array

_SAMPLE = 24
# Which side of a comparison has to be the smaller one.
_SMALLER_FIRST = {"less": True, "less_equal": True, "greater": False, "greater_equal": False}


def axes(judge: BoxJudge, boxes: BoxTable) -> Positions:
    """Choose for each box the choice to cut in its middle."""
    sizes = boxes.last - boxes.first + 1
    ranked = np.where(sizes > 1, _scores(judge, boxes) + 1e-9 * np.log2(sizes), -np.inf)
    return np.asarray(np.argmax(ranked, axis=1))


def _scores(judge: BoxJudge, boxes: BoxTable) -> Array:
    """Measure how much halving each choice tells about a sample of boxes.

    A half that is excluded counts as one; any other by the largest share that something has
    gone of its way to where it would exclude the half.
    """
    rows = np.linspace(0, len(boxes) - 1, min(_SAMPLE, len(boxes))).astype(np.int64)
    sample = taken(boxes, rows)
    box, axis = np.nonzero(sample.last > sample.first)
    middle = (sample.first[box, axis] + sample.last[box, axis]) // 2
    lower, upper = sample.last[box].copy(), sample.first[box].copy()
    lower[np.arange(len(box)), axis] = middle
    upper[np.arange(len(box)), axis] = middle + 1
    halves = BoxTable(
        first=np.concatenate([sample.first, sample.first[box], upper]),
        last=np.concatenate([sample.last, lower, sample.last[box]]),
    )
    judgement = judge.boxes(halves)
    ways = _ways(judge.formulas, judgement, len(halves))
    parents, children = ways[np.tile(box, 2)], ways[len(sample) :]
    with np.errstate(all="ignore"):
        shares = (children - parents) / -parents
    shares = np.where(np.isfinite(parents), shares, np.isfinite(children))
    told = np.clip(np.nan_to_num(shares, nan=0.0), 0.0, 1.0).max(axis=1)
    told[judgement.excluded[len(sample) :]] = 1.0
    width = sample.first.shape[1]
    total = np.bincount(np.tile(axis, 2), told, minlength=width)
    return np.asarray(total / np.maximum(np.bincount(axis, minlength=width), 1))


def _ways(formulas: Formulas, judgement: Judgement, count: int) -> Array:
    """Tell what is missing until something excludes a box: a negative number each, up to zero."""
    with np.errstate(all="ignore"):
        found = [
            np.minimum(judgement.least - judgement.limit, 0.0),
            *(_missing(formulas, item, judgement) for item in formulas.requirements),
        ]
    return np.stack([np.broadcast_to(way, count) for way in found], axis=1)


def _missing(formulas: Formulas, requirement: CertifiedRequirement, judgement: Judgement) -> Array:
    """Tell the least ratio of the sides of a comparison, as a logarithm: above zero it fails."""
    step = formulas.steps[requirement.holds]
    nothing = np.full((), -np.inf)
    if not isinstance(step, Result) or step.operation not in _SMALLER_FIRST:
        return nothing
    if set(step.arguments) != set(requirement.sides):
        return nothing
    small, large = step.arguments if _SMALLER_FIRST[step.operation] else step.arguments[::-1]
    ratio = judgement.read[small].low / judgement.read[large].high
    return np.asarray(np.minimum(np.log(ratio), 0.0))
