"""``mlsysim explain``: the table of what binds, its JSON, and its statuses."""

import json
from pathlib import Path

from typer.testing import CliRunner

from mlsysim.cli.app import app

MODELS = Path(__file__).parents[2] / "models"
PACE = MODELS / "fleet" / "nodes_for_a_pace.toml"


def run(*arguments: object) -> tuple[int, str]:
    """Run ``mlsysim explain``; give its status and output."""
    command = ["explain", *map(str, arguments)]
    outcome = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
    return outcome.exit_code, outcome.stdout


def test_what_binds_is_shown_with_its_price_and_reason() -> None:
    """The pace binds: each relaxed limit has its gain, and the planner's reason is recalled."""
    status, output = run(PACE)
    assert status == 0
    rows = [line.split() for line in output.splitlines() if line.split()[:1] == ["pace"]]
    assert "yes" in rows[0]
    assert output.count("pace relaxed by") >= 1
    assert "Why what binds is required:" in output


def test_json_is_the_explanation() -> None:
    """With --json both methods give the same numbers, and nothing else is printed."""
    found = []
    for method in ("cp-sat", "exhaustive"):
        status, output = run(PACE, "--json", "--method", method)
        assert status == 0
        items = json.loads(output)["requirements"]
        found.append(
            [
                (item["name"], item["reason"], item["binds"], [t["gain"] for t in item["relaxed"]])
                for item in items
            ]
        )
    assert found[0] == found[1]


def test_statuses_are_those_of_the_answer() -> None:
    """Proven infeasible ends with 3, a limit without an answer with 4."""
    strict = MODELS / "infeasible" / "step_50ms.toml"
    assert run(strict, "--json")[0] == 3
    assert run(PACE, "--method", "exhaustive", "--time-limit", 1e-9)[0] == 4
