"""With an executor the reference gives the answer that it gives by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import executing
import pytest
from hypothesis import given
from strategies import Case, cases, examples

from mlsysim.core.dse import DSE
from mlsysim.errors import MlsysimError, ParameterError
from mlsysim.files.question import load
from mlsysim.results import Status
from mlsysim.search.arrays import layout
from mlsysim.search.executor import WorkQueue
from mlsysim.search.options import Progress
from mlsysim.search.remote_errors import RemoteTraceback

MODELS = Path(__file__).parents[2] / "models"
SMALL = DSE({"x": range(1, 801), "y": [1, 3]}, "maximize: gain", ["load <= 600"])
LARGE = DSE({"x": range(200_000), "y": [1, 2, 3]}, "maximize: gain", {"load": "load <= 600"})

INTERRUPTED = """
import signal
from concurrent.futures import ProcessPoolExecutor

import executing
from mlsysim.core.dse import DSE

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ProcessPoolExecutor(2) as pool:
        result = DSE({"x": range(1, 1_000_000), "y": [3]}, "maximize: gain").search(
            executing.black_box,
            method="exhaustive",
            executor=pool,
            progress=lambda state: print(state.done, flush=True),
        )
    print(result.status, result.statistics.stopped_by, result.statistics.points_evaluated > 0)
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Two processes that inherit nothing."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def told(answer: Any) -> dict[str, Any]:
    """Give all that an answer says, but how long it took and how it was cut into parts."""
    data = dict(answer.to_dict())
    data["statistics"] = {
        name: value
        for name, value in data["statistics"].items()
        if name not in {"seconds", "extra"}
    }
    return data


@pytest.mark.parametrize("evaluate", [executing.gain, executing.black_box])
@pytest.mark.parametrize("limit", ["load <= 600", "load <= 0"])
def test_processes_change_nothing(
    processes: Executor, evaluate: Callable[..., Any], limit: str
) -> None:
    """Arrays or point by point, feasible or not: the answer is the same to the last bit."""
    question = DSE({"x": range(1, 401), "y": [1, 3]}, "maximize: gain", {"load": limit})
    alone = question.search(evaluate, method="exhaustive")
    shared = question.search(evaluate, method="exhaustive", executor=processes)
    assert told(shared) == told(alone)
    assert shared.statistics.extra["parts"] >= 1
    assert "executor_lost" not in shared.statistics.extra


def test_many_blocks(processes: Executor, threads: Executor) -> None:
    """Ten blocks of arrays; x + 50 y <= 600 leaves x = 550 with y = 1, 500 with 2, 450 with 3."""
    alone = LARGE.search(executing.gain, method="exhaustive")
    # 1000 - 150 - 40 = 810, 1000 - 200 - 10 = 790, 1000 - 250 = 750.
    assert alone.best_params == {"x": 550, "y": 1}
    assert alone.best_objective == 810
    for executor in (processes, threads):
        shared = LARGE.search(executing.gain, method="exhaustive", executor=executor)
        assert told(shared) == told(alone)
        assert shared.statistics.extra["parts"] > 1


@pytest.mark.parametrize(
    "name", ["fleet/choice_of_fleet", "infeasible/pace_within_budget", "training/small_replicas"]
)
def test_question_files_cross_process_borders(processes: Executor, name: str) -> None:
    """The models of the package, their records and verdicts give the same over there."""
    question = load(MODELS / f"{name}.toml")
    alone = question.solve(method="exhaustive")
    assert told(question.solve(method="exhaustive", executor=processes)) == told(alone)
    assert question.cross_check(executor=processes).agrees


@given(cases())
@examples(40)
def test_any_question(case: Case) -> None:
    """Random questions, cut into blocks of at most 16 points, have the same answer in threads."""
    search = DSE(case.space, f"{case.sense}: gain", case.constraints).search
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(layout, "BLOCK", 16)
        alone = _answer_or_error(partial(search, case, method="exhaustive"))
        shared = _answer_or_error(partial(search, case, method="exhaustive", executor=pool))
    assert shared == alone


def _answer_or_error(search: Callable[[], Any]) -> Any:
    try:
        return told(search())
    except MlsysimError as error:
        return repr(error)


def test_a_front_is_the_same(processes: Executor) -> None:
    """The Pareto front has the same points, in the same order, from as many designs."""
    objectives = ["maximize: gain", "minimize: load"]
    alone = SMALL.pareto(executing.gain, objectives, method="exhaustive")
    shared = SMALL.pareto(executing.gain, objectives, method="exhaustive", executor=processes)
    assert told(shared) == told(alone)
    assert len(alone) > 100


def test_an_explanation_is_the_same(processes: Executor) -> None:
    """Each relaxed question is answered in parts as well."""
    alone = SMALL.explain(executing.gain, method="exhaustive")
    shared = SMALL.explain(executing.gain, method="exhaustive", executor=processes)
    assert [str(item) for item in shared.requirements] == [str(item) for item in alone.requirements]


def test_cp_sat_solves_here(threads: Executor) -> None:
    """An executor is no reason to give up the proof by CP-SAT."""
    assert SMALL.search(executing.gain, executor=threads, method="cp-sat").method == "cp-sat"


def test_an_evaluators_error_is_the_first_of_the_grid(processes: Executor) -> None:
    """Of 500 designs that fail the first is named, and where it failed over there."""
    with pytest.raises(ZeroDivisionError, match="at 300") as caught:
        SMALL.search(executing.fails_late, method="exhaustive", executor=processes)
    assert caught.value.__notes__ == ["raised by the evaluator at the design x=300, y=1"]
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "in fails_late" in str(caught.value.__cause__)


def test_an_error_that_cannot_be_sent_is_told(processes: Executor) -> None:
    """Its name and its text arrive, and the design."""
    with pytest.raises(RuntimeError, match="UnsendableError: this and that") as caught:
        SMALL.search(executing.fails_unsendably, method="exhaustive", executor=processes)
    assert "x=300" in caught.value.__notes__[0]


def test_a_lambda_cannot_be_sent(processes: Executor, threads: Executor) -> None:
    """The message says what to write instead; threads take it."""
    question = DSE({"x": range(3)}, "maximize: gain")
    with pytest.raises(ParameterError, match="define it with def at the top level of a module"):
        question.search(lambda p: {"gain": p["x"]}, method="exhaustive", executor=processes)
    found = question.search(lambda p: {"gain": p["x"]}, method="exhaustive", executor=threads)
    assert found.best_objective == 2


def test_a_dead_worker_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies breaks its pool; what is left is evaluated here."""
    monkeypatch.setenv("ASKER", str(os.getpid()))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shared = SMALL.search(executing.dies_at_the_asker, method="exhaustive", executor=pool)
    alone = SMALL.search(executing.black_box, method="exhaustive")
    assert told(shared) == told(alone)
    assert "BrokenProcessPool" in shared.statistics.extra["executor_lost"]
    assert 0 < shared.statistics.extra["parts_done_here"] < shared.statistics.extra["parts"]


def test_an_executor_that_does_nothing_is_refused() -> None:
    """One that was shut down is told apart from one that loses something."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(ParameterError, match=r"cannot do anything .*after shutdown"):
        SMALL.search(executing.gain, method="exhaustive", executor=pool)


@pytest.mark.parametrize(
    ("executor", "cure"),
    [
        (2, "concurrent.futures.ProcessPoolExecutor"),
        (type("Client", (), {"get_executor": None})(), "client.get_executor"),
    ],
)
def test_what_is_no_executor_is_refused(executor: Any, cure: str) -> None:
    """A number of processes, or a client of Dask, is answered with what to write."""
    with pytest.raises(ParameterError, match=cure):
        SMALL.search(executing.gain, executor=executor)


def test_a_time_limit_is_kept(threads: Executor) -> None:
    """Of an hour's work half a second's is done, and what it found is kept."""
    question = DSE({"x": range(1, 1_000_000), "y": [3]}, "maximize: gain")
    began = time.monotonic()
    found = question.search(
        executing.black_box, method="exhaustive", executor=threads, time_limit=0.5
    )
    assert time.monotonic() - began < 5
    assert (found.status, found.statistics.stopped_by) == (Status.FEASIBLE, "time limit")
    assert found.bound is None


def test_progress_is_shown(threads: Executor) -> None:
    """The designs done grow up to all 1600, the best only improves."""
    states: list[Progress] = []
    SMALL.search(executing.black_box, method="exhaustive", executor=threads, progress=states.append)
    assert states[-1].done == states[-1].total == 1600
    assert len(states) > 4
    assert [state.done for state in states] == sorted(state.done for state in states)
    best = [state.best for state in states if state.best is not None]
    assert best == sorted(best)


def test_an_interrupt_keeps_what_was_found(threads: Executor) -> None:
    """Ctrl-C ends a shared search as a time limit does."""

    def interrupt(state: Progress) -> None:
        if state.done > 100:
            raise KeyboardInterrupt

    found = SMALL.search(
        executing.black_box, method="exhaustive", executor=threads, progress=interrupt
    )
    assert (found.status, found.statistics.stopped_by) == (Status.FEASIBLE, "interrupt")
    assert 100 < found.statistics.points_evaluated < 1600


def test_ctrl_c_reaches_workers_and_asker() -> None:
    """A terminal interrupts all processes at once; the one that asked still answers."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:
        assert child.stdout is not None
        while int(child.stdout.readline() or 1000) < 200:
            pass
        os.killpg(child.pid, signal.SIGINT)
        printed, errors = child.communicate(timeout=20)
    assert printed.splitlines(), errors
    assert printed.splitlines()[-1] == "FEASIBLE interrupt True"


class Lossy(Executor):
    """Does what it is given at once, but forgets every third job, and cancels every fifth."""

    def __init__(self) -> None:
        self.handed_in = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, or not."""
        self.handed_in += 1
        future: Future[Any] = Future()
        if self.handed_in % 5 == 0:
            future.cancel()
        elif self.handed_in % 3 == 0:
            future.set_exception(ConnectionError("lost"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_every_job_is_done_once() -> None:
    """However many an executor loses, each of 200 jobs has one outcome."""
    jobs = iter(range(200))
    queue: WorkQueue[int, int] = WorkQueue(Lossy(), square)
    ended = [item for item in queue.run(lambda: next(jobs, None)) if item is not None]
    assert sorted(item.job for item in ended) == list(range(200))
    assert all(item.outcome == item.job**2 for item in ended)
    assert queue.loss == "ConnectionError: lost"
    assert 0 < queue.done_here < 100


def square(number: int) -> int:
    """Do a job."""
    return number**2


def slow_to_judge(params: dict[str, Any]) -> dict[str, Any]:
    """Take arrays at once, and a plain number in ten milliseconds; every design is on the front."""
    if isinstance(params["x"], int):
        time.sleep(0.01)
    return {"gain": params["x"] * 1.0, "cost": params["x"] * 2.0}


def test_judging_a_front_keeps_the_time_limit() -> None:
    """Judging 1,000 points would take ten seconds; what half a second allows is returned."""
    question = DSE({"x": range(1, 1001)}, "maximize: gain")
    began = time.monotonic()
    front = question.pareto(
        slow_to_judge, ["maximize: gain", "minimize: cost"], method="exhaustive", time_limit=0.5
    )
    assert time.monotonic() - began < 5
    assert (front.status, front.statistics.stopped_by) == (Status.FEASIBLE, "time limit")
    assert 1 <= len(front) < 200
