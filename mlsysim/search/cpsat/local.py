"""Local search: a few good designs from a few evaluations, before anything is proven.

Coordinate descent from random designs.  What it finds is where CP-SAT starts from: the
value to beat decides which combinations of choices need a literal at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.solving.clock import never

# No more than this share of the space is evaluated, nor more than so many per choice, ...
_SHARE = 4
_PER_CHOICE = 48
# ... unless the space is larger than this: there a better value to beat saves seconds.
_LARGE = 1e4
_PER_CHOICE_OF_LARGE = 800
# A choice of no more values than this is tried in full.
_FEW = 8
_FEW_OF_LARGE = 64
_STARTS = 16
_DESCENTS = 4
_DESCENTS_OF_LARGE = 32
# ... and so many more around the best, changing two choices at once.
_PAIRS = 20_000

Design = tuple[int, ...]


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
    seen: dict[Design, tuple[int, float]] = field(init=False)
    _tried: set[Design] = field(init=False, default_factory=set)

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
        for turn in range(_DESCENTS if volume <= _LARGE else _DESCENTS_OF_LARGE):
            among = [at for at in self.seen if at not in self._tried]
            if volume > _LARGE and turn % 2 == 0:  # far from what is known, for there is room
                starts = random.integers(first, last + 1, (count, len(first)))
                self._evaluate(starts)
                among = [at for at in map(tuple, starts.tolist()) if at in self.seen]
            if not among or self._left <= 0:
                break
            self._descend(min(among, key=self.seen.__getitem__))
        if volume > _LARGE and self.seen:
            self._left = max(self._left, _PAIRS)
            self._descend(min(self.seen, key=self.seen.__getitem__), pairs=True)

    def improve(self, design: Design) -> None:
        """Descend from a design that something else has found, where the space has room for it."""
        if float(self.box.volumes[0]) > _LARGE:
            self._left = _PER_CHOICE * len(design)
            self._evaluate(np.array([design], np.int64))
            self._descend(design)

    def _descend(self, at: Design, *, pairs: bool = False) -> None:
        """Change one choice after the other, or two at once, until nothing near is better."""
        while self._left > 0 and (pairs or at not in self._tried):
            self.check()
            self._tried.add(at)
            near = self._pairs(at) if pairs else list(self._around(at))
            self._evaluate(np.array(near, np.int64).reshape(-1, len(at)))
            best = min((one for one in near if one in self.seen), key=self.seen.__getitem__)
            if not self.seen[best] < self.seen[at]:
                break
            at = best

    def _around(self, design: Design) -> Iterator[Design]:
        """Change one choice at a time: to any value of a short one, by halves of a long one."""
        few = _FEW if float(self.box.volumes[0]) <= _LARGE else _FEW_OF_LARGE
        for column, (low, high) in enumerate(zip(self.box.first[0], self.box.last[0], strict=True)):
            here = design[column]
            if high - low < few:
                places = set(range(int(low), int(high) + 1))
            else:
                middle = {(low + here) // 2, (here + high + 1) // 2}
                places = {max(low, here - 1), min(high, here + 1), low, high, *middle}
            for place in sorted(places - {here}):
                yield (*design[:column], int(place), *design[column + 1 :])

    def _pairs(self, design: Design) -> list[Design]:
        """Change up to two choices at a time; no more designs than can be evaluated."""
        near: dict[Design, None] = {}
        for one in self._around(design):
            near |= dict.fromkeys(self._around(one))
            if len(near) > self._left + len(self.seen):
                break
        return list(near)

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
