"""Ctrl-C as a limit: an interrupt ends all that is under way, with what there is.

An operation may consist of many searches: a sweep, a cross-check, a command.
The outermost `interruptible` block owns the interrupt, and everything inside it,
also in threads of its own, sees that it has come.

The first signal only asks: loops that look at `Interruption.came` end in good
order.  Code that does not look, such as a slow evaluator, is given `GRACE`
seconds, and then `KeyboardInterrupt` is raised in it, as often as it takes.
"""

import _thread
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

GRACE = 1.0
"""Seconds that code has to end by itself before `KeyboardInterrupt` is raised in it."""

_AGAIN = 0.5
"""Seconds after which it is raised once more, should the evaluator have swallowed it."""


class Interruption:
    """Whether what is under way is to end, with what there is.

    Parameters
    ----------
    outer
        An interruption that ends this, too.

    Attributes
    ----------
    number
        The signal that came, where it was one.
    seeking
        How many nested `interruptible` blocks are open.
    """

    def __init__(self, outer: "Interruption | None" = None) -> None:
        self.number: int = signal.SIGINT
        self.seeking = 0
        self._outer = outer
        self._came = False
        self._gate = threading.Lock()

    @property
    def came(self) -> bool:
        """Whether it has come."""
        return self._came or (self._outer is not None and self._outer.came)

    def ask(self) -> None:
        """Ask everything that is under way to end."""
        self._came = True

    def handle(self, number: int, _frame: Any) -> None:
        """Take a signal: the first one asks, and a further one raises.

        Raises
        ------
        KeyboardInterrupt
            If it was asked before, and something is still under way.
        """
        if not self._came:
            self.number = number
            self.ask()
            # Not threading.Thread: its locks may be held by the very code that was interrupted.
            _thread.start_new_thread(self._insist, ())
        elif self.seeking:
            raise KeyboardInterrupt

    def _insist(self) -> None:
        """Raise in the main thread what it has not seen in time."""
        pause = GRACE
        while True:
            time.sleep(pause)
            with self._gate:
                if not self.seeking:
                    return
                # A real signal, which also wakes what waits for the system, such as a sleep.
                signal.pthread_kill(threading.main_thread().ident or 0, self.number)
            pause = _AGAIN

    def enter(self) -> None:
        """Open a block."""
        self.seeking += 1

    def leave(self) -> None:
        """Close one block; after it nothing more is raised."""
        self.seeking -= 1
        with self._gate:  # let a signal that is just being sent arrive
            pass


_CURRENT: ContextVar[Interruption | None] = ContextVar("interruption", default=None)
_main: Interruption | None = None  # what signals reach, which come to the main thread alone


def current() -> Interruption:
    """Give the interruption that what runs here is under; one that never comes, if none."""
    return _CURRENT.get() or Interruption(_main)


@contextmanager
def interruptible(
    own: Interruption | None = None, *, signals: Sequence[int] = (signal.SIGINT,)
) -> Iterator[Interruption]:
    """Take Ctrl-C as a limit while a block lasts.

    Only Python's own handler is replaced, and only in the main thread, where
    signals arrive: who has installed another one wants it to act.

    Parameters
    ----------
    own
        What to use where no such block is open; a new one if not given.
    signals
        What interrupts, besides what an outer block takes.
    """
    outer = _CURRENT.get()
    found = outer or own or Interruption(_main)
    token = _CURRENT.set(found)
    found.enter()
    try:
        free = [] if outer is not None else [number for number in signals if _is_free(number)]
        with _handling(found, free):
            yield found
    finally:
        found.leave()
        _CURRENT.reset(token)


@contextmanager
def under(interruption: Interruption, numbers: Sequence[int]) -> Iterator[None]:
    """Make an interruption that of everything in a block, and let it take signals."""
    token = _CURRENT.set(interruption)
    try:
        with _handling(interruption, numbers):
            yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def _handling(interruption: Interruption, numbers: Sequence[int]) -> Iterator[None]:
    global _main  # noqa: PLW0603 - a process has one main thread, and it one operation
    if not numbers:
        yield
        return
    before = [(number, signal.signal(number, interruption.handle)) for number in numbers]
    _main = interruption
    try:
        yield
    finally:
        _main = None
        for number, handler in before:
            signal.signal(number, handler)


def _is_free(number: int) -> bool:
    """Tell whether nobody else has taken a signal."""
    own = threading.current_thread() is threading.main_thread()
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    return own and signal.getsignal(number) is default
