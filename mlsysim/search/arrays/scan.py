"""Go through the grid, in blocks or point by point."""

import math
import random
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import UNDEFINED
from mlsysim.problem.reading import Condition
from mlsysim.search.arrays.block_reading import (
    BlockInfeasibleError,
    BlockReading,
    NotVectorisedError,
    read_block,
)
from mlsysim.search.arrays.doubts import defined, near_equality
from mlsysim.search.arrays.layout import GridBlock, GridLayout
from mlsysim.search.arrays.opaque import Opaque, impossible
from mlsysim.search.arrays.others import Others
from mlsysim.search.arrays.tally import Tally
from mlsysim.search.arrays.task import Task
from mlsysim.search.interruption import current
from mlsysim.search.options import Progress
from mlsysim.search.verify import Point, evaluate_point, extremes, refuse_random

SMALL = 16
"""A block of fewer points costs less one by one."""

_SAMPLES = 4
"""How many points of the first block of each kind are compared with plain numbers."""

_RESAMPLE = 64
"""One point in every so many blocks is compared with plain numbers, too."""

_TRUST = 256
"""After so many doubtful points in which arrays were right, they are believed."""

_PULSE = 0.1
"""Seconds between two reports of progress."""


class OutOfTimeError(Exception):
    """The time limit has come."""


class Scan:
    """One pass over the grid.

    Parameters
    ----------
    task
        What is asked, and of which evaluator.
    deadline
        When to stop, by the monotonic clock.
    in_blocks
        Whether to try arrays.
    """

    def __init__(self, task: Task, *, deadline: float = math.inf, in_blocks: bool = True) -> None:
        self.others = Others(task.goals)
        self.tally = Tally(task.problem, task.keeper(self.others))
        self.unit: str | None = None
        self.plain_evaluations = 0
        self.blocks = 0
        self.point_by_point: str | None = None
        self.deadline = deadline
        self._task = task
        self._problem = task.problem
        self._evaluate = task.evaluate
        goals = task.goals
        self._objectives = (task.problem.objective,) if goals is None else goals.objectives
        self._options = task.options
        self._in_blocks = in_blocks
        self._random = random.Random(task.options.seed)  # noqa: S311 - for sampling
        self._kinds: set[tuple[int, ...]] = set()
        self._agreements = 0
        self._next_pulse = 0.0
        self._interruption = current()
        self._first: Point | None = None

    def run(self) -> None:
        """Take in every design.

        Raises
        ------
        OutOfTimeError
            If the time limit comes first; the tally holds what was seen.
        NotVectorisedError
            If arrays turn out to mislead; the pass has to be repeated point by
            point.
        """
        self._begin()
        for block in GridLayout(self._problem.space).blocks():
            self._tick()
            if not self._in_blocks or block.size < SMALL or not self.take_block(block):
                self.take_points(block, range(block.size))
        self._report(self._problem.space.size)

    @property
    def account(self) -> dict[str, Any]:
        """What there is to tell about how the pass was made."""
        told = {"plain_evaluations": self.plain_evaluations, "blocks": self.blocks}
        return told | ({"point_by_point": self.point_by_point} if self.point_by_point else {})

    @property
    def units(self) -> tuple[str | None, ...]:
        """The unit of each objective; nothing where no design has settled it."""
        return (self.unit, *self.others.settled)

    def settle(self, units: tuple[str | None, ...]) -> None:
        """Take over the units that other designs have settled."""
        self.unit = units[0] if self.unit is None else self.unit
        self.others.settle(units[1:])

    def _begin(self) -> None:
        """Judge the first design, which settles the unit, and see that it stays as it is."""
        self._first = self.judge(0)
        refuse_random(self._problem, self._evaluate, self._first)

    def judge(self, index: int) -> Point:
        """Evaluate one design on plain numbers."""
        if index == 0 and self._first is not None:
            return self._first
        self.plain_evaluations += 1
        params = self._problem.space.point(index)
        point = evaluate_point(self._problem, self._evaluate, params, self._objectives[1:])
        if self.unit is None and point.reading is not None:
            self.unit = point.reading.unit  # the first readable design settles it
        return point

    def take_block(self, block: GridBlock) -> bool:
        """Take in a block of arrays; say no where it has to be done point by point."""
        try:
            reading = read_block(self._problem, self._evaluate, block, self.unit, self.others)
        except BlockInfeasibleError:
            return self._take_impossible(block)
        except NotVectorisedError as reason:
            if not self.blocks:
                self._in_blocks = False
            self.point_by_point = self.point_by_point or str(reason)
            return False
        self.unit = reading.unit
        reading, unknown = defined(reading, [item.metric for item in self._objectives])
        near = near_equality(reading)
        if not self.blocks:
            self._judge_extremes()
        self._compare_samples(block, reading, near)
        active = np.ones(block.size, dtype=np.bool_)
        for local in np.flatnonzero(near):
            if self._agreements >= _TRUST:
                break
            active[local] = False
            point = self._take_point(block, int(local))
            same = _agrees(point, reading, int(local), decisions_only=True)
            self._agreements = self._agreements + 1 if same else 0
        self.tally.add_block(block, reading, active)
        self.tally.undefined += int(np.count_nonzero(unknown & active))
        self.blocks += 1
        return True

    def _take_impossible(self, block: GridBlock) -> bool:
        params = {
            name: Opaque() if domain.is_numeric else domain[block.fixed[name]]
            for name, domain in self._problem.space.items()
        }
        reason = impossible(self._evaluate, params)
        if reason is None:
            return False
        self.tally.add_impossible(block, reason)
        return True

    def _judge_extremes(self) -> None:
        for index in extremes(self._problem.space):
            self.judge(index)

    def _compare_samples(self, block: GridBlock, reading: BlockReading, skip: np.ndarray) -> None:
        """Compare a few points with plain numbers.

        Arrays may run through an evaluator without an error and still give
        nonsense, e.g. through ``np.max`` over the designs.
        """
        locals_ = set()
        if block.objects not in self._kinds:
            self._kinds.add(block.objects)
            drawn = [self._random.randrange(block.size) for _ in range(_SAMPLES - 2)]
            locals_ = {0, block.size - 1, *drawn}
        elif self.blocks % _RESAMPLE == 0:
            locals_ = {self._random.randrange(block.size)}
        for local in sorted(locals_):
            if skip[local]:
                continue
            index = block.index(local)
            if not self._confirms(self.judge(index), reading, local):
                raise NotVectorisedError(
                    "arrays and plain numbers give different values at "
                    f"{self._problem.space.point(index)}"
                )

    def _confirms(self, point: Point, reading: BlockReading, local: int) -> bool:
        """Tell whether plain numbers give a point what arrays do, in every objective."""
        pairs = zip(self.others.of_point(point), reading.others, strict=False)
        same = all(_close(plain, float(array[local])) for plain, array in pairs)
        return same and _agrees(point, reading, local)

    def take_points(self, block: GridBlock, points: Iterable[int]) -> None:
        """Take in some points of a block on plain numbers."""
        for local in points:
            self._tick()
            self._take_point(block, int(local))

    def _take_point(self, block: GridBlock, local: int) -> Point:
        index = block.index(local)
        point = self.judge(index)
        self.tally.add_point(index, point, self.unit or "")
        return point

    def _tick(self) -> None:
        now = time.monotonic()
        if now >= self.deadline:
            raise OutOfTimeError
        if self._interruption.came:
            raise KeyboardInterrupt
        if now >= self._next_pulse:
            self._next_pulse = now + _PULSE
            self._report(self._seen)

    @property
    def _seen(self) -> int:
        return self.tally.seen

    @property
    def _best(self) -> float | None:
        return self.tally.leaders.best

    def _report(self, done: int) -> None:
        if self._options.progress is not None:
            total = self._problem.space.size
            self._options.progress(Progress(done=done, total=total, best=self._best))


def _agrees(
    point: Point,
    reading: BlockReading,
    local: int,
    *,
    decisions_only: bool = False,
) -> bool:
    """Tell whether arrays say of a point what plain numbers say."""
    array_broken = {
        (condition.name, condition.reason)
        for condition in reading.conditions
        if not condition.holds[local]
    }
    if array_broken != point.broken:
        return False
    if decisions_only or point.reading is None:
        return True
    plain = point.reading.conditions
    array = [condition for condition in reading.conditions if condition.name != UNDEFINED]
    return (
        _close(point.objective_in(reading.unit), float(reading.objective[local]))
        and len(plain) == len(array)
        and all(_same_sides(one, other, local) for one, other in zip(plain, array, strict=True))
    )


def _same_sides(plain: Condition, array: Condition, local: int) -> bool:
    # A check may have a value at some designs only: at the others its truth is all there is.
    if array.relation is None or plain.relation is None:
        return True
    pairs = ((plain.left, array.left), (plain.right, array.right))
    return all(_close(float(one), float(np.ravel(side)[local % side.size])) for one, side in pairs)


def _close(one: float, other: float) -> bool:
    if np.isfinite(one) and np.isfinite(other):
        return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))
    return not np.isfinite(one) and not np.isfinite(other)
