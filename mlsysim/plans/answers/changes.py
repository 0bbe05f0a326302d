"""What differs between a plan and the one that was made before, and what each difference buys."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mlsysim.plans.answers.finding import Answered, answered
from mlsysim.plans.answers.wording import moment_text
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.worth import starts_as_before
from mlsysim.results.formatting import count, with_unit
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """A job that has not begun and starts at another time, or runs in another way.

    Parameters
    ----------
    job
        Its name.
    before, now
        How it was to run, with its start on slots, and how it is to run.
    is_moved
        Whether it starts in another slot.
    """

    job: str
    before: Run
    now: Run
    is_moved: bool

    def text(self, origin: datetime | None) -> str:
        """Say in words what is different."""
        old, new = self.before.row, self.now.row
        told = []
        if self.is_moved:
            times = [moment_text(run.begin, origin) for run in (self.now, self.before)]
            told.append(f"starts {times[0]} instead of {times[1]}")
        if (old.fleet, old.nodes) != (new.fleet, new.nodes):
            told.append(
                f"{count(new.nodes, 'node')} of {new.fleet} instead of {old.nodes} of {old.fleet}"
            )
        elif old != new:
            names = sorted({*old.params, *new.params})
            changed = [
                f"{name}={new.params.get(name)} instead of {old.params.get(name)}"
                for name in names
                if old.params.get(name) != new.params.get(name)
            ]
            told.append(", ".join(changed) or "takes another time")
        return f"{self.job}: {', '.join(told)}"


def changes_of(question: PlanQuestion, schedule: Schedule) -> Iterator[PlanChange]:
    """List what differs from the earlier plan."""
    for before in question.earlier or ():
        now = schedule.run(before.job)
        is_moved = not starts_as_before(question, now)
        if is_moved or now.row != before.row:
            yield PlanChange(job=before.job, before=before, now=now, is_moved=is_moved)


def kept(question: PlanQuestion, found: Answered, change: PlanChange, clock: Clock) -> str:
    """Say what keeping a job as it was would do; nothing if that was not found out in time."""
    asked = question.with_jobs(
        lambda job: (
            replace(job, rows=(change.before.row,), start=change.before.begin)
            if job.name == change.job
            else job
        )
    )
    other = answered(asked, clock)
    if other.status is Status.INFEASIBLE:
        return "as it was, no plan meets every requirement"
    if other.status is not Status.OPTIMAL:
        return ""
    for goal, new, old in zip(question.goals, found.values, other.values, strict=True):
        if old > new * (1 + 1e-9) + 1e-12:
            return f"as it was, {goal} would be {with_unit(old, goal.unit)}"
    return "as it was, nothing would be worse"
