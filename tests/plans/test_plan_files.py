"""Files about plans: what they say becomes a plan's question, and what is wrong is named."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.errors import InputError
from mlsysim.files.json_schema import plan_schema
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.settings import with_settings
from mlsysim.files.question import load
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.requirement import PlanRequirement, RequirementKind

DAY, HOUR = 86400, 3600

TEXT = """
question = "Which of two runs goes first?"
source = "Ours."
objective = ["minimize: makespan", "minimize: cost"]
begin = 2027-01-04T06:00:00
end = 2027-01-20
slot = "1 hour"
budget = "50000 USD"

[pipeline]
stages = ["DistributedModel", "GoodputModel"]

[fixed]
precision = "bf16"
batch_size = 256
model = "Llama3_8B"

[space]
nodes = [2, 4, 8, 16, 32]
tp_size = [1, 2]

[fleets.lab]
of = "Lab_64_H100"
grid = "US_Average"
price = { daily = { "00:00" = "1 USD/hour", "12:00" = "3 USD/hour" } }

[fleets.lab.calendar.maintenance]
begin = 2027-01-05
end = "36 hour"
because = "The switches are replaced."

[fleets.lab.calendar.reserved]
end = 2027-01-10
nodes = 4
margin = "30 min"

[fleets.lab.blocks.spare]
begin = "4 day"
end = "6 day"
nodes = 2
lots = 2
price = "4 USD/hour"
margin = "30 min"

[sites.hall]
fleets = ["lab"]
power = "200 kW"

[jobs.one]
work = 5e10
restart = "90 min"
weight = 2

[jobs.two]
work = 2e10
space = { tp_size = [1] }
fixed = { batch_size = 128 }
release = 2027-01-05T12:00:00Z
deadline = 2027-01-18
after = ["one"]
because = "The launch."

[holds.chat]
fleet = "lab"
nodes = 1
begin = "2 day"
end = "3 day"

[expected]
status = "OPTIMAL"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the plan."""
    path = tmp_path / "plan.toml"
    path.write_text(TEXT)
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command line."""
    outcome = CliRunner(env={"COLUMNS": "160"}).invoke(app, [str(item) for item in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_dates_are_seconds_from_the_begin(file: Path) -> None:
    """From 6 o'clock on: midnight is 18 hours later, an offset is put into UTC."""
    question = load_plan(file).draft
    assert question.horizon == 16 * DAY - 6 * HOUR
    (lab,) = question.fleets
    maintenance, reserved = lab.changes
    assert (maintenance.begin, maintenance.end, maintenance.nodes) == (18 * HOUR, 36 * HOUR, None)
    assert (reserved.begin, reserved.end) == (0, 6 * DAY - 6 * HOUR - HOUR // 2)
    two = question.job("two")
    assert (two.release, two.deadline) == (30 * HOUR, 14 * DAY - 6 * HOUR)
    assert question.job("one").restart == 90 * 60
    chat = question.job("chat")
    assert (chat.release, chat.deadline, chat.holds) == (2 * DAY, 3 * DAY, True)
    assert chat.rows[0].seconds == DAY


def test_prices_are_those_of_nodes(file: Path) -> None:
    """Eight accelerators each; the day begins at 6, so the second price holds from 6 hours on."""
    (lab,) = load_plan(file).draft.fleets
    assert lab.price.hours(0, 24 * HOUR) == pytest.approx(8 * (12 * 1 + 12 * 3))
    assert lab.price.hours(5 * HOUR, 7 * HOUR) == pytest.approx(8 * (1 + 3))
    (spare,) = lab.blocks
    # Two nodes of eight for two days, half an hour of which nothing can use.
    assert spare.cost == pytest.approx(2 * 8 * 48 * 4)
    assert spare.window == (4 * DAY, 6 * DAY - HOUR // 2)
    assert lab.electricity.values[0] > 0
    assert lab.carbon.values[0] > 0


def test_a_job_is_a_question_of_its_own(file: Path) -> None:
    """What the job says comes before what all have; nodes that the fleet never has are left out."""
    one, two = load_plan(file).jobs
    assert one.bound["lab"].problem.space["nodes"].values == (2, 4, 8, 16)
    assert two.bound["lab"].problem.space["tp_size"].values == (1,)
    assert two.bound["lab"].evaluate.fixed["batch_size"] == 128
    # The tokens of GoodputModel are the work.
    assert one.bound["lab"].evaluate.fixed["tokens"] == 5e10
    assert one.timed["rate"] == "GoodputModel.effective_throughput"


def test_a_plan_is_found_and_its_dates_are_told(file: Path) -> None:
    """Status 0; the plan as JSON has dates, bounds and designs."""
    status, output, _ = run("plan", file, "--json", "--workers", 1)
    assert status == 0
    found = json.loads(output)
    assert found["status"] == "OPTIMAL"
    assert found["goals"] == [Goal.MAKESPAN, Goal.COST]
    assert found["bounds"] == found["values"]
    assert found["statistics"]["grid_size"] > 1e6
    ends = {job["job"]: (job["begins"], job["ends"]) for job in found["jobs"]}
    assert ends["chat"] == ("2027-01-06T06:00:00", "2027-01-07T06:00:00")
    assert ends["one"][1] <= ends["two"][0]
    status, output, _ = run("plan", file, "--csv", "--workers", 1)
    assert output.splitlines()[0].startswith("job,fleet,nodes,begins,ends,pauses,cost,carbon,nodes")


def test_no_plan_is_explained_in_dates(file: Path) -> None:
    """Status 3; who is in the way, what it demands, why, and when it could be done."""
    status, output, _ = run("plan", file, "--set", "jobs.two.deadline=2027-01-06", "--workers", 1)
    assert status == 3
    assert output.startswith("INFEASIBLE (proven): no plan meets every requirement")
    assert "two.deadline: ends by Wed 6 Jan 00:00; The launch." in output
    assert "two.deadline: best reachable" in output
    plan = load_plan(file)
    assert plan.reasons[
        PlanRequirement(RequirementKind.CHANGE, "lab", "maintenance").name
    ].endswith("replaced.")


def test_a_limit_ends_with_4(file: Path) -> None:
    """Before the ways to run a job are known there is nothing to plan with."""
    status, _, errors = run("plan", file, "--time-limit", 1e-6)
    assert status == 4
    assert "stopped by time limit" in errors or "no time" in errors


def test_check_compares_with_the_file(file: Path) -> None:
    """What the file expects holds, or is told to differ."""
    assert run("check", file)[0] == 0
    file.write_text(TEXT + "objectives = [1.0, 2.0]\n")
    status, output, _ = run("check", file)
    assert status == 1
    assert "expected.objectives: [1.0, 2.0], but the plan has [" in output


def test_solve_says_that_it_is_a_plan(file: Path) -> None:
    """A file with jobs is no single question."""
    with pytest.raises(InputError, match="jobs: this is a plan over time"):
        load(file)


WRONG = [
    ("jobs.one.fixed.modle", "3", "jobs.one.fixed.modle: no model takes this argument; did"),
    ("jobs.one.worl", "3", "jobs.one.worl: unknown key; did you mean 'work'"),
    ("fixed.batch_size", "abc", "fixed.batch_size: 'abc' is no number"),
    ("jobs.two.fixed.batch_size", "abc", "jobs.two.fixed.batch_size: 'abc' is no number"),
    ("fleets.lab.of", "Lab_65", "fleets.lab.of: the catalogue has no Cluster 'Lab_65'"),
    ("jobs.two.after", '["three"]', "jobs.two.after: no job is called 'three'"),
    ("jobs.two.fleets", '["lap"]', "jobs.two.fleets: no fleet is called 'lap'; did"),
    ("jobs.two.deadline", "2026-01-01", "jobs.two.deadline: 2026-01-01 is before the plan's"),
    ("jobs.two.deadline", "7", "jobs.two.deadline: 7 is no date; write 2027-03-01"),
    ("jobs.two.release", "soon", "jobs.two.release: release is 'soon'; write a date such as"),
    ("slot", "4 hours-ish", "slot: 'hours-ish' is not a unit: write one such as 'hour'"),
    ("one", "3", "one: name a key of its table, such as jobs.one.deadline"),
    ("fixed.fleet", "Lab_64_H100", "jobs.one.fixed.fleet: is said by [fleets]"),
    ("jobs.one.rate", "GoodputModel.speed", "jobs.one.rate: metric"),
    ("jobs.one.duration", "GoodputModel.days_to_train", "jobs.one.duration: is said by work"),
    ("slot", "4 kg", "slot: slot is in kg; it must be in s"),
    ("slot", '"0 s"', "slot = 0 is no time"),
    ("objective", "minimize: cots", "objective: 'minimize: cots': there is no goal 'cots'"),
    ("fleets.lab.calendar.maintenance.end", "2027-01-04T12:00:00", "fleets.lab.calendar"),
    ("fleets.lab.price.daily", '{ "06:00" = 1 }', "fleets.lab.price.daily: says nothing of"),
    ("fleets.lab.price.daily", '{ "6 h" = 1 }', "fleets.lab.price.daily: '6 h' is no time"),
    ("fleets.lab.price", "{ values = [1, 2] }", "price of fleet 'lab' is known for 7200 s"),
    ("sites.hall.fleets", '["lap"]', "sites.hall.fleets: no fleet is called 'lap'"),
    ("sites.hall.power", "2", "sites.hall.power: expected text"),
    ("holds.chat.end", "1 day", "holds.chat: seconds = -86400 of a row is no whole number"),
    ("holds.chat.fleet", "lap", "holds.chat.fleet: no fleet is called 'lap'"),
    (
        "fleets.lab.grid",
        "France",
        "fleets.lab.electricity: missing; the catalogue has no price",
    ),
    ("space.nodes", "[]", "space.nodes: "),
    ("slot", "4", "slot: expected text, got a whole number; write it in quotes"),
    ("end", "2026-01-01", "end: 2026-01-01 is before the plan's begin; write a later date"),
    ("jobs.two.due", "2027-03-01", "jobs.two.due: unknown key; known: 'after', 'because', "),
    ("jobs.two.fleet", "lab", "jobs.two.fleet: unknown key; did you mean 'fleets'"),
    ("jobs.two.after", '["two"]', "jobs.two.after: jobs wait for each other in a circle: two"),
    ("jobs.two.weight", '"high"', "jobs.two.weight: expected a whole number, got text; write"),
    ("jobs.two.work", "6T", "jobs.two.work: 'T': 'T' is not a unit; write a large number as"),
    ("jobs.two.release", '"2027-02-31"', "jobs.two.release: release is '2027-02-31'; write a"),
    ("fleets.lab.price", "2 EUR/hour", "fleets.lab.price: 'EUR/hour': 'EUR' is not a unit; mo"),
    ("jobs.tow.work", "1", "jobs.tow.work: there is no table 'tow'; did you mean 'two'"),
]
# What takes a catalogue, a metric, a date or another table to see; the rest is structure.
MEANING = {
    ("fleets.lab.of", "Lab_65"),
    ("jobs.two.after", '["three"]'),
    ("jobs.two.after", '["two"]'),
    ("jobs.two.fleets", '["lap"]'),
    ("jobs.two.deadline", "2026-01-01"),
    ("jobs.two.release", "soon"),
    ("jobs.two.release", '"2027-02-31"'),
    ("jobs.two.work", "6T"),
    ("jobs.one.rate", "GoodputModel.speed"),
    ("jobs.one.duration", "GoodputModel.days_to_train"),
    ("slot", "4 hours-ish"),
    ("slot", "4 kg"),
    ("slot", '"0 s"'),
    ("end", "2026-01-01"),
    ("fleets.lab.calendar.maintenance.end", "2027-01-04T12:00:00"),
    ("fleets.lab.price", "2 EUR/hour"),
    ("fleets.lab.price.daily", '{ "06:00" = 1 }'),
    ("fleets.lab.price", "{ values = [1, 2] }"),
    ("fleets.lab.grid", "France"),
    ("sites.hall.fleets", '["lap"]'),
    ("holds.chat.end", "1 day"),
    ("holds.chat.fleet", "lap"),
}
# Settings that lead to no table: there is no file to be judged.
NO_TABLE = {"one", "jobs.tow.work"}
SCHEMA = jsonschema.Draft202012Validator(plan_schema())


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, value, _ in WRONG if key not in NO_TABLE]
)
def test_the_schema_refuses_what_is_wrong_in_structure(key: str, value: str) -> None:
    """Editors see these mistakes while they are made; the others are those that they cannot."""
    good = tomllib.loads(TEXT)
    assert SCHEMA.is_valid(with_dates_as_text(good))
    changed = with_dates_as_text(with_settings(good, {key: value}, "plan.toml"))
    assert SCHEMA.is_valid(changed) == ((key, value) in MEANING)


def with_dates_as_text(table: dict[str, Any]) -> Any:
    """Write a table as a program does that has no dates."""
    return json.loads(json.dumps(table, default=str))


@pytest.mark.parametrize(("key", "value", "told"), WRONG)
def test_what_is_wrong_is_named_with_its_key(file: Path, key: str, value: str, told: str) -> None:
    """Each message begins with file and key, and says what would be right."""
    with pytest.raises(InputError) as caught:
        load_plan(file, {key: value})
    assert str(caught.value).startswith(f"{file}: {told}")


@pytest.mark.parametrize("job", ["", "jobs.two."])
def test_an_option_that_only_the_search_meets_is_named_with_its_key(file: Path, job: str) -> None:
    """A value behind the first of a choice is refused when it is tried, by its key in the file."""
    plan = load_plan(file, {f"{job}space.schedule": '["1f1b", "zero-buble"]'})
    with pytest.raises(InputError) as caught:
        plan.solve()
    assert str(caught.value).startswith(f"{file}: {job}space.schedule: schedule is 'zero-buble'")
