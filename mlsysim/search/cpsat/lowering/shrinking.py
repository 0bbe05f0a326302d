"""Shrink a large question by boxes before its formulas go into a model.

A combination of choices that cannot matter needs no literal, and a value has less room where
fewer designs are left.  Boxes tell that quickest.  No design is evaluated here but those that
a local search looks at; what is left is CP-SAT's to search and to prove.
"""

import math

from mlsysim.search.cpsat.local import LocalSearch
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program.boxes import Boxes, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.clock import Clock

# Where no more designs than this are left, literals are few; so many boxes are cut at most.
_ENOUGH = float(1 << 14)
_MOST_BOXES = 1 << 17
# Designs that are as good as the best one known, up to rounding, stay.
_MARGIN = 1e-9


def left_by_boxes(program: Program, boxes: Boxes, cutoff: float, clock: Clock) -> Boxes:
    """Cut boxes until few enough designs are left."""
    if float(boxes.volumes.sum()) <= _ENOUGH:
        return boxes
    presolve = Presolve(
        program=program, keep=1, clock=clock, on_progress=lambda _: None, ceiling=cutoff
    )
    left = presolve.narrow(boxes, _ENOUGH, _MOST_BOXES)
    clock.counters["boxes"] += presolve.bounded
    return left


def best_known(program: Program, clock: Clock) -> tuple[float, float, Boxes]:
    """Look for a good design, and cut off what is worse.

    Returns
    -------
    tuple
        The objective of the best design that a local search has found, infinite where it has
        found none; what the objective of others has to be below to matter; and boxes that hold
        all of these.
    """
    everything = whole(list(program.lengths.values()))
    local = LocalSearch(program=program, box=everything, seed=clock.seed)
    local.run()
    best = float(local.rows.values[:, 0].min(initial=math.inf))
    cutoff = program.goal(best, -_MARGIN) if math.isfinite(best) else math.inf
    return best, cutoff, left_by_boxes(program, everything, cutoff, clock)
