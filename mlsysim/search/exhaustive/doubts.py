"""Find the points of a block that only plain numbers can judge.

Arrays and plain numbers agree to the last bits, not always in the last bit:
NumPy's powers and logarithms are not those of Python.  A point where the two
sides of a condition are that close, or are not finite numbers, is doubtful.
"""

from dataclasses import replace

import numpy as np

from mlsysim.problem.reading import Condition
from mlsysim.search.exhaustive.block_reading import BlockReading, Booleans

CLOSE = 1e-9
"""The relative difference within which two sides may be equal."""

_WHOLE = 2.0**53
"""Up to here whole numbers in floats are exact, so that comparing them is, too."""


def undefined(reading: BlockReading) -> tuple[BlockReading, Booleans]:
    """Find the points that have numbers that are not finite and are not excluded otherwise.

    Returns
    -------
    tuple
        The reading, in which what is not finite counts as broken; and the
        points for which the plain evaluator has to be asked.
    """
    size = len(reading.objective)
    sure = np.zeros(size, dtype=np.bool_)
    unclear = np.zeros(size, dtype=np.bool_)
    all_hold = np.ones(size, dtype=np.bool_)
    conditions = []
    for condition in reading.conditions:
        defined = _defined(condition)
        if defined is None or defined.all():
            sure |= ~condition.holds
            all_hold &= condition.holds
            conditions.append(condition)
        else:
            sure |= defined & ~condition.holds
            unclear |= ~defined
            holds = condition.holds & defined
            all_hold &= holds
            conditions.append(replace(condition, holds=holds))
    unclear &= ~sure
    finite = np.logical_and.reduce([np.isfinite(v) for v in (reading.objective, *reading.others)])
    if not finite.all():
        unclear |= all_hold & ~finite
    return replace(reading, conditions=tuple(conditions)), unclear


def near_equality(reading: BlockReading) -> Booleans:
    """Find the points at which the sides of some condition may or may not be equal."""
    near = np.zeros(len(reading.objective), dtype=np.bool_)
    for condition in reading.conditions:
        if condition.relation is None:
            continue
        left, right = condition.left, condition.right
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(left - right) <= CLOSE * np.abs(right)
        if close.any() and not (_whole(left) and _whole(right)):
            near |= close
    return near


def _defined(condition: Condition) -> Booleans | None:
    if condition.relation is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        # Of two finite sides the difference is finite, short of an overflow.
        return np.isfinite(condition.left - condition.right)


def _whole(side: np.ndarray) -> bool:
    return bool((np.abs(side) <= _WHOLE).all() and (side == np.floor(side)).all())
