"""Wrong ways to call the command are told in one line; pages and tables go where they are sent."""

import csv
import io
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mlsysim
from mlsysim.cli import app as app_module
from mlsysim.cli import main
from mlsysim.cli.app import app
from mlsysim.files.question import load

MODELS = Path(__file__).parents[2] / "models"
TUTORIAL = MODELS / "training" / "tutorial.toml"


def called(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    """Call the command as a shell would; give its status, output and errors."""
    monkeypatch.setattr("sys.argv", ["mlsysim", *arguments])
    # A command that has ended takes signals until its process has ended, which this one does not.
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["solve", "--tpo", "3"], "no such option: --tpo"),
        (["solve"], "missing argument 'FILE'"),
        (["solv", "x.toml"], "did you mean 'solve'"),
        (["solve", "x.toml", "--method", "magic"], "'magic' is not one of 'auto'"),
        (["solve", "x.toml", "--top", "many"], "--top"),
        (["solve", "/no/such/file.toml"], "/no/such/file.toml: cannot be read"),
        (["solve", str(TUTORIAL), "--top", "0"], "top = 0 is too small"),
        (["solve", str(TUTORIAL), "--html", "/no/such/folder/page.html"], "there is no folder"),
        (["evaluate", str(TUTORIAL)], "missing option '--set'"),
    ],
)
def test_usage_errors_are_one_line(
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2, nothing on standard output, and what was wrong in one line."""
    status, output, errors = called(arguments, monkeypatch, capsys)
    assert (status, output) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("mlsysim: error: ")
    assert told in line.replace("Did", "did")


def test_the_version_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--version`` prints the version of the package and ends with 0."""
    outcome = called(["--version"], monkeypatch, capsys)
    assert outcome == (0, f"mlsysim {mlsysim.__version__}\n", "")


def test_statuses_reach_the_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a command answers is the status of the process."""
    strict = str(MODELS / "infeasible" / "step_50ms.toml")
    assert called(["solve", strict], monkeypatch, capsys)[0] == 3
    assert called(["list", "grids"], monkeypatch, capsys)[0] == 0


def test_every_command_has_a_first_line_of_help() -> None:
    """The list of commands says what each is for."""
    for command in app_module.app.registered_commands:
        assert command.callback is not None
        assert (command.callback.__doc__ or "").strip()


def run(*arguments: object) -> tuple[int, str]:
    """Run the command line; give its status and output."""
    outcome = CliRunner().invoke(app, [str(item) for item in arguments])
    return outcome.exit_code, outcome.stdout


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("solve", TUTORIAL),
        ("explain", MODELS / "fleet" / "nodes_for_a_pace.toml"),
        ("pareto", MODELS / "fleet" / "choice_of_fleet.toml"),
        ("solve", MODELS / "infeasible" / "pace_within_budget.toml"),
    ],
)
def test_pages_are_written(command: str, file: Path, tmp_path: Path) -> None:
    """``--html`` writes the report with the question and its file, and says where."""
    target = tmp_path / "page.html"
    _, output = run(command, file, "--html", target)
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert output.splitlines()[-1] == f"The report is in {target}"
    for word in load(file).text.split():
        assert word.replace("'", "&#x27;") in page
    assert "[pipeline]" in page


def test_csv_is_a_table_for_programs() -> None:
    """``--csv`` prints one row for each of the best designs, with plain numbers."""
    status, output = run("solve", TUTORIAL, "--csv", "--top", 2)
    best = load(TUTORIAL).solve(top=2)
    header, *rows = csv.reader(io.StringIO(output))
    assert status == 0
    assert header[:4] == ["rank", "batch_size", "tp", "pp"]
    assert [float(row[4]) for row in rows] == [c.objective_value for c in best.top_candidates]
