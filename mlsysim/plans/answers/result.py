"""The answer to a plan's question, in words, as a table, as a Gantt chart and as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlsysim.frames import Tabular, frame
from mlsysim.plans.answers.changes import PlanChange, changes_of
from mlsysim.plans.answers.gantt import chart
from mlsysim.plans.answers.wording import moment_text
from mlsysim.plans.records.job import Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.worth import carbon, cost, worth
from mlsysim.printable import csv_text
from mlsysim.problem.domain import label
from mlsysim.results.answer import Answer
from mlsysim.results.blocks import Block, Drawing, Headline, Lines
from mlsysim.results.formatting import count, design, gap, number, with_unit
from mlsysim.results.jsonable import jsonable
from mlsysim.results.rendering import headline
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PlanResult(Answer, Tabular):
    """A plan with its proof.

    ``OPTIMAL`` is proven on slots of `slot` seconds: no plan whose jobs start at multiples of
    it is better.  ``INFEASIBLE`` is proven for all times.  The other fields are those of `Answer`.

    Parameters
    ----------
    question
        What was asked.
    schedule
        The plan; nothing where there is none.  Its times are exact.
    slot
        On which slots it was found, in seconds.
    bounds
        What no plan on the slots can be below, goal by goal as far as they were reached.
    values
        What the plan is worth before its starts are moved off the slots, goal by goal.
    remedies
        Where there is no plan: what later deadlines, or more nodes, would do.
    starts
        Job -> when it starts on the slots, before it is moved to exact times.
    worse
        Job that differs from an earlier plan -> what keeping it as it was would do.
    """

    question: PlanQuestion
    schedule: Schedule | None
    slot: int
    bounds: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    remedies: tuple[str, ...] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    worse: Mapping[str, str] = field(default_factory=dict)

    @property
    def explanation(self) -> str:
        """Why there is no plan; empty unless that is proven."""
        if self.status is not Status.INFEASIBLE:
            return ""
        lines = ["INFEASIBLE (proven): no plan meets every requirement."]
        if self.conflict:
            lines.append("These exclude every plan; without any one of them, the rest would not:")
            if not self.conflict_is_minimal:
                lines[-1] = (
                    "These exclude every plan; it is not proven that all are needed for that:"
                )
        reasons = self.conflict_reasons
        lines += [f"  {name}: {reasons[name]}" for name in self.conflict]
        if self.relaxations:
            lines.append("What each would have to become, with all others kept:")
        lines += [f"  {relaxation.text}" for relaxation in self.relaxations]
        return "\n".join([*lines, *self.remedies])

    @property
    def objectives(self) -> tuple[float, ...]:
        """What the plan is worth on its exact times, goal by goal, in the goals' units."""
        plan = self.schedule
        return (
            ()
            if plan is None
            else tuple(worth(self.question, plan, g) for g in self.question.goals)
        )

    @property
    def changes(self) -> tuple[PlanChange, ...]:
        """What differs from the earlier plan, job by job."""
        return () if self.schedule is None else tuple(changes_of(self.question, self.schedule))

    @property
    def gap(self) -> float | None:
        """How far the last goal that was reached may be from its bound, relative to the plan."""
        if not self.bounds:
            return None
        value, bound = self.values[len(self.bounds) - 1], self.bounds[-1]
        return max(value - bound, 0.0) / (abs(value) or 1.0)

    def headline(self) -> Headline:
        """Write the first line: status, goals, slots, effort, method."""
        pairs = zip(self.question.goals, self.objectives, strict=False)
        told = ", ".join(f"{goal} = {with_unit(value, goal.unit)}" for goal, value in pairs)
        slots = f" on slots of {number(self.slot / 3600)} h"
        rest = ""
        if self.bounds and self.gap is not None:
            reached = len(self.bounds) - 1
            goal, ends = self.question.goals[reached], (self.values[reached], self.bounds[-1])
            value, bound = (with_unit(end, goal.unit) for end in ends)
            rest = f":{slots} {goal} {value}, bound {bound}, gap {gap(self.gap)}"
        line = headline(self, proven=told + slots, unproven=told + rest)
        text = line.text
        if self.status is Status.INFEASIBLE:
            text = "no plan meets every requirement"
        elif self.status is Status.UNKNOWN:
            text = f"no plan found yet{slots}"
        return replace(line, text=text, effort=line.effort.replace("design", "plan", 1))

    def blocks(self) -> Iterator[Block]:
        """Give what a reader is told: the first lines, a table by job, the Gantt chart."""
        yield from super().blocks()
        if self.schedule is not None:
            if rented := tuple(self._rented()):
                yield Lines(title="Rented:", lines=rented)
            if self.question.earlier is not None:
                told = [f"  {item.text(self.question.origin)}" for item in self.changes]
                told = [
                    f"{text}{f'; {why}' if why else ''}"
                    for text, item in zip(told, self.changes, strict=True)
                    for why in [self.worse.get(item.job, "")]
                ]
                yield Lines(title="Changed:", lines=tuple(told) or ("  nothing",))
            yield Drawing(lines=tuple(chart(self.question, self.schedule)))

    def _rented(self) -> Iterator[str]:
        """Say which blocks are rented, and for how much."""
        for fleet in self.question.fleets:
            for block in fleet.blocks:
                lots = {} if self.schedule is None else self.schedule.lots
                taken = lots.get((fleet.name, block.name), 0)
                if taken:
                    begin, end = (
                        moment_text(at, self.question.origin) for at in (block.begin, block.end)
                    )
                    yield (
                        f"  {block.name} of {fleet.name}: {taken} of {count(block.lots, 'lot')}, "
                        f"{count(taken * block.nodes, 'node')} from {begin} to {end}, "
                        f"{number(round(taken * block.cost, 2))} USD"
                    )

    def _rows(self) -> list[list[str]]:
        if self.schedule is None:
            return []
        rows = [["job", "fleet", "nodes", "begins", "ends", "pauses", "USD", "layout"]]
        runs = sorted(self.schedule, key=lambda item: (item.begin, item.job))
        told = [run.row.params for run in runs if run.row.params]
        shared = _shared(told)
        if shared:
            rows[0][-1] = f"layout (all with {design(shared)})"
        for run in runs:
            row = run.row
            begin, end = (moment_text(at, self.question.origin) for at in (run.begin, run.end))
            times = [begin, end, str(len(run.pieces) - 1)]
            paid = number(round(cost(self.question, run), 2))
            rows.append([run.job, row.fleet, str(row.nodes), *times, paid, _layout(row, shared)])
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Give the plan as data that JSON can hold; times are seconds from its begin."""
        runs = [] if self.schedule is None else self.schedule.runs
        lots = {} if self.schedule is None else self.schedule.lots
        return {
            "status": self.status.value,
            "goals": [goal.value for goal in self.question.goals],
            "objectives": list(self.objectives),
            "bounds": list(self.bounds),
            "gap": self.gap,
            "values": list(self.values),
            "slot": self.slot,
            "jobs": [
                {
                    "job": run.job,
                    "fleet": run.row.fleet,
                    "nodes": run.row.nodes,
                    "starts": self.starts.get(run.job, run.begin),
                    "pieces": [list(piece) for piece in run.pieces],
                    **self._dates(run),
                    "cost": cost(self.question, run),
                    "carbon": carbon(self.question, run),
                    "params": {name: str(value) for name, value in run.row.params.items()},
                }
                for run in runs
            ],
            "rented": [
                {"fleet": fleet, "block": block, "lots": count}
                for (fleet, block), count in lots.items()
            ],
            "begin": None if self.question.origin is None else self.question.origin.isoformat(),
            "changes": [
                {
                    "job": item.job,
                    "text": item.text(self.question.origin),
                    "kept": self.worse.get(item.job),
                }
                for item in self.changes
            ],
            "remedies": list(self.remedies),
            **self._common(),
        }

    def to_csv(self) -> str:
        """Give the plan as a table for programs: a line for each job."""
        if self.schedule is None:
            return csv_text([["name", "relaxation"], *([r.name, r.text] for r in self.relaxations)])
        choices = list(dict.fromkeys(name for run in self.schedule for name in run.row.params))
        rows = [["job", "fleet", "nodes", "begins", "ends", "pauses", "cost", "carbon", *choices]]
        for run in sorted(self.schedule, key=lambda item: (item.begin, item.job)):
            dates = self._dates(run) or {"begins": str(run.begin), "ends": str(run.end)}
            figures = cost(self.question, run), carbon(self.question, run)
            rows.append(
                [
                    run.job,
                    run.row.fleet,
                    str(run.row.nodes),
                    *dates.values(),
                    str(len(run.pieces) - 1),
                    *map(repr, figures),
                    *(label(run.row.params.get(name, "")) for name in choices),
                ]
            )
        return csv_text(rows)

    def to_pandas(self) -> "DataFrame":
        """Give the plan as a table of pandas: a row for each run, by its begin.

        Dates are there where the plan has a begin; else times are seconds.  Units are in
        ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        rows = []
        for run in sorted(self.schedule or (), key=lambda item: (item.begin, item.job)):
            times: dict[str, Any] = {"begins": run.begin, "ends": run.end}
            if self.question.origin is not None:
                times = {
                    name: self.question.origin + timedelta(seconds=at) for name, at in times.items()
                }
            rows.append(
                {
                    "job": run.job,
                    "fleet": run.row.fleet,
                    "nodes": run.row.nodes,
                    **times,
                    "pauses": len(run.pieces) - 1,
                    "cost": cost(self.question, run),
                    "carbon": carbon(self.question, run),
                    **{name: jsonable(value) for name, value in run.row.params.items()},
                }
            )
        seconds = {} if self.question.origin is not None else {"begins": "s", "ends": "s"}
        return frame(rows, {**seconds, "cost": "USD", "carbon": "kg"})

    def _dates(self, run: Run) -> dict[str, str]:
        origin = self.question.origin
        if origin is None:
            return {}
        ends = {"begins": run.begin, "ends": run.end}
        return {key: (origin + timedelta(seconds=at)).isoformat() for key, at in ends.items()}

    def __repr__(self) -> str:
        return f"<PlanResult {self.status} of {len(self.question.jobs)} jobs by {self.method}>"


def _shared(designs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the choices that are the same in all designs, of which there are several."""
    if len(designs) < 2:  # noqa: PLR2004 - one shares nothing
        return {}
    first = designs[0]
    return {
        name: value
        for name, value in first.items()
        if all(name in item and item[name] == value for item in designs)
    }


def _layout(row: Row, shared: Mapping[str, Any]) -> str:
    """Write a design without its nodes, which have a column, and without what all share."""
    told = {name: value for name, value in row.params.items() if name not in {"nodes", *shared}}
    return design(told)
