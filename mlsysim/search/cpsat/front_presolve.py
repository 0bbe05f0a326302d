"""Presolve for a Pareto front: of designs with the same objectives the first counts."""

import numpy as np
from numpy.typing import NDArray

from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program.boxes import Boxes
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.goals import undominated


class FrontPresolve(Presolve):
    """A presolve whose designs stand first in the grid among their equals.

    A design dominates a box if it is no worse than the bounds of the box in
    any objective.  Where it is no better either, the box may hold an equal,
    which matters if the box begins earlier in the grid.
    """

    def front(self) -> Rows | None:
        """Evaluate what is left, and give the designs that no other dominates; if time allows."""
        rows = self.found
        for some in self._portions():
            if self.clock.left <= 0:
                return None
            designs = some.designs()
            self.evaluated += len(designs)
            rows = rows.plus(self.program.rows(designs))
        # Now in the order of the grid, so that of equals the first is taken.
        rows = rows.distinct()
        return rows.take(np.array(undominated(rows.values), np.int64))

    def _is_promising(self, boxes: Boxes) -> NDArray[np.bool_]:
        promising = super()._is_promising(boxes)
        values = map(tuple, self.found.values.tolist())
        known = dict(zip(values, self.found.designs.tolist(), strict=True))
        for place in np.flatnonzero(~promising):
            equal = known.get(tuple(boxes.bound[place].tolist()))
            if equal is not None:
                # Lists compare as the grid is ordered: by the first difference.
                promising[place] = boxes.first[place].tolist() < equal
        return promising
