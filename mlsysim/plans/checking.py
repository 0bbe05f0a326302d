"""Replay a plan on exact times, and say what it violates: plain, and apart from all else."""

from collections.abc import Iterator

from mlsysim.plans.records.fleet import Fleet, Site
from mlsysim.plans.records.job import Job
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.worth import spent

# Money is added up in whole units of a billionth of the budget.
_ROUNDING = 1e-6


def violations(question: PlanQuestion, schedule: Schedule) -> list[str]:
    """List what a plan violates; nothing if it can be carried out as it stands."""
    found = [text for run in schedule for text in _of_run(question, run)]
    ends = {run.job: run.end for run in schedule}
    for run in schedule:
        before = [name for name in question.job(run.job).after if name in ends]
        found += [
            f"{run.job} starts before {name} has ended" for name in before if run.begin < ends[name]
        ]
    for fleet in question.fleets:
        found += _too_many(schedule, fleet, question.now)
    for site in question.sites:
        found += _too_much(schedule, site, question.now)
    if question.budget is not None and spent(question, schedule) > question.budget * (
        1 + _ROUNDING
    ):
        found.append("the plan costs more than the budget")
    return found


def _of_run(question: PlanQuestion, run: Run) -> Iterator[str]:
    """Check one job by itself: its row, its work, its times, the reasons of its pauses."""
    job = question.job(run.job)
    if run.row not in job.rows:
        yield f"{run.job} runs in a way that it does not have"
    worked = sum(end - begin for begin, end in run.pieces)
    pauses = len(run.pieces) - 1
    if worked != run.row.seconds + pauses * job.restart:
        yield f"{run.job} works {worked} s instead of {run.row.seconds} and its restarts"
    if any(end <= begin for begin, end in run.pieces):
        yield f"{run.job} has a piece that lasts no time"
    yield from _of_start(job, run, question.now)
    if pauses and not job.pauses:
        yield f"{run.job} pauses, which it may not"
    yield from _needless(question.fleet(run.row.fleet), run, question.now)
    hard = job.holds or not question.is_soft
    if hard and job.deadline is not None and run.end > job.deadline:
        yield f"{run.job} ends after its deadline"
    if question.horizon is not None and run.end > question.horizon:
        yield f"{run.job} ends after the horizon"


def _of_start(job: Job, run: Run, now: int) -> Iterator[str]:
    """Check when one job starts, and what it has run so far."""
    if job.begun:
        history = tuple((begin, min(end, now)) for begin, end in run.pieces if begin < now)
        if history != job.begun:
            yield f"{run.job} has not run as it is said to have run"
        return
    if run.begin < now:
        yield f"{run.job} starts before now"
    if run.begin < job.release:
        yield f"{run.job} starts before its release"
    if job.start is not None and run.begin != job.start:
        yield f"{run.job} does not start when it has to"


def _needless(fleet: Fleet, run: Run, now: int) -> Iterator[str]:
    """Find pauses, not all before now, during which the calendar has room all the time."""
    for (_, stop), (go, _) in zip(run.pieces, run.pieces[1:], strict=False):
        if stop < now:
            continue
        moments = [moment for moment in _moments(fleet) if stop <= moment < go] + [stop]
        if go <= stop or all(fleet.level(moment) >= run.row.nodes for moment in moments):
            yield f"{run.job} pauses although the calendar has room for it"


def _moments(item: Fleet | Site) -> set[int]:
    """List when the calendar changes."""
    found = {change.begin for change in item.changes}
    found |= {change.end for change in item.changes if change.end is not None}
    if isinstance(item, Fleet):
        found |= {moment for block in item.blocks for moment in block.window}
    return found


def _too_many(schedule: Schedule, fleet: Fleet, now: int) -> Iterator[str]:
    """Compare at every moment at which something changes what is used with what there is."""
    begins = {begin for run in schedule for begin, _ in run.pieces}
    for moment in sorted(moment for moment in begins | _moments(fleet) | {now} if moment >= now):
        used = sum(
            run.row.nodes for run in schedule if run.row.fleet == fleet.name and moment in run
        )
        idle = sum(
            block.nodes * (block.lots - schedule.lots.get((fleet.name, block.name), 0))
            for block in fleet.blocks
            if moment in block
        )
        if used > fleet.level(moment) - idle:
            yield f"{fleet.name} has too few nodes at {moment} s: {used} are used"


def _too_much(schedule: Schedule, site: Site, now: int) -> Iterator[str]:
    begins = {begin for run in schedule for begin, _ in run.pieces}
    for moment in sorted(moment for moment in begins | _moments(site) | {now} if moment >= now):
        drawn = sum(
            run.row.watts for run in schedule if run.row.fleet in site.fleets and moment in run
        )
        if drawn > site.level(moment):
            yield f"{site.name} has too little power at {moment} s: {drawn} W are drawn"
