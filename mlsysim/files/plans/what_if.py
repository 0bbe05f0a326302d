"""What else could be: a plan with some keys forced, and plans for several values of a key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from os import PathLike
from typing import TYPE_CHECKING, Any

from mlsysim.files.plans.known_rows import KnownRows
from mlsysim.files.plans.plan_file import FiledPlan, load_plan
from mlsysim.frames import Tabular, frame
from mlsysim.plans.answers.result import PlanResult
from mlsysim.results.blocks import table_of
from mlsysim.results.formatting import change, with_unit
from mlsysim.results.jsonable import JsonText
from mlsysim.results.markup import as_html

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True)
class PlanWhyNot(JsonText):
    """A plan as it is asked for, and one with some keys of the file forced.

    Parameters
    ----------
    forced
        Key -> value.
    free, bound
        The answers without and with that.
    """

    forced: Mapping[str, str]
    free: PlanResult
    bound: PlanResult

    def to_dict(self) -> dict[str, Any]:
        """Give it as data that JSON can hold."""
        return {
            "forced": dict(self.forced),
            "free": self.free.to_dict(),
            "bound": self.bound.to_dict(),
        }

    def lines(self) -> Iterator[str]:
        """Say in words what forcing costs."""
        told = ", ".join(f"{key} = {value}" for key, value in self.forced.items())
        if self.free.schedule is None or self.bound.schedule is None:
            yield f"With {told}: {self.bound.headline().text}"
            return
        goals = self.free.question.goals
        pairs = zip(goals, self.free.values, self.bound.values, strict=False)
        for goal, without, forced in pairs:
            more = forced - without
            share = f" ({change(more / without)})" if without else ""
            yield (
                f"With {told}: {goal} = {with_unit(forced, goal.unit)}, "
                f"{with_unit(abs(more), goal.unit)} {'less' if more < 0 else 'more'}{share} "
                f"than {with_unit(without, goal.unit)}"
            )


def why_not(
    path: str | PathLike[str],
    forced: Mapping[str, str],
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> PlanWhyNot:
    """Answer a plan's file as it is, and with some of its keys forced.

    Parameters
    ----------
    path
        The file.
    forced
        Key -> value, such as ``jobs.code.release`` -> ``2027-07-01``.
    settings
        What differs from the file in both answers.
    **options
        Those of `FiledPlan.solve`, for each answer; and ``framework``.
    """
    common = dict(settings or {})
    framework = options.pop("framework", None)
    known: KnownRows = {}
    free = load_plan(path, common, framework=framework)
    bound = load_plan(path, {**common, **forced}, framework=framework)
    return PlanWhyNot(
        forced=forced,
        free=free.solve(known=known, **options),
        bound=bound.solve(known=known, **options),
    )


@dataclass(frozen=True, kw_only=True)
class PlanSweep(JsonText, Tabular):
    """Plans for several values of one or more keys.

    Parameters
    ----------
    over
        The keys.
    points
        For each combination the values, and the answer.
    """

    over: tuple[str, ...]
    points: tuple[tuple[tuple[str, ...], PlanResult], ...]

    def to_pandas(self) -> "DataFrame":
        """Give the answers as a table of pandas: the values, status, slot and what plans are worth.

        Units are in ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        goals = self.points[0][1].question.goals
        rows = [
            {
                **dict(zip(self.over, values, strict=True)),
                "status": found.status.value,
                "slot": found.slot / 3600,
                **dict(zip((goal.value for goal in goals), found.values, strict=False)),
            }
            for values, found in self.points
        ]
        return frame(rows, {"slot": "hour", **{goal.value: goal.unit for goal in goals}})

    def _repr_html_(self) -> str:
        return as_html([table_of(self.rows())])

    def rows(self) -> list[list[str]]:
        """Give a header and a line for each answer: values, status, what the plan is worth."""
        goals = self.points[0][1].question.goals
        told = (f"{goal} [{goal.unit}]" if goal.unit else goal.value for goal in goals)
        header = [*self.over, "status", "slot [hour]", *told]
        lines = [
            [
                *values,
                found.status.value,
                f"{found.slot / 3600:.10g}",
                *(f"{value:.10g}" for value in found.values),
                *[""] * (len(goals) - len(found.values)),
            ]
            for values, found in self.points
        ]
        return [header, *lines]

    def to_dict(self) -> dict[str, Any]:
        """Give it as data that JSON can hold."""
        return {
            "over": list(self.over),
            "points": [
                {"at": dict(zip(self.over, values, strict=True)), **found.to_dict()}
                for values, found in self.points
            ],
        }


def sweep(
    path: str | PathLike[str],
    over: Mapping[str, Sequence[str]],
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> PlanSweep:
    """Answer a plan's file for each of several values of some keys.

    The rows of a job are searched for once, as long as nothing that they depend on changes.

    Parameters
    ----------
    path
        The file.
    over
        Key -> its values, such as ``fleets.main.nodes`` -> 200, 240 and 280.
    settings
        What differs from the file in all answers.
    **options
        Those of `FiledPlan.solve`, for each answer; and ``framework``.
    """
    framework = options.pop("framework", None)
    known: KnownRows = {}
    asked: list[tuple[tuple[str, ...], FiledPlan]] = [
        (
            values,
            load_plan(
                path,
                {**(settings or {}), **dict(zip(over, values, strict=True))},
                framework=framework,
            ),
        )
        for values in product(*over.values())
    ]
    return PlanSweep(
        over=tuple(over),
        points=tuple((values, plan.solve(known=known, **options)) for values, plan in asked),
    )
