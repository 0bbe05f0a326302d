"""The process of a tab answers, ends when it is asked to, and is replaced where it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlsysim.errors import QuestionError
from mlsysim.live.controls import Controls
from mlsysim.live.opening import Open
from mlsysim.report import Report
from mlsysim.worker.draft import Draft
from mlsysim.worker.jobs import EmitLaunch, ForceChoices, Front, Page, Solve, WorkerJob
from mlsysim.worker.process import DefectError
from mlsysim.worker.worker import GRACE, Worker

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "models" / "serving" / "chat_on_one_accelerator.toml"
NOTHING_FITS = ROOT / "models" / "infeasible" / "pace_within_budget.toml"

OWN = """
import os, time
from mlsysim import ForwardModel

class Model(ForwardModel):
    def solve(self, act: str, x: int):
        if act == "sleep":
            time.sleep(60)
        if act == "die":
            os._exit(3)
        if act == "fail":
            raise KeyError("no such thing")
        return {"gain": x}
"""
QUESTION = """
question = "Does it end?"
objective = "maximize: Model.gain"
[pipeline]
stages = ["own_model_of_test:Model"]
[fixed]
act = "ACT"
[space]
x = [1, 2]
"""


def draft_of(file: Path) -> Draft:
    """Open a file of the repository."""
    return Draft(text=file.read_text(encoding="utf-8"), path=file)


def acting(folder: Path, act: str) -> Draft:
    """Write a model that does something bad, and ask about it."""
    (folder / "own_model_of_test.py").write_text(OWN, encoding="utf-8")
    return Draft(text=QUESTION.replace("ACT", act), path=folder / "question.toml")


def with_worker(use: Callable[[Worker], Awaitable[Any]]) -> Any:
    """Do something with a worker on a loop of its own."""

    async def run() -> Any:
        worker = Worker()
        try:
            return await use(worker)
        finally:
            worker.close()

    return asyncio.run(run())


def test_each_job_is_answered() -> None:
    """One process opens, solves, weighs, explains, launches and writes, one after the other."""
    draft = draft_of(SERVING)

    async def use(worker: Worker) -> None:
        controls = await worker.ask(Open(draft=draft))
        assert isinstance(controls, Controls)
        assert [item.name for item in controls.limits] == ["reading_speed", "first_token"]
        report = await worker.ask(Solve(draft=draft))
        assert isinstance(report, Report)
        assert report.status == "OPTIMAL"
        goals = (controls.objective, controls.goals[0])
        front = await worker.ask(Front(draft=draft, objectives=goals))
        assert front.is_front
        # The front begins with the best design by its first objective.
        assert front.designs[0].measures[0].value == report.designs[0].measures[0].value
        other = {"precision": "bf16"}
        why = await worker.ask(ForceChoices(draft=draft, forced=other))
        assert why.designs[0].params["precision"] == "bf16"
        assert "--max-num-seqs" in await worker.ask(EmitLaunch(draft=draft, framework="vllm"))
        assert (await worker.ask(Page(draft=draft))).startswith("<!doctype html>")

    with_worker(use)


def test_a_wrong_draft_is_an_error_of_its_own_kind() -> None:
    """What is wrong with a question arrives as it was raised, and the next question is answered."""
    draft = draft_of(NOTHING_FITS)
    wrong = replace(draft, text=draft.text.replace("effective_throughput", "effective_thruput"))

    async def use(worker: Worker) -> None:
        with pytest.raises(QuestionError, match="effective_throughput"):
            await worker.ask(Open(draft=wrong))
        report = await worker.ask(Solve(draft=draft))
        assert {item.name for item in report.conflict} == {"pace", "budget"}

    with_worker(use)


@pytest.mark.parametrize(("act", "said"), [("fail", "no such thing"), ("die", "has ended")])
def test_a_model_that_fails_is_told(tmp_path: Path, act: str, said: str) -> None:
    """A defect of a model, even one that ends the process, does not end the page."""

    async def use(worker: Worker) -> None:
        with pytest.raises(DefectError, match=said):
            await worker.ask(Solve(draft=acting(tmp_path, act)))
        assert (await worker.ask(Solve(draft=draft_of(SERVING)))).status == "OPTIMAL"

    with_worker(use)


def test_a_job_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """A model that sleeps for a minute delays the next job by no more than the grace."""

    async def use(worker: Worker) -> float:
        await worker.ask(Open(draft=draft_of(SERVING)))  # it runs
        asleep = asyncio.create_task(worker.ask(Solve(draft=acting(tmp_path, "sleep"))))
        await asyncio.sleep(0.5)
        asleep.cancel()
        began = time.monotonic()
        job: WorkerJob = Open(draft=draft_of(SERVING))
        await worker.ask(job)
        return time.monotonic() - began

    # The grace, and the start of another process on a busy machine.
    assert GRACE <= with_worker(use) < GRACE + 30


def test_a_search_ends_when_it_is_asked_to() -> None:
    """A search of many seconds is over soon after it was cancelled, in the same process."""
    draft = draft_of(ROOT / "models" / "fleet" / "mixed_three_classes.toml")

    async def use(worker: Worker) -> None:
        await worker.ask(Open(draft=draft_of(SERVING)))
        process = worker._process.pid
        long = asyncio.create_task(worker.ask(Solve(draft=draft)))
        await asyncio.sleep(0.3)
        long.cancel()
        await worker.ask(Open(draft=draft_of(SERVING)))
        assert worker._process.pid == process

    with_worker(use)
