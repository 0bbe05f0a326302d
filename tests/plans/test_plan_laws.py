"""Random small plans: the whole answer is that of trying every row and every start."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from plan_drawing import drawn
from strategies import examples

from mlsysim.plans.answers.explaining import extra_nodes, joint_slip
from mlsysim.plans.checking import violations
from mlsysim.plans.enumeration import enumerated
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.requirement import PlanRequirement
from mlsysim.plans.worth import worth
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions

MOST = 20_000
"""The most plans that are tried, so that an example takes a second."""

RANDOM = st.randoms(use_true_random=False)
GOALS = st.lists(st.sampled_from(list(Goal)), min_size=1, max_size=2, unique=True)


@given(random=RANDOM, goals=GOALS, tight=st.booleans(), workers=st.sampled_from([1, 2]))
@examples(40)
def test_the_answer_is_that_of_the_enumeration(
    *, random: Random, goals: list[Goal], tight: bool, workers: int
) -> None:
    """Status, every goal in turn, the bound, the replay, and what excludes every plan."""
    question = drawn(random, goals=tuple(goals), tight=tight)
    assume(_size(question) <= MOST)
    found = Plan.of(question).solve(workers=workers)
    expected = enumerated(question)
    if expected is None:
        assert found.status is Status.INFEASIBLE
        assert found.conflict_is_minimal
        _check_conflict(question, found.conflict)
        assert {*found.conflict_reasons} == {*found.conflict}
        return
    assert found.status is Status.OPTIMAL
    assert found.schedule is not None
    assert violations(question, found.schedule) == []
    # Slots are seconds here, so that what is proven on them is proven.
    assert found.values == pytest.approx(expected[0], rel=1e-6, abs=1e-12)
    assert found.bounds == found.values
    assert found.objectives == pytest.approx(
        [worth(question, found.schedule, goal) for goal in goals]
    )
    assert all(
        value <= best * (1 + 1e-6) + 1e-12
        for value, best in zip(found.objectives[:1], expected[0], strict=False)
    )


def _size(question: PlanQuestion) -> int:
    """Count what the enumeration tries, at most."""
    lots = (block.lots + 1 for fleet in question.fleets for block in fleet.blocks)
    return math.prod(len(job.rows) * question.axis for job in question.jobs) * math.prod(lots)


def _check_conflict(question: PlanQuestion, names: tuple[str, ...]) -> None:
    """See that a conflict excludes every plan by itself, and nothing that is a part of it does."""
    members = [item for item in question.requirements() if item.name in names]
    alone = _only(question, members)
    assert enumerated(alone) is None
    for member in members:
        assert enumerated(alone.without(member)) is not None, member


def _only(question: PlanQuestion, members: list[PlanRequirement]) -> PlanQuestion:
    for requirement in [*question.requirements()]:
        if requirement not in members:
            question = question.without(requirement)
    return question


@given(random=RANDOM)
@examples(20)
def test_the_remedies_are_the_least(random: Random) -> None:
    """One second less of slip, or one node less, and there is still no plan."""
    question = drawn(random, goals=(Goal.MAKESPAN,), tight=True)
    assume(_size(question) <= MOST)
    if enumerated(question) is not None:
        return
    clock = Clock(SearchOptions(workers=1))
    slip = joint_slip(question, clock)
    assert slip is not None
    assert slip.is_least
    if slip.amount < 10:
        assert enumerated(_later(question, int(slip.amount))) is not None
        assert enumerated(_later(question, int(slip.amount) - 1)) is None
    for fleet in question.fleets:
        extra = extra_nodes(question, fleet.name, clock)
        assert extra is not None
        assert extra.is_least
        if extra.amount < 10:
            assert enumerated(_larger(question, fleet.name, int(extra.amount))) is not None
            assert enumerated(_larger(question, fleet.name, int(extra.amount) - 1)) is None


def _later(question: PlanQuestion, slip: int) -> PlanQuestion:
    moved = question.with_jobs(
        lambda job: job if job.deadline is None else replace(job, deadline=job.deadline + slip)
    )
    return replace(moved, horizon=(question.horizon or 0) + slip)


def _larger(question: PlanQuestion, name: str, extra: int) -> PlanQuestion:
    return replace(
        question,
        fleets=tuple(
            replace(fleet, nodes=fleet.nodes + extra) if fleet.name == name else fleet
            for fleet in question.fleets
        ),
    )
