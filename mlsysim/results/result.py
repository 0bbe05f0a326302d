"""The answer to a question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from mlsysim.errors import InfeasibleError, NoAnswerError, UnknownNameError, suggest
from mlsysim.frames import Tabular
from mlsysim.problem.domain import label
from mlsysim.results.answer import Answer
from mlsysim.results.blocks import Headline
from mlsysim.results.candidate import Candidate, Result, frame_of
from mlsysim.results.formatting import gap, number, with_unit
from mlsysim.results.jsonable import jsonable
from mlsysim.results.rendering import headline
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlsysim.results.margin import MarginCost

_KEYS = ("best_params", "best_objective", "best_result", "top_candidates")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SearchResult(Answer, Tabular, Mapping[str, Any], Generic[Result]):
    """The answer, with its proof; also a mapping of the tutorial's four keys.

    The other fields are those of `Answer`.

    Parameters
    ----------
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
    margin
        What the margins of constraints with a confidence cost; None where none has one.
    """

    objective: str
    unit: str = ""
    top_candidates: tuple[Candidate[Result], ...] = ()
    bound: float | None = None
    gap: float | None = None
    margin: "MarginCost | None" = None

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
    def best(self) -> Candidate[Result]:
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
    def best_result(self) -> Result:
        """What the evaluator returned for the best design; raises as `best` does."""
        return self.best.result

    def to_pandas(self) -> "DataFrame":
        """Give the best designs as a table of pandas, with what the models report of each.

        Units are in ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        goal = self.objective.partition(": ")[2]
        return frame_of(self.top_candidates, (goal,), (self.unit,))

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
            "margin": None if self.margin is None else self.margin.to_dict(),
            **self._common(),
        }

    def __repr__(self) -> str:
        best = f" {self.top_candidates[0].objective_value!r}" if self.top_candidates else ""
        return f"<SearchResult {self.status}{best} by {self.method}>"

    def headline(self, *, with_proof: bool = False) -> Headline:
        """Write the first line: status, objective, proof, effort, method.

        Parameters
        ----------
        with_proof
            Whether to tell the bound, too, that closes a proof.
        """
        best = bound = ""
        if self.top_candidates:
            best = f"{self.objective} = {with_unit(self.best_objective, self.unit)}"
        if self.bound is not None:
            bound = f"bound {with_unit(self.bound, self.unit)}"
            bound += "" if self.gap is None else f", gap {gap(self.gap)}"
        proof = f", {bound}" if with_proof and self.gap is not None and bound else ""
        unproven = f"{best}; {bound or 'no bound known'}"
        return headline(self, proven=f"{best}{proof}", unproven=unproven)

    def remarks(self) -> list[str]:
        """Write what follows the verdict, among it what margins cost."""
        return [*super().remarks(), *([] if self.margin is None else [str(self.margin)])]

    def _rows(self) -> list[list[str]]:
        if not self.top_candidates:
            return []
        metric = self.objective.partition(": ")[2]
        unit = f" [{self.unit}]" if self.unit else ""
        rows = [
            [str(rank), *map(label, item.params.values()), number(item.objective_value)]
            for rank, item in enumerate(self.top_candidates, start=1)
        ]
        return [["#", *self.best_params, f"{metric}{unit}"], *rows]


def relative_gap(best: float, bound: float) -> float:
    """Give the gap between a design and a bound, relative to the design.

    ``|best - bound| / |best|``; the absolute difference where best is zero.
    """
    return abs(best - bound) / (abs(best) or 1.0)
