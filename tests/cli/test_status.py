"""Errors become one line and an exit status."""

from pathlib import Path

import pytest

from mlsysim.cli import rendering
from mlsysim.cli.answer import exit_status
from mlsysim.cli.status import ExitStatus, report
from mlsysim.errors import (
    DisagreementError,
    InfeasibleError,
    MlsysimError,
    NoAnswerError,
    TracingError,
    UnitError,
)
from mlsysim.results import Status
from mlsysim.results.blocks import Tone


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnitError("no such unit"), ExitStatus.BAD_INPUT),
        (TracingError("cannot be traced"), ExitStatus.BAD_INPUT),
        (DisagreementError("two answers"), ExitStatus.CHECK_FAILED),
        (NoAnswerError("the time is over"), ExitStatus.NO_ANSWER),
    ],
)
def test_error_has_a_status(
    error: MlsysimError, status: ExitStatus, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a user can mend is bad input; a disagreement is a failed check."""
    assert report(error) is status
    assert capsys.readouterr().err == f"mlsysim: error: {error}\n"


def test_a_proof_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """What is proven infeasible before any search has the status of a proof."""
    assert report(InfeasibleError("no design:\nA")) is ExitStatus.INFEASIBLE
    assert capsys.readouterr().err == "mlsysim: INFEASIBLE: no design:\n  A\n"


def test_message_is_one_line_with_file_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """Line breaks are taken out, notes are kept, and the file is named once."""
    error = UnitError("first\nsecond")
    error.add_note("at a design")
    report(error, Path("question.toml"))
    told = "mlsysim: error: question.toml: first second; at a design\n"
    assert capsys.readouterr().err == told
    report(UnitError("question.toml: objective: wrong"), Path("question.toml"))
    assert capsys.readouterr().err == "mlsysim: error: question.toml: objective: wrong\n"


def test_every_answer_has_a_status_and_a_colour() -> None:
    """Only a proof of infeasibility and the lack of any design are not 0."""
    assert [exit_status(status) for status in Status] == [0, 0, 3, 4]
    assert set(rendering.COLOURS) == set(Tone)
