"""Read a plan that was made before, as ``mlsysim plan FILE --json`` has printed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.errors import QuestionError
from mlsysim.files.reading import written
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """How one job was to run.

    Parameters
    ----------
    job, fleet, nodes
        Which, where, on how many nodes.
    pieces
        From when until when, in seconds from the begin.
    starts
        When it starts on the slots; when it does, rounded up to a slot, unless given.
    params
        Its design, as text.
    """

    job: str
    fleet: str
    nodes: int
    pieces: tuple[tuple[int, int], ...]
    starts: int | None = None
    params: dict[str, str] = {}


class EarlierPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an answer that a new plan goes on from.

    Parameters
    ----------
    jobs
        What was planned.
    begin
        The date of moment zero, where it has one.
    """

    jobs: tuple[EarlierRun, ...]
    begin: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReadPlan:
    """An earlier plan, in terms of the question as it is now.

    Parameters
    ----------
    schedule
        The plan.
    starts
        Job -> when it starts on the slots.
    """

    schedule: Schedule
    starts: Mapping[str, int]


def read_earlier(
    path: str | PathLike[str], question: PlanQuestion, watts: Mapping[str, float]
) -> ReadPlan:
    """Read an earlier plan; jobs that are not asked for any more are left out.

    Parameters
    ----------
    path
        A file with the answer as JSON.
    question
        What is asked now, with the rows of all jobs.
    watts
        Fleet -> what a node of it draws.

    Raises
    ------
    QuestionError
        If the file cannot be read, holds no plan, or began at another date.
    """
    try:
        found = msgspec.json.decode(written(Path(path)).encode(), type=EarlierPlan)
    except msgspec.MsgspecError as error:
        raise QuestionError(
            f"{path}: {error}; give what mlsysim plan FILE --json has printed"
        ) from None
    if not found.jobs:
        raise QuestionError(f"{path}: jobs: empty; there was no plan to go on from")
    begin = None if question.origin is None else question.origin.isoformat()
    if found.begin != begin:
        raise QuestionError(
            f"{path}: begin: {found.begin}, but the plan begins at {begin}; keep the begin of the "
            "earlier plan, and say with --now how far it has come"
        )
    jobs = {job.name: job for job in question.jobs}
    fleets = {fleet.name for fleet in question.fleets}
    runs = tuple(
        Run(job=item.job, row=_row(item, jobs[item.job], watts), pieces=item.pieces)
        for item in found.jobs
        if item.job in jobs and item.pieces and item.fleet in fleets
    )
    starts = {item.job: item.starts for item in found.jobs if item.starts is not None}
    return ReadPlan(schedule=Schedule(runs=runs), starts=starts)


def _row(item: EarlierRun, job: Job, watts: Mapping[str, float]) -> Row:
    """Find the row that a job was to run by; where the job has it no more, what is known of it."""
    for row in job.rows:
        told: dict[str, Any] = {name: str(value) for name, value in row.params.items()}
        if (row.fleet, row.nodes, told) == (item.fleet, item.nodes, item.params):
            return row
    worked = sum(end - begin for begin, end in item.pieces)
    return Row(
        fleet=item.fleet,
        nodes=item.nodes,
        seconds=max(worked - (len(item.pieces) - 1) * job.restart, 1),
        watts=round(item.nodes * watts.get(item.fleet, 0.0)),
        params=item.params,
    )
