"""The answer to a question with several objectives: the Pareto front."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from mlsysim.errors import UnknownNameError, suggest
from mlsysim.results.explanation import explain
from mlsysim.results.jsonable import jsonable
from mlsysim.results.pareto_rendering import front_as_html, front_as_text
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status

_KEYS = ("params", "objective_values", "result")


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoPoint(Mapping[str, Any]):
    """A design of a front, re-evaluated on plain numbers; also a mapping of its three parts.

    Parameters
    ----------
    params
        Choice -> value.
    objective_values
        The objectives in their order, each in its own unit.
    result
        What the evaluator returned.
    """

    params: Mapping[str, Any]
    objective_values: tuple[float, ...]
    result: Any

    def __getitem__(self, key: str) -> Any:
        if key not in _KEYS:
            raise UnknownNameError(f"a point of a front has no {key!r}{suggest(str(key), _KEYS)}")
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __len__(self) -> int:
        return len(_KEYS)

    def to_dict(self) -> dict[str, Any]:
        """Give the point as data that JSON can hold."""
        return {key: jsonable(self[key]) for key in _KEYS}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ParetoFront(Sequence[ParetoPoint]):
    """The designs that no other dominates; also the sequence of them.

    A design dominates another if it is at least as good in every objective and
    better in one.  ``OPTIMAL`` means that the front is complete: every
    design of the space that meets the requirements is dominated by one of the
    points, or has the objectives of one.  ``FEASIBLE`` means that a limit came
    first: points may be missing, and those missing may dominate some of these.

    Parameters
    ----------
    status
        How the search ended.
    objectives
        The objectives in text.
    units
        Their units.
    points
        One design for each vector of objectives, the best by the first objective first.
    method
        ``"cp-sat"``, ``"branch-and-bound"``, ``"exhaustive"`` or ``"reference"``.
    statistics
        What the search did.
    conflict
        Of an infeasible result: a minimal set of requirements that exclude every design.
    conflict_reasons
        Member of the conflict -> the constraint's text, or the verdict's reasons.
    conflict_is_minimal
        Whether it is known that no member of the conflict can be left out.
    relaxations
        What each member of the conflict would have to become.
    unfinished
        What a limit has cut short, in words; `statistics` has which limit.
    """

    status: Status
    objectives: tuple[str, ...]
    units: tuple[str, ...]
    method: str
    statistics: Statistics
    points: tuple[ParetoPoint, ...] = ()
    conflict: tuple[str, ...] = ()
    conflict_is_minimal: bool = True
    conflict_reasons: Mapping[str, str] = field(default_factory=dict)
    relaxations: tuple[Relaxation, ...] = ()
    unfinished: tuple[str, ...] = ()

    @overload
    def __getitem__(self, place: int) -> ParetoPoint: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[ParetoPoint, ...]: ...

    def __getitem__(self, place: int | slice) -> ParetoPoint | tuple[ParetoPoint, ...]:
        return self.points[place]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def explanation(self) -> str:
        """Why no design exists; empty unless the result is infeasible."""
        if self.status is not Status.INFEASIBLE:
            return ""
        size = self.statistics.grid_size
        return explain(
            size,
            self.conflict,
            self.conflict_reasons,
            self.relaxations,
            is_minimal=self.conflict_is_minimal,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the front as data that JSON can hold; quantities keep their units."""
        return {
            "status": self.status.value,
            "objectives": list(self.objectives),
            "units": list(self.units),
            "points": [point.to_dict() for point in self.points],
            "method": self.method,
            "statistics": jsonable(self.statistics),
            "conflict": list(self.conflict),
            "conflict_is_minimal": self.conflict_is_minimal,
            "conflict_reasons": dict(self.conflict_reasons),
            "relaxations": [item.to_dict() for item in self.relaxations],
            "unfinished": list(self.unfinished),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """Give the front as JSON text.

        Parameters
        ----------
        indent
            Spaces per level; `None` for one line.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def __repr__(self) -> str:
        return f"<ParetoFront {self.status} of {len(self.points)} points by {self.method}>"

    def __str__(self) -> str:
        return front_as_text(self)

    def _repr_html_(self) -> str:
        return front_as_html(self)
