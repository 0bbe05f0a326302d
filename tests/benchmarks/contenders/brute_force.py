"""Brute force: every design, priced in compiled loops on all cores."""

from collections.abc import Callable
from functools import cache
from typing import Any

from benchmarks.answer import Answer
from benchmarks.contenders.compiled import (
    compiled_formula,
    compiled_keep,
    empty_lists,
    limits,
    nodes_batch_layouts,
    ranked,
)
from benchmarks.optional import load
from benchmarks.questions import TrainingQuestion
from benchmarks.training import LAYERS, SECONDS_PER_DAY, TRAINING_TOKENS, USD_PER_NODE_HOUR


@cache
def _kernel() -> Callable[..., Any]:  # noqa: C901 - one loop nest
    """Compile the loops: rows run in parallel, each with a list of its own."""
    numba = load("numba")
    metrics, keep = compiled_formula(), compiled_keep()
    prange = numba.prange

    def walk(  # noqa: C901
        nodes: Any,
        batch: Any,
        layouts: Any,
        limit: Any,
        divisible: Any,
        dollars: Any,
        best: Any,
    ) -> None:
        memory_limit, step_limit, hour_limit, day_limit = limit
        for row in prange(len(layouts)):
            t, p, m, v, z, r = layouts[row]
            if divisible and LAYERS % (p * v) != 0:
                continue
            for n in nodes:
                if t * p > 8 * n or n * USD_PER_NODE_HOUR > hour_limit:
                    continue
                if divisible and (8 * n) % (t * p) != 0:
                    continue
                for b in batch:
                    replicas, _, _, padding, _, memory, step, speed, price = metrics(
                        n, b, t, p, m, v, z, r
                    )
                    if memory > memory_limit or step > step_limit:
                        continue
                    if TRAINING_TOKENS / SECONDS_PER_DAY / speed > day_limit:
                        continue
                    if divisible and (b % (int(replicas) * m) != 0 or padding != 0):
                        continue
                    keep(best[row], price if dollars else -speed)

    return numba.njit(parallel=True, error_model="numpy")(walk)


def solve(question: TrainingQuestion) -> Answer:
    """Walk the whole space.

    Parameters
    ----------
    question
        What is asked.
    """
    nodes, batch, layouts = nodes_batch_layouts(question)
    best = empty_lists(len(layouts))
    _kernel()(
        nodes,
        batch,
        layouts,
        limits(question),
        question.divisible,
        question.minimizes_dollars,
        best,
    )
    return ranked(question, best)
