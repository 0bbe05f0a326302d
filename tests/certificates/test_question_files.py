"""The answers of question files are certified: each is proven twice, by different arithmetic."""

from pathlib import Path

import pytest
from question_files import MODELS, QUESTIONS

from mlsysim.certificates import check, read_certificate
from mlsysim.files.question import load

# Counts of 150 designs of replicas each: joint questions are too large to be cut into boxes.
MOST = 1e9
NAMES = [str(file.relative_to(MODELS)) for file in QUESTIONS]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_of_a_file_is_certified(name: str, tmp_path: Path) -> None:
    """Its certificate verifies, with the same objective, in less than a megabyte."""
    question = load(MODELS / name)
    if question.problem.space.size > MOST:
        pytest.skip("a joint question")
    path = tmp_path / "answer.cert"
    found = question.solve(top=1, certificate=path)
    assert found.unfinished == ()
    checked = check(read_certificate(path))
    assert checked.certificate.answer.status == found.status
    if found:
        assert checked.certificate.answer.objective == found.best_objective
    assert path.stat().st_size < 1 << 20
