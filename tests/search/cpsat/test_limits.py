"""A search that is stopped says what it has, and its bound is confirmed by the final proof."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlsysim import ceil, floor, maximum
from mlsysim.core.dse import DSE
from mlsysim.results import SearchResult, Status
from mlsysim.search.options import Progress

Params = dict[str, Any]
_SUMS = range(8)


def layout(params: Params) -> Params:
    """Price a training step; the interval bounds of its quotients are poor."""
    tensor, stages, batch = params["tensor"], params["stages"], params["batch"]
    replicas = maximum(floor(params["nodes"] * 8 / (tensor * stages)), 1)
    passes = ceil(ceil(batch / replicas) / params["micro"])
    block = ceil(80 / stages) * (params["micro"] / tensor + 0.3 * (tensor - 1) / tensor + 0.05)
    step = (passes + stages - 1) * block + 9.0 * (replicas - 1) / replicas / stages
    return {"step": step, "cost": params["nodes"] * step / batch, "speed": batch / step}


def layout_question(objective: str = "minimize: cost") -> DSE:
    """Ask for a layout among 3e9: one block, which presolve shrinks by boxes."""
    space = {
        "nodes": range(1, 1025),
        "batch": range(1, 16385),
        "tensor": [1, 2, 4, 8],
        "stages": range(1, 17),
        "micro": [1, 2, 4],
    }
    return DSE(space, objective, ["step <= 300"])


def knapsack(params: Params) -> Params:
    """Fill a knapsack of several dimensions: easy to fill; with many items, hard to prove."""
    items = len(params)
    draw = random.Random(7)  # noqa: S311 - for an example
    weights = [[draw.randint(10, 99) for _ in range(items)] for _ in _SUMS]
    # What weighs more is worth more, so that no choice is obvious.
    worth = [
        sum(column) // len(_SUMS) + draw.randint(-9, 9) for column in zip(*weights, strict=True)
    ]
    chosen = list(params.values())
    sums = [sum(w * x for w, x in zip(row, chosen, strict=True)) for row in (*weights, worth)]
    return {"value": sums[-1]} | {f"sum{j}": sums[j] for j in _SUMS}


def knapsack_question(items: int) -> DSE:
    """Ask for a knapsack; every choice is a block of its own, and CP-SAT does all the work."""
    limits = [f"sum{j} <= {27 * items}" for j in _SUMS]
    return DSE({f"x{i}": range(2) for i in range(items)}, "maximize: value", limits)


def confirm(stopped: SearchResult, best: float, sign: int) -> None:
    """See that a stopped answer is compatible with the proven optimum."""
    assert stopped.status in {Status.FEASIBLE, Status.UNKNOWN, Status.OPTIMAL}
    slack = 1e-9 * abs(best)
    if stopped.bound is not None:
        assert sign * stopped.bound <= sign * best + slack
    if stopped.top_candidates:
        assert sign * stopped.best_objective >= sign * best - slack
    if stopped.top_candidates and stopped.bound is not None:
        assert sign * stopped.bound <= sign * stopped.best_objective
        assert stopped.gap == pytest.approx(
            abs(stopped.best_objective - stopped.bound) / abs(stopped.best_objective)
        )
    if stopped.status is Status.OPTIMAL:
        assert stopped.best_objective == pytest.approx(best, rel=1e-9)
        # The best may be proven before the whole list is.
        assert (stopped.statistics.stopped_by is None) == (not stopped.unfinished)


@pytest.mark.parametrize(("objective", "sign"), [("minimize: cost", 1), ("maximize: speed", -1)])
def test_the_final_proof_confirms_the_bounds_of_presolve(objective: str, sign: int) -> None:
    """SEMANTICS 3, stopped by time and by progress, in either sense of the objective."""
    states: list[Progress] = []
    explorer = layout_question(objective)
    proven = explorer.search(layout, progress=states.append)
    assert proven.status is Status.OPTIMAL
    best = proven.best_objective
    for state in states:
        if state.bound is not None and state.best is not None:
            assert sign * state.bound <= sign * best + 1e-9 * abs(best)
            assert sign * state.best >= sign * best - 1e-9 * abs(best)
    for limit in (0.05, 0.2):
        started = time.perf_counter()
        stopped = explorer.search(layout, time_limit=limit)
        assert time.perf_counter() - started < limit + 2.0
        confirm(stopped, best, sign)
        if stopped.status is not Status.OPTIMAL:
            assert stopped.statistics.stopped_by == "time limit"
    for calls in (1, 5):
        stopped = explorer.search(layout, progress=Stop(calls))
        assert stopped.status in {Status.FEASIBLE, Status.UNKNOWN}
        assert stopped.statistics.stopped_by == "interrupt"
        assert stopped.bound is not None
        confirm(stopped, best, sign)


def test_jobs_that_share_nodes_have_a_good_plan_when_time_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four layouts of 3e9 each: time is kept for descents over all of them at once."""
    monkeypatch.setattr(time, "perf_counter", time.process_time)  # others may be busy, too
    jobs, own = "abcd", layout_question().problem.space
    space = {f"{job}_{name}": domain.values for job in jobs for name, domain in own.items()}

    def together(params: Params) -> Params:
        parts = [{name: params[f"{job}_{name}"] for name in own} for job in jobs]
        return {"cost": sum(layout(part)["cost"] for part in parts)}

    limits = [" + ".join(f"{job}_nodes" for job in jobs) + " <= 96"]
    limits += [f"{job}_batch <= {1000 * (2 + place)}" for place, job in enumerate(jobs)]
    explorer = DSE(space, "minimize: cost", limits)
    proven = explorer.search(together, top=1)
    assert proven.status is Status.OPTIMAL
    stopped = explorer.search(together, top=1, time_limit=0.2)
    confirm(stopped, proven.best_objective, 1)
    assert stopped.best_objective <= 1.01 * proven.best_objective


def test_a_stopped_proof_claims_no_more_than_it_knows() -> None:
    """Nothing fits, which is soon proven; what to blame takes longer, and what is missing is told.

    The conflict of an infeasible answer is never empty: together, all requirements are one.
    """
    explorer = DSE(layout_question().problem.space, "minimize: cost", ["step <= 0.001"])
    proven = explorer.search(layout)
    assert proven.conflict == ("step <= 0.001",)
    for limit in (0.01, 0.05, 0.1, 0.3):
        stopped = explorer.search(layout, time_limit=limit)
        if stopped.status is Status.UNKNOWN:
            continue
        assert stopped.status is Status.INFEASIBLE
        assert set(proven.conflict) <= set(stopped.conflict)
        assert all(
            item in proven.relaxations
            for item in stopped.relaxations
            if item.name in proven.conflict
        )
        if stopped.unfinished:
            assert stopped.statistics.stopped_by == "time limit"
            assert "not finished (stopped by time limit)" in str(stopped)
            assert stopped.to_dict()["unfinished"] == list(stopped.unfinished)
        else:
            assert stopped.statistics.stopped_by is None
            assert stopped.conflict == proven.conflict
            assert stopped.relaxations == proven.relaxations


class Stop:
    """Raises what Ctrl-C raises, at a certain call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, _: Progress) -> None:
        """Count down."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("objective", ["minimize: cost", "maximize: cost"])
def test_progress_tells_incumbents_and_bounds_of_the_question_alone(objective: str) -> None:
    """No bound is worse than the best design so far, and what an explanation tries is not told."""
    states: list[Progress] = []
    explorer = DSE(layout_question().problem.space, objective)
    explorer.explain(layout, progress=states.append)
    sign = 1 if objective.startswith("minimize") else -1
    told = [state for state in states if state.best is not None and state.bound is not None]
    assert told
    for state in told:
        assert sign * state.bound <= sign * state.best  # type: ignore[operator]
    nothing = DSE(layout_question().problem.space, objective, ["step <= 0.001"])
    states.clear()
    nothing.search(layout, progress=states.append)
    assert states
    assert all(state.best is None and state.bound is None for state in states)


def test_a_short_list_says_how_much_of_it_is_proven() -> None:
    """The best of 100,000 is proven at once, the 10,000 best are not; the limit is kept."""
    explorer = DSE({"x": range(10**5)}, "minimize: z")
    began = time.process_time()
    found = explorer.search(lambda params: {"z": params["x"]}, top=10_000, time_limit=0.5)
    # Two workers at most; what a busy machine adds is no time of this process.
    assert time.process_time() - began < 2 * 0.5 + 1.0
    assert found.status is Status.OPTIMAL
    assert (found.bound, found.gap) == (0.0, 0.0)
    count = len(found.top_candidates)
    assert [candidate.params["x"] for candidate in found.top_candidates] == list(range(count))
    if count < 10_000:
        assert found.statistics.stopped_by == "time limit"
        assert f"{count:,} of the 10,000 asked for are proven" in str(found)


@pytest.mark.parametrize("size", [2**40, 2**50, 2**53])
def test_whole_numbers_are_told_apart_up_to_the_last(size: int) -> None:
    """The margin of rounding, a share of the objective, would hide millions of them."""

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        return {"y": params["x"], "z": 3 - params["x"]}

    most = DSE({"x": range(size)}, "maximize: y").search(evaluate, method="cp-sat")
    assert [candidate.params["x"] for candidate in most.top_candidates] == [
        size - 1 - place for place in range(5)
    ]
    least = DSE({"x": range(-size, 1)}, "minimize: y").search(evaluate, method="cp-sat", top=1)
    assert least.best_objective == -size
    other = DSE({"x": range(size)}, "minimize: z").search(evaluate, method="cp-sat", top=1)
    assert other.best_objective == 4 - size


def test_bounds_only_get_better() -> None:
    """The bound that is shown while the search lasts never falls back."""
    states: list[Progress] = []
    layout_question().search(layout, progress=states.append)
    bounds = [state.bound for state in states if state.bound is not None]
    assert all(later >= earlier for earlier, later in pairwise(bounds))


def test_the_final_proof_confirms_the_bounds_of_a_joint_question() -> None:
    """Many blocks: what CP-SAT has when the limit comes is an answer with a bound, or none."""
    explorer = knapsack_question(30)
    proven = explorer.search(knapsack, top=1)
    assert proven.status is Status.OPTIMAL
    for limit in (0.05, 0.2, 1.0):
        confirm(explorer.search(knapsack, top=1, time_limit=limit), proven.best_objective, -1)


def test_an_interrupt_of_the_exhaustive_search_keeps_what_was_found() -> None:
    """The reference has no bound to tell before it has seen everything."""
    explorer = layout_question()
    stopped = explorer.search(layout, method="exhaustive", progress=Stop(3))
    assert stopped.status in {Status.FEASIBLE, Status.UNKNOWN}
    assert (stopped.bound, stopped.statistics.stopped_by) == (None, "interrupt")


# Interrupts itself once the search is under way; a second Ctrl-C must still be
# Python's own (CP-SAT's handler would end the process without a word).
SCRIPT = """
import os, signal, sys, threading, time
# A process that was started in the background inherits that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {folder!r})
import test_limits as own

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)

{start}
print(result.status, result.statistics.stopped_by, result.bound, flush=True)
try:
    interrupt()
    time.sleep(5)
except KeyboardInterrupt:
    print("raised as ever")
"""
IN_PRESOLVE = "result = own.layout_question().search(own.layout, progress=interrupt)"
IN_CP_SAT = """
from ortools.sat.python import cp_model

solve = cp_model.CpSolver.solve

def solve_and_interrupt(*arguments):
    cp_model.CpSolver.solve = solve
    threading.Timer(0.5, interrupt).start()
    return solve(*arguments)

cp_model.CpSolver.solve = solve_and_interrupt
result = own.knapsack_question(120).search(own.knapsack, top=1)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize("start", [IN_PRESOLVE, IN_CP_SAT], ids=["presolve", "CP-SAT"])
def test_ctrl_c_is_like_a_time_limit(start: str) -> None:
    """A real SIGINT ends the search with its bound, and leaves Python's handler in place."""
    script = SCRIPT.format(folder=str(Path(__file__).parent), start=start)
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first.split()[0] in {"FEASIBLE", "UNKNOWN"}
    assert first.split()[1] == "interrupt"
    assert second == "raised as ever"


def test_no_handler_is_left_behind() -> None:
    """After a search, Ctrl-C is handled as before it."""
    before = signal.getsignal(signal.SIGINT)
    DSE({"x": range(100)}, "maximize: x").search(lambda params: {"gain": params["x"]})
    assert signal.getsignal(signal.SIGINT) is before
