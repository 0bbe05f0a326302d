"""The answers to what-if questions: forced choices, and sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsysim.frames import Tabular, frame
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.domain import label
from mlsysim.results.blocks import TableBlock, table_of
from mlsysim.results.formatting import design, number, with_unit
from mlsysim.results.jsonable import JsonText, jsonable
from mlsysim.results.markup import as_html
from mlsysim.results.plain import as_text
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WhyNot:
    """A question answered free, and with some choices forced.

    Parameters
    ----------
    best
        The answer without them.
    forced
        The choices that were forced.
    found
        The answer with them.
    sign
        1 where less is better, -1 where more is.
    """

    best: SearchResult
    forced: Mapping[str, Any]
    found: SearchResult
    sign: int

    @property
    def loss(self) -> float | None:
        """By how much the objective is worse; zero for a tie, `None` where one has no design."""
        if not (self.best and self.found):
            return None
        free, forced = self.best.best_objective, self.found.best_objective
        loss = self.sign * (forced - free)
        return 0.0 if abs(loss) <= TOLERANCE * abs(free) else loss

    @property
    def relative_loss(self) -> float | None:
        """The same relative to the best objective; `None` where that is zero."""
        if self.loss is None or not self.best.best_objective:
            return None
        return self.loss / abs(self.best.best_objective)

    @property
    def is_proven(self) -> bool:
        """Whether both answers are."""
        return {self.best.status, self.found.status} <= {Status.OPTIMAL, Status.INFEASIBLE}

    def to_dict(self) -> dict[str, Any]:
        """Give both answers as data that JSON can hold."""
        return {
            "forced": jsonable(self.forced),
            "loss": jsonable(self.loss),
            "relative_loss": jsonable(self.relative_loss),
            "proven": self.is_proven,
            "best": self.best.to_dict(),
            "found": self.found.to_dict(),
        }

    def __repr__(self) -> str:
        return f"<WhyNot {design(self.forced)}: {self.found.status}, loss {self.loss}>"

    def table(self) -> TableBlock:
        """Set both answers side by side: status, objective, and the choices that differ."""
        both = (self.best, self.found)
        params = [item.best_params if item else {} for item in both]
        names = dict.fromkeys(name for one in params for name in one)
        told = [[label(one[name]) if one else "-" for one in params] for name in names]
        chosen = [[name, *pair] for name, pair in zip(names, told, strict=True) if len({*pair}) > 1]
        values = [with_unit(item.best_objective, item.unit) if item else "-" for item in both]
        rows = [
            ["", "the best", f"with {design(self.forced)}"],
            ["status", *(item.status.value for item in both)],
            [self.best.objective, *values],
            *chosen,
        ]
        if self.found.conflict:
            rows.append(["conflict", "", ", ".join(self.found.conflict)])
        return table_of(rows, words=frozenset({0}))

    def __str__(self) -> str:
        return as_text([self.table()])

    def _repr_html_(self) -> str:
        return as_html([self.table()])


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """One question of a sweep.

    Parameters
    ----------
    values
        What was varied -> its value here.
    result
        The answer.
    """

    values: Mapping[str, Any]
    result: SearchResult


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sweep(JsonText, Tabular):
    """The same question for several values of something in it.

    Parameters
    ----------
    over
        What was varied.
    objective
        The objective in text.
    points
        An answer for each combination of values.
    """

    over: tuple[str, ...]
    objective: str
    points: tuple[SweepPoint, ...]

    @property
    def unit(self) -> str:
        """The unit of the objective."""
        return next((item.result.unit for item in self.points if item.result), "")

    def rows(self) -> list[list[Any]]:
        """Give the answers as rows of plain values, headings first; `None` where there is none.

        Where nothing fits for some values, the last column names the conflict.
        """
        choices = next((list(item.result.best_params) for item in self.points if item.result), [])
        free = [name for name in choices if name not in self.over]
        metric = self.objective.partition(": ")[2].rpartition(".")[2]
        heading = f"{metric} [{self.unit}]" if self.unit else metric
        rows: list[list[Any]] = [[*self.over, "status", heading, *free]]
        fails = any(item.result.conflict for item in self.points)
        for item in self.points:
            row = [jsonable(value) for value in item.values.values()]
            row.append(item.result.status.value)
            if item.result:
                row.append(item.result.best_objective)
                row += [jsonable(item.result.best_params[name]) for name in free]
            else:
                row += [None] * (1 + len(free))
            if fails:
                row.append(", ".join(item.result.conflict) or None)
            rows.append(row)
        if fails:
            rows[0].append("conflict")
        return rows

    def to_pandas(self) -> "DataFrame":
        """Give the answers as a table of pandas: what was varied, status, objective, choices.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        header, *rows = self.rows()
        objective = header[len(self.over) + 1]
        return frame([dict(zip(header, row, strict=True)) for row in rows], {objective: self.unit})

    def table(self) -> TableBlock:
        """Write the same as people read it."""
        header, *rows = self.rows()
        place = len(self.over) + 1
        texts = [
            [
                "-" if cell is None else number(cell) if column == place else str(cell)
                for column, cell in enumerate(row)
            ]
            for row in rows
        ]
        return table_of([header, *texts])

    def to_dict(self) -> dict[str, Any]:
        """Give the answers as data that JSON can hold."""
        return {
            "over": list(self.over),
            "objective": self.objective,
            "unit": self.unit,
            "rungs": [
                {"values": jsonable(item.values), **item.result.to_dict()} for item in self.points
            ],
        }

    def __str__(self) -> str:
        return as_text([self.table()])

    def _repr_html_(self) -> str:
        return as_html([self.table()])
