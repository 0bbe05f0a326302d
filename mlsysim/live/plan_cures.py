"""What a click can change where a plan cannot be kept, and which values of a plan can be forced."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mlsysim.catalog.record import Record
from mlsysim.files.plans.plan_file import FiledPlan
from mlsysim.live.editing import Place
from mlsysim.plans.answers.explaining import WAIVED
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.records.requirement import PlanRequirement, RequirementKind
from mlsysim.problem.domain import label

_HOUR = 3600
_CENT = 0.01


@dataclass(frozen=True, kw_only=True)
class PlanCure:
    """A requirement that stands in the way of a plan.

    Parameters
    ----------
    name, text
        How it is called, and what is told of it.
    place
        Where it stands in the file; what stands there can be dropped, or set.
    helps
        Whether dropping it lets a plan through, with all others kept, as far as is known.
    value
        What it would have to become for that, where it has a number.
    """

    name: str
    text: str
    place: Place
    helps: bool = True
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class PlanChoice:
    """Something about a run that can be forced to another value.

    Parameters
    ----------
    job, name
        Whose it is, and what people call it.
    key
        The key of the file that holds it, such as ``jobs.chat.space.nodes``.
    values
        What it may be, as text -> what to set the key to.
    best
        What the plan has, as text.
    """

    job: str
    name: str
    key: str
    values: Mapping[str, str]
    best: str


def cures_of(plan: FiledPlan, found: PlanResult) -> Iterator[PlanCure]:
    """List the requirements that exclude every plan, with what each would have to become.

    Parameters
    ----------
    plan
        The file.
    found
        Its answer; only one that is infeasible has any.
    """
    reached = {item.name: item for item in found.relaxations}
    reasons = found.conflict_reasons
    for requirement in found.question.requirements():
        place = _place(plan, requirement)
        if requirement.name not in found.conflict or place is None:
            continue
        relaxed = reached.get(requirement.name)
        told = f"{requirement.name}: {reasons[requirement.name].rstrip('.')}"
        yield PlanCure(
            name=requirement.name,
            text=told if relaxed is None else f"{told}; {relaxed.text.partition(': ')[2]}",
            place=place,
            helps=relaxed is None or relaxed.value is not None or relaxed.text.endswith(WAIVED),
            value=None if relaxed is None else _value(plan, relaxed.value, relaxed.unit),
        )


def _place(plan: FiledPlan, requirement: PlanRequirement) -> Place | None:
    """Give the place of a requirement; none where its table does not stand in the file itself."""
    kind, owner = requirement.kind, requirement.owner
    places: dict[RequirementKind, Place] = {
        RequirementKind.RELEASE: ("jobs", owner, "release"),
        RequirementKind.DEADLINE: ("jobs", owner, "deadline"),
        RequirementKind.AFTER: ("jobs", owner, "after"),
        RequirementKind.BUDGET: ("budget",),
        RequirementKind.HORIZON: ("end",),
        RequirementKind.CHANGE: ("fleets", owner, "calendar", requirement.detail),
        RequirementKind.SITE: ("sites", owner),
    }
    place = places[kind]
    table: Any = plan.table
    for key in place:
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return place


def _value(plan: FiledPlan, value: float | None, unit: str) -> Any:
    """Write what can be reached as the file has it, rounded so that it lets the plan through."""
    if value is None:
        return None
    if unit == "USD":
        return f"{math.ceil(value + _CENT):d} USD"
    origin = plan.draft.origin
    hours = math.ceil(value)
    if origin is None:
        return f"{hours} hour"
    return (origin + timedelta(seconds=_HOUR * hours)).replace(microsecond=0)


def choices_of(plan: FiledPlan, found: PlanResult) -> Iterator[PlanChoice]:
    """List what of each run can be forced: its fleet, its nodes and its layout.

    Parameters
    ----------
    plan
        The file.
    found
        Its answer.
    """
    asked = {item.job.name: item for item in plan.jobs}
    for run in found.schedule or ():
        if run.job not in asked:
            continue
        bound = asked[run.job].bound
        yield _choice(run.job, "fleet", f"jobs.{run.job}.fleets", [*bound], run.row.fleet)
        for domain in bound[run.row.fleet].problem.space.domains:
            if domain.name in run.row.params:
                key = f"jobs.{run.job}.space.{domain.name}"
                best = run.row.params[domain.name]
                yield _choice(run.job, domain.name, key, domain.values, best)


def _choice(job: str, name: str, key: str, values: Sequence[Any], best: Any) -> PlanChoice:
    # A list of one in JSON is one in TOML.
    texts = {
        label(value): json.dumps([label(value) if isinstance(value, Record) else value])
        for value in values
    }
    return PlanChoice(job=job, name=name, key=key, values=texts, best=label(best))
