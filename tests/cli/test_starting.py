"""``mlsysim new`` writes question files that can be answered as they stand."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlsysim.cli.app import Template, app
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.verification import verify_plan
from mlsysim.files.question import load
from mlsysim.files.verification import verify


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, arguments)


def in_a_terminal(answers: list[str], *arguments: str) -> str:
    """Run a command in a terminal, type a line after each question, and give what it shows."""
    own, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "mlsysim", *arguments], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    waiting = list(answers)
    while True:
        try:
            piece = os.read(own, 4096)
        except OSError:  # how Linux says that nobody has it open any more
            break
        if not piece:
            break
        shown += piece
        if waiting and shown.endswith(b"]: "):
            os.write(own, waiting.pop(0).encode() + b"\n")
    process.wait()
    os.close(own)
    return shown.decode()


def test_in_a_terminal_three_questions_are_asked(tmp_path: Path) -> None:
    """A wrong word is told with the nearest ones and asked about again; Enter takes the default."""
    file = tmp_path / "mine.toml"
    answers = ["servin", "serving", "Qwen3_33B", "Qwen3_32B", ""]
    shown = in_a_terminal(answers, "new", str(file))
    assert "did you mean 'serving'" in shown
    assert "did you mean 'Qwen3_32B'" in shown
    question = load(file)
    assert 'model = "Qwen3_32B"' in question.written
    assert 'fleet = ["L40S", "A100_80GB_SXM", "H100_SXM", "H200_SXM"]' in question.written


def test_nothing_is_asked_that_a_flag_says(tmp_path: Path) -> None:
    """With any of the three, the rest is the template's."""
    file = tmp_path / "mine.toml"
    shown = in_a_terminal([], "new", str(file), "--kind", "plan")
    assert "]: " not in shown
    assert load_plan(file).path == file


QUESTIONS = [kind for kind in Template if kind is not Template.PLAN]


@pytest.mark.parametrize("kind", QUESTIONS)
def test_what_is_written_is_answered(kind: Template, tmp_path: Path) -> None:
    """CP-SAT and the reference find the same design; limits have reasons, and a front is named."""
    file = tmp_path / "mine.toml"
    done = run("new", str(file), "--kind", kind.value)
    assert done.exit_code == 0
    assert done.stdout == (
        f"{file}: written, beside mlsysim.schema.json for editors; now try: mlsysim solve {file}\n"
    )
    question = load(file)
    checked = verify(question, workers=1)
    assert checked.failures == ()
    assert checked.result.status == "OPTIMAL"
    assert question.reasons
    assert len(question.objectives) == 2


def test_the_plan_that_is_written_is_answered(tmp_path: Path) -> None:
    """It is found, replayed, and its designs take as long on plain numbers as in the plan."""
    file = tmp_path / "mine.toml"
    done = run("new", str(file), "--kind", "plan")
    assert done.stdout == (
        f"{file}: written, beside mlsysim.plan.schema.json for editors; "
        f"now try: mlsysim plan {file}\n"
    )
    checked = verify_plan(load_plan(file), workers=1)
    assert checked.failures == ()
    assert checked.result.status == "OPTIMAL"


@pytest.mark.parametrize("kind", list(Template))
def test_what_is_written_is_commented(kind: Template) -> None:
    """Each table, and each key before the first, has a line above it that says what it is for."""
    text = run("new", "-", "--kind", kind.value).stdout
    for paragraph in text.split("\n\n"):
        assert paragraph.startswith("#") or re.match(r"\[constraints\.\w+\]", paragraph), paragraph


def test_a_file_is_never_replaced_unasked(tmp_path: Path) -> None:
    """What stands there stays, until it is said that it may go."""
    file = tmp_path / "mine.toml"
    file.write_text("precious")
    done = run("new", str(file))
    assert (done.exit_code, file.read_text()) == (2, "precious")
    assert "exists; give another name, or replace it with --overwrite" in done.stderr
    assert run("new", str(file), "--overwrite").exit_code == 0
    assert file.read_text().startswith("#:schema ./mlsysim.schema.json\n# A planner's question")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """One line names the file."""
    done = run("new", str(tmp_path / "none" / "mine.toml"))
    assert done.exit_code == 2
    assert "mine.toml: there is no folder" in done.stderr


def test_without_a_name_it_is_question_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands in the file name the file."""
    monkeypatch.chdir(tmp_path)
    assert run("new").exit_code == 0
    assert "mlsysim solve question.toml" in (tmp_path / "question.toml").read_text()


@pytest.mark.parametrize("kind", list(Template))
def test_the_schema_stands_beside_the_question(kind: Template, tmp_path: Path) -> None:
    """The first line of the question names it, and it is what the command prints."""
    file = tmp_path / "mine.toml"
    run("new", str(file), "--kind", kind.value)
    named = file.read_text().splitlines()[0].removeprefix("#:schema ")
    assert (tmp_path / named).read_text() == run("schema", "--kind", kind.value).stdout


def test_a_model_and_a_fleet_can_be_named(tmp_path: Path) -> None:
    """They stand in the file in place of the template's; a wrong name writes nothing."""
    file = tmp_path / "mine.toml"
    named = ("--kind", "serving", "--model", "Qwen3_32B", "--fleet", "MI300X")
    assert run("new", str(file), *named).exit_code == 0
    question = load(file)
    assert question.evaluate.fixed["model"].name == "Qwen3_32B"
    assert question.problem.space["fleet"].labels == ("MI300X",)
    assert question.solve(top=1).status == "OPTIMAL"
    other = tmp_path / "other.toml"
    done = run("new", str(other), "--model", "Qwen3_32C")
    assert done.exit_code == 2
    assert not other.exists()
