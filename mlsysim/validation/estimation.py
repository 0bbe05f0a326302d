"""Fit constants to measured rows, say how sure they are, and leave sources out in turn.

Constants are positive, and fitted by their logarithms θ.  The loss is

    Σ w |ln(predicted / measured)| / s + ½ |A θ - b|²

with the scale s of errors that cannot be explained.  A source of n rows of weight 1 weighs as much
as √n rows, so that no single one sets the constants; a row that is wrong by more than a factor of
two ran something else than its columns tell, and hardly counts.  The second term is what is known
before any row: constants of one family of accelerators differ from those of the others by so
much.  Families and runtimes of few rows borrow from the others in this way.

The minimum is found by Gauss and Newton's method with weights 1/|r|.  Without one of the sources it
is found from there by the same derivatives, and the rows left out are then predicted exactly.
How far constants move when sources are left out is their error bar (the jackknife, Efron and
Stein 1981), or what the curvature of the loss leaves open, where that is more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.bool_]

_SCALE = 0.045
_LEAST = 0.02
_FAR = np.log(2.0)
_FAR_WEIGHT = 0.03
_ROUNDS = 4
_REWEIGHTINGS = 40
_LARGEST_STEP = 0.4
_SETTLED = 1e-5


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """Rows and constants.

    Parameters
    ----------
    start
        Logarithms of the constants to begin with.
    prior, expected
        The matrix A and the vector b of what is known before.
    groups, weights
        The source of each row, and what it counts.
    distances
        Gives ln(predicted / measured) of times for each row, and its derivatives by the
        constants; of some rows only where these are told.
    """

    start: Array
    prior: Array
    expected: Array
    groups: Sequence[str]
    weights: Array
    distances: Callable[[Array, Rows], tuple[Array, Array]]

    @property
    def everything(self) -> Rows:
        """All rows."""
        return np.ones(len(self.groups), np.bool_)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What was fitted.

    Parameters
    ----------
    constants
        Logarithms of the constants.
    fitted, derivatives
        The distances of the rows at the constants, and their derivatives.
    """

    constants: Array
    fitted: Array
    derivatives: Array


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What becomes of constants and rows when each source is left out in turn.

    Parameters
    ----------
    distances
        ln(predicted / measured) of each row by constants fitted without its source.
    constants
        Source -> logarithms of the constants fitted without it.
    errors
        Standard errors of the logarithms.
    """

    distances: Array
    constants: Mapping[str, Array]
    errors: Array


def estimate(task: FitTask) -> Estimate:
    """Find the constants of least loss."""
    constants = task.start
    distances, derivatives = task.distances(constants, task.everything)
    for _ in range(_ROUNDS):
        step = _step(task, constants, distances, derivatives, task.everything)
        constants = constants + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        distances, derivatives = task.distances(constants, task.everything)
    return Estimate(constants=constants, fitted=distances, derivatives=derivatives)


def left_out(task: FitTask, found: Estimate) -> LeftOut:
    """Fit without each source in turn, and predict its rows."""
    groups = np.array(task.groups)
    distances = np.empty(len(groups))
    constants: dict[str, Array] = {}
    for group in dict.fromkeys(task.groups):
        own = groups == group
        step = _step(task, found.constants, found.fitted, found.derivatives, ~own)
        constants[group] = found.constants + step
        distances[own] = task.distances(constants[group], own)[0][own]
    moved = np.array(list(constants.values())) - found.constants
    jackknife = np.sqrt((len(moved) - 1) / len(moved) * np.sum(moved**2, axis=0))
    # What one source alone determines does not tell by moving how sure it is.
    errors = np.maximum(jackknife, uncertainty(task, found))
    return LeftOut(distances=distances, constants=constants, errors=errors)


def uncertainty(task: FitTask, found: Estimate) -> Array:
    """Give standard errors of the logarithms where there is one source: by the curvature."""
    weights = _shared_out(task, task.everything)
    counted = weights * _robust(np.abs(found.fitted))
    curvature = found.derivatives.T @ (counted[:, None] * found.derivatives) / _SCALE
    return np.sqrt(np.diag(np.linalg.inv(curvature + task.prior.T @ task.prior)))


def _robust(distances: Array) -> Array:
    """Weigh rows such that squares count as absolute values, and what is far off hardly."""
    weights: Array = np.where(distances > _FAR, _FAR_WEIGHT, 1.0)
    return weights / np.maximum(distances, _LEAST)


def _step(
    task: FitTask, constants: Array, distances: Array, derivatives: Array, kept: Rows
) -> Array:
    """Find the step to the least loss of some rows, distances being linear."""
    weights = _shared_out(task, kept)
    beyond = task.prior @ constants - task.expected
    step: Array = np.zeros_like(constants)
    for _ in range(_REWEIGHTINGS):
        counted = weights * _robust(np.abs(distances + derivatives @ step))
        curvature = derivatives.T @ (counted[:, None] * derivatives) / _SCALE
        slope = derivatives.T @ (counted * distances) / _SCALE
        known = curvature + task.prior.T @ task.prior
        found: Array = -np.linalg.solve(known, slope + task.prior.T @ beyond)
        settled = float(np.abs(found - step).max()) < _SETTLED
        step = found
        if settled:
            break
    return step


def _shared_out(task: FitTask, kept: Rows) -> Array:
    """Weigh the rows that are kept: those of a source by the root of their sum."""
    groups = np.array(task.groups)
    weights: Array = np.where(kept, task.weights, 0.0)
    for group in dict.fromkeys(task.groups):
        own = groups == group
        total = weights[own].sum()
        weights[own] /= np.sqrt(max(total, 1e-12))
    return weights
