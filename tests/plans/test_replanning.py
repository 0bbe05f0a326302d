"""Plans that go on from an earlier one: history stays, and as little as possible changes."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st
from plan_drawing import drawn
from strategies import examples
from typer.testing import CliRunner, Result

from mlsysim.cli.app import app
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.checking import violations
from mlsysim.plans.enumeration import enumerated
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.fleet import Change, Fleet
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.results.status import Status


def disturbed(question: PlanQuestion, random: Random) -> PlanQuestion:
    """Close a fleet for a while, take nodes away, or move a deadline."""
    fleet = random.choice(question.fleets)
    begin = random.randint(1, 5)
    nodes = random.choice([None, -1, -2])
    strike = Change(name="strike", begin=begin, end=begin + random.randint(1, 3), nodes=nodes)
    fleets = tuple(
        replace(item, changes=(*item.changes, strike)) if item is fleet else item
        for item in question.fleets
    )
    late = random.choice(question.jobs).name
    return replace(question, fleets=fleets).with_jobs(
        lambda job: replace(job, deadline=None) if job.name == late else job
    )


@given(random=st.randoms(use_true_random=False), goal=st.sampled_from(list(Goal)))
@examples(40)
def test_the_new_plan_is_that_of_the_enumeration(random: Random, goal: Goal) -> None:
    """The fewest changes, then the goal, among all plans that go on from what has begun."""
    question = drawn(random, goals=(Goal.MAKESPAN,))
    earlier = Plan.of(question).solve(workers=1)
    assume(earlier.schedule is not None)
    goals = (Goal.CHANGES, goal) if goal is not Goal.CHANGES else (Goal.CHANGES,)
    after = replace(disturbed(question, random), goals=goals)
    plan = Plan.of(after).replanned(earlier, random.randint(0, 6))
    found, expected = plan.solve(workers=1), enumerated(plan.question)
    assert (found.schedule is None) == (expected is None)
    if found.schedule is None or expected is None:
        assert found.status is Status.INFEASIBLE
        return
    assert violations(plan.question, found.schedule) == []
    assert found.status is Status.OPTIMAL
    assert all(
        abs(one - other) <= 1e-6 * abs(other) + 1e-12
        for one, other in zip(found.values, expected[0], strict=True)
    )
    assert (
        sum((item.is_moved) + (item.before.row != item.now.row) for item in found.changes)
        == (found.values[0])
    )


ROWS = (Row(fleet="lab", nodes=2, seconds=4 * 3600), Row(fleet="lab", nodes=4, seconds=2 * 3600))
JOBS = tuple(Job(name=name, rows=ROWS) for name in ("one", "two", "three"))
LAB = Fleet(name="lab", nodes=4)


def before() -> PlanResult:
    """Plan three jobs, each two hours on all nodes or four on half of them: six hours."""
    found = Plan(JOBS, [LAB], slot=3600, horizon=24 * 3600).solve(workers=1)
    assert found.values == (6.0,)
    return found


def test_nothing_changes_where_nothing_has_happened() -> None:
    """The same starts and layouts, whatever the time."""
    earlier = before()
    for now in (0, 3600, 3 * 3600, 7 * 3600):
        found = Plan(JOBS, [LAB], slot=3600, horizon=24 * 3600).replanned(earlier, now).solve()
        assert found.values[0] == 0
        assert found.changes == ()
        assert found.schedule is not None
        assert earlier.schedule is not None
        assert {run.job: (run.begin, run.row) for run in found.schedule} == {
            run.job: (run.begin, run.row) for run in earlier.schedule
        }
        assert "nothing" in str(found)


def test_a_change_is_told_with_what_it_buys() -> None:
    """A deadline that comes closer moves its job; as it was, the deadline could not hold."""
    earlier = before()
    assert earlier.schedule is not None
    last = max(earlier.schedule, key=lambda run: run.end)
    jobs = [replace(job, deadline=4 * 3600) if job.name == last.job else job for job in JOBS]
    plan = Plan(jobs, [LAB], slot=3600, horizon=24 * 3600).replanned(earlier, 0)
    found = plan.solve(workers=1)
    assert found.status is Status.OPTIMAL
    assert last.job in {item.job for item in found.changes}
    assert found.worse[last.job] == "as it was, no plan meets every requirement"
    assert f"{last.job}: " in str(found)
    told = {item["job"]: item["kept"] for item in found.to_dict()["changes"]}
    assert told == dict(found.worse)


def test_what_has_begun_goes_on_around_a_new_closure() -> None:
    """A run that is under way keeps its nodes, and pauses where the calendar has changed."""
    earlier = before()
    shut = replace(LAB, changes=(Change(name="power cut", begin=5400, end=9000),))
    plan = Plan(JOBS, [shut], slot=1800, horizon=24 * 3600).replanned(earlier, 3600)
    found = plan.solve(workers=1)
    assert found.schedule is not None
    assert violations(plan.question, found.schedule) == []
    assert earlier.schedule is not None
    first = min(earlier.schedule, key=lambda run: run.begin)
    run = found.schedule.run(first.job)
    assert run.row == first.row
    assert run.pieces[0] == (0, 5400)
    assert run.pieces[1][0] == 9000


def run(*arguments: object) -> Result:
    """Run the command line."""
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["plan", *map(str, arguments)])


def test_the_command_goes_on_from_an_answer(file: Path) -> None:
    """Nothing changes by itself; a strike moves what has not begun, and what it buys is told."""
    asked = [file, "--set", "objective=minimize: makespan", "--workers", 1]
    before = file.with_suffix(".json")
    before.write_text(run(*asked, "--json").stdout)
    after = [*asked, "--from", before, "--now", "2027-01-04T12:00:00"]
    same = run(*after)
    assert same.exit_code == 0, same.stderr
    assert "changes = 0" in same.stdout
    assert "Changed:\n  nothing" in same.stdout
    entry = {"begin": "2027-01-05T08:00:00", "nodes": "-4"}
    strike = ",".join(f"fleets.lab.calendar.strike.{key}={value}" for key, value in entry.items())
    moved = json.loads(run(*after, "--set", strike, "--json").stdout)
    assert moved["goals"] == ["changes", "makespan"]
    assert moved["values"][0] > 0
    assert [item["job"] for item in moved["changes"]] == ["two"]
    assert moved["changes"][0]["kept"].startswith("as it was, ")
    old = json.loads(before.read_text())
    # The first has begun: it keeps its nodes and its time.
    (first,) = [item for item in old["jobs"] if item["job"] == "one"]
    assert [item["pieces"] for item in moved["jobs"] if item["job"] == "one"] == [first["pieces"]]


def test_what_no_plan_can_go_on_from_is_told(file: Path) -> None:
    """Each message says what is wrong with the earlier answer, or what is missing."""
    before = file.with_suffix(".json")
    assert "one needs the other" in run(file, "--now", "1 day").stderr
    before.write_text("{}")
    assert "give what mlsysim plan FILE --json has" in run(
        file, "--from", before, "--now", "1 day"
    ).stderr  # fmt: skip
    before.write_text('{"jobs": [], "begin": null}')
    assert "no plan to go on from" in run(file, "--from", before, "--now", "1 day").stderr
    asked = '{"job": "one", "fleet": "lab", "nodes": 1, "pieces": [[0, 9]]}'
    before.write_text('{"jobs": [' + asked + '], "begin": "2026-01-04T00:00:00"}')
    told = run(file, "--from", before, "--now", "1 day").stderr
    assert "begin: 2026-01-04T00:00:00, but the plan begins at 2027-01-04T00:00:00" in told
