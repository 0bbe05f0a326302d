"""The answer to a question."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.errors import InfeasibleError, NoAnswerError, UnknownNameError, suggest
from mlsysim.results.candidate import Candidate
from mlsysim.results.explanation import explain
from mlsysim.results.jsonable import jsonable
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.rendering import as_html, as_text
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status

_KEYS = ("best_params", "best_objective", "best_result", "top_candidates")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SearchResult(Mapping[str, Any]):
    """The answer, with its proof; also a mapping of the tutorial's four keys.

    Parameters
    ----------
    status
        How the search ended.
    objective
        The objective in text.
    unit
        The unit of every objective value.
    top_candidates
        The best designs, best first; ties stand in the order of the grid.
    bound
        No design is better than this; `None` where nothing is known.
    gap
        How far the best design may be from the bound, relative to the design.
    method
        ``"cp-sat"``, ``"branch-and-bound"``, ``"exhaustive"`` or ``"reference"``.
    statistics
        What the search did.
    conflict
        Of an infeasible result: a minimal set of requirements that exclude
        every design.
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
    objective: str
    method: str
    statistics: Statistics
    unit: str = ""
    top_candidates: tuple[Candidate, ...] = ()
    bound: float | None = None
    gap: float | None = None
    conflict: tuple[str, ...] = ()
    conflict_is_minimal: bool = True
    conflict_reasons: Mapping[str, str] = field(default_factory=dict)
    relaxations: tuple[Relaxation, ...] = ()
    unfinished: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Any:
        if key not in _KEYS:
            raise UnknownNameError(f"a result has no {key!r}{suggest(str(key), _KEYS)}")
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        # Asking whether a key exists must not raise where the value does not.
        return key in _KEYS

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __len__(self) -> int:
        return len(_KEYS)

    def __bool__(self) -> bool:
        """Whether a design was found."""
        return bool(self.top_candidates)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def best(self) -> Candidate:
        """The best design.

        Raises
        ------
        InfeasibleError
            If it is proven that there is none; the message explains why.
        NoAnswerError
            If none was found before the search was stopped.
        """
        if self.top_candidates:
            return self.top_candidates[0]
        if self.status is Status.INFEASIBLE:
            raise InfeasibleError(self.explanation)
        stopped = self.statistics.stopped_by or "a limit"
        raise NoAnswerError(
            f"the search was stopped by {stopped} before it found a feasible design; "
            "allow more time, e.g. time_limit=60"
        )

    @property
    def best_params(self) -> Mapping[str, Any]:
        """The choices of the best design; raises as `best` does."""
        return self.best.params

    @property
    def best_objective(self) -> float:
        """The objective of the best design, in its own unit; raises as `best` does."""
        return self.best.objective_value

    @property
    def best_result(self) -> Any:
        """What the evaluator returned for the best design; raises as `best` does."""
        return self.best.result

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
        """Give the result as data that JSON can hold; quantities keep their units."""
        best = self.top_candidates[0].to_dict() if self.top_candidates else None
        return {
            "status": self.status.value,
            "objective": self.objective,
            "unit": self.unit,
            "best_params": best and best["params"],
            "best_objective": best and best["objective_value"],
            "best_result": best and best["result"],
            "top_candidates": [candidate.to_dict() for candidate in self.top_candidates],
            "bound": jsonable(self.bound),
            "gap": jsonable(self.gap),
            "method": self.method,
            "statistics": jsonable(self.statistics),
            "conflict": list(self.conflict),
            "conflict_is_minimal": self.conflict_is_minimal,
            "conflict_reasons": dict(self.conflict_reasons),
            "relaxations": [item.to_dict() for item in self.relaxations],
            "unfinished": list(self.unfinished),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """Give the result as JSON text.

        Parameters
        ----------
        indent
            Spaces per level; `None` for one line.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def __repr__(self) -> str:
        best = f" {self.top_candidates[0].objective_value!r}" if self.top_candidates else ""
        return f"<SearchResult {self.status}{best} by {self.method}>"

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def relative_gap(best: float, bound: float) -> float:
    """Give the gap between a design and a bound, relative to the design.

    ``|best - bound| / |best|``; the absolute difference where best is zero.
    """
    return abs(best - bound) / (abs(best) or 1.0)
