"""Plans of twenty jobs, on rows of the real stages: how far each goal is proven, and how soon.

From the root of the repository::

    python -m tests.benchmarks.plans                  # every goal, loads 0.45 and 0.74
    python -m tests.benchmarks.plans --load 0.74 --only makespan,nodes --seed 2
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random

import mlsysim
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, GoodputModel
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.fleet import Change, Fleet
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.series import Beyond, Series
from mlsysim.plans.rows import rows_of

DAY, HOUR = 86400, 3600
_HORIZON = 90 * DAY
_MODELS = (
    "Llama3_8B", "Llama3_70B", "Qwen2_5_7B", "Qwen2_5_14B", "Qwen2_5_32B", "Qwen2_5_72B",
    "Mixtral_8x7B", "Llama2_13B", "Gemma2_27B", "Phi4",
)  # fmt: skip
_SPACE = {
    "tp_size": (1, 2, 4, 8),
    "pp_size": (1, 2, 4, 8, 16),
    "micro_batch_size": (1, 2, 4),
    "zero_stage": (0, 1, 3),
    "recompute": ("none", "selective", "full"),
    "sequence_parallel": (False, True),
}
_FLEETS = {"main": ("Production_2K", range(8, 257, 8)), "lab": ("Lab_64_H100", range(1, 9))}
_NIGHTLY = Series((24.0, 8.0), (0, 12 * HOUR), DAY, Beyond.REPEAT)


@cache
def _rates(model: str, fleet: str) -> tuple[Row, ...]:
    """Find the rows of a model for 1e9 tokens, in microseconds."""
    cluster, nodes = _FLEETS[fleet]
    fixed = {
        "model": getattr(mlsysim.Models.Language, model),
        "fleet": getattr(mlsysim.Systems.Clusters, cluster),
        "precision": "bf16",
        "seq_len": 4096,
        "batch_size": 1024,
        "tokens": 1e12,
    }
    stages = Pipeline([DistributedModel(), GoodputModel()])
    return rows_of(
        {"nodes": nodes, **_SPACE},
        lambda params: stages.run(**fixed, **params),
        fleet=fleet,
        rate="GoodputModel.effective_throughput",
        work=1e15,
    )


def _rows(model: str, area: float) -> tuple[Row, ...]:
    """Give the rows of a run of so many node-seconds at its most thrifty."""
    found = [row for fleet in _FLEETS for row in _rates(model, fleet)]
    share = area / min(row.nodes * row.seconds for row in found)
    return tuple(replace(row, seconds=max(math.ceil(row.seconds * share), 1)) for row in found)


def twenty_jobs(
    seed: int, load: float, *, priced: bool = False, slot: int = 4 * HOUR
) -> PlanQuestion:
    """Draw twenty jobs on 264 nodes, 90 days with a maintenance week and a reservation that ends.

    Parameters
    ----------
    seed
        Of the drawing.
    load
        The node-hours that the jobs need at least, relative to those there are.
    priced
        Whether the price of a node changes by night.
    slot
        Seconds.
    """
    random = Random(seed)  # noqa: S311 - no cryptography
    shares = [random.uniform(0.3, 1.7) for _ in range(20)]
    there = 256 * 83 - 96 * 20 + 8 * 90
    jobs = []
    for place, share in enumerate(shares):
        rows = _rows(random.choice(_MODELS), share / sum(shares) * load * there * DAY)
        release = random.choice([0, 0, random.randint(0, 45)])
        deadline = random.randint(min(release + 25, 70), 90)
        after = (f"j{random.randrange(place)}",) if place and random.random() < 0.2 else ()
        jobs.append(
            Job(
                name=f"j{place}",
                rows=rows,
                release=release * DAY,
                deadline=deadline * DAY,
                after=after,
                weight=random.randint(1, 3),
                restart=HOUR,
            )
        )
    price = _NIGHTLY if priced else Series((16.0,))
    main = Fleet(
        name="main",
        nodes=256,
        changes=(
            Change(name="maintenance", begin=40 * DAY, end=47 * DAY),
            Change(name="reservation_ends", begin=70 * DAY, nodes=-96),
        ),
        price=price,
    )
    return PlanQuestion(
        jobs=tuple(jobs),
        fleets=(main, Fleet(name="lab", nodes=8, price=price)),
        horizon=2 * _HORIZON,
        slot=slot,
    )


@dataclass(frozen=True, kw_only=True)
class PlanCase:
    """What is asked of the twenty jobs.

    Parameters
    ----------
    question
        The question.
    seconds
        How long it may take.
    """

    question: PlanQuestion
    seconds: float


def cases(seed: int, load: float) -> Mapping[str, PlanCase]:
    """Give what is asked, by name.

    Parameters
    ----------
    seed, load
        As for `twenty_jobs`.
    """
    asked = twenty_jobs(seed, load)
    free = asked.with_jobs(lambda job: replace(job, deadline=None))
    daily = twenty_jobs(seed, load, priced=True, slot=DAY)
    sooner = asked.with_jobs(
        lambda job: replace(job, deadline=job.release + ((job.deadline or 0) - job.release) // 4)
    )
    return {
        "cost": PlanCase(question=replace(asked, goals=(Goal.COST,)), seconds=10),
        "nodes": PlanCase(question=replace(asked, goals=(Goal.NODES,)), seconds=10),
        "conflict": PlanCase(question=replace(sooner, goals=(Goal.COST,)), seconds=10),
        "price": PlanCase(question=replace(daily, goals=(Goal.COST,)), seconds=30),
        "makespan": PlanCase(question=replace(free, goals=(Goal.MAKESPAN,)), seconds=60),
        "tardiness": PlanCase(question=replace(sooner, goals=(Goal.TARDINESS,)), seconds=60),
        "latest": PlanCase(
            question=replace(sooner, goals=(Goal.LATE, Goal.MAX_TARDINESS)), seconds=60
        ),
        "late": PlanCase(question=replace(sooner, goals=(Goal.LATE, Goal.TARDINESS)), seconds=60),
    }


def measured(name: str, case: PlanCase) -> str:
    """Answer a question, and write a line about it."""
    spent, wall = time.process_time(), time.monotonic()
    found = Plan.of(case.question).solve(time_limit=case.seconds, workers=2)
    seconds = f"{time.monotonic() - wall:.1f} s, {time.process_time() - spent:.1f} s of CPU"
    told = f"{name:10} {found.status:10} "
    if found.schedule is None:
        return f"{told} conflict of {len(found.conflict)}, {len(found.unfinished)} left; {seconds}"
    values = ", ".join(f"{value:,.6g}" for value in found.values)
    bounds = ", ".join(f"{bound:,.6g}" for bound in found.bounds)
    return f"{told} {values} >= {bounds}, gap {100 * (found.gap or 0):.2f} %; {seconds}"


def main(arguments: list[str]) -> Iterator[str]:
    """Answer what the command line asks for, a line for each question."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plans")
    parser.add_argument("--load", type=float, action="append")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    for load in options.load or (0.45, 0.74):
        for seed in options.seed or (1,):
            yield f"load {load}, seed {seed}"
            for name, case in cases(seed, load).items():
                if not options.only or name in options.only.split(","):
                    yield measured(name, case)


if __name__ == "__main__":
    for line in main(sys.argv[1:]):
        print(line, flush=True)  # noqa: T201 - a command
