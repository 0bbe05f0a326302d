"""The process of a tab, seen from inside: it takes jobs from a pipe and sends what comes out."""

import os
import queue
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from mlsysim.errors import MlsysimError
from mlsysim.search.interruption import Interruption, under
from mlsysim.search.options import Progress
from mlsysim.worker.jobs import WorkerJob

_PAUSE = 0.1
"""Seconds between reports of progress."""


class DefectError(Exception):
    """Something failed that is no fault of the question; the text tells what, for the log."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A job, or the wish that the job of this number ends.

    Parameters
    ----------
    number
        Of the job, counted upward.
    job
        The job; nothing to cancel it.
    """

    number: int
    job: WorkerJob | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How far a job has come, or how it ended.

    Parameters
    ----------
    number
        Of the job.
    progress
        How far it has come; with it, the job goes on.
    value, error
        What came out, or went wrong.
    """

    number: int
    progress: Progress | None = None
    value: Any = None
    error: Exception | None = None


def serve(pipe: Connection) -> None:
    """Do the jobs that come through a pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the page, which ends this
    waiting: queue.SimpleQueue[tuple[Request, Interruption]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, waiting), daemon=True).start()
    while True:
        request, interruption = waiting.get()
        with under(interruption, ()):
            pipe.send(_done(request, pipe))


def _receive(pipe: Connection, waiting: "queue.SimpleQueue[tuple[Request, Interruption]]") -> None:
    """Hand jobs on; ask the one that is cancelled to end."""
    last = (0, Interruption())
    while True:
        try:
            request: Request = pipe.recv()
        except (EOFError, OSError):  # nobody asks any more
            os._exit(0)
        if request.job is not None:
            last = (request.number, Interruption())
            waiting.put((request, last[1]))
        elif request.number == last[0]:
            last[1].ask()


def _done(request: Request, pipe: Connection) -> Reply:
    """Do one job."""
    number, job = request.number, request.job
    assert job is not None  # noqa: S101 - for the type checker: only jobs wait
    told = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal told
        if time.monotonic() - told > _PAUSE:
            told = time.monotonic()
            pipe.send(Reply(number=number, progress=progress))

    try:
        return Reply(number=number, value=job.run(tell))
    except MlsysimError as error:
        return Reply(number=number, error=error)
    except Exception:  # noqa: BLE001 - models of the user's own raise what they like
        return Reply(number=number, error=DefectError(traceback.format_exc()))
