"""``mlsysim serve`` says in one line what keeps it from serving."""

import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUESTION = ROOT / "models" / "training" / "tutorial.toml"


def run(*arguments: str, missing: str = "") -> tuple[int, str]:
    """Run the command, perhaps where a package is not installed."""
    hide = f"import sys; sys.modules[{missing!r}] = None; " if missing else ""
    code = f"{hide}from mlsysim.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


def test_without_the_extra_it_names_the_extra() -> None:
    """The library of the page is in an extra, which the message names."""
    status, said = run(str(QUESTION), missing="nicegui")
    assert status == 2
    assert "pip install 'mlsysim-solver[page]'" in said
    assert len(said.splitlines()) == 1


def test_a_port_that_is_taken_is_named() -> None:
    """Where another program listens, the message says what takes a free port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, said = run(str(QUESTION), "--port", str(taken.getsockname()[1]))
    assert status == 2
    assert "--port 0 takes a free one" in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path ends the command before anything is served."""
    status, said = run(str(tmp_path / "none.toml"), "--port", "0")
    assert status == 2
    assert "none.toml: cannot be read" in said
