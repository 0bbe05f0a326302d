"""The judge: what one design is worth, by the evaluator on plain numbers.

Every design that any search returns has passed through `evaluate_point`; it
knows neither arrays nor solvers.

Undefined numbers
-----------------
A formula may have poles: a division by zero, the logarithm of nothing, an
overflow.  Every reading follows IEEE 754 there, so that such a number is
infinite or not a number, and what becomes of the design depends on whether
the number is *used*:

- A comparison, be it a constraint or a check of a model, holds only between two
  finite numbers.  Where a side is not finite the design does not meet it.
- A design whose objective is not finite breaks the requirement `UNDEFINED`.  A
  front asks this of each of its objectives.
- Nothing else matters: a metric that nobody asks for, and a value that a
  ``where`` leaves out, may be whatever they are.

A design at which a number that is used is undefined is thus no design, exactly
as if the question had said that the number must be finite.  The alternative
was an error at every such design that nothing else excludes.  But a proof
leaves out whole regions because something better is known, and would have to go
through each of them again in search of poles, while a walk meets them
all: the methods could only agree at the cost of walking the space.  So
they are told, never returned: a walk counts them
(`Statistics.undefined`), a conflict names them, and where the objective is
undefined at *every* design the question is mistaken, and a `MetricError` says so.

Plain numbers of Python raise where IEEE 754 goes on.  The evaluator is then
asked once more, with NumPy's floats for its numbers; only if it fails on
these too is the exception the evaluator's own, and propagates.

One thing stays open: a division by zero is infinite with the sign of the zero,
and whole numbers of Python have no negative zero (``-1 * 0``).  A formula
whose value depends on *which* infinity it meets has no meaning to rely on.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from mlsysim.errors import Infeasible, MetricError, UnitError
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.objective import Objective
from mlsysim.problem.problem import INFEASIBLE, UNDEFINED, Problem
from mlsysim.problem.reading import Condition, Reading, conditions_of, read, resolver
from mlsysim.problem.space import Domain, SearchSpace
from mlsysim.problem.verdict import verdicts_of
from mlsysim.results.formatting import design
from mlsysim.units import magnitude, quantity

Evaluator = Callable[[dict[str, Any]], Any]

# Spaces of many choices are tried at so many designs, several choices at a time.
_MOST_EXTREMES = 64

UNRELIABLE = (
    "the evaluator gives one design now one value and now another: it depends on something "
    "besides its arguments, such as random numbers, and nothing can be proven of that; draw them "
    "from a generator that is seeded anew at every call"
)
"""What is said of an evaluator that no method answers for."""


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
    is_undefined
        Whether it is infeasible for nothing but numbers that are not finite.
    """

    params: Mapping[str, Any]
    result: Any
    reading: Reading | None
    violated: frozenset[str]
    broken: frozenset[tuple[str, str]]
    deferred: MetricError | None = None
    is_undefined: bool = False

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


def undefined(metric: str) -> str:
    """Give the reason for which a design breaks `UNDEFINED`."""
    return f"the objective {metric} is not a finite number"


def nowhere_defined(problem: Problem, point: Point) -> MetricError:
    """Build the error for a question in which no design has an objective."""
    reasons = ", ".join(sorted(reason for name, reason in point.broken if name == UNDEFINED))
    value = "" if point.reading is None else f" ({point.reading.objective})"
    return MetricError(
        f"{reasons or undefined(problem.objective.metric)} at any design, e.g. at "
        f"{design(point.params)}{value}; return a finite number, or raise Infeasible where there "
        "is none"
    )


def evaluate_point(
    problem: Problem,
    evaluate: Evaluator,
    params: Mapping[str, Any],
    others: Sequence[Objective] = (),
) -> Point:
    """Evaluate one design and say what it breaks.

    An exception of the evaluator propagates with a note that names the design;
    only `Infeasible` is a verdict.

    Raises
    ------
    MetricError
        If a metric does not exist at a design that no model declares impossible.
    UnitError
        If a constraint compares different dimensions.
    """
    try:
        result = _evaluated(evaluate, params)
    except Infeasible as verdict:
        return _impossible(params, None, {(INFEASIBLE, str(verdict))})
    except Exception as error:
        error.add_note(f"raised by the evaluator at the design {design(params)}")
        raise
    try:
        reading = read(problem, params, result)
        objectives = {problem.objective.metric: reading.objective}
        for other in others:
            objectives[other.metric], _ = other.value(resolver(params, result))
    except MetricError as error:
        # A model may have no numbers for what it declares impossible.
        broken = _broken_verdicts(result)
        if not broken:
            error.add_note(f"at the design {design(params)}")
            raise
        return _impossible(params, result, broken, error)
    return _judged(params, result, reading, objectives)


def _evaluated(evaluate: Evaluator, params: Mapping[str, Any]) -> Any:
    """Evaluate on plain numbers; where these have no value, as IEEE 754 has it."""
    try:
        return evaluate(dict(params))
    except Exception as error:
        if not isinstance(error, ArithmeticError) and "complex" not in str(error):
            raise
        floats = {name: _as_float(value) for name, value in params.items()}
        try:
            with np.errstate(all="ignore"):
                return evaluate(floats)
        except Infeasible:
            raise
        except Exception:  # noqa: BLE001 - it fails on arrays, too: the first error is the user's
            raise error from None


def _as_float(value: Any) -> Any:
    return np.float64(value) if isinstance(value, (bool, int, float)) else value


def extremes(space: SearchSpace) -> list[int]:
    """Pick designs that bring out values that a model refuses.

    Arrays and traced values pass by the checks that a model makes of single
    numbers, such as a batch that must be positive.  Each numeric choice is
    therefore tried at its least and greatest value, and at its first fraction,
    with the first value of every other choice; where that is too many designs,
    several choices are tried at once.
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
    ends = [values.index(min(values)), values.index(max(values))]
    if domain.is_integer:
        return ends
    fractions = (place for place, value in enumerate(values) if value != math.floor(value))
    return [*ends, *islice(fractions, 1)]


def refuse_random(problem: Problem, evaluate: Evaluator, point: Point) -> None:
    """Evaluate a design once more, and insist on the same.

    Nothing can be proven of an evaluator that gives one design different values:
    no method answers then.

    Raises
    ------
    MetricError
        If the design has another objective now, or breaks other requirements.
    """
    again = evaluate_point(problem, evaluate, point.params)
    values = (point.objective, again.objective)
    same = math.isclose(*values, rel_tol=TOLERANCE) or all(map(math.isnan, values))
    # Of a front the point may lack another objective than that of the problem.
    if not same or (point.violated ^ again.violated) - {UNDEFINED}:
        raise MetricError(f"{UNRELIABLE} (at the design {design(point.params)})")


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


def _judged(
    params: Mapping[str, Any], result: Any, reading: Reading, objectives: Mapping[str, Any]
) -> Point:
    broken = set()
    unknown = {
        (UNDEFINED, undefined(metric))
        for metric, value in objectives.items()
        if not _is_finite(_scalar(value, metric))
    }
    for condition in reading.conditions:
        told = (condition.name, condition.reason)
        if not _is_defined(condition):
            unknown.add(told)
        elif not _scalar(condition.holds, ": ".join(told)):
            broken.add(told)
    both = broken | unknown
    return Point(
        params=params,
        result=result,
        reading=reading,
        violated=frozenset(name for name, _ in both),
        broken=frozenset(both),
        is_undefined=bool(unknown) and not broken,
    )


def _is_defined(condition: Condition) -> bool:
    what = f"{condition.name}: {condition.reason}"
    if condition.relation is None:
        return not isinstance(condition.holds, float) or _is_finite(_scalar(condition.holds, what))
    sides = (condition.left, condition.right)
    return all(_is_finite(_scalar(side, what)) for side in sides)


def _is_finite(value: Any) -> bool:
    try:
        return not isinstance(value, complex) and math.isfinite(value)
    except OverflowError:  # an int beyond the range of floats
        return False


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
