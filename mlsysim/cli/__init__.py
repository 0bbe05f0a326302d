"""The command ``mlsysim``: parse what is asked, print what is answered, nothing else."""

import os
import signal
import sys


def main() -> None:
    """Run the command line.

    Loading what a command needs takes longer than many a command: from here on
    Ctrl-C ends it with one line, and so does SIGTERM.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    # Who starts a command in the background may have it ignore Ctrl-C.
    taken = [number for number in numbers if before[number] in _DEFAULTS]
    try:
        for number in taken:
            signal.signal(number, _end_at_once)
        from mlsysim.cli.app import app  # noqa: PLC0415 - after Ctrl-C has been taken care of
        from mlsysim.cli.usage import run  # noqa: PLC0415

        sys.exit(run(app, taken))
    finally:
        for number in taken:
            signal.signal(number, before[number])


_DEFAULTS = (signal.default_int_handler, signal.SIG_DFL)


def _end_at_once(number: int, _frame: object) -> None:
    os.write(2, b"mlsysim: interrupted before there was anything to tell\n")
    os._exit(128 + number)
