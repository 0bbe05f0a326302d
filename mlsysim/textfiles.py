"""Files of the user's: read and written whole, or not at all.

Only regular files are read, so that a pipe, a device or an endless file cannot
hold a command up.  What is written goes to a file beside, which takes the
other's name when it is complete: a full disk, or an interrupt, leaves the old
file as it was.
"""

import json
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from mlsysim.errors import InputError, OutputError

LARGEST = 1 << 26
"""Bytes that a file to be read may have."""

DEEPEST = 16
"""Levels to which tables and lists of a file may be nested."""

_WHOLE = 1 << 63
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_unfinished: set[Path] = set()


def read_text(path: Path, error: type[InputError], cure: str = "") -> str:
    """Read a file of UTF-8 text; a byte order mark is passed over.

    Parameters
    ----------
    path
        The file.
    error
        The class of the errors.
    cure
        What the message proposes where there is no such file.

    Raises
    ------
    InputError
        If it is no regular file, cannot be read, is too large, or is not UTF-8.
    """
    place = str(path)
    content = b""
    try:
        kind = _KINDS.get(stat.S_IFMT(path.stat().st_mode))
        if kind is None:
            with path.open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except OSError as reason:
        raise error(f"{place}: cannot be read: {reason.strerror}{_more(cure)}") from None
    except ValueError:  # a NUL, or half a character, in the path
        raise error(f"{place!r}: is no path: take out the character that none can have") from None
    if kind is not None:
        raise error(f"{place}: is {kind}; give a regular file")
    if len(content) > LARGEST:
        raise error(f"{place}: has more than {LARGEST >> 20} MiB; give a smaller file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(
            f"{place}: is not UTF-8 text: {reason.reason} at byte {reason.start}; save it in UTF-8"
        ) from None


def parse_toml(text: str, place: str, error: type[InputError]) -> dict[str, Any]:
    """Parse TOML, and see that it is of a reasonable shape.

    Parameters
    ----------
    text
        What to parse.
    place
        What to call it in messages.
    error
        The class of the errors.

    Raises
    ------
    InputError
        If it is not TOML, is nested too deeply, or holds a number of more than 64 bits.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        cure = "write key = value, with text in quotes"
        raise error(f"{place}: {_no_date(text) or f'is not TOML: {reason}; {cure}'}") from None
    except RecursionError:
        lines = text.splitlines()
        worst = max(range(len(lines)), key=lambda at: lines[at].count("[") + lines[at].count("{"))
        raise error(_too_deep(f"{place}: line {worst + 1}")) from None
    except ValueError:  # a number of more digits than Python reads
        raise error(f"{place}: {_too_long(text)}") from None
    check_shape(table, place, error)
    return table


def _no_date(text: str) -> str:
    """Say where the first date stands that no calendar has, if there is one."""
    for written in re.finditer(r"=\s*(\d{4}-\d\d-\d\d)\b", text):
        try:
            date.fromisoformat(written[1])
        except ValueError as reason:
            line = text[: written.start()].count("\n") + 1
            return f"line {line}: {written[1]} is no date: {reason}; write year-month-day"
    return ""


def _too_long(text: str) -> str:
    """Say where the longest number of a text stands."""
    number = max(re.findall(r"\d+", text), key=len, default="")
    line = text[: text.index(number)].count("\n") + 1
    return (
        f"line {line}: holds a whole number of {len(number):,} digits, and 64 bits are the most; "
        "write a large amount as 1e20"
    )


def parse_json(text: str, place: str, error: type[InputError]) -> Any:
    """Parse JSON, and see that it is of a reasonable shape.

    Parameters
    ----------
    text
        What to parse.
    place
        What to call it in messages.
    error
        The class of the errors.

    Raises
    ------
    InputError
        If it is not JSON, is nested too deeply, or holds a number of more than 64 bits.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise error(_too_deep(place)) from None
    except json.JSONDecodeError as reason:
        raise error(f"{place}: is not JSON: {reason}") from None
    except ValueError:
        raise error(f"{place}: {_too_long(text)}") from None
    check_shape(content, place, error)
    return content


def check_shape(content: Any, place: str, error: type[InputError]) -> None:
    """See that parsed data is neither too deep, nor holds whole numbers of more than 64 bits.

    Parameters
    ----------
    content
        What was parsed.
    place
        What to call it in messages.
    error
        The class of the errors.

    Raises
    ------
    InputError
        If it is or does; the message names the key.
    """
    left: list[tuple[Any, tuple[Any, ...], int]] = [(content, (), 0)]
    while left:
        item, path, depth = left.pop()
        if depth > DEEPEST:
            raise error(_too_deep(f"{place}: {_key(path)}"))
        if isinstance(item, Mapping):
            left += [(inner, (*path, key), depth + 1) for key, inner in item.items()]
        elif isinstance(item, list):
            left += [(inner, (*path, at), depth + 1) for at, inner in enumerate(item)]
        elif isinstance(item, int) and not -_WHOLE <= item < _WHOLE:
            where = ": ".join(filter(None, (place, _key(path))))
            raise error(
                f"{where}: is a whole number of {item.bit_length()} bits, and 64 is the most; "
                "write a large amount as 1e20"
            )


def _key(path: tuple[Any, ...]) -> str:
    """Write the way to a value as a message does: ``space.tp[3]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _too_deep(place: str) -> str:
    return f"{place}: is nested more than {DEEPEST} levels deep; write it flatter"


def _more(cure: str) -> str:
    return f"; {cure}" if cure else ""


def write_text(path: Path, text: str, name: str = "") -> None:
    """Write a file of UTF-8 text, whole or not at all.

    Parameters
    ----------
    path
        The file.
    text
        Its content.
    name
        What to call it in messages, e.g. with the option that named it.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before still is.
    """
    with replacing(path, name) as beside:
        beside.write_bytes(text.encode("utf-8", errors="replace"))


@contextmanager
def replacing(path: Path, name: str = "") -> Iterator[Path]:
    """Have a file written beside another, whose place it takes when the block ends well.

    A device or a pipe is written to as it is.

    Parameters
    ----------
    path
        The file.
    name
        What to call it in messages.

    Yields
    ------
    Path
        Where to write; its ending is that of the file.

    Raises
    ------
    OutputError
        If something cannot be written.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            yield target
            return
        beside = target.with_name(f".mlsysim-{secrets.token_hex(6)}{target.suffix}")
        _unfinished.add(beside)
        try:
            yield beside
            _finish(beside, target)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            _unfinished.discard(beside)
    except OSError as reason:
        raise OutputError(
            f"{name or path}: cannot be written: {reason.strerror or reason}"
        ) from None
    except ValueError:
        raise OutputError(f"{name or str(path)!r}: is no path") from None


def _finish(beside: Path, target: Path) -> None:
    """Give a complete file the name and the permissions of the one that it replaces."""
    with suppress(FileNotFoundError):
        beside.chmod(stat.S_IMODE(target.stat().st_mode))
    with beside.open("rb") as stream:
        os.fsync(stream.fileno())  # a disk may say only now that it is full
    beside.replace(target)


def discard_unfinished() -> None:
    """Remove what is being written, for an end that unwinds nothing."""
    for beside in list(_unfinished):
        with suppress(OSError):
            beside.unlink(missing_ok=True)
