"""What a planner insists on, one requirement at a time: each can be named and dropped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

if TYPE_CHECKING:
    from mlsysim.plans.records.question import PlanQuestion


class Kind(StrEnum):
    """What a requirement is about."""

    RELEASE = "release"
    DEADLINE = "deadline"
    AFTER = "after"
    BUDGET = "budget"
    HORIZON = "horizon"
    CHANGE = "change"
    SITE = "site"


@dataclass(frozen=True)
class Requirement:
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

    kind: Kind
    owner: str = ""
    detail: str = ""

    @property
    def name(self) -> str:
        """How it is called in a conflict."""
        match self.kind:
            case Kind.RELEASE | Kind.DEADLINE:
                return f"{self.owner}.{self.kind}"
            case Kind.AFTER:
                return f"{self.owner}.after.{self.detail}"
            case Kind.CHANGE:
                return f"{self.owner}.{self.detail}"
            case Kind.SITE:
                return f"{self.owner}.power"
            case Kind.BUDGET | Kind.HORIZON:
                return str(self.kind)
            case _:
                assert_never(self.kind)

    def dropped(self, question: "PlanQuestion") -> "PlanQuestion":  # noqa: PLR0911 - one for each kind
        """Give a question without this requirement.

        Parameters
        ----------
        question
            Has it.
        """
        match self.kind:
            case Kind.RELEASE:
                return question.with_jobs(self._own(lambda job: replace(job, release=0)))
            case Kind.DEADLINE:
                return question.with_jobs(self._own(lambda job: replace(job, deadline=None)))
            case Kind.AFTER:
                return question.with_jobs(
                    self._own(
                        lambda job: replace(
                            job, after=tuple(name for name in job.after if name != self.detail)
                        )
                    )
                )
            case Kind.BUDGET:
                return replace(question, budget=None)
            case Kind.HORIZON:
                return _open_ended(question)
            case Kind.CHANGE:
                fleets = tuple(map(self._own(self._unchanged), question.fleets))
                sites = tuple(map(self._own(self._unchanged), question.sites))
                return replace(question, fleets=fleets, sites=sites)
            case Kind.SITE:
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
