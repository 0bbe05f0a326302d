"""Why there is no plan: a minimal conflict, and what each member would have to become."""

import math
from dataclasses import dataclass, replace

from mlsysim.plans.answers.finding import answered, excluded, exists
from mlsysim.plans.answers.wording import moment_text
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.requirement import PlanRequirement, RequirementKind
from mlsysim.plans.records.schedule import Schedule
from mlsysim.plans.worth import spent
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock

_MOST_NODES = 1 << 14
WAIVED = "would have to be waived"
"""What is told of a requirement without a number, where the others let a plan through."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Requirements that exclude every plan together.

    Parameters
    ----------
    members
        The requirements.
    is_minimal
        Whether each of them is known to be needed for that.
    """

    members: tuple[PlanRequirement, ...]
    is_minimal: bool


def conflict_of(question: PlanQuestion, clock: Clock) -> Conflict:
    """Find requirements that exclude every plan, none of which can be left out.

    Parameters
    ----------
    question
        It is proven that it has no plan.
    clock
        The time.
    """
    kept = _narrowed(question, [*question.requirements()], clock)
    proven = True
    for requirement in [*kept]:
        if clock.left <= 0:
            return Conflict(members=tuple(kept), is_minimal=False)
        rest = [item for item in kept if item != requirement]
        there = exists(_only(question, rest), clock)
        if there is False:
            kept = rest
        proven = proven and there is not None
    return Conflict(members=tuple(kept), is_minimal=proven and clock.left > 0)


def _narrowed(
    question: PlanQuestion, kept: list[PlanRequirement], clock: Clock
) -> list[PlanRequirement]:
    """Leave out whole parts of the requirements as long as the rest excludes every plan."""
    size = len(kept) // 2
    while size > 1 and clock.left > 0:
        for first in range(0, len(kept), size):
            rest = kept[:first] + kept[first + size :]
            if excluded(_only(question, rest), clock):
                kept = rest
                break
        else:
            size //= 2
    return kept


def _only(question: PlanQuestion, kept: list[PlanRequirement]) -> PlanQuestion:
    for requirement in [*question.requirements()]:
        if requirement not in kept:
            question = question.without(requirement)
    return question


def relaxation_of(question: PlanQuestion, requirement: PlanRequirement, clock: Clock) -> Relaxation:
    """Say what one requirement would have to become, with all others kept.

    Parameters
    ----------
    question
        Has no plan.
    requirement
        One of its conflict.
    clock
        The time.
    """
    name, free = requirement.name, question.without(requirement)
    measured = _measured(free, requirement)
    found = answered(measured, clock)
    if found.schedule is None:
        never = found.status is Status.INFEASIBLE
        text = "no value of it is enough, the others exclude every plan on their own"
        return Relaxation(name=name, text=f"{name}: {text if never else 'not found in time'}")
    value, limit, unit = _reached(question, found.schedule, requirement)
    if value is None or limit is None:
        return Relaxation(name=name, text=f"{name}: {WAIVED}")
    shown = (
        f"{value:,.2f} USD" if unit == "USD" else moment_text(round(value * 3600), question.origin)
    )
    word = "not proven to be the best" if found.status is Status.FEASIBLE else ""
    text = f"{name}: best reachable {shown}" + (f" ({word})" if word else "")
    return Relaxation(name=name, text=text, value=value, limit=limit, unit=unit)


def _measured(free: PlanQuestion, requirement: PlanRequirement) -> PlanQuestion:
    """Ask for what comes nearest to a requirement."""
    match requirement.kind:
        case RequirementKind.DEADLINE:
            return replace(_alone(free, requirement.owner), goals=(Goal.MAKESPAN,))
        case RequirementKind.BUDGET:
            return replace(free, goals=(Goal.COST,))
        case RequirementKind.HORIZON:
            return replace(free, goals=(Goal.MAKESPAN,))
        case _:
            return replace(free, goals=(Goal.MAKESPAN,))


def _alone(question: PlanQuestion, job: str) -> PlanQuestion:
    """Let the end of one job alone count."""
    return question.with_jobs(lambda item: replace(item, holds=item.name != job))


def _reached(
    question: PlanQuestion, schedule: Schedule, requirement: PlanRequirement
) -> tuple[float | None, float | None, str]:
    match requirement.kind:
        case RequirementKind.DEADLINE:
            limit = question.job(requirement.owner).deadline or 0
            return schedule.run(requirement.owner).end / 3600, limit / 3600, "hour"
        case RequirementKind.HORIZON:
            ends = max(run.end for run in schedule)
            return ends / 3600, (question.horizon or 0) / 3600, "hour"
        case RequirementKind.BUDGET:
            return spent(question, schedule), question.budget, "USD"
        case _:
            return None, None, ""


def joint_slip(question: PlanQuestion, clock: Clock) -> float | None:
    """Find the least time by which all deadlines, and the horizon, would have to be later.

    Parameters
    ----------
    question
        Has no plan.
    clock
        The time.

    Returns
    -------
    float
        Seconds, a multiple of the slot; infinity if it is proven that no time is enough,
        nothing if that is not known.
    """
    opened = _later(question, None)
    there = exists(opened, clock)
    if not there:
        return None if there is None else math.inf
    high = 1
    while exists(_later(question, high * question.slot), clock) is not True:
        if clock.left <= 0:
            return None
        # All jobs can have ended by then; a still later horizon only bills reserved nodes longer.
        if high * question.slot > opened.axis:
            return math.inf
        high *= 2
    low = high // 2
    while high - low > 1 and clock.left > 0:
        middle = (low + high) // 2
        fits = exists(_later(question, middle * question.slot), clock)
        low, high = (low, middle) if fits else (middle, high)
    return high * question.slot if clock.left > 0 else None


def _later(question: PlanQuestion, slip: int | None) -> PlanQuestion:
    for requirement in [*question.requirements()]:
        if requirement.kind is RequirementKind.DEADLINE and slip is None:
            question = question.without(requirement)
    if slip is None:
        return question.without(PlanRequirement(RequirementKind.HORIZON))
    horizon = None if question.horizon is None else question.horizon + slip
    moved = question.with_jobs(
        lambda job: job if job.deadline is None else replace(job, deadline=job.deadline + slip)
    )
    return replace(moved, horizon=horizon)


def extra_nodes(question: PlanQuestion, fleet: str, clock: Clock) -> float | None:
    """Find the fewest further nodes of a fleet with which there is a plan.

    Parameters
    ----------
    question
        Has no plan.
    fleet
        Whose nodes.
    clock
        The time.

    Returns
    -------
    float
        How many; infinity if it is proven that no number is enough, nothing if that is not
        known.
    """
    there = exists(_larger(question, fleet, _MOST_NODES), clock)
    if not there:
        return None if there is None else math.inf
    low, high = 0, _MOST_NODES
    while high - low > 1:
        if clock.left <= 0:
            return None
        middle = (low + high) // 2
        fits = exists(_larger(question, fleet, middle), clock)
        low, high = (low, middle) if fits else (middle, high)
    return high


def _larger(question: PlanQuestion, name: str, extra: int) -> PlanQuestion:
    fleets = tuple(
        replace(fleet, nodes=fleet.nodes + extra) if fleet.name == name else fleet
        for fleet in question.fleets
    )
    return replace(question, fleets=fleets)
