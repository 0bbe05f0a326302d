"""Files that somebody broke: one line with culprit, place and cure; no traceback, no hang."""

import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.hostile import MODELS, mutated, nonsense
from question_files import QUESTIONS

from mlsysim.cli.app import app
from mlsysim.cli.usage import run

pytestmark = pytest.mark.faults

# What takes its time when it is in order is left out.
FILES = [file for file in QUESTIONS if "every_knob" not in file.name]
HANGS = 60
"""Seconds after which a command is taken to hang; its own limit is half a second."""

CURE = re.compile(
    r"write|did you mean|answer it|known|needs?\b|give|expected|use |drop|choose|takes|save|make"
    r"|set |must"
    r"|add|at the most|the most|the least|compute|say|raise|return|missing|names|leave|take|pass"
    r"|count|provides?|supply|allow|shorter|accepts|only|lies before|meet|unknown key|twice|list"
)


@contextmanager
def no_hang() -> Iterator[None]:
    """Raise where a block takes too long."""

    def ring(*_: object) -> None:
        raise TimeoutError("the command hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("part", range(5))
def test_a_broken_question_is_told_in_a_line(
    part: int,
    fault_round: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten files a time, three of four from a file in order, the others from the grammar alone."""
    rng = random.Random(f"{fault_round}/{part}")  # noqa: S311 - for sampling
    file = tmp_path / "question.toml"
    for _ in range(10):
        if rng.random() < 0.75:
            text, touched = mutated(rng.choice(FILES).read_text(encoding="utf-8"), rng)
        else:
            text, touched = nonsense(rng), []
        file.write_text(text, encoding="utf-8")
        command = rng.choice(("solve", "solve", "explain", "pareto", "check"))
        monkeypatch.setattr(sys, "argv", ["mlsysim", command, str(file), "--time-limit", "0.5"])
        began = time.monotonic()
        with no_hang():
            status = run(app)
        output, errors = capsys.readouterr()
        told = f"{command}, {touched}: {status} after {time.monotonic() - began:.1f} s: {errors}"
        assert status in {0, 1, 2, 3, 4}, told
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", output + errors), told
        if status == 2:
            (line,) = errors.splitlines()
            assert line.startswith("mlsysim: error: "), told
            assert str(file) in line, told
            assert len(line) < 2_200, told
            assert CURE.search(line), told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "tp=" + "[" * 3000], r"tp"),
        (["--set", "tp=" + "9" * 5001], r"tp"),
        (["--set", "tp=0x" + "f" * 900], r"tp"),
        (["--set", "tp=nan"], r"tp"),
        (["--set", "tp=\x1b[31m"], r"tp"),
        (["--set", "=\x1b"], r"--set"),
        (["--seed", "9" * 5001, "--set", "tp=4"], r"--seed"),
        (["--seed", "3000000000", "--set", "tp=4"], r"seed"),
        (["--workers", "100000", "--set", "tp=4"], r"workers"),
        (["--time-limit", "nan", "--set", "tp=4"], r"time_limit"),
        (["--time-limit", "-1", "--set", "tp=4"], r"time_limit"),
    ],
    ids=range(11),
)
def test_hostile_options_are_told_in_a_line(
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The option, or what it sets, is named."""
    file = MODELS / "training" / "tutorial.toml"
    monkeypatch.setattr(sys, "argv", ["mlsysim", "evaluate", str(file), *arguments])
    with no_hang():
        status = run(app)
    errors = capsys.readouterr().err
    assert status == 2, errors
    (line,) = errors.splitlines()
    assert re.search(told, line)
    assert len(line) < 2_200
    assert line.isprintable()


def test_every_kind_of_file_is_read_with_care(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measurements and configurations: deep, long, binary, endless."""
    contents = [b"", b"\x00" * 100, b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 50_000]
    contents += [b"a,b\n" + b'"' * 100_001, b"id,accelerator\n" + b"x" * 200_000 + b",y\n"]
    contents += [b'{"model_type": "llama", "hidden_size": ' + b"9" * 5001 + b"}", b"=1,2\n"]
    file = tmp_path / "data"
    for content in contents:
        file.write_bytes(content)
        for command in (["validate", str(file)], ["show", "--hf", str(file)]):
            monkeypatch.setattr(sys, "argv", ["mlsysim", *command])
            with no_hang():
                status = run(app)
            errors = capsys.readouterr().err
            assert status == 2, (command, content[:40], errors)
            (line,) = errors.splitlines()
            assert str(file) in line
            assert len(line) < 2_200
