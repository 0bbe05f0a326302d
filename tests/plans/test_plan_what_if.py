"""What else could be: forced keys, and curves over keys; each answer is that of a changed file."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.what_if import sweep, why_not
from mlsysim.plans.rows import rows_of
from mlsysim.results.formatting import with_unit


def test_forcing_is_changing_the_file(file: Path) -> None:
    """Both answers are those of the files that say so, and the words tell the difference."""
    forced = {"jobs.two.release": "2027-01-12"}
    told = why_not(file, forced, workers=1)
    assert told.free.values == load_plan(file).solve(workers=1).values
    changed = file.read_text().replace('after = ["one"]', 'after = ["one"]\nrelease = 2027-01-12')
    file.write_text(changed)
    assert told.bound.values == load_plan(file).solve(workers=1).values
    (line,) = told.lines()
    assert told.bound.values[0] > told.free.values[0]
    assert f"{with_unit(told.bound.values[0] - told.free.values[0], 'USD')} more" in line


def test_what_cannot_be_forced_is_told(file: Path) -> None:
    """An infeasible answer is one too."""
    told = why_not(file, {"jobs.two.deadline": "2027-01-04T01:00:00"}, workers=1)
    assert told.bound.schedule is None
    assert "no plan meets every requirement" in next(told.lines())


def test_a_later_deadline_costs_no_more(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve falls; each of its points is a plan of its own, on rows that are found once."""
    asked: list[str] = []

    def counted(*args: Any, **given: Any) -> Any:
        asked.append(given["fleet"])
        return rows_of(*args, **given)

    monkeypatch.setattr("mlsysim.files.plans.jobs.rows_of", counted)
    dates = ["2027-01-12", "2027-01-16", "2027-01-24"]
    curve = sweep(file, {"jobs.two.deadline": dates}, workers=1)
    table = curve.to_pandas()
    assert list(table["status"]) == [found.status for _, found in curve.points]
    assert all(cell in curve._repr_html_() for row in curve.rows() for cell in row)
    assert len(asked) == 2
    costs = [answer.values[0] for _, answer in curve.points]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]
    alone = load_plan(file, {"jobs.two.deadline": dates[0]}).solve(workers=1)
    assert curve.points[0][1].values == alone.values


def test_the_command_prints_the_curve(file: Path) -> None:
    """As a table, as CSV and as JSON, with one status for all."""
    options = ["--over", "fleets.lab.nodes=4,8", "--workers", "1"]
    done = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["plan", str(file), *options])
    assert done.exit_code == 0
    assert "fleets.lab.nodes" in done.stdout
    done = CliRunner().invoke(app, ["plan", str(file), *options, "--csv"])
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["fleets.lab.nodes", "status", "slot [hour]", "cost [USD]"]
    assert [row[0] for row in rows[1:]] == ["4", "8"]
    done = CliRunner().invoke(app, ["plan", str(file), *options, "--json"])
    points = json.loads(done.stdout)["points"]
    assert [point["at"]["fleets.lab.nodes"] for point in points] == ["4", "8"]


def test_the_command_says_what_forcing_costs(file: Path) -> None:
    """Before the plan that is left."""
    options = ["--why-not", "jobs.two.release=2027-01-12", "--workers", "1"]
    done = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["plan", str(file), *options])
    assert done.exit_code == 0
    assert done.stdout.startswith("With jobs.two.release = 2027-01-12: cost = ")
    done = CliRunner().invoke(app, ["plan", str(file), *options, "--html", "x.html"])
    assert done.exit_code == 2
