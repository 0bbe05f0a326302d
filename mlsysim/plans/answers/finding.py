"""Answer a plan's question: solve on slots, replay on exact times, prove on both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlsysim.errors import DisagreementError
from mlsysim.plans.answers.shifting import shifted
from mlsysim.plans.checking import violations
from mlsysim.plans.model.bounding import is_excluded
from mlsysim.plans.model.fronts import front
from mlsysim.plans.model.solving import SlotSolution, solve
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Schedule
from mlsysim.plans.time.slots import Side, Slotted, decoded, slotted
from mlsysim.plans.worth import worth
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
    starts
        Job -> when it starts on the slots, before it is moved to exact times.
    plans
        How many plans there are on the slots, if nothing is said of what jobs share.
    """

    status: Status
    slot: int
    schedule: Schedule | None = None
    values: tuple[float, ...] = ()
    bounds: tuple[float, ...] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    plans: int = 0


def answered(question: PlanQuestion, clock: Clock) -> Answered:
    """Find the best plan, or prove that there is none at all.

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
    """Tell whether it is proven that there is no plan, in slots or out of them."""
    inner = slotted(question, Side.INWARD)
    return solve(inner.instance, (), clock).status is Status.INFEASIBLE


def excluded_at_sight(question: PlanQuestion) -> bool:
    """Tell without any search whether there is no plan: a window has too little for its jobs."""
    return is_excluded(slotted(question, Side.INWARD).instance)


def exists(question: PlanQuestion, clock: Clock) -> bool | None:
    """Tell whether there is any plan; nothing if the time was too short, or the slots too long."""
    outer = solve(slotted(question, Side.OUTWARD).instance, (), clock)
    if outer.chosen:
        return True
    return False if excluded(question, clock) else None


def front_of(question: PlanQuestion, clock: Clock) -> tuple[Status, tuple[Answered, ...]]:
    """Find every plan on the slots that none is better than by both of two goals.

    Parameters
    ----------
    question
        With two goals, and a slot on which there is a plan.
    clock
        The time.

    Returns
    -------
    tuple
        ``OPTIMAL`` if none is missing, and the plans by rising value of the first goal.
    """
    outer = slotted(question, Side.OUTWARD)
    one, two = question.goals
    found = front(outer.instance, (one, two), clock)
    return found.status, tuple(_told(question, outer, point) for point in found.points)


def _on_slots(question: PlanQuestion, clock: Clock, goals: tuple[Goal, ...]) -> Answered:
    outer = slotted(question, Side.OUTWARD)
    return _told(question, outer, solve(outer.instance, goals, clock))


def _told(question: PlanQuestion, outer: Slotted, found: SlotSolution) -> Answered:
    """Replay what was found in slots on exact times, and move it to them."""
    if not found.chosen:
        return Answered(status=found.status, slot=question.slot, plans=outer.instance.size)
    schedule = decoded(outer, found.chosen, found.lots)
    told = violations(outer.question, schedule) or violations(question, schedule)
    if told:
        raise DisagreementError(f"a plan that was found cannot be carried out: {'; '.join(told)}")
    values = [*_values(question, outer, found, schedule)]
    return Answered(
        status=found.status,
        slot=question.slot,
        schedule=shifted(question, schedule),
        values=tuple(values),
        bounds=tuple(_bounds(question, outer, found, values)),
        starts={run.job: run.begin for run in schedule},
        plans=outer.instance.size,
    )


def _values(
    question: PlanQuestion, outer: Slotted, found: SlotSolution, schedule: Schedule
) -> Iterator[float]:
    """Give what a plan is worth on the slots: its ends are rounded up to them, its money is not."""
    for goal, value in zip(question.goals, found.values, strict=False):
        exact = goal in outer.unit
        yield worth(question, schedule, goal) if exact else value * _unit(question, goal)


def _bounds(
    question: PlanQuestion, outer: Slotted, found: SlotSolution, values: Sequence[float]
) -> Iterator[float]:
    """Give the bounds in the goals' units; that of a goal that is proven is its value."""
    proven = len(found.bounds) - (found.status is not Status.OPTIMAL)
    for place, (goal, bound) in enumerate(zip(question.goals, found.bounds, strict=False)):
        if place < proven:
            yield values[place]
        elif goal in outer.unit:
            # Each fee was rounded up, by less than a unit.
            rounding = outer.instance.fees if goal.is_rounded else 0
            told = (bound - rounding) * outer.unit[goal] + outer.standing[goal]
            yield min(told, values[place])
        else:
            yield bound * _unit(question, goal)


def _unit(question: PlanQuestion, goal: Goal) -> float:
    return question.slot / 3600 if goal.is_time else 1.0
