"""What a contender answers, and how two answers are compared."""

import math
from dataclasses import dataclass, field
from typing import Any

from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status

TOLERANCE = 1e-9
TOP = 5


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer of one contender to one question.

    Parameters
    ----------
    status
        What it claims.
    objectives
        The objectives of its best designs, best first.
    bound
        What it has proven about the best; `None` where it proves nothing.
    details
        Whatever else it has to tell.
    """

    status: Status
    objectives: tuple[float, ...] = ()
    bound: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, result: SearchResult) -> "Answer":
        """Take the answer out of a result of `mlsysim`."""
        statistics = result.statistics
        return cls(
            status=result.status,
            objectives=tuple(found.objective_value for found in result.top_candidates),
            bound=result.bound,
            details={
                "seconds": dict(statistics.seconds),
                "points_evaluated": statistics.points_evaluated,
                "solver": dict(statistics.solver),
                "conflict": list(result.conflict),
                "unfinished": list(result.unfinished),
            },
        )

    @property
    def proven(self) -> bool:
        """Whether it claims a proof."""
        return self.status in {Status.OPTIMAL, Status.INFEASIBLE}


def disagreement(
    one: Answer, other: Answer, *, tolerance: float = TOLERANCE, top: int = TOP
) -> str:
    """Tell in which way two proven answers differ; empty if they agree.

    Parameters
    ----------
    one, other
        The answers.
    tolerance
        How far two objectives may differ, relative.
    top
        How many of the best designs to compare.
    """
    if one.status is not other.status:
        return f"{one.status} against {other.status}"
    ours, theirs = one.objectives[:top], other.objectives[:top]
    if len(ours) != len(theirs):
        return f"{len(ours)} designs against {len(theirs)}"
    for place, (mine, yours) in enumerate(zip(ours, theirs, strict=True), 1):
        if not math.isclose(mine, yours, rel_tol=tolerance):
            return f"number {place}: {mine!r} against {yours!r}"
    return ""


def gap(answer: Answer, best: Answer) -> float | None:
    """How far an answer falls short of the best, relative; `None` if it has none."""
    if not answer.objectives or not best.objectives:
        return None
    return abs(answer.objectives[0] - best.objectives[0]) / abs(best.objectives[0])
