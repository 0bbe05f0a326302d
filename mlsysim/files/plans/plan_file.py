"""Plan files: jobs, what they share, and what is best, as one TOML file.

>>> plan = load_plan("models/plans/quarter.toml")  # doctest: +SKIP
>>> print(plan.solve(time_limit=60))               # doctest: +SKIP
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from mlsysim.errors import InputError, MetricError, NoAnswerError, QuestionError
from mlsysim.files.assembly import located
from mlsysim.files.own_catalog import own_records
from mlsysim.files.plans.earlier import read_earlier
from mlsysim.files.plans.fleets import Nodes, read_fleets, read_sites
from mlsysim.files.plans.jobs import JobQuestion, read_holds, read_jobs
from mlsysim.files.plans.known_rows import KnownRows
from mlsysim.files.plans.schema import PlanExpected, PlanFile, PlanFleetTable, SiteTable
from mlsysim.files.plans.served import ServingHold, read_served
from mlsysim.files.plans.settings import with_settings
from mlsysim.files.plans.times import Reader, dated
from mlsysim.files.reading import read_table, written
from mlsysim.plans.answers.front import PlanFront
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.goal import Goal, goal_of
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.replanning import replanned
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import SearchOptions
from mlsysim.textfiles import parse_toml

_LEAST_TIME = 1e-3
"""Seconds that are left at the least, where some time was given."""


@dataclass(frozen=True, kw_only=True)
class FiledPlan:
    """A plan's file, ready to be answered.

    Parameters
    ----------
    path
        Where it was read from.
    text, source
        The question in prose, and where it comes from.
    written
        The file as it was read.
    table
        Its tables, with the values that were set in place of what it says.
    draft
        The plan's question; its jobs have no rows yet.
    jobs
        The jobs whose rows are to be searched for.
    served
        The serving fleets whose nodes are to be searched for.
    nodes
        Fleet -> what it is made of.
    reasons
        Requirement -> why the planner insists on it.
    expected
        The known answer, or nothing.
    framework
        Who runs the jobs, where the file says so.
    """

    path: Path
    text: str
    source: str
    written: str
    table: Mapping[str, Any]
    draft: PlanQuestion
    jobs: tuple[JobQuestion, ...]
    nodes: Mapping[str, Nodes]
    reasons: Mapping[str, str]
    expected: PlanExpected | None
    framework: str | None = None
    served: tuple[ServingHold, ...] = ()

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>{Plan.of(self.draft)._repr_html_()}"

    @property
    def asked(self) -> tuple[JobQuestion | ServingHold, ...]:
        """All whose rows are to be searched for."""
        return (*self.jobs, *self.served)

    def prepare(self, known: KnownRows | None = None, **options: Any) -> PlanQuestion:
        """Search for the rows of all jobs, and give the question that they make.

        Parameters
        ----------
        known
            Rows that were found before; what is found is added.
        **options
            Those of `DSE.pareto`; a time limit is one for all jobs together.

        Raises
        ------
        InfeasibleError
            If a job cannot run on any fleet.
        NoAnswerError
            If a limit came first.
        """
        limit, began = options.pop("time_limit", None), time.monotonic()
        found, known = {}, {} if known is None else known
        with interruptible():
            for item in self.asked:
                left = None if limit is None else limit - (time.monotonic() - began)
                if left is not None and left <= 0:
                    raise NoAnswerError(
                        f"{self.path}: jobs.{item.job.name}: there was no time to search for the "
                        "ways to run it; allow more"
                    )
                try:
                    rows = item.rows(self.nodes, known, time_limit=left, **options)
                except (QuestionError, MetricError):  # about no value of the file
                    raise
                except InputError as error:
                    raise located(error, f"{self.path}: {self._key_in(item, str(error))}") from None
                found[item.job.name] = rows
        return self.draft.with_jobs(
            lambda job: replace(job, rows=found[job.name]) if job.name in found else job
        )

    def _key_in(self, item: JobQuestion | ServingHold, message: str) -> str:
        """Name the key whose value a model complains about: one of the job, or of the file."""
        kind = "holds" if isinstance(item, ServingHold) else "jobs"
        own = f"{kind}.{item.job.name}"
        key = next(iter(item.bound.values())).evaluate.key_in(message)
        if key is None:
            return own
        table, _, name = key.partition(".")
        common = self.table.get(table, {})
        of_job = self.table[kind][item.job.name].get(table, {})
        return key if name in common and name not in of_job else f"{own}.{key}"

    def pareto(self, one: str, two: str, **options: Any) -> PlanFront:
        """Find every plan that no other is better than by both of two goals.

        Parameters
        ----------
        one, two
            The goals, such as ``"makespan"`` and ``"cost"``.
        **options
            Those of `solve`.

        Raises
        ------
        InfeasibleError, NoAnswerError
            As for `solve`.
        ObjectiveError
            If there is no such goal, or both are the same.
        """
        asked, began = SearchOptions.of(**options), time.monotonic()
        plan = Plan.of(self.prepare(**options))
        left = _left(asked, began)
        return plan.pareto(one, two, time_limit=left, workers=asked.workers, seed=asked.seed)

    def solve(
        self,
        known: KnownRows | None = None,
        *,
        earlier: str | PathLike[str] | None = None,
        now: Any = None,
        **options: Any,
    ) -> PlanResult:
        """Find the best plan.

        Parameters
        ----------
        known
            As for `prepare`.
        earlier
            A file with an earlier answer as JSON, from which the new plan goes on: what has
            begun goes on as it runs, and as little as possible changes.
        now
            A date, or text such as ``"14 day"``: until when the earlier plan was carried out.
        **options
            ``time_limit``, ``workers``, ``seed`` and ``progress``, as for `DSE.search`.

        Raises
        ------
        InfeasibleError
            If a job cannot run on any fleet.
        NoAnswerError
            If a limit came before the ways to run the jobs were known.
        """
        asked, began = SearchOptions.of(**options), time.monotonic()
        question = self.prepare(known, **options)
        if earlier is not None:
            question = self._replanned(question, earlier, now)
        spent = time.monotonic() - began
        left = _left(asked, began)
        found = Plan.of(question).solve(time_limit=left, workers=asked.workers, seed=asked.seed)
        seconds = {**found.statistics.seconds, "rows": spent}
        seconds["total"] = seconds.get("total", 0.0) + spent
        statistics = replace(found.statistics, seconds=seconds)
        reasons = {
            name: "; ".join(filter(None, (text, self.reasons.get(name, ""))))
            for name, text in found.conflict_reasons.items()
        }
        return replace(found, statistics=statistics, conflict_reasons=reasons)

    def _replanned(
        self, question: PlanQuestion, earlier: str | PathLike[str], now: Any
    ) -> PlanQuestion:
        if now is None:
            raise QuestionError(f"{earlier}: say with now how far the plan has been carried out")
        reader = Reader(file=str(self.path), origin=question.origin)
        watts = {name: item.watts for name, item in self.nodes.items()}
        read = read_earlier(earlier, question, watts)
        return replanned(question, read.schedule, reader.moment(now, "now"), read.starts)


def _left(asked: SearchOptions, began: float) -> float | None:
    """Give the seconds that are left of a limit."""
    if asked.time_limit is None:
        return None
    return max(asked.time_limit - (time.monotonic() - began), _LEAST_TIME)


def is_plan(path: Path) -> bool:
    """Tell whether a file is about a plan: it has jobs.

    Parameters
    ----------
    path
        A TOML file.

    Raises
    ------
    QuestionError
        If it cannot be read.
    """
    return is_plan_text(written(path), path)


def is_plan_text(text: str, path: Path) -> bool:
    """Tell the same of what would stand in a file.

    Parameters
    ----------
    text
        It.
    path
        What messages call it.

    Raises
    ------
    QuestionError
        If it is not TOML.
    """
    return "jobs" in parse_toml(text, str(path), QuestionError)


def load_plan(
    path: str | PathLike[str],
    settings: Mapping[str, str] | None = None,
    *,
    framework: str | None = None,
) -> FiledPlan:
    """Read a plan's file and check every name in it.

    Parameters
    ----------
    path
        A TOML file.
    settings
        Key -> value in place of what the file says, such as ``fleets.main.nodes`` -> ``"300"``; the
        answer that the file expects is then not one to compare with.
    framework
        Who is to run the jobs that do not say so themselves; the same holds.

    Raises
    ------
    QuestionError
        If the file cannot be read, does not follow the schema, or names something that does not
        exist.  The message starts with file and key.
    """
    path = Path(path)
    return plan_of(written(path), path, settings, framework=framework)


def plan_of(
    text: str,
    path: str | PathLike[str],
    settings: Mapping[str, str] | None = None,
    *,
    framework: str | None = None,
) -> FiledPlan:
    """Make a plan of the text of a plan's file, as `load_plan` does.

    Parameters
    ----------
    text
        What would stand in the file.
    path
        What messages call it; files that it names are sought in the folder of this path.
    settings, framework
        As in `load_plan`.

    Raises
    ------
    QuestionError
        As in `load_plan`.
    """
    path = Path(path)
    table = parse_toml(text, str(path), QuestionError)
    if "jobs" not in table:
        raise QuestionError(
            f"{path}: jobs: missing; a plan has tables such as [jobs.NAME], and a question without"
            " them is answered with mlsysim solve"
        )
    if framework is not None:
        settings = {**(settings or {}), "for": framework}
    if settings:
        table = with_settings(table, settings, str(path))
    content = read_table(table, str(path), PlanFile)
    origin = None if content.begin is None else dated(content.begin, str(path), "begin")
    reader = Reader(file=str(path), origin=origin)
    goals = _goals(content, reader)
    if not content.jobs:
        raise QuestionError(f"{path}: jobs: empty; write a table such as [jobs.NAME]")
    records = own_records(content.catalog, path)
    nodes = read_fleets(content, goals, records, reader)
    jobs = tuple(read_jobs(content, nodes, records, reader))
    holds = tuple(read_holds(content.holds, nodes, reader))
    served = tuple(read_served(content, nodes, records, reader))
    try:
        draft = PlanQuestion(
            jobs=(*(item.job for item in jobs), *(item.job for item in served), *holds),
            fleets=tuple(item.fleet for item in nodes.values()),
            sites=tuple(read_sites(content.sites, [*nodes], reader)),
            goals=goals,
            horizon=None if content.end is None else reader.moment(content.end, "end"),
            budget=None
            if content.budget is None
            else reader.amount(content.budget, "USD", "budget"),
            slot=reader.span(content.slot, "slot"),
            origin=origin,
        )
    except QuestionError:
        raise
    except InputError as error:
        raise located(error, str(path)) from None
    return FiledPlan(
        path=path,
        text=content.question,
        source=content.source,
        written=text,
        table=table,
        draft=draft,
        jobs=jobs,
        nodes=nodes,
        reasons=dict(_reasons(content)),
        expected=content.expected if not settings else None,
        framework=content.framework,
        served=served,
    )


def _goals(content: PlanFile, reader: Reader) -> tuple[Goal, ...]:
    texts = (content.objective,) if isinstance(content.objective, str) else content.objective
    with reader.at("objective"):
        found = tuple(map(goal_of, texts))
    if not found or len({*found}) < len(found):
        raise QuestionError(f"{reader.file}: objective: name each goal once, and at least one")
    return found


def _reasons(content: PlanFile) -> Iterator[tuple[str, str]]:
    """Say for each requirement why it is one, by the name that it has in a conflict."""
    because = {name: job.because for name, job in content.jobs.items()}
    because |= {name: hold.because for name, hold in content.holds.items()}
    for name, text in because.items():
        yield f"{name}.deadline", text
        yield f"{name}.release", text
    for name, job in content.jobs.items():
        yield from ((f"{name}.after.{other}", job.because) for other in job.after)
    for name, site in content.sites.items():
        yield f"{name}.power", site.because
    owners: list[tuple[str, PlanFleetTable | SiteTable]] = [
        *content.fleets.items(),
        *content.sites.items(),
    ]
    for name, owner in owners:
        yield from ((f"{name}.{entry}", item.because) for entry, item in owner.calendar.items())
