"""Ctrl-C and SIGTERM at random moments: every command ends in time, with what it has found."""

import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them"),
]

MODELS = Path(__file__).parents[2] / "models"
OBJECTIVES = (
    '[pareto]\nobjectives = ["maximize: DistributedModel.effective_throughput", '
    '"minimize: DistributedModel.memory_per_accelerator"]\n\n[expected]'
)
COMMANDS: dict[str, Sequence[str]] = {
    "solve": ["solve", "FILE"],
    "json": ["solve", "FILE", "--json"],
    "page": ["solve", "FILE", "--html", "page.html"],
    "exhaustive": ["solve", "FILE", "--method", "exhaustive"],
    "sweep": ["sweep", "FILE", "--over", "headroom=60GiB,70GiB,76GiB"],
    "pareto": ["pareto", "FILE"],
    "check": ["check", "FILE"],
    "explain": ["explain", "FILE"],
    "why not": ["explain", "FILE", "--why-not", "tp=4"],
    "evaluate": ["evaluate", "FILE", "--set", "tp=4"],
    "validate": ["validate"],
    "list": ["list"],
}
# The first moment at which the command has a say: what Python does before it, it does alone.
START = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background process ignores
from mlsysim.cli import main
os.write({ready}, b".")
main()
"""
PLUGIN = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(["-p", "no:cacheprovider", "question.toml"]))
"""
ALONE = 3.0
"""Seconds in which a command ends on a machine that does nothing else."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    errors: str
    seconds: float
    had_best: bool
    was_running: bool


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Make a pseudo-terminal: what to read from, and what a command writes to."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def interrupted(command: Sequence[str], number: int, after: float, folder: Path) -> Ended:
    """Start a command, and send it a signal; see that it leaves no process behind."""
    ready, theirs_ready = os.pipe()
    with terminal() as (ours, theirs):
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", START.format(ready=theirs_ready), *command],
            stdout=subprocess.PIPE,
            stderr=theirs,
            cwd=folder,
            pass_fds=[theirs_ready],
            start_new_session=True,
            text=True,
        )
        os.close(theirs)
        os.close(theirs_ready)
        os.read(ready, 1)
        os.close(ready)
        time.sleep(after)
        was_running = process.poll() is None
        os.set_blocking(ours, False)
        before = _read(ours)
        began = time.monotonic()
        if was_running:
            process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        seconds = time.monotonic() - began
        errors = before + _read(ours)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return Ended(
        status=process.returncode,
        output=output,
        errors=errors,
        seconds=seconds,
        had_best=re.search(r"best \d", before) is not None,
        was_running=was_running,
    )


def _read(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    except OSError:  # nothing more, or nobody there any more
        pass
    return b"".join(parts).decode(errors="replace")


def allowed() -> float:
    """Give the seconds that a command has: more where others keep the machine busy."""
    return ALONE * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a question that takes some ten seconds in every way."""
    folder = tmp_path_factory.mktemp("interrupts")
    text = (MODELS / "training" / "every_knob.toml").read_text(encoding="utf-8")
    (folder / "question.toml").write_text(text.replace("[expected]", OBJECTIVES))
    return folder


def draw(seed: str) -> tuple[str, int, float]:
    """Draw a command, a signal and a moment."""
    rng = random.Random(seed)  # noqa: S311 - for sampling
    number = rng.choice((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
    return rng.choice(sorted(COMMANDS)), number, 10 ** rng.uniform(-2, 1)


@pytest.mark.parametrize("draw_of_round", range(8))
def test_every_command_ends_in_time_with_what_it_has(
    draw_of_round: int,
    fault_round: int,
    folder: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """One line on standard error, no traceback, and the design that was found is printed."""
    name, number, after = draw(f"{fault_round}/{draw_of_round}")
    command = [word.replace("FILE", "question.toml") for word in COMMANDS[name]]
    limit = allowed()
    ended = interrupted(command, number, after, folder)
    told = f"{name} {number} after {after:.2f} s: {ended}"
    record_property("interrupt", f"{told}; allowed {limit:.1f} s")
    assert "Traceback" not in ended.errors, told
    assert "Error" not in ended.errors, told
    if not ended.was_running:
        return
    assert ended.seconds < max(limit, allowed()), told
    assert ended.status in {128 + number, 0}, told  # 0: it was done just then
    if ended.status:
        assert ended.errors.count("mlsysim: interrupted") == 1, told
    assert "differs" not in ended.output, told
    if ended.had_best and name in {"solve", "json", "page", "exhaustive", "explain"}:
        assert re.search("FEASIBLE|OPTIMAL", ended.output), told
    assert not list(folder.glob(".mlsysim-*")), told


AFTERWARDS = {
    "a thread that outlives the command": "threading.Thread(target=kill_then).start()",
    "the last thing that Python does": "atexit.register(kill)",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", AFTERWARDS)
def test_a_signal_after_the_answer_changes_no_status(number: int, when: str) -> None:
    """What was told stays told, and the shell is not made to believe otherwise."""
    code = f"""
import atexit, os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
def kill(): os.kill(os.getpid(), {int(number)})
def kill_then():
    threading.main_thread().join()
    kill()
{AFTERWARDS[when]}
from mlsysim.cli import main
main()
"""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, "show", "Nothing_of_that_name"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended
    assert "Nothing_of_that_name" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, 143)])
def test_the_plugin_ends_the_tests(number: int, status: int, folder: Path) -> None:
    """Pytest ends as it does on Ctrl-C: the question that was cut short has not failed."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PLUGIN],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        text=True,
    )
    assert process.stdout is not None
    head = ""
    while "collected" not in head:
        head += process.stdout.readline()
    time.sleep(1.5)
    limit = allowed()
    began = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < max(limit, allowed())
    assert process.returncode == status, head + output
    assert "Interrupted" in output or "KeyboardInterrupt" in output or "SIGTERM" in output
    assert "failed" not in output
