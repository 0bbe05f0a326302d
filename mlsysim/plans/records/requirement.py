"""What a planner insists on, one requirement at a time: each can be named and dropped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

if TYPE_CHECKING:
    from mlsysim.plans.records.question import PlanQuestion


class RequirementKind(StrEnum):
    """What a requirement is about."""

    RELEASE = "release"
    DEADLINE = "deadline"
    AFTER = "after"
    BUDGET = "budget"
    HORIZON = "horizon"
    CHANGE = "change"
    SITE = "site"


@dataclass(frozen=True)
class PlanRequirement:
    """One requirement of a plan.

    Parameters
    ----------
    kind
        What it is about.
    owner
        The job, fleet or site that it is about.
    detail
        The job that has to have ended, or the entry of the calendar.
    """

    kind: RequirementKind
    owner: str = ""
    detail: str = ""

    @property
    def name(self) -> str:
        """How it is called in a conflict."""
        match self.kind:
            case RequirementKind.RELEASE | RequirementKind.DEADLINE:
                return f"{self.owner}.{self.kind}"
            case RequirementKind.AFTER:
                return f"{self.owner}.after.{self.detail}"
            case RequirementKind.CHANGE:
                return f"{self.owner}.{self.detail}"
            case RequirementKind.SITE:
                return f"{self.owner}.power"
            case RequirementKind.BUDGET | RequirementKind.HORIZON:
                return str(self.kind)
            case _:
                assert_never(self.kind)

    def dropped(self, question: "PlanQuestion") -> "PlanQuestion":  # noqa: PLR0911 - one for each kind
        """Give a question without this requirement."""
        match self.kind:
            case RequirementKind.RELEASE:
                return question.with_jobs(self._own(lambda job: replace(job, release=0)))
            case RequirementKind.DEADLINE:
                return question.with_jobs(self._own(lambda job: replace(job, deadline=None)))
            case RequirementKind.AFTER:
                return question.with_jobs(
                    self._own(
                        lambda job: replace(
                            job, after=tuple(name for name in job.after if name != self.detail)
                        )
                    )
                )
            case RequirementKind.BUDGET:
                return replace(question, budget=None)
            case RequirementKind.HORIZON:
                return _open_ended(question)
            case RequirementKind.CHANGE:
                fleets = tuple(map(self._own(self._unchanged), question.fleets))
                sites = tuple(map(self._own(self._unchanged), question.sites))
                return replace(question, fleets=fleets, sites=sites)
            case RequirementKind.SITE:
                kept = tuple(site for site in question.sites if site.name != self.owner)
                return replace(question, sites=kept)
            case _:
                assert_never(self.kind)

    def _own(self, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda item: change(item) if item.name == self.owner else item

    def _unchanged(self, item: Any) -> Any:
        kept = tuple(change for change in item.changes if change.name != self.detail)
        return replace(item, changes=kept)


def _open_ended(question: "PlanQuestion") -> "PlanQuestion":
    """Drop the horizon; what reserved nodes bill without end does not count then."""
    fleets = tuple(replace(fleet, reserved=False) for fleet in question.fleets)
    return replace(question, horizon=None, fleets=fleets)
