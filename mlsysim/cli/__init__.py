"""The command ``mlsysim``: parse what is asked, print what is answered, nothing else."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType


def main() -> None:
    """Run the command line, and end the process with its status.

    Loading what a command needs takes longer than many a command: from here on
    Ctrl-C ends it with one line, and so does SIGTERM.  Once everything is told,
    neither of them changes the status any more.
    """
    # Who starts a command in the background may have it ignore Ctrl-C.
    taken = [number for number in _NUMBERS if signal.getsignal(number) in _DEFAULTS]
    _handle(taken, _end_at_once)
    gc.disable()  # what is loaded is no garbage: looking for some takes a tenth of the time
    from mlsysim.cli.app import app  # noqa: PLC0415 - after Ctrl-C has been taken care of
    from mlsysim.cli.usage import run  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    status = run(app, taken)
    _handle(taken, lambda *_: os._exit(status))
    # While Python takes itself apart, it would give back a handler of ours, but not this one.
    atexit.register(_handle, taken, signal.SIG_IGN)
    sys.exit(status)


_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_DEFAULTS = (signal.default_int_handler, signal.SIG_DFL)


def _handle(
    numbers: Sequence[int], handler: Callable[[int, FrameType | None], object] | signal.Handlers
) -> None:
    for number in numbers:
        signal.signal(number, handler)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os.write(2, b"mlsysim: interrupted before there was anything to tell\n")
    os._exit(128 + number)
