"""Every way in which an output fails: the answer is not lost, and one line says what is."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlsysim.cli.app import app
from mlsysim.cli.usage import run
from mlsysim.core.dse import DSE

pytestmark = pytest.mark.faults

TUTORIAL = Path(__file__).parents[2] / "models" / "training" / "tutorial.toml"
COMMAND = [sys.executable, "-c", "from mlsysim.cli import main; main()"]


def call(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run a command in this process; give its status, output and errors."""
    monkeypatch.setattr(sys, "argv", ["mlsysim", *arguments])
    status = run(app)
    output, errors = capsys.readouterr()
    return status, output, errors


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of 16 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("only root can mount a small disk here; test_textfiles limits a file instead")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


@pytest.mark.parametrize("option", [["--html", "page.html"], ["--json", "--html", "page.html"]])
def test_a_full_disk_loses_neither_answer_nor_old_page(
    option: list[str],
    full_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The answer is printed, the page stays as it was, and a line names it and the cause."""
    page = full_disk / "page.html"
    page.write_text("old")
    options = [word.replace("page.html", str(page)) for word in option]
    status, output, errors = call(["solve", str(TUTORIAL), *options], monkeypatch, capsys)
    assert status == 5
    assert "OPTIMAL" in output
    assert errors == f"mlsysim: error: --html {page}: cannot be written: No space left on device\n"
    assert page.read_text() == "old"
    assert list(full_disk.iterdir()) == [page]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["solve"], "--html"),
        (["sweep", "--over", "tp=1,2"], "--plot"),
        (["new"], ""),
    ],
)
def test_where_nobody_may_write_is_told_after_the_answer(
    command: list[str],
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The folder ``/proc`` takes no file of anybody."""
    target = "/proc/page.png" if option == "--plot" else "/proc/page"
    file = [str(TUTORIAL)] if command[0] in {"solve", "sweep"} else []
    named = [option, target] if option else [target]
    status, output, errors = call([command[0], *file, *command[1:], *named], monkeypatch, capsys)
    assert status == 5
    assert errors.count("\n") == 1
    assert f"{target}: cannot be written: " in errors
    assert bool(output) is (command[0] in {"solve", "sweep"})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("option", [[], ["--json"], ["--csv"]])
def test_a_full_output_is_told(option: list[str]) -> None:
    """Status 5 and one line; nothing more when the interpreter ends."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*COMMAND, "solve", str(TUTORIAL), *option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = "mlsysim: error: standard output: cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (5, told)


def test_a_closed_output_is_told() -> None:
    """What the shell calls ``>&-``; closing standard error as well leaves the status."""
    solve = [*COMMAND, "solve", str(TUTORIAL), "--json"]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *solve],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stderr.startswith("mlsysim: error: standard output: is closed")
    assert done.stderr.count("\n") == 1


def test_a_closed_pipe_ends_quietly() -> None:
    """Nobody reads: the status that shells give to SIGPIPE, and not a word."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*COMMAND, "list"], stdout=pipe, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("columns", ["0", "1", "-5", "1000000000", "9" * 50, "wide", "", "²"])
def test_absurd_sizes_of_a_terminal_still_give_the_content(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever COLUMNS says, the best design and every part of its time are there."""
    monkeypatch.setenv("COLUMNS", columns)
    status, output, errors = call(["solve", str(TUTORIAL)], monkeypatch, capsys)
    assert (status, errors) == (0, "")
    words = "".join(output.split())
    assert "batch_size=128,tp=8,pp=4" in words
    for part in ("compute", "tensor", "pipeline", "data", "bubble", "optimizer"):
        assert part in words
    assert call(["--help"], monkeypatch, capsys)[1].count("solve")


def test_an_output_without_the_characters_replaces_them() -> None:
    """Bars are drawn with characters that ASCII does not have."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*COMMAND, "solve", str(TUTORIAL)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"tensor" in done.stdout


def test_control_characters_of_a_file_do_not_reach_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In prose, in the name of a constraint, in its reason: they are shown as escapes."""
    text = TUTORIAL.read_text(encoding="utf-8")
    question = r'question = "\u001b[31mred\u0007 \u202e"' + "\n"
    start = text.index("question = ")
    stop = text.index('"""', text.index('"""', start) + 3) + 4
    text = text[:start] + question + text[stop:]
    text += '\n[constraints."\\u001b[2J=1+1"]\nrequire = "tp <= 8"\nbecause = "\\u009b31m"\n'
    file = tmp_path / "question.toml"
    file.write_text(text, encoding="utf-8")
    for command in (["explain"], ["solve"], ["solve", "--csv"], ["solve", "--json"]):
        status, output, errors = call([command[0], str(file), *command[1:]], monkeypatch, capsys)
        assert (status, errors) == (0, "")
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(output)
    assert "\\x1b[31mred" in call(["explain", str(file)], monkeypatch, capsys)[1]


def test_two_processes_share_one_page(tmp_path: Path) -> None:
    """Whoever is last has the page, and nobody ever sees half of one."""
    page = tmp_path / "page.html"
    command = [*COMMAND, "solve", str(TUTORIAL), "--html", str(page)]
    both = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter
        for _ in range(2)
    ]
    while any(process.poll() is None for process in both):
        if page.exists():
            assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [process.returncode for process in both] == [0, 0]
    assert list(tmp_path.iterdir()) == [page]


def test_threads_get_the_answers_of_one() -> None:
    """Eight searches at once, by both methods, and each as if it were alone."""

    def gain(params: Mapping[str, Any]) -> dict[str, Any]:
        return {"gain": params["x"] * (100 - params["x"]) + params["y"]}

    found: list[tuple[Any, Any]] = []

    def work(method: str) -> None:
        explorer = DSE({"x": range(100), "y": range(30)}, "maximize: gain", ["x % 7 == 3"])
        result = explorer.search(gain, method=method)
        found.append((result.best_params, [item.objective_value for item in result.top_candidates]))

    threads = [
        threading.Thread(target=work, args=(method,)) for method in ("cp-sat", "exhaustive") * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(item == found[0] for item in found)
