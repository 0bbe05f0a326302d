"""Every script in examples/ runs, and the answers that it prints are the proven ones."""

import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
DRAWN = {
    "sla_ladder",
    "cost_against_time",
    "joint_plan",
    "serving_fleet",
    "own_stage",
    "black_box",
}
"""These draw a picture into the folder for temporary files, unless told where to."""


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_example_runs(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A script runs to its end and prints something, or draws it where it stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    if "ProcessPoolExecutor" in script.read_text(encoding="utf-8"):
        # What it sends to other processes has to be found in the main module there.
        subprocess.run([sys.executable, str(script)], check=True)  # noqa: S603 - our own
    else:
        runpy.run_path(str(script), run_name="__main__")
    assert capfd.readouterr().out.strip() or list(tmp_path.iterdir())
    if script.stem in DRAWN:
        assert (tmp_path / f"{script.stem}.png").stat().st_size > 5_000


def test_there_is_what_the_readme_speaks_of() -> None:
    """The folder holds the tutorial, and a script for each kind of question."""
    names = {script.stem for script in EXAMPLES}
    assert names >= {"tutorial", "choice_of_fleet", *DRAWN}
