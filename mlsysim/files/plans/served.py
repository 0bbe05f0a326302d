"""Serving fleets that hold nodes for a time: their question says how many, on each fleet."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.catalog.record import Record
from mlsysim.core.dse import DSE
from mlsysim.errors import InfeasibleError, NoAnswerError, QuestionError
from mlsysim.files.assembly import Bound, assemble
from mlsysim.files.binding import bind
from mlsysim.files.own_catalog import with_own_records
from mlsysim.files.plans.fleets import Nodes, require
from mlsysim.files.plans.known_rows import KnownRows, rows_by_fleet
from mlsysim.files.plans.schema import HoldTable, PlanFile
from mlsysim.files.plans.times import Reader
from mlsysim.files.schema import QuestionFile
from mlsysim.files.stage_names import stage_named
from mlsysim.plans.records.job import Job, Row
from mlsysim.problem.reading import read
from mlsysim.results.formatting import count
from mlsysim.results.status import Status

_FLEET, _TINY = "fleet", 1e-9
_COUNTED = "accelerators"


@dataclass(frozen=True, kw_only=True)
class ServingHold:
    """A serving fleet whose size is not searched for yet.

    Parameters
    ----------
    job
        The job without rows: it holds nodes from its release to its deadline.
    bound
        Fleet -> the question that is asked there: the fewest accelerators that keep its limits.
    """

    job: Job
    bound: Mapping[str, Bound]

    def rows(self, nodes: Mapping[str, Nodes], known: KnownRows, **options: Any) -> tuple[Row, ...]:
        """Search for the fewest nodes on every fleet where it may be.

        For a given time, fewer nodes of a fleet cost less, so that one row of each is the front.

        Raises
        ------
        InfeasibleError
            If no fleet can keep the limits.
        NoAnswerError
            If a time limit came first.
        """
        keys = {}
        for name, bound in self.bound.items():
            asked = (bound.objective, bound.evaluate.fixed, bound.problem)
            keys[name] = repr((name, nodes[name].cluster.nodes, self.job, *asked))

        def search(name: str) -> tuple[Row, ...]:
            return self._rows_on(name, nodes[name], options)

        return rows_by_fleet(self.job.name, keys, search, known)

    def _rows_on(self, name: str, nodes: Nodes, options: Mapping[str, Any]) -> tuple[Row, ...]:
        problem, evaluate = self.bound[name].problem, self.bound[name].evaluate
        constraints = {item.name: item.text for item in problem.constraints}
        found = DSE(problem.space, problem.objective.text, constraints).search(evaluate, **options)
        if found.status is Status.INFEASIBLE:
            raise InfeasibleError(str(found.explanation))
        if found.status is not Status.OPTIMAL:
            by = found.statistics.stopped_by or "a limit"
            raise NoAnswerError(f"the nodes of {self.job.name} on {name} are not found: {by}")
        taken = _nodes(found.best.objective_value, nodes)
        if taken > nodes.cluster.nodes:
            raise InfeasibleError(f"takes {count(taken, 'node')}")
        return (
            Row(
                fleet=name,
                nodes=taken,
                seconds=(self.job.deadline or 0) - self.job.release,
                watts=round(taken * nodes.watts),
                params=dict(found.best.params),
            ),
        )

    def nodes(self, row: Row, nodes: Mapping[str, Nodes]) -> int:
        """Evaluate the design of a row on plain numbers, and give how many nodes it takes."""
        bound = self.bound[row.fleet]
        found = read(bound.problem, row.params, bound.evaluate(row.params))
        return _nodes(found.objective, nodes[row.fleet])


def _nodes(accelerators: float, nodes: Nodes) -> int:
    return max(math.ceil(accelerators / nodes.cluster.node.accelerators - _TINY), 1)


def read_served(
    content: PlanFile, nodes: Mapping[str, Nodes], records: Mapping[str, Record], reader: Reader
) -> Iterator[ServingHold]:
    """Read the serving fleets: what is held by a question, not by a number of nodes.

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
        If a name is not known, or a key is missing.
    """
    for name, table in content.holds.items():
        if table.nodes is not None:
            continue
        key = f"holds.{name}"
        asked = _asked(content, table, records, key, reader)
        for fleet in table.fleets:
            require(fleet, [*nodes], "fleet", f"{key}.fleets", reader)
        bound = {}
        for fleet in table.fleets or nodes:
            fixed: dict[str, Any] = {**asked.fixed, _FLEET: nodes[fleet].cluster}
            own = msgspec.structs.replace(asked, fixed=fixed)
            place = f"{reader.file}: {key}"
            choices, evaluate = bind(own, place)
            bound[fleet] = assemble(own, choices, evaluate, place)
        begin = reader.moment(table.begin, f"{key}.begin")
        end = reader.moment(table.end, f"{key}.end")
        if end <= begin:
            raise QuestionError(f"{reader.file}: {key}.end: has to be after its begin")
        job = Job(name=name, rows=(), release=begin, deadline=end, pauses=False, holds=True)
        yield ServingHold(job=job, bound=bound)


def _asked(
    content: PlanFile, table: HoldTable, records: Mapping[str, Record], key: str, reader: Reader
) -> QuestionFile:
    """Give the question of a serving fleet, without the fleet."""
    if table.pipeline is None:
        raise QuestionError(
            f"{reader.file}: {key}.nodes: missing; say how many it holds, or name the models that "
            "say so, e.g. pipeline = { stages = ['ContinuousBatchingModel'] }"
        )
    counting = [
        stage.__name__
        for name in table.pipeline.stages
        for stage in [
            stage_named(name, f"{reader.file}: {key}.pipeline.stages", Path(reader.file).parent)
        ]
        if _COUNTED in stage.metrics()
    ]
    if not counting:
        raise QuestionError(
            f"{reader.file}: {key}.pipeline.stages: no model says how many accelerators it "
            "takes; take ContinuousBatchingModel or ServingModel"
        )
    asked = QuestionFile(
        question=content.question,
        objective=f"minimize: {counting[-1]}.{_COUNTED}",
        pipeline=table.pipeline,
        fixed={**table.fixed},
        space=table.space,
        constraints=table.constraints,
        framework=table.framework,
    )
    return with_own_records(asked, records, f"{reader.file}: {key}.")
