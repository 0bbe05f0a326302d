"""The limit: a search written by hand for the training question and for nothing else.

What it knows: a step depends on nodes and batch only through the replicas and
the micro-batches of each; for a layout and a number of replicas, the largest
batch of a number of micro-batches is the best of them, more micro-batches are
better until the step is too long, and memory grows with them only up to the
depth of the pipeline. So it bounds every layout, visits them in the order of
their bounds, and stops at the first that cannot reach the best five.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
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
from benchmarks.training import (
    ACCELERATORS_PER_NODE,
    LAYERS,
    OPTIMIZER_SECONDS,
    SECONDS_PER_DAY,
    SEQUENCE,
    TRAINING_TOKENS,
    USD_PER_NODE_HOUR,
)

# Bounds are relaxed by this, so that rounding never cuts a design off.
_SLACK = 1e-9


@cache
def _bounds() -> Callable[..., Any]:
    """Compile the bound of each layout: tokens per second and replica, at best."""
    metrics = compiled_formula()

    def bounds(layouts: Any, limit: Any, divisible: Any, rates: Any) -> None:
        for row in range(len(layouts)):
            t, p, m, v, z, r = layouts[row]
            if divisible and LAYERS % (p * v) != 0:
                continue
            stage = metrics(t * p, m, t, p, m, v, z, r)[4]
            fixed = (p - 1) * stage / v + OPTIMIZER_SECONDS
            most = np.floor((limit[1] * (1 + _SLACK) - fixed) / stage)
            if most >= 1:
                rates[row] = m * SEQUENCE * most / (most * stage + fixed) * (1 + _SLACK)

    return load("numba").njit(error_model="numpy")(bounds)


@cache
def _visit() -> Callable[..., Any]:  # noqa: C901 - one loop nest
    """Compile the search of one layout with one number of replicas."""
    metrics, keep = compiled_formula(), compiled_keep()

    def visit(  # noqa: PLR0913, PLR0917, C901
        layout: Any,
        replicas: Any,
        first: Any,
        last: Any,
        has_nodes: Any,
        has_batch: Any,
        limit: Any,
        divisible: Any,
        dollars: Any,
        best: Any,
    ) -> None:
        t, p, m, v, z, r = layout
        largest = len(has_batch) - 1
        group = p if v > 1 else 1
        unit = replicas * m * group  # sequences in a group of micro-batches on every replica
        groups = largest // unit if divisible else -(-largest // unit)
        while groups >= 1:
            top = min(largest, groups * unit)
            _, _, _, _, stage, memory, step, speed, price = metrics(first, top, t, p, m, v, z, r)
            if step > limit[1]:
                surplus = int((step - limit[1]) / (stage * group))
                groups -= max(1, surplus)
                continue
            if memory > limit[0]:
                # Beyond the depth of the pipeline, more micro-batches take no more memory.
                groups = min(groups, -(-p // group)) - 1
                continue
            value = price if dollars else -speed
            late = TRAINING_TOKENS / SECONDS_PER_DAY / speed > limit[3]
            if late or value >= best[-1]:
                if top == groups * unit:
                    break
                groups -= 1
                continue
            lowest = top if divisible else (groups - 1) * unit + 1
            for batch in range(top, lowest - 1, -1):
                speed = batch * SEQUENCE / step
                if TRAINING_TOKENS / SECONDS_PER_DAY / speed > limit[3]:
                    break
                if (
                    first * (USD_PER_NODE_HOUR / 3600 * 1e6) / speed if dollars else -speed
                ) >= best[-1]:
                    break
                if not has_batch[batch]:
                    continue
                for nodes in range(first, last + 1):
                    if has_nodes[nodes]:
                        found = metrics(nodes, batch, t, p, m, v, z, r)
                        keep(best, found[8] if dollars else -found[7])
            groups -= 1

    return load("numba").njit(error_model="numpy")(visit)


@cache
def _search() -> Callable[..., Any]:  # noqa: C901 - one loop nest
    """Compile the walk over layouts in the order of their bounds."""
    visit = _visit()

    def search(
        layouts: Any,
        rates: Any,
        has_nodes: Any,
        has_batch: Any,
        limit: Any,
        divisible: Any,
        dollars: Any,
        best: Any,
    ) -> int:
        visited = 0
        nodes = int(min(len(has_nodes) - 1, limit[2] / USD_PER_NODE_HOUR))
        needed = TRAINING_TOKENS / SECONDS_PER_DAY / limit[3] * (1 - _SLACK)
        for row in range(len(layouts)):
            width = layouts[row][0] * layouts[row][1]
            most = ACCELERATORS_PER_NODE * nodes // width
            if dollars:
                cheapest = width / ACCELERATORS_PER_NODE * (USD_PER_NODE_HOUR / 3600 * 1e6)
                if cheapest / rates[row] * (1 - _SLACK) > best[-1]:
                    continue
            visited += 1
            for replicas in range(most, 0, -1):
                fastest = replicas * rates[row]
                if fastest < needed or (not dollars and fastest < -best[-1]):
                    break
                first = -(-width * replicas // ACCELERATORS_PER_NODE)
                last = min(nodes, (width * (replicas + 1) - 1) // ACCELERATORS_PER_NODE)
                if divisible:
                    if ACCELERATORS_PER_NODE * first != width * replicas:
                        continue
                    last = first
                visit(
                    layouts[row], replicas, first, last, has_nodes, has_batch,
                    limit, divisible, dollars, best,
                )  # fmt: skip
        return visited

    return load("numba").njit(error_model="numpy")(search)


def solve(question: TrainingQuestion) -> Answer:
    """Search by what is known about the question.

    Parameters
    ----------
    question
        What is asked.
    """
    nodes, batch, layouts = nodes_batch_layouts(question)
    limit = limits(question)
    rates = np.zeros(len(layouts))
    _bounds()(layouts, limit, question.divisible, rates)
    layouts, rates = layouts[rates > 0], rates[rates > 0]
    # The same bound orders both objectives: tokens per second and accelerator.
    order = np.argsort(-rates / (layouts[:, 0] * layouts[:, 1]), kind="stable")
    best = empty_lists(1)
    visited = _search()(
        layouts[order], rates[order], _mask(nodes), _mask(batch), limit,
        question.divisible, question.minimizes_dollars, best[0],
    )  # fmt: skip
    answer = ranked(question, best)
    answer.details.update(layouts=math.prod(rates.shape), visited=visited)
    return answer


def _mask(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mark which numbers are among some values."""
    mask = np.zeros(values.max() + 1, dtype=np.bool_)
    mask[values] = True
    return mask
