"""Small plans: CP-SAT's answer is that of trying every row and start of every job."""

from dataclasses import replace

import pytest
from plan_drawing import drawn

from mlsysim.plans.answers.explaining import conflict_of
from mlsysim.plans.answers.finding import answered, exists
from mlsysim.plans.checking import violations
from mlsysim.plans.enumeration import enumerated
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.worth import worth
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


def clock() -> Clock:
    """Give one worker all the time."""
    return Clock(SearchOptions(workers=1))


@pytest.mark.parametrize("first", range(0, 120, 10))
def test_status_and_objective_are_those_of_the_enumeration(first: int) -> None:
    """Calendars, precedences, pauses, rented blocks, power, budget: one answer."""
    for seed in range(first, first + 10):
        question = drawn(seed, tight=seed % 2 == 0)
        found, expected = answered(question, clock()), enumerated(question)
        if expected is None:
            assert found.status is Status.INFEASIBLE, seed
            continue
        assert found.status is Status.OPTIMAL, seed
        assert found.schedule is not None
        assert violations(question, found.schedule) == [], seed
        value = worth(question, found.schedule, question.goals[0])
        assert value == pytest.approx(expected[0][0], rel=1e-6, abs=1e-12), seed


@pytest.mark.parametrize("first", range(200, 240, 10))
def test_a_second_goal_is_reached_among_the_best_by_the_first(first: int) -> None:
    """Fewest late jobs, then the least lateness, as the enumeration has it."""
    for seed in range(first, first + 10):
        question = drawn(seed, goals=(Goal.LATE, Goal.TARDINESS), tight=True)
        found, expected = answered(question, clock()), enumerated(question)
        assert (found.schedule is None) == (expected is None), seed
        if found.schedule is not None and expected is not None:
            values = [worth(question, found.schedule, goal) for goal in question.goals]
            assert values == pytest.approx(list(expected[0])), seed


def infeasible(seeds: range) -> list[PlanQuestion]:
    """Give the drawn plans for which the enumeration finds nothing."""
    asked = [drawn(seed, goals=(Goal.MAKESPAN,), tight=True) for seed in seeds]
    return [question for question in asked if enumerated(question) is None]


def test_every_member_of_a_conflict_is_needed() -> None:
    """The conflict alone excludes every plan, and without any one of its members plans exist."""
    asked = infeasible(range(300, 316))
    assert len(asked) >= 3
    for question in asked:
        conflict = conflict_of(question, clock())
        kept = question
        for requirement in [*question.requirements()]:
            if requirement not in conflict.members:
                kept = kept.without(requirement)
        assert enumerated(kept) is None
        assert conflict.is_minimal
        for member in conflict.members:
            assert enumerated(kept.without(member)) is not None, member


def test_the_relaxation_of_a_deadline_is_the_earliest_end() -> None:
    """With all others kept, the enumeration finds no plan in which the job ends sooner."""
    compared = 0
    for question in infeasible(range(300, 330)):
        result = Plan.of(question).solve(workers=1)
        for relaxation in result.relaxations:
            job, _, kind = relaxation.name.partition(".")
            if kind != "deadline":
                continue
            asked = question.with_jobs(
                lambda item, job=job: replace(item, deadline=None) if item.name == job else item
            )
            alone = asked.with_jobs(lambda item, job=job: replace(item, holds=item.name != job))
            expected = enumerated(replace(alone, goals=(Goal.MAKESPAN,)))
            assert relaxation.value == (None if expected is None else expected[0][0])
            compared += 1
    assert compared >= 3


@pytest.mark.parametrize("slot", [2, 3])
def test_what_is_planned_on_long_slots_can_be_carried_out(slot: int) -> None:
    """A plan on slots is valid on exact times and never better than the best on all times."""
    planned = 0
    for seed in range(400, 440):
        question = drawn(seed, goals=(Goal.MAKESPAN,))
        found, expected = answered(replace(question, slot=slot), clock()), enumerated(question)
        if expected is None:
            assert found.schedule is None, seed
            continue
        if found.schedule is not None:
            planned += 1
            assert violations(question, found.schedule) == [], seed
            assert worth(question, found.schedule, Goal.MAKESPAN) >= expected[0][0] - 1e-9, seed
        assert found.status is not Status.INFEASIBLE, seed
    assert planned >= 10


@pytest.mark.parametrize("slot", [1, 2, 4])
def test_no_plan_is_called_impossible_that_exists(slot: int) -> None:
    """The verdict on any slots is that of the enumeration, or none."""
    for seed in range(500, 530):
        question = drawn(seed, tight=True)
        verdict = exists(replace(question, slot=slot), clock())
        assert verdict in {None, enumerated(question) is not None}, seed
