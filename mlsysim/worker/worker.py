"""The process that answers for one tab, one job at a time, and can be asked to end it.

A process and not a thread: the page stays responsive whatever a model of the user's own does, tabs
do not wait for each other, and what does not end when it is asked to can be ended.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mlsysim.search.options import Progress
from mlsysim.worker.jobs import WorkerJob
from mlsysim.worker.process import DefectError, Reply, Request, serve

GRACE = 2.0
"""Seconds that a job has to end after it was asked to; then its process is ended."""


def _nothing(_progress: Progress) -> None:
    return None


class Worker:
    """A process of its own; made, used and closed on one event loop."""

    def __init__(self) -> None:
        self._number = 0
        self._turn = asyncio.Lock()
        self._idle = asyncio.Event()
        self._asked: asyncio.Future[Any] | None = None
        self._progress: Callable[[Progress], None] = _nothing
        self._start()

    async def ask(self, job: WorkerJob, progress: Callable[[Progress], None] = _nothing) -> Any:
        """Have a job done; jobs wait for each other.

        If the caller is cancelled, the job is asked to end, and does not keep others waiting for
        longer than `GRACE`.

        Raises
        ------
        MlsysimError
            What the job raises.
        DefectError
            If it fails otherwise.
        """
        async with self._turn:
            await self._ready()
            self._number += 1
            self._asked = asyncio.get_running_loop().create_future()
            self._progress = progress
            self._idle.clear()
            try:
                self._pipe.send(Request(number=self._number, job=job))
                return await self._asked
            except asyncio.CancelledError:
                with suppress(OSError):  # it has ended meanwhile
                    self._pipe.send(Request(number=self._number))
                raise

    def close(self) -> None:
        """End the process, whatever it does."""
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=serve, args=(there,), daemon=True)
        self._process.start()
        there.close()
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._read)
        self._idle.set()

    async def _ready(self) -> None:
        """Wait until a job that was cancelled has ended, or end it with its process."""
        try:
            # Not wait_for, which can lose a cancellation that comes with the event.
            async with asyncio.timeout(GRACE):
                await self._idle.wait()
        except TimeoutError:
            self.close()
            self._start()

    def _read(self) -> None:
        """Take a reply; called where there is one, or the process has ended."""
        try:
            reply: Reply = self._pipe.recv()
        except (EOFError, OSError):
            self.close()
            self._start()
            ended = DefectError("the process that searches has ended of itself")
            reply = Reply(number=self._number, error=ended)
        if reply.number != self._number or self._asked is None:
            return
        if reply.progress is not None:
            self._progress(reply.progress)
            return
        self._idle.set()
        if self._asked.done():  # cancelled
            return
        if reply.error is not None:
            self._asked.set_exception(reply.error)
        else:
            self._asked.set_result(reply.value)
