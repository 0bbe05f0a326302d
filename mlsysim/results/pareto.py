"""The answer to a question with several objectives: the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, overload

from mlsysim.frames import Tabular
from mlsysim.problem.domain import label
from mlsysim.results.answer import Answer
from mlsysim.results.blocks import Headline
from mlsysim.results.candidate import ParetoPoint, Result, frame_of
from mlsysim.results.formatting import count, number
from mlsysim.results.rendering import headline

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ParetoFront(Answer, Tabular, Sequence[ParetoPoint[Result]], Generic[Result]):
    """The designs that no other dominates; also the sequence of them.

    A design dominates another if it is at least as good in every objective and
    better in one.  ``OPTIMAL`` means that the front is complete: every
    design of the space that meets the requirements is dominated by one of the
    points, or has the objectives of one.  ``FEASIBLE`` means that a limit came
    first: points may be missing, and those missing may dominate some of these.
    The other fields are those of `Answer`.

    Parameters
    ----------
    objectives
        The objectives in text.
    units
        Their units.
    points
        One design for each vector of objectives, the best by the first objective first.
    """

    objectives: tuple[str, ...]
    units: tuple[str, ...]
    points: tuple[ParetoPoint[Result], ...] = ()

    @overload
    def __getitem__(self, place: int) -> ParetoPoint[Result]: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[ParetoPoint[Result], ...]: ...

    def __getitem__(
        self, place: int | slice
    ) -> ParetoPoint[Result] | tuple[ParetoPoint[Result], ...]:
        return self.points[place]

    def __len__(self) -> int:
        return len(self.points)

    def to_pandas(self) -> "DataFrame":
        """Give the points as a table of pandas, with what the models report of each.

        Units are in ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        goals = [text.partition(": ")[2] for text in self.objectives]
        return frame_of(self.points, goals, self.units)

    def to_dict(self) -> dict[str, Any]:
        """Give the front as data that JSON can hold; quantities keep their units."""
        return {
            "status": self.status.value,
            "objectives": list(self.objectives),
            "units": list(self.units),
            "points": [point.to_dict() for point in self.points],
            **self._common(),
        }

    def __repr__(self) -> str:
        return f"<ParetoFront {self.status} of {len(self.points)} points by {self.method}>"

    def headline(self) -> Headline:
        """Write the first line: status, number of points, objectives, effort, method."""
        points = count(len(self), "point")
        goals = ", ".join(self.objectives)
        return headline(
            self,
            proven=f"the Pareto front has {points}: {goals}",
            unproven=f"{points} found so far, others may be missing or dominate these: {goals}",
        )

    def _rows(self) -> list[list[str]]:
        if not self.points:
            return []
        metrics = [
            f"{text.partition(': ')[2]}{f' [{unit}]' if unit else ''}"
            for text, unit in zip(self.objectives, self.units, strict=True)
        ]
        rows = [
            [str(rank), *map(label, point.params.values()), *map(number, point.objective_values)]
            for rank, point in enumerate(self.points, start=1)
        ]
        return [["#", *self.points[0].params, *metrics], *rows]
