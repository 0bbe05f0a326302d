"""Moments and requirements of a plan in words."""

from datetime import datetime, timedelta
from typing import assert_never

from mlsysim.plans.records.fleet import Change, Fleet, Site
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.requirement import PlanRequirement, RequirementKind
from mlsysim.results.formatting import number

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOUR = 3600


def moment_text(moment: int, origin: datetime | None = None) -> str:
    """Write a moment as a date, or as days and hours from the begin of the plan.

    Parameters
    ----------
    moment
        Seconds from the begin.
    origin
        The date of the begin, where it has one.

    Examples
    --------
    >>> moment_text(36 * 3600), moment_text(90)
    ('day 1 12:00', '90 s')
    >>> moment_text(36 * 3600, datetime(2027, 1, 4)), moment_text(363 * 86400, datetime(2027, 1, 4))
    ('Tue 5 Jan 12:00', 'Sun 2 Jan 2028 00:00')
    """
    if origin is not None:
        at = origin + timedelta(seconds=moment)
        year = f" {at.year}" if at.year != origin.year else ""
        return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}{year} {at:%H:%M}"
    if moment and moment < _HOUR:
        return f"{moment} s"
    days, rest = divmod(moment, 86400)
    hours, rest = divmod(rest, 3600)
    return f"day {days} {hours:02d}:{rest // 60:02d}"


def span_text(span: int) -> str:
    """Write how long something lasts.

    Examples
    --------
    >>> span_text(36 * 3600), span_text(4 * 86400), span_text(90)
    ('36 h', '4 d', '90 s')
    """
    for unit, size in (("d", 86400), ("h", _HOUR)):
        if span and span % size == 0:
            return f"{span // size} {unit}"
    return f"{span / _HOUR:.2f} h" if span > _HOUR else f"{span} s"


def requirement_text(  # noqa: PLR0911 - one for each kind
    question: PlanQuestion, requirement: PlanRequirement
) -> str:
    """Write what a requirement demands."""
    owner = requirement.owner
    match requirement.kind:
        case RequirementKind.DEADLINE:
            return f"ends by {moment_text(question.job(owner).deadline or 0, question.origin)}"
        case RequirementKind.RELEASE:
            return f"starts from {moment_text(question.job(owner).release, question.origin)} on"
        case RequirementKind.AFTER:
            return f"starts after {requirement.detail} has ended"
        case RequirementKind.BUDGET:
            return f"cost <= {number(question.budget)} USD"
        case RequirementKind.HORIZON:
            return f"all jobs end by {moment_text(question.horizon or 0, question.origin)}"
        case RequirementKind.CHANGE:
            items: tuple[Fleet | Site, ...] = (*question.fleets, *question.sites)
            item = next(item for item in items if item.name == owner)
            change = next(entry for entry in item.changes if entry.name == requirement.detail)
            return _change_text(item, change, question.origin)
        case RequirementKind.SITE:
            watts = next(site.watts for site in question.sites if site.name == owner)
            return f"power <= {number(watts / 1e3)} kW"
        case _:
            assert_never(requirement.kind)


def _change_text(item: Fleet | Site, change: Change, origin: datetime | None) -> str:
    what = "nodes" if isinstance(item, Fleet) else "W"
    how = "closed" if change.nodes is None else f"{-change.nodes:,} fewer {what}"
    begin = moment_text(change.begin, origin)
    until = "on" if change.end is None else f"until {moment_text(change.end, origin)}"
    return f"{how} from {begin} {until}"
