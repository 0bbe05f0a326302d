"""Find the points of a block that only plain numbers can judge.

Arrays and plain numbers agree to the last bits, not always in the last bit:
NumPy's powers and logarithms are not those of Python.  A point where the two
sides of a condition are that close is doubtful.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import UNDEFINED
from mlsysim.problem.reading import Condition
from mlsysim.search.arrays.block_reading import BlockReading, Booleans
from mlsysim.search.verify import undefined

_WHOLE = 2.0**53
"""Up to here whole numbers in floats are exact, so that comparing them is, too."""


def defined(reading: BlockReading, metrics: Sequence[str]) -> tuple[BlockReading, Booleans]:
    """Take every comparison with what is not finite for broken, and every objective for needed.

    Parameters
    ----------
    reading
        A block.
    metrics
        The objectives, by name: the first one, then those of a front.

    Returns
    -------
    tuple
        The reading, with one more condition for each objective that is not
        finite everywhere; and the points that nothing else excludes.
    """
    size = len(reading.objective)
    broken = np.zeros(size, dtype=np.bool_)
    unknown = np.zeros(size, dtype=np.bool_)
    conditions = []
    for condition in reading.conditions:
        finite = _finite(condition)
        if finite is None or finite.all():
            broken |= ~condition.holds
            conditions.append(condition)
        else:
            broken |= finite & ~condition.holds
            unknown |= ~finite
            conditions.append(replace(condition, holds=condition.holds & finite))
    for metric, values in zip(metrics, (reading.objective, *reading.others), strict=True):
        finite = np.isfinite(values)
        if not finite.all():
            unknown |= ~finite
            conditions.append(Condition(name=UNDEFINED, reason=undefined(metric), holds=finite))
    return replace(reading, conditions=tuple(conditions)), unknown & ~broken


def near_equality(reading: BlockReading) -> Booleans:
    """Find the points at which the sides of some condition may or may not be equal."""
    near = np.zeros(len(reading.objective), dtype=np.bool_)
    for condition in reading.conditions:
        if condition.relation is None:
            continue
        left, right = condition.left, condition.right
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(left - right) <= TOLERANCE * np.abs(right)
        if close.any() and not (_whole(left) and _whole(right)):
            near |= close
    return near


def _finite(condition: Condition) -> Booleans | None:
    if condition.relation is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        # Of two finite sides the difference is finite, short of an overflow.
        return np.isfinite(condition.left - condition.right)


def _whole(side: np.ndarray) -> bool:
    return bool((np.abs(side) <= _WHOLE).all() and (side == np.floor(side)).all())
