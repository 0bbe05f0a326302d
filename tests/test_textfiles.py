"""Files are read if they are regular and of a reasonable shape, and written whole or not at all."""

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mlsysim.errors import InputError, OutputError, QuestionError
from mlsysim.textfiles import (
    DEEPEST,
    parse_json,
    parse_toml,
    read_text,
    replacing,
    write_text,
)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """What Windows writes in front of UTF-8 text is no part of it."""
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_text(file, QuestionError) == "a = 1\n"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe would wait for ever, a device has no end; each is refused by its kind."""
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    for path, kind in ((pipe, "a pipe"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
        with pytest.raises(QuestionError, match=f"{path}: is {kind}; give a regular file"):
            read_text(path, QuestionError)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "none"])
def test_what_is_no_file_is_named(name: str, tmp_path: Path) -> None:
    """A NUL in a path, a name too long, a file that is not there: one error each."""
    with pytest.raises(QuestionError, match=r"no path|cannot be read: "):
        read_text(tmp_path / name, QuestionError)


def test_other_encodings_are_refused_with_the_byte(tmp_path: Path) -> None:
    """UTF-16, which some editors write, is named for what it is not."""
    file = tmp_path / "a.toml"
    file.write_text("a = 1", encoding="utf-16")
    with pytest.raises(QuestionError, match=r"is not UTF-8 text: .* at byte 0; save it in UTF-8"):
        read_text(file, QuestionError)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = ", r"q: is not TOML: .*end of document.*; write key = value"),
        ("x = 1\na = " + "9" * 5001, r"q: line 2: holds a whole number of 5,001 digits"),
        ("a = " + "9" * 30, r"q: a: is a whole number of 100 bits"),
        ("[t]\na = [1, 0x" + "f" * 3000 + "]", r"q: t\.a\[1\]: is a whole number of 12000 bits"),
        ("x = 1\na = " + "[" * 5000 + "]" * 5000, r"q: line 2: is nested more than 16 levels"),
        ("a = " + "[" * 40 + "]" * 40, r"q: a(\[0\])+: is nested more than 16 levels deep"),
        ("a." + "b." * 3000 + "c = 1", r"q: .*is nested more than 16 levels deep"),
        ("a = 2026-02-31", r"q: line 1: 2026-02-31 is no date: day is out of range"),
        ("x = 1\na = 2026-13-01", r"q: line 2: 2026-13-01 is no date: month must be"),
        ("a = 2026-01-31\nb", r"q: is not TOML: "),
    ],
)
def test_toml_of_an_unreasonable_shape_is_refused(text: str, told: str) -> None:
    """The message names the key or the line, and the cure."""
    with pytest.raises(InputError, match=told):
        parse_toml(text, "q", InputError)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5001, "{", "[" * 20 + "]" * 20, "1" * 30])
def test_json_of_an_unreasonable_shape_is_refused(text: str) -> None:
    """As with TOML: never a traceback."""
    with pytest.raises(InputError, match="q"):
        parse_json(text, "q", InputError)


def test_reasonable_shapes_are_read() -> None:
    """Sixteen levels and 64 bits are allowed."""
    deep = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)
    table = parse_toml(f"a = {deep}\nb = 9223372036854775807", "q", InputError)
    assert table["b"] == 2**63 - 1


def test_a_file_keeps_its_permissions_and_its_links(tmp_path: Path) -> None:
    """What is replaced is the content: not the mode, and not a link by a file."""
    file, link = tmp_path / "page.html", tmp_path / "link.html"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_text(link, "new")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o640)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, file]


def test_a_device_is_written_to_as_it_is() -> None:
    """Nothing takes the place of ``/dev/null``."""
    write_text(Path(os.devnull), "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


def fail(file: Path, error: BaseException) -> None:
    """Write half a file, and fail."""
    with replacing(file, "--html page.html") as beside:
        beside.write_text("half")
        raise error


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """An error half-way, and Ctrl-C half-way: the old content stands, and nothing else is there."""
    file = tmp_path / "page.html"
    file.write_text("old")
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises((OutputError, KeyboardInterrupt)):
            fail(file, error)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


FULL = """
import resource, signal, sys
from pathlib import Path
from mlsysim.errors import OutputError
from mlsysim.textfiles import write_text

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), "x" * 5000, "--html page")
except OutputError as error:
    print(error)
"""


def test_a_real_limit_of_the_system_is_told(tmp_path: Path) -> None:
    """A file that may not grow beyond 1,000 bytes: the message names the option and the cause."""
    assert resource.RLIMIT_FSIZE is not None
    assert signal.SIGXFSZ
    file = tmp_path / "page.html"
    file.write_text("old")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", FULL, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "--html page: cannot be written: File too large\n"
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("folder", ["none", "/proc/self"])
def test_where_nothing_can_be_written_is_told(folder: str, tmp_path: Path) -> None:
    """A folder that is not there, and one in which not even root may write."""
    with pytest.raises(OutputError, match=r"page\.html: cannot be written: "):
        write_text(tmp_path / folder / "page.html", "x")
