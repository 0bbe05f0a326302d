"""What the margins of constraints with a confidence cost: the same question without them."""

from dataclasses import dataclass
from typing import Any

from mlsysim.problem.objective import Objective
from mlsysim.problem.problem import Problem
from mlsysim.results.formatting import design, with_unit
from mlsysim.results.jsonable import jsonable
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.units import magnitude, quantity


@dataclass(frozen=True, kw_only=True)
class MarginCost:
    """The answer to a question without its confidences, beside that with them.

    Parameters
    ----------
    constraints
        The constraints with a confidence, in text.
    without
        The answer without.
    loss
        By how much the answer with them is worse, in the unit of the objective; None where either
        is not known, or there is no design.
    relative_loss
        The same over the objective without them.
    """

    constraints: tuple[str, ...]
    without: SearchResult
    loss: float | None = None
    relative_loss: float | None = None

    @classmethod
    def of(cls, problem: Problem, found: SearchResult, without: SearchResult) -> "MarginCost":
        """Compare two answers.

        Parameters
        ----------
        problem
            The question with its confidences.
        found, without
            The answer to it, and to the same without.
        """
        texts = tuple(str(one) for one in problem.constraints if one.confidence is not None)
        proven = found.status is Status.OPTIMAL and without.status is Status.OPTIMAL
        if not proven:
            return cls(constraints=texts, without=without)
        base = without.best_objective
        if without.unit != found.unit:
            base = float(magnitude(quantity(base, without.unit), found.unit))
        loss = problem.objective.sense.sign * (found.best_objective - base)
        return cls(
            constraints=texts,
            without=without,
            loss=loss,
            relative_loss=loss / abs(base) if base else None,
        )

    def __str__(self) -> str:
        what = f"margin of {' and '.join(self.constraints)}"
        if not self.without:
            return f"{what}: without it {_FAILURES[self.without.status]}"
        other = f"{Objective.parse(self.without.objective).metric} would be "
        other += with_unit(self.without.best_objective, self.without.unit)
        other += f" at {design(self.without.best_params)}"
        if self.loss is None:
            return f"{what}: without it {other}"
        if not self.loss:
            return f"{what}: it costs nothing"
        share = "" if self.relative_loss is None else f" ({100 * self.relative_loss:.3g} %)"
        return (
            f"{what}: it costs {with_unit(self.loss, self.without.unit)}{share}; without it {other}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison as JSON has it."""
        best = self.without.top_candidates
        return {
            "constraints": list(self.constraints),
            "status": self.without.status.value,
            "best_params": jsonable(best[0].params) if best else None,
            "best_objective": jsonable(best[0].objective_value) if best else None,
            "loss": jsonable(self.loss),
            "relative_loss": jsonable(self.relative_loss),
        }


_FAILURES = {
    Status.INFEASIBLE: "there is no design either",
    Status.UNKNOWN: "no answer was found in time",
}
