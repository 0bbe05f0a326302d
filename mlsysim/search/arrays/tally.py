"""What a search has seen so far: the best designs, and how the others fail."""

from collections import Counter

import numpy as np

from mlsysim.errors import MetricError
from mlsysim.problem.problem import INFEASIBLE, Problem
from mlsysim.problem.reading import Condition
from mlsysim.search.arrays.block_reading import BlockReading, Booleans
from mlsysim.search.arrays.layout import GridBlock
from mlsysim.search.arrays.leaders import Leaders
from mlsysim.search.arrays.nearest import Nearest
from mlsysim.search.verify import Point

_KEPT = 100
"""So many ways of failing are kept that break the same requirements for different reasons."""

_COUNTABLE = 16
"""Up to so many conditions, the ways of failing are counted in a table."""

Pattern = frozenset[tuple[str, str]]


class Tally:
    """Takes in points and blocks.

    Parameters
    ----------
    problem
        What is asked.
    leaders
        Keeps the designs that are asked for.
    """

    def __init__(self, problem: Problem, leaders: Leaders) -> None:
        self.leaders = leaders
        self.nearest = Nearest(problem.objective.sense.sign)
        self._patterns: set[Pattern] = set()
        self._kept: dict[Pattern, None] = {}
        self._alike: Counter[frozenset[str]] = Counter()
        self.verdicts: dict[str, None] = {}
        self.rejected: Counter[str] = Counter()
        self.seen = 0
        self.feasible = 0
        self.undefined = 0
        self.readable = False
        self.deferred: MetricError | None = None

    @property
    def patterns(self) -> set[Pattern]:
        """The distinct ways in which designs fail."""
        return self._patterns.union(self._kept)

    def absorb(self, other: "Tally") -> None:
        """Take in what was seen elsewhere, of designs that come after those seen here."""
        self.seen += other.seen
        self.feasible += other.feasible
        self.undefined += other.undefined
        self.readable = self.readable or other.readable
        self.deferred = self.deferred or other.deferred
        self.verdicts.update(other.verdicts)
        self.rejected.update(other.rejected)
        self.leaders.absorb(other.leaders)
        self.nearest.absorb(other.nearest)
        self._patterns |= other._patterns  # noqa: SLF001 - of the same class
        for pattern in other._kept:  # noqa: SLF001
            self._keep(pattern)

    def add_point(self, index: int, point: Point, unit: str) -> None:
        """Take in one design that was judged on plain numbers.

        Parameters
        ----------
        index
            Its position in the grid.
        point
            What it is worth.
        unit
            The unit of the objective.
        """
        self.seen += 1
        self.deferred = self.deferred or point.deferred
        self.readable = self.readable or point.deferred is None
        objective = point.objective_in(unit)
        if point.is_feasible:
            self.feasible += 1
            self.leaders.add_point(index, objective, point)
            return
        self.undefined += point.is_undefined
        self._name_verdicts(point)
        self.rejected.update(point.violated)
        if not self.feasible:  # afterwards nobody will ask why nothing fits
            self._keep(point.broken)
            if len(point.violated) == 1:
                self.nearest.add_point(index, objective, point)

    def add_impossible(self, block: GridBlock, reason: str) -> None:
        """Take in a block for which the evaluator raises `Infeasible`."""
        self.seen += block.size
        self.readable = True
        self.verdicts.setdefault(INFEASIBLE)
        self.rejected[INFEASIBLE] += block.size
        self._patterns.add(frozenset({(INFEASIBLE, reason)}))
        self.nearest.add_impossible(INFEASIBLE, block.index(0))

    def add_block(self, block: GridBlock, reading: BlockReading, active: Booleans) -> None:
        """Take in the active points of a block."""
        groups: dict[str, list[Condition]] = {}
        for condition in reading.conditions:
            groups.setdefault(condition.name, []).append(condition)
        broken = {name: active & ~_conjunction(conditions) for name, conditions in groups.items()}
        feasible = active.copy()
        for name, mask in broken.items():
            feasible &= ~mask
            self.rejected[name] += int(np.count_nonzero(mask))
        self.verdicts.update(dict.fromkeys(groups))
        self.seen += int(np.count_nonzero(active))
        count = int(np.count_nonzero(feasible))
        self.feasible += count
        self.readable = True
        if count:
            self.leaders.add_block(block, reading, feasible)
        if not self.feasible:
            self._patterns |= _patterns(reading.conditions, active)
            self._add_nearest(block, reading, groups, broken)

    def _add_nearest(
        self,
        block: GridBlock,
        reading: BlockReading,
        groups: dict[str, list[Condition]],
        broken: dict[str, Booleans],
    ) -> None:
        total = np.zeros(block.size, dtype=np.int64)
        for mask in broken.values():
            total += mask
        for name, mask in broken.items():
            alone = mask & (total == 1)
            if alone.any():
                self.nearest.add_block(name, block, reading.objective, groups[name], alone)

    def _keep(self, pattern: Pattern) -> None:
        # A reason may quote numbers of the design, and so differ every time.
        names = frozenset(name for name, _ in pattern)
        known = pattern in self._patterns or pattern in self._kept
        if self._alike[names] < _KEPT and not known:
            self._alike[names] += 1
            self._kept[pattern] = None

    def _name_verdicts(self, point: Point) -> None:
        conditions = () if point.reading is None else point.reading.conditions
        self.verdicts.update(dict.fromkeys(condition.name for condition in conditions))
        self.verdicts.update(dict.fromkeys(sorted(point.violated)))


def _conjunction(conditions: list[Condition]) -> Booleans:
    if len(conditions) == 1:
        return np.asarray(conditions[0].holds)
    return np.logical_and.reduce([condition.holds for condition in conditions])


def _patterns(conditions: tuple[Condition, ...], active: Booleans) -> set[Pattern]:
    """Collect the distinct ways in which the points of a block fail."""
    broken = [active & ~condition.holds for condition in conditions]
    if len(conditions) <= _COUNTABLE:
        codes = np.zeros(len(active), dtype=np.uint16)
        for bit, mask in enumerate(broken):
            codes |= mask.astype(np.uint16) << np.uint16(bit)
        found = np.flatnonzero(np.bincount(codes))
        rows = (found[:, None] >> np.arange(len(conditions))) & 1
    else:
        rows = np.unique(np.stack(broken, axis=1)[active], axis=0)
    names = [(condition.name, condition.reason) for condition in conditions]
    patterns = {
        frozenset(name for name, bit in zip(names, row, strict=True) if bit) for row in rows
    }
    return patterns - {frozenset()}
