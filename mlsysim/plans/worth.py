"""What a plan is worth by each goal, on its exact times."""

from dataclasses import replace
from typing import assert_never

from mlsysim.plans.records.fleet import Fleet
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.records.series import Series
from mlsysim.plans.time.calendar import steps

HOUR = 3600


def worth(  # noqa: C901, PLR0911 - one for each goal
    question: PlanQuestion, schedule: Schedule, goal: Goal
) -> float:
    """Give the value of a plan by a goal, in the goal's unit."""
    match goal:
        case Goal.MAKESPAN:
            ends = [run.end for run in schedule if not question.job(run.job).holds]
            return max(ends, default=0) / HOUR
        case Goal.TARDINESS:
            return sum(question.job(r.job).weight * lateness(question, r) for r in schedule) / HOUR
        case Goal.MAX_TARDINESS:
            return max((lateness(question, run) for run in schedule), default=0) / HOUR
        case Goal.LATE:
            late = [run for run in schedule if lateness(question, run) > 0]
            return float(sum(question.job(run.job).weight for run in late))
        case Goal.COST:
            return spent(question, schedule)
        case Goal.CARBON:
            return sum(carbon(question, run) for run in schedule)
        case Goal.CHANGES:
            return float(sum(_changes(question, run) for run in schedule))
        case Goal.NODES:
            return float(sum(peak(schedule, fleet.name, question.now) for fleet in question.fleets))
        case _:
            assert_never(goal)


def begin_before(question: PlanQuestion, job: str) -> int | None:
    """Give when a job starts in the plan that was made before; nothing if it is not in it."""
    plan = question.earlier
    runs = () if plan is None else tuple(run for run in plan if run.job == job)
    return runs[0].begin if runs else None


def changed(question: PlanQuestion, job: str, row: Row, *, is_kept: bool) -> int:
    """Count what differs from the plan that was made before: the start, and the way it runs."""
    if question.earlier is None or begin_before(question, job) is None:
        return 0
    return int(row != question.earlier.run(job).row) + int(not is_kept)


def starts_as_before(question: PlanQuestion, run: Run) -> bool:
    """Tell whether a run starts in the slot of the earlier plan; plans are moved to the left."""
    slot = question.slot
    return -(-run.begin // slot) * slot == begin_before(question, run.job)


def _changes(question: PlanQuestion, run: Run) -> int:
    if question.job(run.job).begun:
        return 0
    return changed(question, run.job, run.row, is_kept=starts_as_before(question, run))


def lateness(question: PlanQuestion, run: Run) -> int:
    """Give the seconds by which a job ends late."""
    job = question.job(run.job)
    if job.deadline is None or job.holds:
        return 0
    return max(run.end - job.deadline, 0)


def spent(question: PlanQuestion, schedule: Schedule) -> float:
    """Give the cost of a plan: hours of nodes, what is rented, what is reserved; in USD."""
    rented = sum(
        block.cost * schedule.lots.get((fleet.name, block.name), 0)
        for fleet in question.fleets
        for block in fleet.blocks
    )
    return sum(cost(question, run) for run in schedule) + rented + reserved(question)


def cost(question: PlanQuestion, run: Run) -> float:
    """Give what a run adds to the cost, in USD."""
    return run.row.cost + _integrated(rates(question.fleet(run.row.fleet), run.row), run)


def rates(fleet: Fleet, row: Row) -> list[tuple[Series, float]]:
    """List which prices a run pays, and how often in an hour: for nodes, and for kilowatts."""
    rented = 0.0 if fleet.reserved else float(row.nodes)
    return [(fleet.price, rented), (fleet.electricity, row.watts / 1e3)]


def carbon(question: PlanQuestion, run: Run) -> float:
    """Give what a run emits: kilowatts times the carbon of the grid at the time; in kg."""
    return _integrated(emissions(question.fleet(run.row.fleet), run.row), run)


def emissions(fleet: Fleet, row: Row) -> list[tuple[Series, float]]:
    """List what a run emits in an hour, as `rates` does: kilograms from grams and watts."""
    return [(fleet.carbon, row.watts / 1e6)]


def _integrated(per_hour: list[tuple[Series, float]], run: Run) -> float:
    return sum(
        rate * series.hours(begin, end)
        for series, rate in per_hour
        if rate
        for begin, end in run.pieces
    )


def reserved(question: PlanQuestion) -> float:
    """Give what reserved nodes bill until the horizon, whatever the plan; in USD."""
    if question.horizon is None:
        return 0.0
    total = 0.0
    for fleet in question.fleets:
        standing = steps(replace(fleet, blocks=()))
        own = [(begin, level) for begin, level in standing if begin < question.horizon]
        ends = [*(begin for begin, _ in own[1:]), question.horizon]
        if fleet.reserved:
            total += sum(
                level * fleet.price.hours(begin, end)
                for (begin, level), end in zip(own, ends, strict=True)
            )
    return total


def peak(schedule: Schedule, fleet: str, now: int = 0) -> int:
    """Count the nodes of a fleet that are in use at once, at most, from now on."""
    own = [run for run in schedule if run.row.fleet == fleet]
    moments = {max(begin, now) for run in own for begin, _ in run.pieces}
    return max((sum(run.row.nodes for run in own if at in run) for at in moments), default=0)
