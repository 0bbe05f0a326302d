"""Local search: a few good designs from a few evaluations, before anything is proven.

Coordinate descent from random designs.  What it finds is where CP-SAT starts from: the
value to beat decides which combinations of choices need a literal at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.solving.clock import never

# No more than this share of the space is evaluated, nor more than so many per choice, ...
_SHARE = 5
_PER_CHOICE = 48
# ... unless the space is larger than this: there a better value to beat saves seconds.
_LARGE = 1e5
_PER_CHOICE_OF_LARGE = 800
# A choice of no more values than this is tried in full.
_FEW = 8
_STARTS = 16
_DESCENTS = 4
_DESCENTS_OF_LARGE = 32


@dataclass(kw_only=True)
class LocalSearch:
    """A local search in a box.

    Parameters
    ----------
    program
        What is minimised.
    box
        The one box that holds every design of interest.
    seed
        For the designs to start from.
    check
        Called now and then; it may raise.

    Attributes
    ----------
    rows
        The designs evaluated that meet every condition.
    seen
        All designs evaluated.
    """

    program: Program
    box: Boxes
    seed: int = 0
    check: Callable[[], None] = never
    rows: Rows = field(init=False)
    seen: dict[tuple[int, ...], tuple[int, float]] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = no_rows(len(self.program.names), 1)
        self.seen = {}

    def run(self) -> None:
        """Descend from the best of some random designs, until nothing near is better."""
        random = np.random.default_rng(self.seed)
        first, last = self.box.first[0], self.box.last[0]
        volume = float(self.box.volumes[0])
        most = _PER_CHOICE if volume <= _LARGE else _PER_CHOICE_OF_LARGE
        self._left = int(min(volume / _SHARE, most * len(first)))
        count = min(_STARTS, max(1, self._left // 3))
        starts = random.integers(first, last + 1, (count, len(first)))
        self._evaluate(starts)
        tried: set[tuple[int, ...]] = set()
        for turn in range(_DESCENTS if volume <= _LARGE else _DESCENTS_OF_LARGE):
            among = [at for at in self.seen if at not in tried]
            if volume > _LARGE and turn % 2 == 0:  # far from what is known, for there is room
                starts = random.integers(first, last + 1, (count, len(first)))
                self._evaluate(starts)
                among = [at for at in map(tuple, starts.tolist()) if at in self.seen]
            if not among or self._left <= 0:
                break
            at = min(among, key=self.seen.__getitem__)
            while at not in tried and self._left > 0:
                self.check()
                tried.add(at)
                around = self._around(np.array(at))
                self._evaluate(around)
                near = [*map(tuple, around.tolist()), at]
                at = min((one for one in near if one in self.seen), key=self.seen.__getitem__)

    def _around(self, design: Positions) -> Positions:
        """Change one choice at a time: to any value of a short one, by halves of a long one."""
        near = []
        for column, (low, high) in enumerate(zip(self.box.first[0], self.box.last[0], strict=True)):
            here = design[column]
            if high - low < _FEW:
                places = set(range(int(low), int(high) + 1))
            else:
                middle = {(low + here) // 2, (here + high + 1) // 2}
                places = {max(low, here - 1), min(high, here + 1), low, high, *middle}
            for place in sorted(places - {here}):
                changed = design.copy()
                changed[column] = place
                near.append(changed)
        return np.array(near, np.int64).reshape(-1, len(design))

    def _evaluate(self, designs: Positions) -> None:
        known = self.seen
        fresh = [row for row in dict.fromkeys(map(tuple, designs.tolist())) if row not in known]
        fresh = fresh[: max(0, self._left)]
        if not fresh:
            return
        self._left -= len(fresh)
        table = self.program.tabulate(np.array(fresh, np.int64), ask=False)
        broken = (~table.holds).sum(axis=0)
        for row, count, value in zip(fresh, broken.tolist(), table.values[:, 0], strict=True):
            known[row] = (count, float(value))
        self.rows = self.rows.plus(table.feasible)
