"""A check that a limit stops is neither right nor wrong."""

from pathlib import Path

import pytest

from mlsysim.cli.checking import check_files
from mlsysim.cli.status import ExitStatus
from mlsysim.files.question import load
from mlsysim.files.verification import verify

MODELS = Path(__file__).parents[2] / "models"


def test_what_was_stopped_is_not_said_to_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Expected OPTIMAL and not finished is no contradiction; the exit status says no answer."""
    status = check_files([MODELS / "training" / "every_knob.toml"], time_limit=0.2, workers=1)
    told = capsys.readouterr().out
    assert status is ExitStatus.NO_ANSWER
    assert told.startswith("stopped")
    assert "not compared: CP-SAT was stopped by time limit" in " ".join(told.split())
    assert "differs" not in told


def test_what_was_stopped_fails_where_a_test_asks() -> None:
    """The plugin of pytest, and whoever reads `failures`, does not take it for a success."""
    question = load(MODELS / "training" / "every_knob.toml")
    checked = verify(question, time_limit=0.2, workers=1)
    assert checked.failures == checked.stopped
    assert checked.stopped
    assert not checked.differs
