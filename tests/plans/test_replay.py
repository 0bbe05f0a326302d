"""The replay of a plan finds what is wrong with it, and nothing else."""

from dataclasses import replace

import pytest

from mlsysim.plans.checking import violations
from mlsysim.plans.records.fleet import Change, Fleet, Site
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule

ROW = Row(fleet="lab", nodes=2, seconds=4, watts=3)
JOBS = (
    Job(name="one", rows=(ROW,), restart=1),
    Job(name="two", rows=(ROW,), release=1, deadline=14, after=("one",)),
)
LAB = Fleet(name="lab", nodes=3, changes=(Change(name="closed", begin=2, end=5),))
ASKED = PlanQuestion(
    jobs=JOBS, fleets=(LAB,), sites=(Site(name="hall", fleets=("lab",), watts=5),), horizon=15
)
# Two seconds, three closed, the two that are left and one to restart: until 8.
PLAN = Schedule(
    runs=(
        Run(job="one", row=ROW, pieces=((0, 2), (5, 8))),
        Run(job="two", row=ROW, pieces=((8, 12),)),
    )
)


def test_a_right_plan_violates_nothing() -> None:
    """Around the closure, one after the other, in time."""
    assert violations(ASKED, PLAN) == []


@pytest.mark.parametrize(
    ("pieces", "word"),
    [
        (((0, 2), (5, 7)), "works 4 s instead"),
        (((0, 4),), "too few nodes at 2 s"),
        (((5, 7), (8, 11)), "pauses although"),
        (((8, 12),), "too few nodes at 8 s"),
        (((9, 13),), "two starts before one has ended"),
        (((12, 16),), "one ends after the horizon"),
    ],
)
def test_each_violation_is_named(pieces: tuple[tuple[int, int], ...], word: str) -> None:
    """A job at the wrong time is told as what it breaks."""
    wrong = replace(PLAN, runs=(Run(job="one", row=ROW, pieces=pieces), PLAN.runs[1]))
    assert any(word in text for text in violations(ASKED, wrong))


def test_power_is_counted_over_fleets() -> None:
    """Two jobs at once draw 6 W of 5."""
    free = replace(ASKED, jobs=tuple(replace(job, after=()) for job in JOBS))
    both = replace(PLAN, runs=(PLAN.runs[0], Run(job="two", row=ROW, pieces=((5, 9),))))
    assert any("too little power at 5 s" in text for text in violations(free, both))
