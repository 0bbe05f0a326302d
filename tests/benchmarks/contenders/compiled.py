"""The formula and a list of the best designs, compiled by numba."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from benchmarks.answer import TOP, Answer
from benchmarks.optional import load
from benchmarks.questions import TrainingQuestion
from benchmarks.training import MEMORY, Functions, formula

from mlsysim.results.status import Status

EMPTY = math.inf


def _where(condition: bool, yes: float, no: float) -> float:  # noqa: FBT001
    return yes if condition else no


@cache
def compiled_formula() -> Callable[..., tuple[Any, ...]]:
    """Compile the formula on plain numbers."""
    njit = load("numba").njit
    ceil = njit(lambda value: float(np.ceil(value)))
    floor = njit(lambda value: float(np.floor(value)))
    maximum = njit(lambda one, other: max(other, one))
    minimum = njit(lambda one, other: min(other, one))
    functions = Functions(
        ceil=ceil, floor=floor, maximum=maximum, minimum=minimum, where=njit(_where)
    )
    return njit(error_model="numpy")(formula(functions))


def keep(best: np.ndarray[Any, Any], value: float) -> None:
    """Put a value into an ascending list if it is among the least."""
    place = len(best) - 1
    if value >= best[place]:
        return
    while place > 0 and best[place - 1] > value:
        best[place] = best[place - 1]
        place -= 1
    best[place] = value


@cache
def compiled_keep() -> Callable[..., None]:
    """Compile `keep`."""
    return load("numba").njit(keep)


def nodes_batch_layouts(question: TrainingQuestion) -> tuple[np.ndarray[Any, Any], ...]:
    """Give nodes, batches, and every combination of the other choices, one per row."""
    nodes, batch, *others = (np.array(values) for values in question.space.values())
    grid = np.meshgrid(*others, indexing="ij")
    return nodes, batch, np.stack([axis.ravel() for axis in grid], axis=1)


def limits(question: TrainingQuestion) -> tuple[float, float, float, float]:
    """Give the limits on memory, step time, dollars per hour and days."""
    return (MEMORY, question.step_time, question.usd_per_hour, question.days)


def empty_lists(count: int) -> np.ndarray[Any, Any]:
    """Give lists of the best values that have none yet."""
    return np.full((count, TOP), EMPTY)


def ranked(question: TrainingQuestion, best: np.ndarray[Any, Any]) -> Answer:
    """Give the best of some lists as an answer."""
    sign = 1.0 if question.minimizes_dollars else -1.0
    values = np.sort(best, axis=None)[:TOP]
    found = tuple(sign * value for value in values[np.isfinite(values)].tolist())
    return Answer(status=Status.OPTIMAL if found else Status.INFEASIBLE, objectives=found)
