"""Every plan in models/plans has one answer: proven, replayed, and that of its file."""

from pathlib import Path

import pytest

from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.verification import verify_plan

FILES = sorted((Path(__file__).parents[2] / "models" / "plans").glob("*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_proof_replay_designs_and_file_agree(file: Path) -> None:
    """The plan violates nothing, its designs take as long on plain numbers, and it is as good."""
    plan = load_plan(file)
    assert plan.expected is not None
    assert verify_plan(plan).failures == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_plan_says_why(file: Path) -> None:
    """It has its prose and its source, and each entry of it a reason."""
    plan = load_plan(file)
    assert plan.text.strip().endswith("?")
    assert plan.source.strip().endswith(".")
    assert all(reason.strip().endswith(".") for reason in plan.reasons.values())
