"""A sweep on an executor gives the answers that it gives by itself."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import executing
import pytest

from mlsysim.core.dse import DSE
from mlsysim.errors import ConstraintError, ParameterError
from mlsysim.results import Status
from mlsysim.results.what_if import Sweep
from mlsysim.search.options import Progress
from mlsysim.search.remote_errors import RemoteTraceback

QUESTION = DSE({"x": range(1, 801), "y": [1, 3]}, "maximize: gain", {"load": "load <= 600"})
LADDER = {"load": [0, 100, 300, 500, 700]}


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Two processes that inherit nothing."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def answers(sweep: Sweep) -> list[tuple[str, Any]]:
    """Give status and best design of each point."""
    return [
        (point.result.status.value, dict(point.result.best_params) if point.result else None)
        for point in sweep.points
    ]


def test_processes_answer_in_order(processes: Executor) -> None:
    """The points stand where they stood, and say the same; x + 50 y <= 0 leaves nothing."""
    states: list[Progress] = []
    alone = QUESTION.sweep(executing.gain, LADDER)
    shared = QUESTION.sweep(executing.gain, LADDER, executor=processes, progress=states.append)
    assert answers(shared) == answers(alone)
    assert answers(alone)[0] == ("INFEASIBLE", None)
    assert (states[-1].done, states[-1].total, states[-1].what) == (5, 5, "questions")


def test_the_first_error_is_raised(processes: Executor) -> None:
    """What the evaluator raises over there is raised here, with where it was."""
    with pytest.raises(ZeroDivisionError, match="at 300") as caught:
        QUESTION.sweep(executing.fails_late, LADDER, executor=processes, method="exhaustive")
    assert isinstance(caught.value.__cause__, RemoteTraceback)


def test_what_cannot_be_sent_is_told(processes: Executor) -> None:
    """A lambda is answered with what to write."""
    with pytest.raises(ParameterError, match="cannot be sent to another process"):
        QUESTION.sweep(lambda params: {"gain": 1.0, **params}, LADDER, executor=processes)


def test_a_bad_limit_is_an_error_before_anything_is_sent(processes: Executor) -> None:
    """All questions are written before the first is answered."""
    with pytest.raises(ConstraintError):
        QUESTION.sweep(executing.gain, {"load": [100, "=<"]}, executor=processes)


def test_an_interrupt_keeps_the_answers_that_are_there() -> None:
    """Ctrl-C leaves the questions that were not answered unknown."""

    def interrupt(state: Progress) -> None:
        if state.done >= 2:
            raise KeyboardInterrupt

    def slow(params: Mapping[str, Any]) -> dict[str, Any]:
        return executing.black_box(params)

    question = DSE({"x": range(1, 101), "y": [3]}, "maximize: gain", {"load": "load <= 600"})
    with ThreadPoolExecutor(1) as pool:
        found = question.sweep(
            slow, {"load": [200, 210, 220, 230, 240]}, executor=pool, progress=interrupt
        )
    statuses = [point.result.status for point in found.points]
    assert statuses == [Status.OPTIMAL] * 2 + [Status.UNKNOWN] * 3
    assert found.points[-1].result.statistics.stopped_by == "interrupt"
