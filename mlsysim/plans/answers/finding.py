"""Answer a plan's question: solve on slots, replay on exact times, prove on both."""

from dataclasses import dataclass, replace

from mlsysim.errors import DisagreementError
from mlsysim.plans.answers.shifting import shifted
from mlsysim.plans.checking import violations
from mlsysim.plans.model.solving import solve
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Schedule
from mlsysim.plans.time.slots import Side, Slotted, decoded, slotted
from mlsysim.plans.worth import reserved
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock

_FINER = 4
"""Into how many parts a slot is cut on which there is no plan, although there may be one."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came out.

    Parameters
    ----------
    status
        How it ended.
    slot
        On which slots, in seconds.
    schedule
        The plan, where one was found.
    values
        What the plan is worth on the slots, goal by goal, in the goals' units.
    bounds
        What no plan on the slots can be below.
    """

    status: Status
    slot: int
    schedule: Schedule | None = None
    values: tuple[float, ...] = ()
    bounds: tuple[float, ...] = ()


def answered(question: PlanQuestion, clock: Clock) -> Answered:
    """Find the best plan, or prove that there is none at all.

    Parameters
    ----------
    question
        What is asked.
    clock
        The time.

    Raises
    ------
    DisagreementError
        If a plan that was found violates something when it is replayed: a defect of ours.
    """
    found = _on_slots(question, clock, question.goals)
    while found.status is Status.INFEASIBLE and not excluded(question, clock):
        if question.slot == 1 or clock.left <= 0:
            return replace(found, status=Status.UNKNOWN)
        question = replace(question, slot=max(question.slot // _FINER, 1))
        found = _on_slots(question, clock, question.goals)
    return found


def excluded(question: PlanQuestion, clock: Clock) -> bool:
    """Tell whether it is proven that there is no plan, in slots or out of them.

    Parameters
    ----------
    question, clock
        As for `answered`.
    """
    inner = slotted(question, Side.INWARD)
    return solve(inner.instance, (), clock).status is Status.INFEASIBLE


def exists(question: PlanQuestion, clock: Clock) -> bool | None:
    """Tell whether there is any plan; nothing if the time was too short, or the slots too long.

    Parameters
    ----------
    question, clock
        As for `answered`.
    """
    outer = solve(slotted(question, Side.OUTWARD).instance, (), clock)
    if outer.chosen:
        return True
    return False if excluded(question, clock) else None


def _on_slots(question: PlanQuestion, clock: Clock, goals: tuple[Goal, ...]) -> Answered:
    outer = slotted(question, Side.OUTWARD)
    found = solve(outer.instance, goals, clock)
    if not found.chosen:
        return Answered(status=found.status, slot=question.slot)
    schedule = decoded(outer, found.chosen, found.lots)
    told = violations(outer.question, schedule) or violations(question, schedule)
    if told:
        raise DisagreementError(f"a plan that was found cannot be carried out: {'; '.join(told)}")
    return Answered(
        status=found.status,
        slot=question.slot,
        schedule=shifted(question, schedule),
        values=_in_units(question, outer, found.values),
        bounds=_in_units(question, outer, found.bounds),
    )


def _in_units(
    question: PlanQuestion, outer: Slotted, numbers: tuple[float, ...]
) -> tuple[float, ...]:
    told = []
    for goal, value in zip(question.goals, numbers, strict=False):
        match goal:
            case Goal.MAKESPAN | Goal.TARDINESS:
                told.append(value * question.slot / 3600)
            case Goal.COST:
                told.append(value * outer.unit[goal] + reserved(outer.question))
            case Goal.CARBON:
                told.append(value * outer.unit[goal])
            case Goal.LATE | Goal.NODES:
                told.append(float(value))
    return tuple(told)
