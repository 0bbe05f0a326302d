"""What one requirement costs: whether it binds, and what relaxing it would buy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.numeric import TOLERANCE
from mlsysim.problem.relation import Relation
from mlsysim.results.jsonable import jsonable
from mlsysim.results.status import Status

SHARES = (0.01, 0.05, 0.2)
"""By how much limits are relaxed, relative to themselves."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The question answered anew with one requirement relaxed or left out.

    Parameters
    ----------
    share
        By how much the limit was relaxed, relative to itself; `None` where the
        requirement was left out.
    status
        How that search ended.
    objective
        The best objective, in the unit of the answer; `None` where none was found.
    gain
        By how much it is better; zero where it is not, within 1e-9.
    relative_gain
        The same relative to the objective without the change; `None` where that is zero.
    params
        The best design.
    left, limit
        What the requirement compares at that design, the limit as relaxed.
    note
        Why there is no answer, e.g. because the objective is not defined
        without the requirement.
    """

    share: float | None
    status: Status
    objective: float | None = None
    gain: float | None = None
    relative_gain: float | None = None
    params: Mapping[str, Any] | None = None
    left: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether the objective is the optimum."""
        return self.status is Status.OPTIMAL

    @property
    def is_better(self) -> bool:
        """Whether a better design was found."""
        return bool(self.gain)

    def to_dict(self) -> dict[str, Any]:
        """Give the trial as data that JSON can hold."""
        return {
            "share": self.share,
            "status": self.status.value,
            "objective": jsonable(self.objective),
            "gain": jsonable(self.gain),
            "relative_gain": jsonable(self.relative_gain),
            "params": jsonable(self.params),
            "left": jsonable(self.left),
            "limit": jsonable(self.limit),
            "note": self.note,
        }


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One requirement at the best design.

    Parameters
    ----------
    name
        The constraint, or ``<Stage>.feasible`` for a model's verdict.
    reason
        The constraint's text, or the verdict's reason, e.g. memory.
    is_constraint
        Whether it is the user's; otherwise a model's verdict.
    left, relation, right, unit
        What is compared at the best design, in the unit that the user wrote;
        no relation where a model gives a bare condition.
    confidence
        The share of measured runs with which it holds, and to which `left` belongs; `None` where
        `left` is as predicted.
    without
        The question without the requirement; `None` where it was not asked.
    relaxed
        The question with the limit relaxed, by share; empty where the
        requirement does not bind or has no limit that could move.
    """

    name: str
    reason: str
    is_constraint: bool
    left: Any = None
    relation: Relation | None = None
    right: Any = None
    unit: str = ""
    confidence: float | None = None
    without: Trial | None = None
    relaxed: tuple[Trial, ...] = ()

    @property
    def label(self) -> str:
        """What to call it: ``sla``, ``sla at 90 %``, or ``DistributedModel: memory``."""
        if not self.is_constraint:
            return f"{self.name.removesuffix('.feasible')}: {self.reason}"
        sure = "" if self.confidence is None else f" at {100 * self.confidence:g} %"
        return f"{self.name}{sure}"

    @property
    def binds(self) -> bool | None:
        """Whether a better design exists without it; `None` where that is not known."""
        trials = [trial for trial in (self.without, *self.relaxed) if trial is not None]
        if any(trial.is_better for trial in trials):
            return True
        return False if self.without is not None and self.without.is_proven else None

    @property
    def slack(self) -> float | None:
        """The room that is left at the best design; `None` where nothing is measured."""
        if not self.is_movable or self.relation is None:
            return None
        return float(-self.relation.excess(self.left, self.right))

    @property
    def utilisation(self) -> float | None:
        """The share of a limit that is used, ``left / right``; `None` where it has no meaning."""
        capped = self.relation in {Relation.LESS, Relation.AT_MOST}
        return self.left / self.right if capped and self.is_movable and self.right > 0 else None

    @property
    def is_tight(self) -> bool:
        """Whether no room is left; a tight requirement need not bind."""
        return self.slack is not None and abs(self.slack) <= TOLERANCE * abs(self.right)

    @property
    def is_movable(self) -> bool:
        """Whether it has a limit that can be moved: it compares numbers by size."""
        fixed = {None, Relation.EQUAL, Relation.NOT_EQUAL}
        return self.relation not in fixed and not isinstance(self.left, str)

    def at(self, share: float) -> Trial | None:
        """Find the trial with the limit relaxed by a share, e.g. 0.05."""
        return next((trial for trial in self.relaxed if trial.share == share), None)

    def to_dict(self) -> dict[str, Any]:
        """Give the requirement as data that JSON can hold."""
        return {
            "name": self.name,
            "reason": self.reason,
            "is_constraint": self.is_constraint,
            "left": jsonable(self.left),
            "relation": None if self.relation is None else self.relation.value,
            "right": jsonable(self.right),
            "unit": self.unit,
            "confidence": self.confidence,
            "slack": jsonable(self.slack),
            "utilisation": jsonable(self.utilisation),
            "tight": self.is_tight,
            "binds": self.binds,
            "without": None if self.without is None else self.without.to_dict(),
            "relaxed": [trial.to_dict() for trial in self.relaxed],
        }
