"""Standard output and standard error, with every way in which they may fail."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mlsysim.errors import OutputError
from mlsysim.printable import printable

_NARROWEST = 40
_WIDEST = 10_000
_STREAMS = 3


class _Guarded:
    """A stream whose failures are errors of ours; a closed pipe stays what it is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or say why not."""
        with _told():
            return int(self._stream.write(text))

    def flush(self) -> None:
        """Write what is still held back, or say why not."""
        with _told():
            self._stream.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"standard output: cannot be written: {reason}") from None


@contextmanager
def guarded() -> Iterator[None]:
    """Guard standard output while a block lasts.

    What a terminal cannot show is replaced, and absurd sizes of it are mended,
    which Rich and click would take at their word.
    """
    _open_closed()
    _mend_width()
    before = sys.stdout
    if isinstance(before, io.TextIOWrapper):
        before.reconfigure(errors="replace")
    sys.stdout = _Guarded(before)
    try:
        yield
    finally:
        sys.stdout = before


def abandon() -> None:
    """Give standard output up, so that nothing is written to it when the process ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Write to standard error, as far as it can be written to."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()


def say(text: str) -> None:
    """Write text to standard output, without what a terminal would obey."""
    sys.stdout.write(printable(text))


def width(stream: Any) -> int:
    """Say how many columns there are; a pipe or a file has no end of them."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal():
        return _possible(asked)
    try:
        own = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else _WIDEST
    except (OSError, ValueError, AttributeError):
        own = 80
    return max(own or 80, _NARROWEST)


def _mend_width() -> None:
    asked = os.environ.get("COLUMNS")
    if asked is not None and not (asked.isdecimal() and asked.isascii() and int(asked[:9])):
        del os.environ["COLUMNS"]
    elif asked is not None:
        os.environ["COLUMNS"] = str(_possible(asked))


def _possible(columns: str) -> int:
    return min(max(int(columns[:9]), _NARROWEST), _WIDEST)


class _Closed(io.TextIOBase):
    """Stands for standard output where it was closed when the process began."""

    encoding = "utf-8"

    def write(self, _text: str) -> int:
        raise OutputError("standard output: is closed; redirect it to a file or a pipe")


def _open_closed() -> None:
    """Put something in the place of streams that were closed when the process began.

    A file that is opened later would get the number of one, and with it all that
    is meant for it.
    """
    if sys.stdout is None or sys.stderr is None:
        while os.open(os.devnull, os.O_RDWR) < _STREAMS:
            pass
    sys.stdout = _Closed() if sys.stdout is None else sys.stdout
    sys.stderr = io.StringIO() if sys.stderr is None else sys.stderr
