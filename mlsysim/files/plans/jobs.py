"""Read the jobs of a plan: each is a question of its own on each fleet where it may run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.catalog.record import Record
from mlsysim.errors import QuestionError
from mlsysim.files.assembly import Bound, assemble
from mlsysim.files.binding import bind
from mlsysim.files.own_catalog import with_own_records
from mlsysim.files.plans.fleets import Nodes, require
from mlsysim.files.plans.known_rows import KnownRows, rows_by_fleet
from mlsysim.files.plans.schema import HoldTable, JobTable, PlanFile
from mlsysim.files.plans.times import Reader
from mlsysim.files.schema import PipelineTable, QuestionFile
from mlsysim.files.stage_names import annotations_of, stage_named
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.rows import rows_of, seconds_of
from mlsysim.problem.reading import read
from mlsysim.units import quantity

_NODES, _FLEET, _TOKENS, _RATE = "nodes", "fleet", "tokens", "effective_throughput"


@dataclass(frozen=True, kw_only=True)
class JobQuestion:
    """A job whose rows are not searched for yet.

    Parameters
    ----------
    job
        The job without rows.
    bound
        Fleet -> the question about the job there.
    timed
        What says how long it takes: the arguments of `rows_of` for that.
    asked
        The same as a question file without a fleet.
    """

    job: Job
    bound: Mapping[str, Bound]
    timed: Mapping[str, Any]
    asked: QuestionFile

    def rows(self, nodes: Mapping[str, Nodes], known: KnownRows, **options: Any) -> tuple[Row, ...]:
        """Search for the rows on every fleet where the job may run.

        Raises
        ------
        InfeasibleError
            If it cannot run on any of them.
        NoAnswerError
            If a limit came first.
        """
        keys = {
            name: repr((name, nodes[name].cluster.nodes, nodes[name].watts, self.timed, self.asked))
            for name in self.bound
        }

        def search(name: str) -> tuple[Row, ...]:
            return self._rows_on(name, nodes[name], options)

        return rows_by_fleet(f"job {self.job.name}", keys, search, known)

    def _rows_on(self, name: str, nodes: Nodes, options: Mapping[str, Any]) -> tuple[Row, ...]:
        """Search for the rows on one fleet."""
        problem, evaluate = self.bound[name].problem, self.bound[name].evaluate
        return rows_of(
            problem.space,
            evaluate,
            {item.name: item.text for item in problem.constraints},
            fleet=name,
            nodes=evaluate.chosen[_NODES],
            watts_per_node=nodes.watts,
            **self.timed,
            **options,
        )

    def seconds(self, row: Row) -> float:
        """Evaluate the design of a row on plain numbers: how long the job takes with it."""
        bound = self.bound[row.fleet]
        found = read(bound.problem, row.params, bound.evaluate(row.params))
        path = self.timed.get("rate") or self.timed["duration"]
        return seconds_of(quantity(found.objective, found.unit), self.timed.get("work"), path)


def read_jobs(
    content: PlanFile, nodes: Mapping[str, Nodes], records: Mapping[str, Record], reader: Reader
) -> Iterator[JobQuestion]:
    """Read all jobs, and evaluate a design of each on each fleet, so that errors are told at once.

    Parameters
    ----------
    content
        The file.
    nodes
        The fleets.
    records
        Name -> entry of the user's own catalogues.
    reader
        Reads the file.

    Raises
    ------
    QuestionError
        If a name is not known, a model refuses a value, or a key is missing.
    """
    for name, table in content.jobs.items():
        key = f"jobs.{name}"
        for other in table.after:
            require(other, [*content.jobs], "job", f"{key}.after", reader)
        for fleet in table.fleets:
            require(fleet, [*nodes], "fleet", f"{key}.fleets", reader)
        asked, timed = _asked(content, table, records, key, reader)
        bound = {}
        for fleet in table.fleets or nodes:
            with _located(content, table, key, reader) as place:
                bound[fleet] = _bound(asked, nodes[fleet], place)
        with reader.at(key):
            job = Job(
                name=name,
                rows=(),
                release=reader.since(table.release, f"{key}.release"),
                deadline=_optional(table.deadline, f"{key}.deadline", reader),
                after=table.after,
                weight=table.weight,
                pauses=table.pauses,
                restart=reader.span(table.restart, f"{key}.restart"),
            )
        yield JobQuestion(job=job, bound=bound, timed=timed, asked=asked)


def read_holds(
    tables: Mapping[str, HoldTable], nodes: Mapping[str, Nodes], reader: Reader
) -> Iterator[Job]:
    """Read what is held for a time: jobs that have no choice."""
    for name, table in tables.items():
        if table.nodes is None:
            continue
        key = f"holds.{name}"
        if table.fleet is None:
            raise QuestionError(f"{reader.file}: {key}.fleet: missing; say whose nodes it holds")
        require(table.fleet, [*nodes], "fleet", f"{key}.fleet", reader)
        begin = reader.moment(table.begin, f"{key}.begin")
        end = reader.moment(table.end, f"{key}.end")
        with reader.at(key):
            row = Row(
                fleet=table.fleet,
                nodes=table.nodes,
                seconds=end - begin,
                watts=round(table.nodes * nodes[table.fleet].watts),
            )
            yield Job(name=name, rows=(row,), release=begin, deadline=end, pauses=False, holds=True)


def _optional(value: Any, key: str, reader: Reader) -> int | None:
    return None if value is None else reader.moment(value, key)


def _asked(
    content: PlanFile, table: JobTable, records: Mapping[str, Record], key: str, reader: Reader
) -> tuple[QuestionFile, dict[str, Any]]:
    """Give a job as a question file without a fleet, and what says how long it takes."""
    pipeline = table.pipeline or content.pipeline
    if pipeline is None:
        raise QuestionError(f"{reader.file}: {key}.pipeline: missing; name the models of a job")
    fixed = {**_without(content.fixed, table.space), **table.fixed}
    space = {**_without(content.space, table.fixed), **table.space}
    if _NODES in fixed:
        space[_NODES] = (fixed.pop(_NODES),)
    for where, names in (("fixed", fixed), ("space", space)):
        if _FLEET in names:
            raise QuestionError(
                f"{reader.file}: {key}.{where}.{_FLEET}: is said by [fleets] and {key}.fleets"
            )
    timed = _timed(content, table, pipeline, key, reader)
    if (
        timed.get("work") is not None
        and _takes(pipeline, _TOKENS, reader)
        and (_TOKENS not in {*fixed, *space})
    ):
        fixed[_TOKENS] = timed["work"]
    goal = f"minimize: {timed['duration']}" if "duration" in timed else f"maximize: {timed['rate']}"
    asked = QuestionFile(
        question=content.question,
        objective=goal,
        pipeline=pipeline,
        fixed=fixed,
        space=space,
        constraints={**content.constraints, **table.constraints},
        framework=table.framework or content.framework,
    )
    return with_own_records(asked, records, f"{reader.file}: {key}."), timed


def _without(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a job says in another way: a choice that it fixes, or the reverse."""
    return {name: value for name, value in common.items() if name not in own}


def _timed(
    content: PlanFile, table: JobTable, pipeline: PipelineTable, key: str, reader: Reader
) -> dict[str, Any]:
    """Find out what says how long a job takes."""
    if table.duration is not None:
        if table.work is not None or table.rate is not None:
            raise QuestionError(f"{reader.file}: {key}.duration: is said by work already; keep one")
        return {"duration": table.duration}
    if table.work is None:
        raise QuestionError(
            f"{reader.file}: {key}.work: missing; write e.g. work = 1e12, the tokens to train on"
        )
    work = reader.amount(table.work, "", f"{key}.work")
    if not 0 < work < float("inf"):
        raise QuestionError(f"{reader.file}: {key}.work: {table.work!r} is no amount of work")
    rate = table.rate or content.rate or _usual_rate(pipeline, reader)
    if rate is None:
        raise QuestionError(
            f"{reader.file}: {key}.rate: missing; no model reports {_RATE}, so name the metric "
            "that says how much work is done per time"
        )
    return {"work": work, "rate": rate}


def _usual_rate(pipeline: PipelineTable, reader: Reader) -> str | None:
    """Name the throughput of the last model that reports one: it counts what those before lose."""
    for name in reversed(pipeline.stages):
        stage = stage_named(name, f"{reader.file}: pipeline.stages", Path(reader.file).parent)
        if _RATE in stage.metrics():
            return f"{stage.__name__}.{_RATE}"
    return None


def _takes(pipeline: PipelineTable, argument: str, reader: Reader) -> bool:
    folder = Path(reader.file).parent
    place = f"{reader.file}: pipeline.stages"
    return any(
        argument in annotations_of(stage_named(name, place, folder)) for name in pipeline.stages
    )


def _bound(asked: QuestionFile, nodes: Nodes, place: str) -> Bound:
    """Make the question about a job on one fleet."""
    fixed: dict[str, Any] = {**asked.fixed, _FLEET: nodes.cluster}
    asked = msgspec.structs.replace(asked, fixed=fixed)
    choices, evaluate = bind(asked, place)
    count = evaluate.chosen.get(_NODES)
    if count is None:
        raise QuestionError(
            f"{place}: space.{_NODES}: missing; say on how many nodes it may run, e.g. "
            f"{_NODES} = {{ from = 8, to = 64, step = 8 }}"
        )
    fitting = [value for value in choices[count] if value <= nodes.cluster.nodes]
    # On a fleet that is too small for all, the model of a job says so.
    choices[count] = fitting or choices[count]
    return assemble(asked, choices, evaluate, place)


@contextmanager
def _located(content: PlanFile, table: JobTable, key: str, reader: Reader) -> Iterator[str]:
    """Give the place that messages about a job's question begin with, and put its key right.

    A key that the job does not have itself is one of the whole file.
    """
    place = f"{reader.file}: {key}"
    try:
        yield place
    except QuestionError as error:
        text = str(error).removeprefix(f"{place}: ")
        where, _, rest = text.partition(":")
        if where == "objective":  # made of what says how long the job takes
            where = "rate" if table.duration is None else "duration"
        parts = where.split(".")
        shared: Any = getattr(content, parts[0], None)
        own: Any = getattr(table, parts[0], None)
        of_all = bool(shared) and not own
        if isinstance(shared, Mapping) and isinstance(own, Mapping) and len(parts) > 1:
            name = parts[1].partition("[")[0]
            of_all = name in shared and name not in own
        told = QuestionError(f"{reader.file}: {where if of_all else f'{key}.{where}'}:{rest}")
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from None
