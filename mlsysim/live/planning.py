"""A plan over time on the page: what can be moved in its file, and its answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from mlsysim.errors import QuestionError
from mlsysim.files.plans.known_rows import KnownRows
from mlsysim.files.plans.plan_file import FiledPlan, plan_of
from mlsysim.files.plans.schema import PlanFile
from mlsysim.files.plans.what_if import PlanWhyNot
from mlsysim.files.reading import read_table
from mlsysim.live.controls import Controls, DateControl, choice_controls, dial_of
from mlsysim.live.dials import Dial
from mlsysim.live.plan_cures import PlanChoice, PlanCure, choices_of, cures_of
from mlsysim.plans.answers.icalendar import calendar_text
from mlsysim.plans.answers.result import PlanResult
from mlsysim.report.plan_page import plan_charts, plan_facts, plan_page, plan_told
from mlsysim.search.options import ProgressCallback
from mlsysim.textfiles import parse_toml
from mlsysim.worker.draft import Draft
from mlsysim.worker.jobs import WorkerJob


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """What the page shows of a plan, and what can be taken along.

    Parameters
    ----------
    verdict, facts, jobs, charts
        The first lines, the key numbers, the table of jobs, and the charts, as HTML.
    page
        The report.
    json, calendar
        The answer for programs, and for calendars; the latter empty where there is no plan.
    cures
        Where there is no plan: what stands in its way.
    choices
        What of its runs can be forced.
    """

    verdict: str
    facts: str
    jobs: str
    charts: str
    page: str
    json: str
    calendar: str
    cures: tuple[PlanCure, ...] = ()
    choices: tuple[PlanChoice, ...] = ()


_rows: dict[Draft, tuple[KnownRows, PlanResult]] = {}
"""The last plan of this process, with the rows that were found for it."""


class _PlanJob(WorkerJob):
    """Something about a plan's draft."""

    @property
    def plan(self) -> FiledPlan:
        """The plan, every name of it checked."""
        return plan_of(self.draft.text, self.draft.path)


@dataclass(frozen=True, kw_only=True)
class OpenPlan(_PlanJob):
    """Check every name in a plan, and list what can be moved in it."""

    def run(self, progress: ProgressCallback) -> Controls:  # noqa: ARG002
        """Give the controls."""
        return plan_controls(self.plan)


@dataclass(frozen=True, kw_only=True)
class SolvePlan(_PlanJob):
    """Find the best plan."""

    def run(self, progress: ProgressCallback) -> PlanView:
        """Give what is shown of it."""
        plan, known = self.plan, KnownRows()
        found = plan.solve(known=known, time_limit=self.time_limit, progress=progress)
        _rows.clear()
        _rows[self.draft] = known, found
        return view_of(plan, found)


@dataclass(frozen=True, kw_only=True)
class ForcePlan(_PlanJob):
    """Say what forcing keys of a plan's file costs.

    Parameters
    ----------
    forced
        Key -> value as TOML has it.
    """

    forced: Mapping[str, str]

    def run(self, progress: ProgressCallback) -> str:
        """Give it in words."""
        if self.draft not in _rows:
            SolvePlan(draft=self.draft, time_limit=self.time_limit).run(progress)
        known, free = _rows[self.draft]
        plan = plan_of(self.draft.text, self.draft.path, self.forced)
        bound = plan.solve(known=known, time_limit=self.time_limit, progress=progress)
        told = PlanWhyNot(forced=self.forced, free=free, bound=bound)
        return ". ".join(told.lines())


def view_of(plan: FiledPlan, found: PlanResult) -> PlanView:
    """Write what the page shows of an answer.

    Parameters
    ----------
    plan
        The file.
    found
        Its answer.
    """
    verdict, jobs = plan_told(found)
    return PlanView(
        verdict=verdict,
        facts=plan_facts(found),
        jobs=jobs,
        charts=plan_charts(found),
        page=plan_page(found, plan.text, plan.source, plan.written),
        json=found.to_json(),
        calendar="" if found.schedule is None else calendar_text(found),
        cures=tuple(cures_of(plan, found)),
        choices=tuple(choices_of(plan, found)),
    )


def plan_controls(plan: FiledPlan) -> Controls:
    """List what can be moved in a plan: work, dates, nodes, prices, the common choices.

    Parameters
    ----------
    plan
        As it was read.
    """
    file = str(plan.path)
    content = read_table(parse_toml(plan.written, file, QuestionError), file, PlanFile)
    goals = content.objective
    return Controls(
        question=" ".join(content.question.split()),
        objective=goals if isinstance(goals, str) else ", then ".join(goals),
        dials=tuple(_dials(content)),
        dates=tuple(_dates(content)),
        choices=tuple(choice_controls(content.space, {}, file)),
    )


def _dials(content: PlanFile) -> Iterator[Dial]:
    for name, fleet in content.fleets.items():
        yield from dial_of(("fleets", name, "nodes"), f"nodes of {name}", fleet.nodes)
        yield from dial_of(("fleets", name, "price"), f"price of {name}", fleet.price)
    for name, job in content.jobs.items():
        yield from dial_of(("jobs", name, "work"), f"work of {name}", job.work)
    yield from dial_of(("budget",), "budget", content.budget)


def _dates(content: PlanFile) -> Iterator[DateControl]:
    for name, job in content.jobs.items():
        for key, value in (("release", job.release), ("deadline", job.deadline)):
            if isinstance(value, date):
                place = ("jobs", name, key)
                yield DateControl(place=place, name=f"{key} of {name}", value=value)
