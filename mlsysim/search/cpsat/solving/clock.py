"""The time that a search has, and what it has spent it on."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlsysim.search.options import SearchOptions, respite


class Clock:
    """Deadline, seconds by phase, and counters of one search.

    Parameters
    ----------
    options
        The time limit, the number of workers, the seed, the progress callback.
    """

    def __init__(self, options: SearchOptions) -> None:
        self.workers = options.workers or os.cpu_count() or 1
        self.seed = options.seed
        self.interrupted = False
        self.seconds: dict[str, float] = {}
        self.counters: Counter[str] = Counter()
        self._started = time.perf_counter()
        self._limit = float("inf") if options.time_limit is None else options.time_limit

    @property
    def elapsed(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self._started

    @property
    def left(self) -> float:
        """Seconds until the time limit."""
        return 0.0 if self.interrupted else self._limit - self.elapsed

    @property
    def respite(self) -> float:
        """Seconds for judging what was found: those that are left, and a little more."""
        return max(self.left, 0.0) + respite(self._limit)

    @property
    def stopped_by(self) -> str | None:
        """What cut the search short, if anything did."""
        if self.interrupted:
            return "interrupt"
        return "time limit" if self.left <= 0 else None

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Take the first Ctrl-C as a time limit that has come; a second one raises as ever.

        Only Python's own handler is replaced, and only in the main thread,
        where signals arrive: who has installed another one wants it to act.
        """
        own = threading.current_thread() is threading.main_thread()
        if not own or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, _number: int, _frame: Any) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Book the time that a block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent

    def count(self, solver: Any, wall: float) -> None:
        """Add the counters of one run of CP-SAT."""
        self.counters["solves"] += 1
        self.counters["branches"] += solver.num_branches
        self.counters["conflicts"] += solver.num_conflicts
        self.seconds["solve"] = self.seconds.get("solve", 0.0) + wall
