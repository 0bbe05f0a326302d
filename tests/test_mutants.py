"""Every mutant of `tests/mutants.py` still has its line, and its tests."""

import pytest
from mutants import MUTANTS, ROOT


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_changes_one_line_that_is_there(name: str) -> None:
    """What it changes stands once in its file, and what is to notice it exists."""
    mutant = MUTANTS[name]
    source = (ROOT / "mlsysim" / mutant.file).read_text(encoding="utf-8")
    changed = mutant.applied(source)
    assert changed != source
    compile(changed, mutant.file, "exec")
    assert (ROOT / "tests" / mutant.tests).exists()


def test_there_are_twenty() -> None:
    """Over physics, the language and the search."""
    assert len(MUTANTS) >= 20
