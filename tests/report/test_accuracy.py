"""The accuracy in the first line of a report is what ``mlsysim validate`` finds."""

from pathlib import Path

import pytest

from mlsysim.core.question import load
from mlsysim.report import report_of
from mlsysim.report.accuracy import recorded
from mlsysim.report.recording import measure

TUTORIAL = Path(__file__).parents[2] / "models" / "training" / "tutorial.toml"


def test_the_record_is_what_the_measured_runs_say() -> None:
    """After a change of the models, run: python -m mlsysim.report.recording."""
    found = measure()
    assert found.keys() == recorded().keys()
    for name, figures in found.items():
        # Recorded to a thousandth.
        assert dict(recorded()[name]) == pytest.approx(figures, abs=0.0011), name


def test_the_first_line_tells_it() -> None:
    """A question answered by a model that was compared with runs says how far off it is."""
    question = load(TUTORIAL)
    report = report_of(question, question.solve())
    median = 100 * recorded()["DistributedModel"]["median"]
    assert (
        f"accuracy of the models: DistributedModel: median error {median:.1f} %" in report.verdict
    )
    assert report.to_dict()["accuracy"] == list(report.accuracy)
