"""Go through the grid with the help of an executor.

The grid is handed out in parts, whose findings are put together in the order
of the grid, so that the answer is the one that a single process gives: the
same designs, conflicts and errors.
"""

import math
from functools import partial
from typing import Any

from mlsysim.search.arrays.block_reading import (
    BlockInfeasibleError,
    NotVectorisedError,
    read_block,
)
from mlsysim.search.arrays.layout import GridLayout
from mlsysim.search.arrays.part import Findings, GridPart, Place, evaluate_part, sendable
from mlsysim.search.arrays.scan import SMALL, OutOfTimeError, Scan
from mlsysim.search.arrays.spans import Spans
from mlsysim.search.arrays.task import Task
from mlsysim.search.executor import Ended, WorkQueue
from mlsysim.search.remote_errors import reraised


class SharedScan(Scan):
    """One pass over the grid, which an executor evaluates in parts.

    Parameters
    ----------
    task
        What is asked; its options name the executor.
    deadline
        When to stop, by the monotonic clock.
    in_blocks
        Whether to try arrays.
    """

    def __init__(self, task: Task, *, deadline: float = math.inf, in_blocks: bool = True) -> None:
        super().__init__(task, deadline=deadline, in_blocks=in_blocks)
        if task.options.executor is None:  # the caller's mistake, not the user's
            raise TypeError("a shared scan needs an executor")
        self._layout = GridLayout(task.problem.space)
        self._sent = sendable(task)
        self._queue = WorkQueue(task.options.executor, partial(evaluate_part, self._sent))
        self._held: dict[Place, tuple[GridPart, Findings]] = {}
        self._failed: Place | None = None
        self._parts = 0
        self._extremes_judged = False

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
        self._spans = Spans(self._layout, in_blocks=self._in_blocks and self._arrays_work())
        under_way = self._queue.run(self._next_part)
        try:
            for ended in under_way:
                if ended is not None:
                    self._receive(ended)
                self._tick()
        except (OutOfTimeError, KeyboardInterrupt):
            self._put_together(before=None)
            raise
        finally:
            under_way.close()
        self._report(self._problem.space.size)

    @property
    def account(self) -> dict[str, Any]:
        """What there is to tell about how the pass was made."""
        told: dict[str, Any] = {"parts": self._parts}
        if self._queue.loss is not None:
            told |= {"parts_done_here": self._queue.done_here, "executor_lost": self._queue.loss}
        return super().account | told

    def _arrays_work(self) -> bool:
        """Try arrays on the first block."""
        block = self._layout.block(0)
        if block.size < SMALL:
            return True
        try:
            read_block(self._problem, self._evaluate, block, self.unit, self.others)
        except BlockInfeasibleError:
            return True
        except NotVectorisedError as reason:
            self.point_by_point = str(reason)
            return False
        self._judge_extremes()
        return True

    def _judge_extremes(self) -> None:
        self._extremes_judged = True
        super()._judge_extremes()

    def _next_part(self) -> GridPart | None:
        first = self._spans.first
        if first is None or (self._failed is not None and first > self._failed):
            return None
        self._parts += 1
        return self._spans.next(self.units)

    def _receive(self, ended: Ended[GridPart, Findings]) -> None:
        part, findings = ended.job, ended.outcome
        if findings.misled is not None:
            raise NotVectorisedError(findings.misled)
        if findings.error is not None:
            self._failed = min(self._failed or part.start, part.start)
        elif findings.stopped_at is None:
            self._spans.learn(part, ended.seconds)
        else:
            self._spans.put_back(part, findings.stopped_at)
        self._held[part.start] = (part, findings)
        starts = [job.start for job in self._queue.jobs_under_way]
        if self._spans.first is not None:
            starts.append(self._spans.first)
        self._put_together(before=min(starts, default=None))

    def _put_together(self, before: Place | None) -> None:
        """Take in what is held, in the order of the grid, up to what is still to come."""
        for place in sorted(self._held):
            if before is not None and place > before:
                return
            self._take_in(*self._held.pop(place))

    def _take_in(self, part: GridPart, findings: Findings) -> None:
        known = self.units
        if any(own not in {None, unit} for own, unit in zip(known, findings.units, strict=True)):
            # Its first design has another unit than that of the whole grid.
            findings = evaluate_part(self._sent, GridPart(**{**vars(part), "units": known}))
        if findings.error is not None:
            raise reraised(findings.error)
        self.settle(findings.units)
        self.plain_evaluations += findings.plain_evaluations
        self.blocks += findings.blocks
        self.point_by_point = self.point_by_point or findings.point_by_point
        if findings.blocks and not self._extremes_judged:
            self._judge_extremes()
        self.tally.absorb(findings.tally)

    @property
    def _seen(self) -> int:
        return self.tally.seen + sum(held.tally.seen for _, held in self._held.values())

    @property
    def _best(self) -> float | None:
        tallies = (self.tally, *(held.tally for _, held in self._held.values()))
        found = [tally.leaders.best for tally in tallies if tally.leaders.best is not None]
        sign = self._problem.objective.sense.sign
        return min(found, key=lambda best: sign * best, default=None)
