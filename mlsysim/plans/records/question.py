"""What is to be planned, as a whole, and the requirements that can be dropped from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from mlsysim.errors import ParameterError, suggest
from mlsysim.plans.records.fleet import Fleet, Site
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Job
from mlsysim.plans.records.requirement import PlanRequirement, RequirementKind
from mlsysim.plans.records.schedule import Schedule
from mlsysim.plans.records.series import Series


@dataclass(frozen=True, kw_only=True)
class PlanQuestion:
    """Jobs, what they share, and what the plan is to be best at.

    Parameters
    ----------
    jobs
        What has to be run.
    fleets
        On what.
    goals
        What is minimised; each further goal among the plans that are best by those before.
    sites
        Power that fleets share.
    horizon
        When all jobs have to have ended.
    budget
        The most that may be spent, in USD.
    slot
        Seconds: jobs start at multiples of it.
    now
        Nothing starts before; what has run until then is history.
    earlier
        A plan that was made before, of which as little as possible is to change: of the jobs
        that have not begun, with their starts on slots.
    origin
        The date of moment zero, for texts; they count days from the begin without it.
    """

    jobs: tuple[Job, ...]
    fleets: tuple[Fleet, ...]
    goals: tuple[Goal, ...] = (Goal.MAKESPAN,)
    sites: tuple[Site, ...] = ()
    horizon: int | None = None
    budget: float | None = None
    slot: int = 4 * 3600
    now: int = 0
    earlier: Schedule | None = None
    origin: datetime | None = None

    def __post_init__(self) -> None:
        """Check that every name means something."""
        if not self.jobs or not self.goals:
            raise ParameterError("a plan needs at least one job and one goal")
        if self.slot < 1:
            raise ParameterError(f"slot = {self.slot} is no time; the least is 1 second")
        if self.horizon is None and any(fleet.reserved for fleet in self.fleets):
            raise ParameterError("reserved nodes bill all their hours: the plan needs a horizon")
        self._check_names()
        _ordered(self.jobs)
        self._check_series()

    def _check_names(self) -> None:
        for what, items in (("job", self.jobs), ("fleet", self.fleets), ("site", self.sites)):
            named: Sequence[Any] = items
            names = [item.name for item in named]
            if twice := {name for name in names if names.count(name) > 1}:
                raise ParameterError(f"two of the {what}s are called {min(twice)!r}")
        fleets = [fleet.name for fleet in self.fleets]
        for job in self.jobs:
            for row in job.rows:
                _require(row.fleet, fleets, f"job {job.name!r}: fleet")
            for other in job.after:
                _require(other, [item.name for item in self.jobs], f"job {job.name!r}: after")
        for site in self.sites:
            for name in site.fleets:
                _require(name, fleets, f"site {site.name!r}: fleet")

    def _check_series(self) -> None:
        """Refuse a series that says nothing about times that the plan may use."""
        for fleet in self.fleets:
            for figure in ("price", "electricity", "carbon"):
                series: Series = getattr(fleet, figure)
                if not series.covers(self.axis):
                    raise ParameterError(
                        f"{figure} of fleet {fleet.name!r} is known for {series.end} s, and the "
                        f"plan may last {self.axis} s; give it more values, say what it is beyond "
                        "them (hold or repeat), or end the plan sooner"
                    )

    @property
    def is_soft(self) -> bool:
        """Whether deadlines may slip."""
        return any(goal.softens for goal in self.goals)

    @cached_property
    def axis(self) -> int:
        """A moment by which all jobs can have ended, if they can at all.

        After the last change of any calendar and the last release nothing is gained by waiting:
        from then on the jobs can run one after the other.
        """
        if self.horizon is not None:
            return self.horizon
        moments = [
            change.end or change.begin for item in self._calendars() for change in item.changes
        ]
        moments += [block.window[1] for fleet in self.fleets for block in fleet.blocks]
        moments += [job.release for job in self.jobs]
        moments += [job.start or 0 for job in self.jobs] + [self.now]
        pauses = sum(job.pauses * job.restart for job in self.jobs) * (len(moments) + 1)
        longest = [max((row.seconds for row in job.rows), default=0) for job in self.jobs]
        # Each start may be rounded up to a slot.
        return max([0, *moments]) + sum(longest) + pauses + self.slot * (len(self.jobs) + 1)

    def fleet(self, name: str) -> Fleet:
        """Give the fleet of a name."""
        return next(fleet for fleet in self.fleets if fleet.name == name)

    def job(self, name: str) -> Job:
        """Give the job of a name."""
        return next(job for job in self.jobs if job.name == name)

    def _calendars(self) -> list[Fleet | Site]:
        return [*self.fleets, *self.sites]

    def requirements(self) -> Iterator[PlanRequirement]:  # noqa: C901 - one step for each kind
        """List what can be dropped, the planner's own wishes first."""
        for job in self.jobs:
            if job.deadline is not None and (job.holds or not self.is_soft):
                yield PlanRequirement(RequirementKind.DEADLINE, job.name)
        for job in self.jobs:
            if job.release:
                yield PlanRequirement(RequirementKind.RELEASE, job.name)
        for job in self.jobs:
            for other in job.after:
                yield PlanRequirement(RequirementKind.AFTER, job.name, other)
        if self.budget is not None:
            yield PlanRequirement(RequirementKind.BUDGET)
        if self.horizon is not None:
            yield PlanRequirement(RequirementKind.HORIZON)
        for item in self._calendars():
            for change in item.changes:
                if change.takes:
                    yield PlanRequirement(RequirementKind.CHANGE, item.name, change.name)
        for site in self.sites:
            yield PlanRequirement(RequirementKind.SITE, site.name)

    def without(self, requirement: PlanRequirement) -> "PlanQuestion":
        """Give the same question without one of its requirements."""
        return requirement.dropped(self)

    def with_jobs(self, change: Any) -> "PlanQuestion":
        """Give the question with each job replaced by what a function makes of it."""
        return replace(self, jobs=tuple(map(change, self.jobs)))


def _require(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise ParameterError(f"{what} {name!r} does not exist{suggest(name, known)}")


def _ordered(jobs: Sequence[Job]) -> None:
    """Refuse jobs that wait for each other in a circle."""
    left = {job.name: set(job.after) for job in jobs}
    while left:
        free = {name for name, after in left.items() if not after & left.keys()}
        if not free:
            names = sorted(left)
            raise ParameterError(
                f"jobs.{names[0]}.after: jobs wait for each other in a circle: {', '.join(names)}; "
                "take one of them out of what another one is after"
            )
        left = {name: after for name, after in left.items() if name not in free}
