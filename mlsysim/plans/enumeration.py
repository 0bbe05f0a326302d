"""The reference for small plans: every row and every start of every job, one after the other."""

from collections.abc import Iterator, Sequence
from itertools import product

from mlsysim.plans.checking import violations
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.time.calendar import Gap, gaps
from mlsysim.plans.time.placing import Pieces, continued, placed
from mlsysim.plans.worth import worth


def enumerated(question: PlanQuestion) -> tuple[tuple[float, ...], Schedule] | None:
    """Find the best plan by trying all; nothing if there is none."""
    best: tuple[tuple[float, ...], Schedule] | None = None
    for schedule in schedules(question):
        values = tuple(worth(question, schedule, goal) for goal in question.goals)
        if best is None or values < best[0]:
            best = values, schedule
    return best


def schedules(question: PlanQuestion) -> Iterator[Schedule]:
    """List every plan that violates nothing."""
    blocks = [(fleet.name, block) for fleet in question.fleets for block in fleet.blocks]
    for counts in product(*(range(block.lots + 1) for _, block in blocks)):
        lots = {
            (fleet, block.name): count for (fleet, block), count in zip(blocks, counts, strict=True)
        }
        yield from _extended(question, Schedule(runs=(), lots=lots))


def _extended(question: PlanQuestion, begun: Schedule) -> Iterator[Schedule]:
    """Add the next job in every way; more jobs mend no violation."""
    if len(begun.runs) == len(question.jobs):
        yield begun
        return
    job = question.jobs[len(begun.runs)]
    for row in job.rows:
        closed = gaps(question.fleet(row.fleet), row.nodes)
        for pieces in _pieces(question, job, row, closed):
            run = Run(job=job.name, row=row, pieces=pieces)
            longer = Schedule(runs=(*begun.runs, run), lots=begun.lots)
            if not violations(question, longer):
                yield from _extended(question, longer)


def _pieces(question: PlanQuestion, job: Job, row: Row, closed: Sequence[Gap]) -> Iterator[Pieces]:
    """List when a job can run: at every start, or as it goes on where it has begun."""
    found = (
        [continued(job, row, question.now, closed)]
        if job.begun
        else [placed(job, row, start, closed) for start in range(0, question.axis, question.slot)]
    )
    yield from (pieces for pieces in found if pieces is not None)
