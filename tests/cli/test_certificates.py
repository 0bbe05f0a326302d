"""``solve --certificate`` writes a proof, and ``verify`` checks it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "models" / "training" / "tutorial.toml"
STRICT = ROOT / "models" / "infeasible" / "step_50ms.toml"


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command line; give its status, output and errors."""
    outcome = CliRunner(env={"COLUMNS": "160"}).invoke(app, [str(item) for item in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.mark.parametrize(("file", "status"), [(TUTORIAL, "OPTIMAL"), (STRICT, "INFEASIBLE")])
def test_a_proof_is_written_and_checked(file: Path, status: str, tmp_path: Path) -> None:
    """The answer is printed as ever; its proof's size, and how to check it, beside."""
    path = tmp_path / "answer.cert"
    ended, output, told = run("solve", file, "--certificate", path)
    assert ended == (0 if status == "OPTIMAL" else 3)
    assert output.startswith(status)
    assert f"{path.stat().st_size:,} bytes" in told
    assert f"mlsysim verify {path}" in told
    checked, proof, _ = run("verify", path, "--question", file)
    assert checked == 0
    assert proof.startswith(f"VERIFIED  {status}: maximize: DistributedModel.effective_throughput")
    assert f"{file}, traced anew" in proof


def test_a_proof_of_another_question_is_refused(tmp_path: Path) -> None:
    """Traced anew, the question has other formulas: one line says which, and the status is 1."""
    path = tmp_path / "answer.cert"
    run("solve", TUTORIAL, "--certificate", path)
    ended, output, told = run("verify", path, "--question", STRICT)
    assert (ended, output) == (1, "")
    assert "is not about" in told
    assert "requirements" in told


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    """A file that is missing, or is something else, is named in one line."""
    for path in (tmp_path / "missing.cert", TUTORIAL):
        ended, _, told = run("verify", path)
        assert ended == 1
        assert str(path) in told
        assert len(told.splitlines()) == 1


def test_a_proof_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The folder does not exist: the status is that of an output that could not be written."""
    ended, _, told = run("solve", TUTORIAL, "--certificate", tmp_path / "none" / "x.cert")
    assert ended == 5
    assert "the certificate" in told
