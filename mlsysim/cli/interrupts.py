"""Ctrl-C and SIGTERM: a command ends within three seconds, with what there is."""

import _thread
import os
import signal
import sys
import time
from typing import Any, NoReturn

from mlsysim.search.interruption import Interruption
from mlsysim.textfiles import discard_unfinished

_LAST = 2.6
"""Seconds after a signal at which the command ends, whatever it is doing."""


class CommandInterruption(Interruption):
    """The interruption of a whole command.

    Before anything is sought there is nothing to keep, so that the command
    ends at once.  While something is, the search is asked to end; after it
    what was found is printed, unless a second signal comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sought = False

    @property
    def status(self) -> int:
        """The exit status of a command that was interrupted, as shells have it."""
        return 128 + self.number

    def enter(self) -> None:
        """Open a block in which something is sought."""
        self._sought = True
        super().enter()

    def handle(self, number: int, _frame: Any) -> None:
        """Take a signal."""
        first = not self.came
        if not self._sought or not (first or self.seeking):
            self.number = number
            self._end()
        if first:
            _thread.start_new_thread(self._end_in_time, ())
        super().handle(number, _frame)

    def tell(self) -> None:
        """Say on standard error that the command was interrupted."""
        name = {signal.SIGINT: "Ctrl-C"}.get(signal.Signals(self.number), "SIGTERM")
        found = "; what had been found until then is printed" if self._sought else ""
        os.write(2, f"mlsysim: interrupted by {name}{found}\n".encode())

    def _end_in_time(self) -> None:
        time.sleep(_LAST)
        self._end()

    def _end(self) -> NoReturn:
        discard_unfinished()
        self._sought = False  # nothing more is printed
        self.tell()
        os._exit(self.status)


def leave(status: int) -> NoReturn:
    """End the process without waiting for threads, such as a solver that does not stop."""
    sys.stdout.flush()
    os._exit(status)
