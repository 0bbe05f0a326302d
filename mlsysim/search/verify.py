"""The judge: what one design is worth, by the evaluator on plain numbers.

Every design that any search returns has passed through `evaluate_point`; it
knows neither arrays nor solvers.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from mlsysim.errors import Infeasible, MetricError, UnitError
from mlsysim.problem.problem import INFEASIBLE, Problem
from mlsysim.problem.reading import Condition, Reading, conditions_of, read
from mlsysim.problem.space import Domain, SearchSpace
from mlsysim.problem.verdict import verdicts_of
from mlsysim.results.formatting import design
from mlsysim.units import magnitude, quantity

Evaluator = Callable[[dict[str, Any]], Any]

# Spaces of many choices are tried at so many designs, several choices at a time.
_MOST_EXTREMES = 64


@dataclass(frozen=True, kw_only=True)
class Point:
    """One design, evaluated on plain numbers.

    Parameters
    ----------
    params
        The design.
    result
        What the evaluator returned; `None` if it raised `Infeasible`.
    reading
        The numbers that the problem asks for; `None` where there are none.
    violated
        The requirements that the design breaks.
    broken
        The same with their reasons: pairs of requirement and reason.
    deferred
        Why an infeasible design has no reading, e.g. a metric that is missing.
    """

    params: Mapping[str, Any]
    result: Any
    reading: Reading | None
    violated: frozenset[str]
    broken: frozenset[tuple[str, str]]
    deferred: MetricError | None = None

    @property
    def is_feasible(self) -> bool:
        """Whether the design meets every requirement."""
        return not self.violated

    @property
    def objective(self) -> float:
        """The objective in its own unit; not a number where it has none."""
        if self.reading is None or not _is_finite(self.reading.objective):
            return math.nan
        return float(self.reading.objective)

    def objective_in(self, unit: str) -> float:
        """Give the objective in a unit.

        Raises
        ------
        UnitError
            If the objective is of another dimension.
        """
        own = self.reading.unit if self.reading is not None else unit
        if own == unit:
            return self.objective
        try:
            return float(magnitude(quantity(self.objective, own), unit))
        except UnitError as error:
            raise UnitError(
                f"the objective is in {unit or 'no unit'!r} for other designs, but in "
                f"{own or 'no unit'!r} at {design(self.params)}"
            ) from error


def evaluate_point(problem: Problem, evaluate: Evaluator, params: Mapping[str, Any]) -> Point:
    """Evaluate one design and say what it breaks.

    An exception of the evaluator propagates with a note that names the design;
    only `Infeasible` is a verdict.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator; it gets a dict of its own.
    params
        The design, plain values.

    Raises
    ------
    MetricError
        If a metric does not exist, or is not a finite number at a design that
        nothing else excludes.
    UnitError
        If a constraint compares different dimensions.
    """
    try:
        result = evaluate(dict(params))
    except Infeasible as verdict:
        return _impossible(params, None, {(INFEASIBLE, str(verdict))})
    except Exception as error:
        error.add_note(f"raised by the evaluator at the design {design(params)}")
        raise
    try:
        reading = read(problem, params, result)
    except MetricError as error:
        # A model may have no numbers for what it declares impossible.
        broken = _broken_verdicts(result)
        if not broken:
            error.add_note(f"at the design {design(params)}")
            raise
        return _impossible(params, result, broken, error)
    return _judged(problem, params, result, reading)


def extremes(space: SearchSpace) -> list[int]:
    """Pick designs that bring out values that a model refuses.

    Arrays and traced values pass by the checks that a model makes of single
    numbers, such as a batch that must be positive.  Each numeric choice is
    therefore tried at its least and greatest value, and at its first fraction,
    with the first value of every other choice; where that is too many designs,
    several choices are tried at once.

    Parameters
    ----------
    space
        The designs.

    Returns
    -------
    list of int
        Positions in the grid, each once.
    """
    found: dict[int, None] = {}
    stride = space.size
    for domain in space.domains:
        stride //= len(domain.values)
        if domain.is_numeric:
            for position in _extreme_positions(domain):
                found.setdefault(position * stride)
    tried = list(found)
    if len(tried) <= _MOST_EXTREMES:
        return tried
    # The extremes of one choice stand side by side, and so get into different sums.
    return list(dict.fromkeys(sum(tried[at::_MOST_EXTREMES]) for at in range(_MOST_EXTREMES)))


def _extreme_positions(domain: Domain) -> list[int]:
    values = domain.values
    if isinstance(values, range):
        return [0, len(values) - 1]
    fractions = (place for place, value in enumerate(values) if value != math.floor(value))
    ends = [values.index(min(values)), values.index(max(values))]
    return [*ends, *islice(fractions, 1)]


def _impossible(
    params: Mapping[str, Any],
    result: Any,
    broken: set[tuple[str, str]],
    deferred: MetricError | None = None,
) -> Point:
    return Point(
        params=params,
        result=result,
        reading=None,
        violated=frozenset(name for name, _ in broken),
        broken=frozenset(broken),
        deferred=deferred,
    )


def _broken_verdicts(result: Any) -> set[tuple[str, str]]:
    return {
        (condition.name, condition.reason)
        for condition in conditions_of(verdicts_of(result))
        if not _scalar(condition.holds, f"{condition.name}: {condition.reason}")
    }


def _judged(problem: Problem, params: Mapping[str, Any], result: Any, reading: Reading) -> Point:
    broken = set()
    doubtful = []
    for condition in reading.conditions:
        if not _is_defined(condition):
            doubtful.append(condition)
        elif not _scalar(condition.holds, f"{condition.name}: {condition.reason}"):
            broken.add((condition.name, condition.reason))
    objective = _scalar(reading.objective, problem.objective.metric)
    if not broken:
        if doubtful:
            raise _undefined(doubtful[0], params)
        if not _is_finite(objective):
            raise MetricError(
                f"the objective {problem.objective.metric} is {objective} at the design "
                f"{design(params)}; return a finite number, or raise Infeasible where there is none"
            )
    broken |= {(condition.name, condition.reason) for condition in doubtful}
    return Point(
        params=params,
        result=result,
        reading=reading,
        violated=frozenset(name for name, _ in broken),
        broken=frozenset(broken),
    )


def _is_defined(condition: Condition) -> bool:
    sides = (condition.left, condition.right)
    if condition.relation is None or isinstance(condition.left, str):
        return True
    return all(_is_finite(_scalar(side, condition.reason)) for side in sides)


def _is_finite(value: Any) -> bool:
    try:
        return not isinstance(value, complex) and math.isfinite(value)
    except OverflowError:  # an int beyond the range of floats
        return False


def _undefined(condition: Condition, params: Mapping[str, Any]) -> MetricError:
    left, right = condition.left, condition.right
    return MetricError(
        f"{condition.name!r} compares {left} with {right} at the design {design(params)}; "
        "both must be finite numbers: return some, or raise Infeasible where there are none"
    )


def _scalar(value: Any, what: str) -> Any:
    """Insist on one number (or truth value) in the plain reading."""
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise MetricError(
                f"{what} is an array of shape {value.shape} at one design; "
                "return one number, e.g. its sum or its largest element"
            )
        return value.item()
    return value.item() if isinstance(value, np.generic) else value
