"""The plans that no other is better than by both of two goals, as a table and as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from mlsysim.frames import Tabular, frame
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.records.goal import Goal
from mlsysim.results.blocks import table_of
from mlsysim.results.formatting import number
from mlsysim.results.jsonable import JsonText
from mlsysim.results.markup import as_html
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True)
class PlanFront(JsonText, Tabular):
    """The Pareto front of two goals, on slots.

    Parameters
    ----------
    status
        ``OPTIMAL`` if the front is complete, ``FEASIBLE`` if a limit came first.
    goals
        What is minimised.
    points
        By rising value of the first goal, each proven; one for each pair of values.
    excluded
        Why there is no plan, where there is none.
    stopped_by
        What cut the search short, if anything did.
    """

    status: Status
    goals: tuple[Goal, Goal]
    points: tuple[PlanResult, ...]
    excluded: PlanResult | None = None
    stopped_by: str | None = None

    def __iter__(self) -> Iterator[PlanResult]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def lines(self) -> Iterator[str]:
        """Say how complete the front is."""
        if self.excluded is not None:
            yield str(self.excluded)
            return
        count = f"{len(self)} plan{'s' * (len(self) != 1)}"
        if self.status is Status.OPTIMAL:
            yield f"{count}, none better by {self.goals[0]} and {self.goals[1]}: all there are"
        else:
            by = self.stopped_by or "a limit"
            yield f"{count}, each proven; stopped by {by}, and there may be more between them"

    def rows(self) -> list[list[str]]:
        """Give a header and a line for each plan: both goals, then each job's nodes."""
        names = [f"{goal} [{goal.unit}]" if goal.unit else goal.value for goal in self.goals]
        jobs = [job.name for point in self.points[:1] for job in point.question.jobs]
        lines = []
        for point in self.points:
            plan = point.schedule
            nodes = ["" if plan is None else str(plan.run(job).row.nodes) for job in jobs]
            lines.append([*(number(value) for value in point.values), *nodes])
        return [[*names, *(f"nodes of {job}" for job in jobs)], *lines]

    def to_pandas(self) -> "DataFrame":
        """Give the points as a table of pandas: both goals of each plan, and the nodes of its jobs.

        Units are in ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        rows = []
        for point in self.points:
            goals = zip((goal.value for goal in self.goals), point.values, strict=False)
            nodes = {f"nodes of {run.job}": run.row.nodes for run in point.schedule or ()}
            rows.append({**dict(goals), **nodes})
        return frame(rows, {goal.value: goal.unit for goal in self.goals})

    def _repr_html_(self) -> str:
        told = "".join(f"<p>{escape(line)}</p>" for line in self.lines())
        return told + (as_html([table_of(self.rows())]) if self.points else "")

    def to_dict(self) -> dict[str, Any]:
        """Give it as data that JSON can hold."""
        return {
            "status": self.status.value,
            "goals": [goal.value for goal in self.goals],
            "points": [point.to_dict() for point in self.points],
            "excluded": None if self.excluded is None else self.excluded.to_dict(),
            "stopped_by": self.stopped_by,
        }
