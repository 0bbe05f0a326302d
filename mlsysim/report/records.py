"""What a report holds: plain frozen records, from which every form of it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.problem.objective import Sense
from mlsysim.report.fleets import ReportedPool
from mlsysim.results.breakdowns import Breakdown
from mlsysim.results.interval import Interval


@dataclass(frozen=True, kw_only=True)
class ReportedMeasure:
    """One number by which designs are compared.

    Parameters
    ----------
    name
        What it is.
    value
        The number.
    unit
        Its unit.
    sense
        Which way is better; `None` where it does not matter.
    change
        By how much it differs from that of the best design, relative to it;
        `None` where that is zero, and for the best design itself.
    interval
        Between what four in five measured runs of its kind would have it; `None` where it is not
        predicted, or nothing was measured.
    """

    name: str
    value: float
    unit: str
    sense: Sense | None = None
    change: float | None = None
    interval: Interval | None = None

    @property
    def is_worse(self) -> bool | None:
        """Whether it is worse than that of the best design; `None` where neither."""
        if self.sense is None or not self.change:
            return None
        return (self.change > 0) is (self.sense is Sense.MINIMIZE)


@dataclass(frozen=True, kw_only=True)
class ReportedDesign:
    """One design of an answer.

    Parameters
    ----------
    params
        Choice -> value.
    measures
        What it is judged by, the objective (or objectives) first.
    breakdowns
        What its time, memory and cost consist of.
    arithmetic
        How it divides the machine.
    bottlenecks
        What limits its speed.
    intervals
        The same of every metric of its models, by path.
    at_risk
        Verdicts of its models that do not hold at an end of the intervals: ``"<Stage>: <reason>"``.
    pools
        Of a mixed fleet: which replicas serve which class of requests.
    """

    params: Mapping[str, Any]
    measures: tuple[ReportedMeasure, ...]
    breakdowns: tuple[Breakdown, ...] = ()
    arithmetic: tuple[str, ...] = ()
    bottlenecks: tuple[str, ...] = ()
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()
    pools: tuple[ReportedPool, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConflictMember:
    """A requirement of a conflict, and why the planner insists on it.

    Parameters
    ----------
    name
        The requirement.
    reason
        Its text, or the reasons of a model's verdict.
    because
        The planner's own words; empty where there are none.
    """

    name: str
    reason: str
    because: str = ""
