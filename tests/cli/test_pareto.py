"""What ``mlsysim pareto`` prints and draws, and what it refuses."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.errors import QuestionError
from mlsysim.files.question import load
from mlsysim.plot import figures, fronts

ROOT = Path(__file__).parents[2]
FLEETS = ROOT / "models" / "fleet" / "choice_of_fleet.toml"
LAYOUTS = ROOT / "models" / "training" / "many_layouts.toml"
NO_TABLE = ROOT / "models" / "training" / "tutorial.toml"
PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments: object) -> tuple[int, str, str]:
    """Run ``mlsysim pareto``; give its status, output and errors."""
    runner = CliRunner(env={"COLUMNS": "160"})
    outcome = runner.invoke(app, ["pareto", *map(str, arguments)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def variant(folder: Path, written: str, instead: str, file: Path = FLEETS) -> Path:
    """Write a question file with something changed."""
    text = file.read_text(encoding="utf-8")
    assert written in text
    target = folder / "question.toml"
    target.write_text(text.replace(written, instead), encoding="utf-8")
    return target


@pytest.mark.parametrize("method", ["auto", "cp-sat", "exhaustive"])
def test_the_front_is_a_table(method: str) -> None:
    """One row per point, the cheapest first; a choice that all share is told once."""
    status, output, errors = run(FLEETS, "--method", method)
    front = load(FLEETS).pareto(method="exhaustive")
    assert (status, errors) == (0, "")
    assert output.startswith(f"OPTIMAL (proven): the Pareto front has {len(front)} points")
    assert "All points have region=US_Average." in output
    lines = output.splitlines()
    head = next(at for at, line in enumerate(lines) if line.split()[:1] == ["#"])
    rows = [line.split() for line in lines[head + 1 :][: len(front)]]
    shown = [(row[1], int(row[2]), int(row[3])) for row in rows]
    assert shown == [(p.params["fleet"].name, p.params["tp"], p.params["pp"]) for p in front]


def test_json_is_the_front() -> None:
    """With --json the output is the front for programs, and nothing else."""
    status, output, _ = run(FLEETS, "--json")
    found = json.loads(output)
    front = load(FLEETS).pareto()
    assert status == 0
    assert [tuple(p["objective_values"]) for p in found["points"]] == [
        p.objective_values for p in front
    ]
    assert found["units"] == ["", "1/s"]


def test_infeasible_ends_with_3(tmp_path: Path) -> None:
    """A question that nothing meets is explained, and the planner's reason recalled."""
    file = variant(tmp_path, "500000 / s", "5e9 / s")
    status, output, _ = run(file, "--plot", tmp_path / "front.png")
    assert status == 3
    assert output.startswith("INFEASIBLE")
    assert "overtaken by the next architecture" in output
    assert not (tmp_path / "front.png").exists()


def test_no_answer_ends_with_4() -> None:
    """A limit that comes before the first design ends with 4."""
    status, output, _ = run(FLEETS, "--method", "exhaustive", "--time-limit", 1e-9)
    assert status == 4
    assert output.startswith("UNKNOWN")


@pytest.mark.parametrize("file", [FLEETS, LAYOUTS])
def test_the_front_is_drawn(file: Path, tmp_path: Path) -> None:
    """With --plot a picture is written besides."""
    target = tmp_path / "front.png"
    status, output, _ = run(file, "--plot", target)
    assert status == 0
    assert output.startswith("OPTIMAL")
    assert target.read_bytes().startswith(PNG)


def test_three_objectives_are_drawn(tmp_path: Path) -> None:
    """The third objective is a colour; the axes name metrics, units and senses."""
    metric = '"maximize: DistributedModel.effective_throughput"'
    third = '"minimize: DistributedModel.step_latency_total"'
    file = variant(tmp_path, metric, f"{metric}, {third}")
    target = tmp_path / "front.svg"
    assert run(file, "--plot", target)[0] == 0
    assert target.stat().st_size > 10_000
    front = load(file).pareto()
    assert fronts._axis(front, 0) == "tco usd   (less is better)"
    assert fronts._axis(front, 1) == "effective throughput [1/s]   (more is better)"
    assert fronts._axis(front, 2) == "step latency total [ms]   (less is better)"


def test_without_matplotlib_the_cure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work, the message says what to install."""
    find = importlib.util.find_spec

    def hidden(name: str, *more: Any) -> Any:
        return None if name == "matplotlib" else find(name, *more)

    monkeypatch.setattr(figures, "find_spec", hidden)
    status, output, errors = run(FLEETS, "--plot", tmp_path / "front.png")
    assert (status, output) == (2, "")
    assert "pip install 'mlsysim-solver[plot]'" in errors


@pytest.mark.parametrize(
    ("name", "told"), [("front.pgn", "did you mean 'png'"), ("none/front.png", "no folder")]
)
def test_bad_pictures_are_refused(name: str, told: str, tmp_path: Path) -> None:
    """An unknown format or a missing folder is told before any work."""
    status, output, errors = run(FLEETS, "--plot", tmp_path / name)
    assert (status, output) == (2, "")
    assert told in errors


def test_a_file_without_the_table_says_what_to_add() -> None:
    """The message shows a table."""
    status, _, errors = run(NO_TABLE)
    assert status == 2
    assert "tutorial.toml: pareto: missing" in errors
    assert "[pareto] objectives = ['maximize: DistributedModel.effective_throughput'" in errors


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("minimize: EconomicsModel.tco_usd", "minimise: EconomicsModel.tco_usd", "is no sense"),
        ("maximize: DistributedModel.eff", "maximize: DistributedModel.ef", "does not exist"),
        ("[pareto]\nobjectives", "[pareto]\nobjective", "pareto.objective: unknown key"),
        ("maximize: DistributedModel.effective_throughput", "minimize: EconomicsModel.tco_usd",
         "about the same metric"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused(written: str, instead: str, told: str, tmp_path: Path) -> None:
    """File and key stand in front of what is wrong."""
    head, mark, table = FLEETS.read_text(encoding="utf-8").partition("[pareto]")
    assert written in mark + table
    file = tmp_path / "question.toml"
    file.write_text(head + (mark + table).replace(written, instead), encoding="utf-8")
    with pytest.raises(QuestionError, match=r"question\.toml: pareto\.objective") as caught:
        load(file)
    assert told in str(caught.value)
