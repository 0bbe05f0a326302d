"""What is said of plans without a search denies nothing that exists, and no bound is too high."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from plan_drawing import drawn
from strategies import examples

from mlsysim.plans.enumeration import enumerated
from mlsysim.plans.model.bounding import ceilings, heads, is_excluded, least, tails
from mlsysim.plans.model.instance import Activity, Instance, Mode, Resource
from mlsysim.plans.model.peaks import peaks_of, totals_of
from mlsysim.plans.model.relaxing import relaxed
from mlsysim.plans.model.solving import solve
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.time.slots import Side, slotted
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions

RANDOM = st.randoms(use_true_random=False)


@given(random=RANDOM, goal=st.sampled_from([Goal.MAKESPAN, Goal.NODES]), tight=st.booleans())
@examples(60)
def test_no_plan_is_below_a_bound_by_areas(*, random: Random, goal: Goal, tight: bool) -> None:
    """Nothing that the enumeration finds is excluded, is below a bound, or between two peaks."""
    question = replace(drawn(random, goals=(goal,), tight=tight), budget=None)
    expected = enumerated(question)
    instance = slotted(question, Side.OUTWARD).instance
    if expected is None:
        return
    assert not is_excluded(instance)
    value = expected[0][0]
    if goal is Goal.NODES:
        assert value in totals_of(instance)
        assert least(instance, goal) <= value
    else:
        assert least(instance, goal) * question.slot / 3600 <= value + 1e-12


@given(random=RANDOM, goals=st.permutations(list(Goal)), tight=st.booleans())
@examples(30)
def test_no_plan_is_below_a_bound_by_prices(
    *, random: Random, goals: list[Goal], tight: bool
) -> None:
    """Neither by one goal, nor by a second among the plans that are best by the first."""
    first, second, *_ = goals
    question = drawn(random, goals=(first, second), tight=tight)
    expected = enumerated(question)
    if expected is None:
        return
    outer = slotted(question, Side.OUTWARD)
    clock = Clock(SearchOptions(workers=1))
    best = solve(outer.instance, (first, second), clock, ties=False)
    assert best.status is Status.OPTIMAL
    one, two = best.values
    assert relaxed(outer.instance, first, clock, 0, one + 1) <= one + 1e-6
    assert relaxed(outer.instance, second, clock, 0, two + 1, {first: one}) <= two + 1e-6


def filled(*spans: tuple[int, int, int], level: int = 4) -> Instance:
    """Give a problem of activities with one mode: first start, latest end, length, each on two."""
    activities = tuple(
        Activity(
            name=f"a{place}",
            modes=(Mode(length=length, first=first, last=end - length, demands={"r": 2}),),
        )
        for place, (first, end, length) in enumerate(spans)
    )
    resource = Resource(name="r", steps=((0, level),))
    return Instance(activities=activities, resources=(resource,), horizon=20)


def test_what_lies_in_a_window_wherever_it_runs_counts() -> None:
    """A run of 8 slots between 0 and 10 has 6 of them in the window from 2 to 8."""
    assert not is_excluded(filled((0, 10, 8), (2, 8, 6)))
    assert is_excluded(filled((0, 10, 8), (2, 8, 6), (2, 8, 1)))
    assert is_excluded(filled((0, 10, 8), (2, 8, 1), level=2))


def test_what_waits_is_not_before_and_what_is_waited_for_not_after() -> None:
    """The second of a chain starts after the first is done; the first ends in time for it."""
    first, second = filled((0, 20, 3), (0, 10, 4)).activities
    chain = replace(filled(), activities=(first, replace(second, after=("a0",))))
    assert heads(chain) == {"a0": 0, "a1": 3}
    assert ceilings(chain) == {"a0": 6, "a1": 20}


def test_a_fleet_that_serves_after_a_job_makes_no_makespan_longer() -> None:
    """Of a chain only what is work counts, and what work waits for."""
    job, fleet = filled((0, 20, 3), (0, 20, 5)).activities
    serving = replace(fleet, after=("a0",), is_work=False)
    chain = replace(filled(), activities=(job, serving))
    assert tails(chain) == {"a0": 0, "a1": 0}
    assert least(chain, Goal.MAKESPAN) == 3
    assert relaxed(chain, Goal.MAKESPAN, Clock(SearchOptions(workers=1)), 0, 20) == 3
    last = replace(job, name="a2", after=("a1",))
    longer = replace(chain, activities=(job, serving, last))
    assert tails(longer) == {"a0": 8, "a1": 3, "a2": 0}


def test_a_mode_that_ends_too_late_for_what_was_reached_is_left_without_a_start() -> None:
    """The longer mode is free of charge, and misses what the shorter one makes of the deadline."""
    modes = (
        Mode(length=1, first=0, last=5, demands={"r": 2}, fees={"cost": (1, 2, 3, 4, 5, 6)}),
        Mode(length=4, first=0, last=5, demands={"r": 2}, fees={"cost": 0}),
    )
    asked = replace(filled(), activities=(Activity(name="a0", modes=modes, due=1),))
    found = solve(asked, (Goal.MAX_TARDINESS, Goal.COST), Clock(SearchOptions(workers=1)))
    assert found.values == (0, 1)
    assert solve(asked, (Goal.COST,), Clock(SearchOptions(workers=1))).values == (0,)


def test_the_bound_of_nodes_is_one_that_they_can_add_up_to() -> None:
    """Where all hold two, nothing holds three."""
    instance = filled((0, 10, 8), (2, 8, 6), level=9)
    (resource,) = instance.resources
    assert peaks_of(instance, resource) == [0, 2, 4]
    assert least(instance, Goal.NODES) in {3, 4}
