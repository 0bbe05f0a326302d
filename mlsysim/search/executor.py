"""Have jobs done elsewhere: by the threads, processes or machines behind an executor.

Any `concurrent.futures.Executor` will do.  Nothing is asked of it but that its
futures end: how many jobs it can take at once shows in how long they wait.  A
job that it loses is handed in once more, and after that done here, so that a
worker that dies costs time and nothing else.
"""

import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mlsysim.errors import ParameterError

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

_PULSE = 0.1
"""Seconds after which `WorkQueue.run` reports back, whether or not a job has ended."""

_WINDOW = 4
"""So many jobs are handed in before it is known how many run at once."""

_ATTEMPTS = 2
"""So often a job is handed in before it is done here."""


@dataclass(frozen=True, kw_only=True)
class Ended(Generic[Job, Outcome]):
    """A job that is done.

    Parameters
    ----------
    job
        What was to be done.
    outcome
        What came of it.
    seconds
        How long it took, without waiting.
    """

    job: Job
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Ticket(Generic[Job]):
    """A job that was handed in."""

    job: Job
    attempt: int
    since: float


class _Assignment(Generic[Job, Outcome]):
    """A job with the work that it needs, as one callable without arguments.

    Neither a `partial` nor a dataclass: Dask would search them for futures of
    its own, attribute by attribute.
    """

    __name__ = "mlsysim"  # shown on Dask's dashboard

    def __init__(self, work: Callable[[Job], Outcome], job: Job) -> None:
        self._work = work
        self._job = job

    def __call__(self) -> tuple[Outcome, float]:
        """Do the job; give its outcome and the seconds that it took."""
        began = time.monotonic()
        outcome = self._work(self._job)
        return outcome, time.monotonic() - began


class WorkQueue(Generic[Job, Outcome]):
    """Has jobs done by an executor.

    Parameters
    ----------
    executor
        Does them.
    work
        Does one; must not raise, but return what went wrong.
    """

    def __init__(self, executor: Executor, work: Callable[[Job], Outcome]) -> None:
        self.done_here = 0
        self.loss: str | None = None
        self._executor = executor
        self._work = work
        self._window = _WINDOW
        self._pending: dict[Future[Any], _Ticket[Job]] = {}
        self._lost: deque[Job] = deque()
        self._proven = False
        self._broken = False
        self._until = math.inf

    def hurry(self, seconds: float) -> None:
        """Take back what nobody has begun, and wait for the rest no longer than some seconds."""
        if self._until == math.inf:
            self._until = time.monotonic() + seconds
            for future in [future for future in self._pending if future.cancel()]:
                del self._pending[future]
            self._lost.clear()

    @property
    def jobs_under_way(self) -> list[Job]:
        """What was handed in, or is to be done here, and has not ended."""
        return [*(ticket.job for ticket in self._pending.values()), *self._lost]

    def run(self, source: Callable[[], Job | None]) -> Generator[Ended[Job, Outcome] | None]:
        """Do jobs until there are none.

        Parameters
        ----------
        source
            Gives the next job, or nothing for now; it is asked again whenever
            one has ended.

        Yields
        ------
        Ended or None
            A job as soon as it has ended; nothing every tenth of a second.

        Raises
        ------
        ParameterError
            If the jobs cannot be sent, or the executor fails before it has
            done any.
        """
        try:
            while True:
                self._hand_in(source)
                if self._lost:
                    yield self._do_here(self._lost.popleft())
                elif self._pending and time.monotonic() < self._until:
                    yield None
                    yield from self._collect()
                else:
                    return
        finally:
            for future in self._pending:
                future.cancel()

    def _hand_in(self, source: Callable[[], Job | None]) -> None:
        while not self._lost and len(self._pending) < self._window:
            job = source()
            if job is None:
                return
            self._submit(job, attempt=1)

    def _submit(self, job: Job, attempt: int) -> None:
        if self._broken:
            self._lost.append(job)
            return
        try:
            future = self._executor.submit(_Assignment(self._work, job))
        except Exception as error:  # noqa: BLE001 - whatever an executor may raise
            self._take_loss(job, error, attempt)
        else:
            self._pending[future] = _Ticket(job=job, attempt=attempt, since=time.monotonic())

    def _collect(self) -> Iterator[Ended[Job, Outcome]]:
        wait(self._pending, timeout=_PULSE, return_when=FIRST_COMPLETED)
        # One that was cancelled from outside is done, although nobody is told.
        for future in [future for future in self._pending if future.done()]:
            ticket = self._pending.pop(future)
            if future.cancelled():
                self._take_loss(ticket.job, "it was cancelled", ticket.attempt)
                continue
            error = future.exception()
            if error is None:
                outcome, seconds = future.result()
                self._proven = True
                if time.monotonic() - ticket.since < 2 * seconds:  # nobody waits in front
                    self._window += 1
                yield Ended(job=ticket.job, outcome=outcome, seconds=seconds)
            elif isinstance(error, Exception):
                self._take_loss(ticket.job, error, ticket.attempt)
            else:  # an interrupt
                raise error

    def _take_loss(self, job: Job, why: Exception | str, attempt: int) -> None:
        """Hand in once more what the executor has lost, or keep it to be done here."""
        text = why if isinstance(why, str) else f"{type(why).__name__}: {why}".partition("\n")[0]
        self.loss = self.loss or text
        self._broken = self._broken or isinstance(why, BrokenExecutor)
        if not self._proven:
            _refuse_unsendable((self._work, job))
            if self._broken or attempt == _ATTEMPTS:
                raise ParameterError(
                    f"the executor cannot do anything ({text}); its workers need mlsysim and "
                    "whatever the evaluator imports, and a script that starts processes needs "
                    "if __name__ == '__main__':"
                )
        if attempt < _ATTEMPTS:
            self._submit(job, attempt + 1)
        else:
            self._lost.append(job)

    def _do_here(self, job: Job) -> Ended[Job, Outcome]:
        self.done_here += 1
        outcome, seconds = _Assignment(self._work, job)()
        return Ended(job=job, outcome=outcome, seconds=seconds)


def _refuse_unsendable(assignment: object) -> None:
    try:
        pickle.dumps(assignment)
    except Exception as error:  # whatever a foreign class may raise
        raise ParameterError(
            f"the evaluator cannot be sent to another process ({error}); define it with def at "
            "the top level of a module, not as a lambda or inside a function; or leave out "
            "executor, or take a ThreadPoolExecutor"
        ) from error
