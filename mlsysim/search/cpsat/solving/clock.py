"""The time that a search has, and what it has spent it on."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from mlsysim.search.interruption import Interruption, current, interruptible
from mlsysim.search.options import SearchOptions, respite


class StoppedError(Exception):
    """A limit or an interrupt has come in the middle of something."""


def never() -> None:
    """Stop nothing: what looks at no clock."""


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
        self._interruption = current()
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

    def check(self, until: float = float("inf")) -> None:
        """Go on only while there is time.

        Parameters
        ----------
        until
            Seconds since the search began after which there is none for this part of it.

        Raises
        ------
        StoppedError
            If the time limit, an interrupt or that moment has come.
        """
        if self.left <= 0 or self.elapsed >= until:
            raise StoppedError

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C, or what else interrupts, has come."""
        return self._interruption.came

    def interrupt(self) -> None:
        """Take it that Ctrl-C has come."""
        self._interruption.ask()

    def interruptible(self) -> AbstractContextManager[Interruption]:
        """Take Ctrl-C as a time limit that has come, while a block lasts."""
        return interruptible(self._interruption)

    @contextmanager
    def keeping(self, seconds: float) -> Iterator[None]:
        """Let the time limit come earlier for a block: what comes after it needs so much."""
        self._limit -= seconds
        try:
            yield
        finally:
            self._limit += seconds

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let the time limit come after so many seconds, at the latest, for a block."""
        limit = self._limit
        self._limit = min(limit, self.elapsed + seconds)
        try:
            yield
        finally:
            self._limit = limit

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
