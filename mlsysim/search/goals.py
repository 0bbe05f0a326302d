"""Several objectives of one question, and the front that judged designs make.

Like `mlsysim.search.verify` it knows neither arrays nor solvers: whichever way
a front was found, its points are judged and sorted out here on plain numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.errors import ObjectiveError
from mlsysim.problem.objective import Objective
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import ParetoPoint
from mlsysim.search.verify import Evaluator, Point, evaluate_point

Array = NDArray[np.float64]

_FEWEST = 2

# So many rows at once are compared with those of the front.
_PART = 256

# Values are compared in so many binary digits, nine or ten decimal ones: what
# differs in rounding only is equal, and being equal is transitive.
DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Goals:
    """The same question once for each objective.

    Parameters
    ----------
    problems
        They differ in their objectives alone.
    """

    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, problem: Problem, objectives: Sequence[str]) -> "Goals":
        """Build the goals of a Pareto front from what a user writes.

        Parameters
        ----------
        problem
            Space and constraints; its objective is not used.
        objectives
            Two or more, each ``"maximize: <metric>"`` or ``"minimize: <metric>"``.

        Raises
        ------
        ObjectiveError
            If there are fewer than two, one is malformed, or a metric comes twice.
        """
        if isinstance(objectives, str) or not isinstance(objectives, Iterable):
            raise ObjectiveError(
                f"the objectives are a {type(objectives).__name__}; write a list: "
                f"objectives=[{str(objectives)!r}, 'minimize: ...']"
            )
        parsed = [Objective.parse(text) for text in objectives]
        if len(parsed) < _FEWEST:
            given = repr(parsed[0].text) if parsed else "no objective"
            raise ObjectiveError(
                f"a Pareto front needs two objectives or more, but got {given}; "
                "for a single one use search"
            )
        seen: dict[str, Objective] = {}
        for objective in parsed:
            other = seen.setdefault(objective.metric, objective)
            if other is not objective:
                raise ObjectiveError(
                    f"the objectives {other.text!r} and {objective.text!r} are about the same "
                    "metric; leave one out"
                )
        return cls(problems=tuple(replace(problem, objective=item) for item in parsed))

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is to be minimised or maximised."""
        return tuple(problem.objective for problem in self.problems)

    @property
    def signs(self) -> tuple[int, ...]:
        """The factors that make every objective one to be minimised."""
        return tuple(objective.sense.sign for objective in self.objectives)

    def judge(self, evaluate: Evaluator, params: Mapping[str, Any]) -> tuple[Point, ...]:
        """Evaluate one design on plain numbers, once.

        Returns
        -------
        tuple of Point
            One per objective; only the first where the design is infeasible.
        """
        point = evaluate_point(self.problems[0], evaluate, params, self.objectives[1:])
        return (point, *self.others(point))

    def others(self, point: Point) -> tuple[Point, ...]:
        """Judge a design, which has every objective, by all but the first.

        Raises
        ------
        MetricError
            If an objective does not exist.
        """
        if not point.is_feasible:
            return ()
        return tuple(
            evaluate_point(problem, lambda _: point.result, point.params)
            for problem in self.problems[1:]
        )

    def front(
        self, judged: Mapping[int, Sequence[Point]], units: Sequence[str]
    ) -> tuple[ParetoPoint, ...]:
        """Sort out the designs that no other dominates.

        Parameters
        ----------
        judged
            Position in the grid -> the feasible design there, one point per objective.
        units
            The unit of each objective.

        Returns
        -------
        tuple of ParetoPoint
            One for each vector of objectives, the first in the grid; sorted by
            the first objective, best first.
        """
        places = sorted(judged)
        shape = (len(places), len(self.problems))
        values = np.array([vector(judged[place], units) for place in places]).reshape(shape)
        return tuple(
            ParetoPoint(
                params=dict(judged[places[row]][0].params),
                objective_values=tuple(values[row].tolist()),
                result=judged[places[row]][0].result,
            )
            for row in undominated(values * self.signs)
        )


def vector(points: Sequence[Point], units: Sequence[str]) -> list[float]:
    """Give the objectives of a design in their units."""
    return [point.objective_in(unit) for point, unit in zip(points, units, strict=True)]


def undominated(values: Array) -> list[int]:
    """Find the rows that no other dominates, one of each kind.

    A row dominates another if it is no greater in any value and less in one.
    Values that agree in 32 binary digits count as equal.

    Parameters
    ----------
    values
        One row per design, one column per objective, smaller is better; of
        equal rows the first is taken.
    """
    rounded = coarse(values)
    order = np.lexsort(rounded.T[::-1])
    ranked = rounded[order]
    # Sorted as they are, no row is dominated by, or equal to, a later one only.
    if values.shape[1] == _FEWEST:
        least = np.minimum.accumulate(ranked[:, 1])
        kept = np.ones(len(ranked), np.bool_)
        kept[1:] = ranked[1:, 1] < least[:-1]
        return [int(row) for row in order[kept]]
    front = ranked[:0]
    rows: list[int] = []
    for start in range(0, len(ranked), _PART):
        part = np.arange(start, min(start + _PART, len(ranked)))
        part = part[~_no_better(ranked[part], front).any(axis=1)]
        part = part[~np.tril(_no_better(ranked[part], ranked[part]), -1).any(axis=1)]
        front = np.concatenate([front, ranked[part]])
        rows += order[part].tolist()
    return rows


def _no_better(values: Array, than: Array) -> NDArray[np.bool_]:
    """Tell for each row of values which of the others are no greater in any column."""
    return np.logical_and.reduce(
        [other[None, :] <= own[:, None] for own, other in zip(values.T, than.T, strict=True)]
    )


def coarse(values: Array) -> Array:
    """Round values to the digits in which they are compared; order is kept."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(mantissa, DIGITS)), exponent - DIGITS)
