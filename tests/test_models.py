"""Every question in models/ has one answer: CP-SAT's, the reference's and the file's agree."""

from pathlib import Path

import pytest
from question_files import QUESTIONS

from mlsysim.files.question import load
from mlsysim.files.verification import verify, verify_front
from mlsysim.problem.relation import Relation

ROOT = Path(__file__).parents[1]
NAMES = [str(file.relative_to(ROOT / "models")) for file in QUESTIONS]


@pytest.mark.parametrize("file", QUESTIONS, ids=NAMES)
def test_solver_reference_and_file_agree(file: Path) -> None:
    """Status, objective, design and conflict are the same, whoever answers."""
    question = load(file)
    assert question.expected is not None
    assert verify(question, workers=1).failures == ()


FRONTS = [file for file in QUESTIONS if load(file).objectives]


@pytest.mark.parametrize("file", FRONTS, ids=lambda file: file.stem)
def test_fronts_agree(file: Path) -> None:
    """Both methods find the same Pareto front, with as many points as the file expects."""
    question = load(file)
    assert question.expected is not None
    assert question.expected.points is not None
    assert verify_front(question, workers=1) == ()


def test_there_are_fronts() -> None:
    """At least two questions have several objectives."""
    assert len(FRONTS) >= 2


@pytest.mark.parametrize("file", QUESTIONS, ids=NAMES)
def test_question_says_why(file: Path) -> None:
    """A question has its prose, its source, and a reason for each constraint."""
    question = load(file)
    assert question.text.strip().endswith("?")
    assert question.source.strip().endswith(".")
    assert all(reason.strip().endswith(".") for reason in question.reasons.values())


@pytest.mark.parametrize("file", QUESTIONS, ids=NAMES)
def test_infeasible_questions_are_in_their_folder(file: Path) -> None:
    """The folder infeasible/ holds exactly the questions without a design."""
    expected = load(file).expected
    assert expected is not None
    assert (expected.status == "INFEASIBLE") == (file.parent.name == "infeasible")


def test_every_relation_is_used() -> None:
    """Between them the questions use each relation that a constraint can have."""
    used = {item.relation for file in QUESTIONS for item in load(file).problem.constraints}
    assert used >= set(Relation) - {Relation.LESS, Relation.GREATER}


def test_there_is_a_large_question() -> None:
    """At least one space has 10,000 designs."""
    assert max(load(file).problem.space.size for file in QUESTIONS) >= 10_000


def test_there_is_a_choice_between_fleets() -> None:
    """At least one question leaves the fleet open."""
    assert any("fleet" in load(file).problem.space for file in QUESTIONS)
