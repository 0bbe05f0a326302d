"""Plan anew from what has happened since a plan was made, and change as little as possible."""

from collections.abc import Mapping
from dataclasses import replace

from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Job
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule


def replanned(
    question: PlanQuestion, earlier: Schedule, now: int, starts: Mapping[str, int] | None = None
) -> PlanQuestion:
    """Ask for a plan that goes on from an earlier one.

    What ran before now is history: a job that has begun keeps its row, its nodes and its layout.
    Nothing else starts before now.  The fewest changes come before all other goals, unless the
    question says where: each job that has not begun counts one for another start, and one for
    another way to run.

    Parameters
    ----------
    question
        What is to be planned now: the calendar, the jobs and the deadlines as they are now.
    earlier
        The plan that was made before.
    now
        Seconds from the begin.
    starts
        Job -> when it starts on the slots of the earlier plan; rounded up to a slot otherwise.
    """
    slot = question.slot
    begun: dict[str, Run] = {}
    coming = []
    for run in earlier:
        if run.job not in {job.name for job in question.jobs}:
            continue
        if run.begin < now:
            begun[run.job] = run
            continue
        start = (starts or {}).get(run.job, -(-run.begin // slot) * slot)
        coming.append(replace(run, pieces=((start, start + run.row.seconds),)))

    def as_it_is(job: Job) -> Job:
        if job.name not in begun:
            return job
        run = begun[job.name]
        history = tuple((begin, min(end, now)) for begin, end in run.pieces if begin < now)
        return replace(job, rows=(run.row,), begun=history)

    goals = question.goals
    return replace(
        question.with_jobs(as_it_is),
        now=now,
        earlier=Schedule(runs=tuple(coming)),
        goals=goals if Goal.CHANGES in goals else (Goal.CHANGES, *goals),
    )
