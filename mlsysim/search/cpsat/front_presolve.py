"""Presolve for a Pareto front: of designs with the same objectives the first counts."""

import numpy as np

from mlsysim.search.cpsat.boxes import Boxes
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.rows import dominators


class FrontPresolve(Presolve):
    """A presolve whose designs stand first in the grid among their equals.

    A design dominates a box if it is no worse than the bounds of the box in
    any objective.  Where it is no better either, the box may hold an equal,
    which matters if the box begins earlier in the grid.
    """

    def _promising(self, boxes: Boxes) -> Boxes:
        alive = dominators(boxes.bound, self.found.values) < self.keep
        known = dict(zip(map(tuple, self.found.values.tolist()), self.found.designs, strict=True))
        for place in np.flatnonzero(~alive):
            equal = known.get(tuple(boxes.bound[place].tolist()))
            if equal is not None:
                # Lists compare as the grid is ordered: by the first difference.
                alive[place] = boxes.first[place].tolist() < equal.tolist()
        return boxes.take(alive)
