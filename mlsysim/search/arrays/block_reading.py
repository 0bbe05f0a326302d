"""Evaluate a whole block of designs in one call."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.errors import Infeasible
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import Condition, read
from mlsysim.search.arrays.layout import GridBlock
from mlsysim.search.arrays.others import Others
from mlsysim.search.verify import Evaluator
from mlsysim.units import magnitude, quantity

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


class NotVectorisedError(Exception):
    """A block cannot be evaluated in one call; the message says why."""


class BlockInfeasibleError(Exception):
    """The evaluator raised `Infeasible` for arrays; the message is its reason."""


@dataclass(frozen=True, kw_only=True)
class BlockReading:
    """The numbers of a block.

    Parameters
    ----------
    objective
        In the unit of the whole search.
    conditions
        Constraints and checks; ``holds`` is an array of truth values, the sides
        are arrays or single numbers.
    unit
        The unit of the objective.
    others
        The other objectives of a front, in the units of the whole search.
    """

    objective: Floats
    conditions: tuple[Condition, ...]
    unit: str
    others: tuple[Floats, ...] = ()


def read_block(
    problem: Problem, evaluate: Evaluator, block: GridBlock, unit: str | None, others: Others
) -> BlockReading:
    """Evaluate a block.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    block
        The designs.
    unit
        The unit of the objective, where a design has settled it.
    others
        The other objectives of a front.

    Raises
    ------
    NotVectorisedError
        If the evaluator fails on arrays, or returns anything but one number per
        design.  Whether that is a fault of the evaluator, plain numbers tell.
    BlockInfeasibleError
        If the evaluator raises `Infeasible`.
    """
    size = block.size
    try:
        with np.errstate(all="ignore"):
            # The evaluator may change what it gets, so the reading has its own.
            result = evaluate(block.params())
            reading = read(problem, block.params(), result)
            objective = _one_each(reading.objective, size, problem.objective.metric)
            unit = reading.unit if unit is None else unit
            if reading.unit != unit:
                objective = magnitude(quantity(objective, reading.unit), unit)
            further = [
                _one_each(value, size, metric)
                for metric, value in others.of_result(block.params(), result)
            ]
    except Infeasible as verdict:
        raise BlockInfeasibleError(str(verdict)) from None
    except NotVectorisedError:
        raise
    except Exception as error:  # foreign code; the plain reading will tell
        text = f"{type(error).__name__}: {error}"
        raise NotVectorisedError(text.partition("\n")[0]) from error
    return BlockReading(
        objective=objective,
        unit=unit,
        others=tuple(further),
        conditions=tuple(_normalised(condition, size) for condition in reading.conditions),
    )


def _normalised(condition: Condition, size: int) -> Condition:
    holds = np.asarray(condition.holds)
    if holds.shape not in ((), (size,)) or holds.dtype.kind not in "bfiu":
        raise _misshapen(f"{condition.name}: {condition.reason}", holds)
    # What is neither true nor false does not hold.
    holds = np.broadcast_to(np.isfinite(holds) & (holds != 0), (size,))
    sides = (condition.left, condition.right)
    if condition.relation is None or any(isinstance(side, str) for side in sides):
        return replace(condition, holds=holds, left=None, relation=None, right=None)
    left, right = (_side(side, size, condition.reason) for side in sides)
    return replace(condition, holds=holds, left=left, right=right)


def _side(value: Any, size: int, what: str) -> Floats:
    array = np.asarray(value)
    if array.shape not in ((), (size,)) or array.dtype.kind not in "bfiu":
        raise _misshapen(what, array)
    return array.astype(np.float64, copy=False)


def _one_each(value: Any, size: int, what: str) -> Floats:
    return np.broadcast_to(_side(value, size, what), (size,))


def _misshapen(what: str, array: Any) -> NotVectorisedError:
    kind = f"type {array.dtype}" if array.dtype.kind not in "bfiu" else f"shape {array.shape}"
    return NotVectorisedError(f"{what} came back from arrays with {kind}")
