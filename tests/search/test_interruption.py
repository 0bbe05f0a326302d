"""Ctrl-C ends a whole operation with what there is, also where nobody looks for it."""

import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mlsysim.core.dse import DSE
from mlsysim.results import Status
from mlsysim.search.interruption import current, interruptible


def own(after: float) -> None:
    """Press Ctrl-C in a while, as the terminal does: in the main thread."""
    threading.Timer(after, lambda: signal.pthread_kill(MAIN, signal.SIGINT)).start()


MAIN = threading.main_thread().ident or 0


class Pressed:
    """An evaluator during whose call of some number Ctrl-C is pressed."""

    def __init__(self, call: int) -> None:
        self.calls = 0
        self._call = call

    def __call__(self, params: Mapping[str, Any]) -> dict[str, float]:
        """Evaluate a design, which cannot be traced."""
        self.calls += 1
        if self.calls == self._call:
            signal.raise_signal(signal.SIGINT)
        return {"gain": float(str(params["x"]))}


def slow(params: Mapping[str, Any]) -> dict[str, float]:
    """Evaluate a design in a way that takes its time and that nothing can trace."""
    time.sleep(0.02)
    return {"gain": float(str(params["x"]))}


def stuck(params: Mapping[str, Any]) -> dict[str, float]:
    """Evaluate all designs but one quickly."""
    if params["x"] == 3:
        time.sleep(60)
    return {"gain": float(str(params["x"]))}


@pytest.fixture(autouse=True)
def pythons_handler() -> Any:
    """Have Python's own handler in place, whoever started the tests, and find it there after."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_a_sweep_ends_as_a_whole() -> None:
    """The answers so far stay, the one under way is what it has found, the rest is not begun."""
    explorer = DSE({"x": range(100)}, "maximize: gain", {"room": "x <= 99"})
    evaluate = Pressed(160)  # an answer takes some more than 100
    found = explorer.sweep(evaluate, {"room": [30, 31, 32, 33, 34, 35]})
    stopped = [point.result.statistics.stopped_by for point in found.points]
    assert stopped == [None, *["interrupt"] * 5]
    statuses = [point.result.status for point in found.points]
    assert statuses == ["OPTIMAL", "FEASIBLE", *["UNKNOWN"] * 4]
    assert evaluate.calls < 170


def test_of_two_searches_the_second_is_not_begun() -> None:
    """Forced choices are answered twice, and so is what two methods are to agree about."""
    explorer = DSE({"x": range(100)}, "maximize: gain")
    told = explorer.why_not(Pressed(50), {"x": 3})
    assert (told.best.statistics.stopped_by, told.found.status) == ("interrupt", Status.UNKNOWN)


def test_an_evaluator_that_does_not_look_is_interrupted() -> None:
    """After a second KeyboardInterrupt is raised in it, and what was seen before is the answer."""
    explorer = DSE({"x": range(10)}, "maximize: gain")
    own(0.3)
    began = time.monotonic()
    found = explorer.search(stuck, method="exhaustive")
    assert 1.0 < time.monotonic() - began < 3
    assert found.statistics.stopped_by == "interrupt"
    assert (found.status, found.best_params) == (Status.FEASIBLE, {"x": 2})


def test_an_evaluator_that_swallows_it_is_interrupted_again() -> None:
    """``except BaseException`` in an evaluator delays the end by half a second."""

    def stubborn(params: Mapping[str, Any]) -> dict[str, float]:
        if params["x"] == 3:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                time.sleep(60)
        return {"gain": float(str(params["x"]))}

    own(0.1)
    began = time.monotonic()
    found = DSE({"x": range(10)}, "maximize: gain").search(stubborn, method="exhaustive")
    assert time.monotonic() - began < 3.5
    assert found.best_params == {"x": 2}


def test_searches_in_threads_end_with_what_they_have() -> None:
    """Ctrl-C reaches the main thread alone; what it had others do ends too."""
    explorer = DSE({"x": range(400)}, "maximize: gain", {"room": "x <= 399"})
    own(0.6)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        found = explorer.sweep(slow, {"room": [10, 300, 301, 302]}, executor=pool)
    assert time.monotonic() - began < 4
    assert {point.result.statistics.stopped_by for point in found.points} <= {None, "interrupt"}
    assert any(point.result.status is Status.FEASIBLE for point in found.points)


def test_one_search_in_a_thread_ends_alone() -> None:
    """An interrupt that a callback raises in one thread is none of another's."""
    asked = []

    def work(*, raises: bool) -> None:
        with interruptible() as interruption:
            if raises:
                interruption.ask()
            time.sleep(0.2)
            asked.append((raises, current().came))

    threads = [threading.Thread(target=work, kwargs={"raises": raises}) for raises in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(asked) == [(False, False), (True, True)]


def test_a_second_operation_is_a_new_one() -> None:
    """What interrupted one search does not interrupt the next."""
    explorer = DSE({"x": range(400)}, "maximize: gain")
    own(0.2)
    assert explorer.search(slow, method="exhaustive").statistics.stopped_by == "interrupt"
    small = DSE({"x": range(5)}, "maximize: gain")
    assert small.search(slow, method="exhaustive").status is Status.OPTIMAL


def test_handlers_of_others_are_left_alone() -> None:
    """Who has taken Ctrl-C keeps it, and the search goes on."""
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1))
    try:
        own(0.2)
        explorer = DSE({"x": range(20)}, "maximize: gain")
        assert explorer.search(slow, method="exhaustive").status is Status.OPTIMAL
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == [1]
