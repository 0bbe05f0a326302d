"""Why there is no plan: a minimal conflict, and what each member would have to become."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from mlsysim.plans.answers.finding import answered, excluded, excluded_at_sight, exists
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
_BRIEF_SECONDS = 0.5
_SHARE = 0.25
"""Which part of the time that is left one decision may take, where it is one of several."""


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

    def is_soon_excluded(asked: PlanQuestion) -> bool:
        with clock.within(_BRIEF_SECONDS):
            return excluded(asked, clock)

    kept = [*question.requirements()]
    kept = _narrowed(question, kept, clock, excluded_at_sight)
    kept = _narrowed(question, kept, clock, is_soon_excluded)
    proven = True
    for requirement in [*kept]:
        if clock.left <= 0:
            return Conflict(members=tuple(kept), is_minimal=False)
        rest = [item for item in kept if item != requirement]
        with clock.within(_SHARE * clock.left):
            there = exists(_only(question, rest), clock)
        if there is False:
            kept = rest
        proven = proven and there is not None
    return Conflict(members=tuple(kept), is_minimal=proven)


def _narrowed(
    question: PlanQuestion,
    kept: list[PlanRequirement],
    clock: Clock,
    is_excluded: Callable[[PlanQuestion], bool],
) -> list[PlanRequirement]:
    """Leave out parts of the requirements as long as the rest is seen to exclude every plan.

    That only saves time: what is not seen is left to be looked at one by one.
    """
    size = len(kept) // 2
    while size > 1 and clock.left > 0:
        for first in range(0, len(kept), size):
            rest = kept[:first] + kept[first + size :]
            if is_excluded(_only(question, rest)):
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


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """How much of something would do.

    Parameters
    ----------
    amount
        How much; infinity if it is proven that no amount is enough.
    is_least
        Whether it is proven that less is not enough.
    """

    amount: float
    is_least: bool = True


def joint_slip(question: PlanQuestion, clock: Clock) -> Remedy | None:
    """Find the least time by which all deadlines, and the horizon, would have to be later.

    Parameters
    ----------
    question
        Has no plan.
    clock
        The time.

    Returns
    -------
    Remedy
        In seconds, a multiple of the slot; nothing if none was found in time.
    """
    there = exists(_later(question, None), clock)
    if not there:
        return None if there is None else Remedy(amount=math.inf)
    # All jobs can have ended by then; a still later horizon only bills reserved nodes longer.
    most = _later(question, None).axis // question.slot + 1
    found = _least(lambda slots: _later(question, slots * question.slot), most, clock)
    return None if found is None else replace(found, amount=found.amount * question.slot)


def extra_nodes(question: PlanQuestion, fleet: str, clock: Clock) -> Remedy | None:
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
    Remedy
        In nodes; nothing if none was found in time.
    """
    there = exists(_larger(question, fleet, _MOST_NODES), clock)
    if not there:
        return None if there is None else Remedy(amount=math.inf)
    return _least(lambda extra: _larger(question, fleet, extra), _MOST_NODES, clock)


def _least(asked: Callable[[int], PlanQuestion], most: int, clock: Clock) -> Remedy | None:
    """Find the least amount with which there is a plan, by doubling it and then by halves.

    Close to it decisions are hard: each has a part of the time that is left, and what is not
    decided counts as too little, so that what is found would do, but may not be the least.
    """
    low, high = 0, 1
    proven = True

    def fits(amount: int) -> bool:
        nonlocal proven
        with clock.within(_SHARE * clock.left):
            there = exists(asked(amount), clock)
        proven = proven and there is not None
        return there is True

    while not fits(high):
        if clock.left <= 0:
            return None
        if high >= most:
            return Remedy(amount=math.inf) if proven else None
        low, high = high, min(2 * high, most)
    while high - low > 1 and clock.left > 0:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return Remedy(amount=high, is_least=proven and high - low == 1)


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


def _larger(question: PlanQuestion, name: str, extra: int) -> PlanQuestion:
    fleets = tuple(
        replace(fleet, nodes=fleet.nodes + extra) if fleet.name == name else fleet
        for fleet in question.fleets
    )
    return replace(question, fleets=fleets)
