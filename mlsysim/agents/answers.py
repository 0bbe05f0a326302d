"""What the tools give back: short by default, the whole report where it is asked for."""

from dataclasses import dataclass, field
from typing import Any

from mlsysim.problem.domain import label
from mlsysim.report import Report


@dataclass(frozen=True, kw_only=True)
class AgentAnswer:
    """An answer for an agent.

    Parameters
    ----------
    status
        OPTIMAL and INFEASIBLE are proven; FEASIBLE and UNKNOWN were stopped by the time limit.
    text
        The answer as people read it: verdict and proof, the design and what it consists of, what
        it meets, or why nothing fits and what each limit would have to become.
    best
        Choice -> value of the first design; empty where there is none.
    measures
        Name -> value, unit, and the change from the best design.
    report
        Everything, by the schema of reports, where it was asked for.
    """

    status: str
    text: str
    best: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    report: dict[str, Any] | None = None

    @classmethod
    def of(cls, report: Report, *, full: bool) -> "AgentAnswer":
        """Make the answer of a report."""
        first = report.designs[0] if report.designs else None
        return cls(
            status=report.status.value,
            text=report.to_text(full=full),
            best={name: _plain(value) for name, value in first.params.items()} if first else {},
            measures={
                item.name: {"value": item.value, "unit": item.unit, "change": item.change}
                for item in (first.measures if first else ())
            },
            report=report.to_dict() if full else None,
        )


@dataclass(frozen=True, kw_only=True)
class Varied:
    """The answers of a sweep.

    Parameters
    ----------
    text
        The table as people read it.
    rows
        One row for each answer, column -> value; null where nothing fits.
    """

    text: str
    rows: list[dict[str, Any]]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else label(value)
