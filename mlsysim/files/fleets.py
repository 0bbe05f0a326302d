"""Bind a question file about a mixed fleet: kinds of accelerators, classes of requests.

The file's ``[space]`` describes a replica, ``[fleet.NAME]`` the kinds of which
there are some, ``[demand.NAME]`` what has to be served.  The choices of the
question are how many replicas of which design serve which class; its
constraints are the demand of each class and the accelerators of each kind,
and those of the file.

Which designs there are to choose from has to be searched for: not when the file
is read, but when the question is asked, within the limits of the answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.core.dse import DSE
from mlsysim.core.methods import unanswered, unanswered_front
from mlsysim.core.pipeline import Pipeline
from mlsysim.errors import Infeasible, InputError, QuestionError
from mlsysim.files.assembly import Bound, assemble, located
from mlsysim.files.binding import PipelineEvaluator
from mlsysim.files.schema import ConstraintTable, QuestionFile
from mlsysim.files.stage_names import annotations_of, not_taken, stage_named
from mlsysim.files.values import argument, choices
from mlsysim.fleets.planning import CHEAPEST, FleetQuestion, fleet_question
from mlsysim.fleets.replica_designs import (
    ReplicaKind,
    RequestClass,
    available,
    demand,
    rated,
    replica_designs,
    roles_of,
)
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import read
from mlsysim.problem.space import SearchSpace
from mlsysim.results import Explanation, ParetoFront, SearchResult
from mlsysim.results.answer import Answer
from mlsysim.search.goals import Goals
from mlsysim.search.interruption import current
from mlsysim.search.method import Method
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator
from mlsysim.stages.fleets.mixed_fleet import MixedFleetModel, ReplicaDesign

_LAST = MixedFleetModel.__name__
FOUND = ("designs", "replicas")
"""The arguments of the sum over a fleet that no file gives: they are what is searched for."""
_UNCERTIFIED = ("the certificate: replicas, of which there are none, were judged without a model",)
_UNFINISHED = ("which replica designs there are to choose from",)
Unanswered = TypeVar("Unanswered", SearchResult, ParetoFront)
_FLEETS = Cluster | Node | Accelerator


def is_fleet(content: QuestionFile) -> bool:
    """Tell whether a file is about a mixed fleet."""
    return bool(content.fleet or content.demand or _LAST in content.pipeline.stages)


class BoundFleet:
    """A question about a mixed fleet; it stands once its replica designs are known.

    Parameters
    ----------
    content
        The file.
    file
        The name that messages use.
    records
        Name -> entry of the question's own catalogues.

    Raises
    ------
    QuestionError
        If a name in the file is not known, a table is missing, or a model refuses a value.
    """

    def __init__(
        self, content: QuestionFile, file: str, records: Mapping[str, Record] | None = None
    ) -> None:
        self._content = content
        self._file = file
        self._records = records or {}
        self._made: Bound | None = None
        self._stopped = False
        self._check_tables()
        *names, _ = content.pipeline.stages
        folder = Path(file).parent
        stages = [stage_named(name, f"{file}: pipeline.stages", folder) for name in names]
        self._stages = [stage() for stage in stages]
        self._known = {
            name: kind for stage in reversed(stages) for name, kind in annotations_of(stage).items()
        }
        own = annotations_of(MixedFleetModel)
        self._own = {name: kind for name, kind in own.items() if name not in FOUND}
        self._chosen = {
            choice: name
            for name, choice in content.pipeline.arguments.items()
            if isinstance(choice, str)
        }
        self._fixed, self._of_sum = self._fixed_arguments()
        with self._at("pipeline"):
            self._replica = Pipeline(self._stages, framework=content.framework)
            rated(self._stages)
        self._kinds = [self._kind(name) for name in content.fleet]
        self._classes = [self._class(name) for name in content.demand]
        for item in self._classes:
            self._probe(self._kinds[0], item)
        self.draft = self._draft()

    @property
    def problem(self) -> Problem:
        """Space, objective and constraints."""
        return self._standing.problem

    @property
    def evaluate(self) -> PipelineEvaluator:
        """Adds up a fleet."""
        return self._standing.evaluate

    @property
    def reasons(self) -> Mapping[str, str]:
        """Constraint -> why the planner insists on it."""
        return self._standing.reasons

    @property
    def objective(self) -> str:
        """The objective in text."""
        return self._content.objective

    @property
    def pipeline(self) -> Pipeline:
        """The sum over a fleet."""
        return self.draft.pipeline

    def prepare(self, options: SearchOptions) -> Bound:
        """Search for the replica designs, unless they are known, and make the question of them.

        Raises
        ------
        NoReplicaError
            If no design of any kind keeps the limits of a class.
        NoAnswerError
            If a limit came first.
        """
        if self._made is None:
            self._stopped = True
            with self._at("pipeline"):
                designs = replica_designs(
                    self._stages,
                    self._kinds,
                    self._classes,
                    framework=self._content.framework,
                    options=options,
                    **self._fixed,
                )
            self._made = self._bound(self._content, designs)
            self._stopped = False
        return self._made

    @property
    def _standing(self) -> Bound:
        """The question; where a limit came before it was known, the draft of it."""
        return self.draft if self._stopped else self.prepare(SearchOptions())

    def _draft(self) -> Bound:
        """Make the question of one design of each kind, which can do whatever is asked for.

        It says which metrics there are.  What the choices are called is not known yet.
        """
        content = self._content
        weighed = () if content.pareto is None else content.pareto.objectives
        content = msgspec.structs.replace(
            content,
            expected=None,
            objective=CHEAPEST if self._names_choices(content.objective) else content.objective,
            pareto=None if any(map(self._names_choices, weighed)) else content.pareto,
            constraints={
                name: table
                for name, table in content.constraints.items()
                if not self._names_choices(table.require)
            },
        )
        with self._at("pipeline"):
            designs = [
                # Whether its power is known matters only where it is chosen.
                replace(kind.design(_first(kind), 1, demand(self._classes)), watts=1.0)
                for kind in self._kinds
            ]
        return self._bound(content, designs)

    def _names_choices(self, text: str) -> bool:
        content = self._content
        pools = [f"{name}_on_{kind}" for name in content.demand for kind in content.fleet]
        return any(pool in text for pool in pools)

    def _bound(self, content: QuestionFile, designs: Sequence[ReplicaDesign]) -> Bound:
        with self._at("pipeline"):
            weighed = () if content.pareto is None else content.pareto.objectives
            question = fleet_question(
                designs,
                demand(self._classes),
                available(self._kinds, designs),
                objectives=[content.objective, *weighed],
                constraints=[table.in_python for table in content.constraints.values()],
                confidence={
                    name: table.confidence
                    for name, table in content.demand.items()
                    if table.confidence is not None
                },
            )
        evaluate = PipelineEvaluator(
            pipeline=Pipeline([MixedFleetModel()]),
            fixed={"designs": question.designs, **self._of_sum},
            chosen={},
            gathered={"replicas": tuple(question.space)},
            records=self._records,
        )
        constraints = {**self._made_constraints(question), **content.constraints}
        content = msgspec.structs.replace(content, constraints=constraints)
        return assemble(content, question.space, evaluate, self._file)

    def _check_tables(self) -> None:
        content, file = self._content, self._file
        for key in ("fleet", "demand"):
            if not getattr(content, key):
                raise QuestionError(f"{file}: {key}: missing; write a table such as [{key}.NAME]")
        if content.pipeline.stages[-1:] != (_LAST,) or len(content.pipeline.stages) == 1:
            raise QuestionError(
                f"{file}: pipeline.stages: with [fleet] and [demand], name the models of a replica "
                f'and then the sum, as ["ServingModel", "{_LAST}"]'
            )

    def _fixed_arguments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the fixed arguments of the models of a replica, and those of the sum."""
        fixed: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for name, value in self._content.fixed.items():
            target = own if name in self._own else fixed
            known = self._own if name in self._own else self._known
            target[name] = self._argument(name, value, known, f"fixed.{name}")
        return fixed, own

    def _kind(self, name: str) -> ReplicaKind:
        table, place = self._content.fleet[name], f"fleet.{name}"
        space = {
            choice: (f"{where}.{choice}", values)
            for where, own in (("space", self._content.space), (f"{place}.space", table.space))
            for choice, values in own.items()
        }
        built: dict[str, Any] = {}
        for choice, (key, values) in space.items():
            taker = self._chosen.get(choice, choice)
            self._check_taken(taker, key)
            built[taker] = choices(values, self._known[taker], f"{self._file}: {key}")
            with self._at(key):
                SearchSpace({taker: built[taker]})
        price = None
        if table.price is not None:
            price = argument(table.price, float | Any, f"{self._file}: {place}.price")
        with self._at(place):
            return ReplicaKind(
                name=name,
                fleet=argument(table.of or name, _FLEETS, f"{self._file}: {place}"),
                space=built,
                available=table.available,
                price=price,
            )

    def _class(self, name: str) -> RequestClass:
        table, place = self._content.demand[name], f"demand.{name}"
        arguments = {
            key: self._argument(key, value, self._known, f"{place}.fixed.{key}")
            for key, value in table.fixed.items()
        }
        rate = argument(table.rate, float | Any, f"{self._file}: {place}.rate")
        with self._at(f"{place}.confidence"):
            Constraint.parse(f"{_LAST}.served.{name} >= 1 / s", confidence=table.confidence)
        with self._at(place):
            return RequestClass(
                name=name,
                rate=rate,
                arguments=arguments,
                limits=table.require,
                utilization=table.utilization,
            )

    def _argument(self, name: str, value: Any, known: Mapping[str, Any], key: str) -> Any:
        self._check_taken(name, key)
        return argument(value, known[name], f"{self._file}: {key}")

    def _check_taken(self, name: str, key: str) -> None:
        known = {**self._known, **self._own}
        if name not in known:
            raise QuestionError(f"{self._file}: {key}: {not_taken(name, known)}")

    def _probe(self, kind: ReplicaKind, item: RequestClass) -> None:
        """Evaluate one replica, so that what does not fit is told with its key."""
        params = _first(kind)
        on = dict.fromkeys(roles_of(self._stages), kind.fleet)
        inputs = {**self._fixed, **item.arguments, **on}
        with self._at(f"demand.{item.name}"):
            try:
                result = self._replica.run(**inputs | params)
            except Infeasible:
                return
        for text in item.limits:
            with self._at(f"demand.{item.name}.require"):
                goal = f"minimize: {self._stages[-1].name}.accelerators"
                read(Problem.of(kind.grid(on), goal, [text]), {**params, **on}, result)

    def _made_constraints(self, question: FleetQuestion) -> dict[str, ConstraintTable]:
        """Give the constraints that follow, each with the reason that the file states."""
        because = {f"demand of {name}": item.because for name, item in self._content.demand.items()}
        because |= {
            f"accelerators of {name}": item.because for name, item in self._content.fleet.items()
        }
        sure = {f"demand of {name}": item.confidence for name, item in self._content.demand.items()}
        return {
            name: ConstraintTable(
                require=text if isinstance(text, str) else str(text["require"]),
                because=because[name],
                confidence=sure.get(name),
            )
            for name, text in question.constraints.items()
        }

    @contextmanager
    def _at(self, key: str) -> Iterator[None]:
        try:
            yield
        except QuestionError:
            raise
        except InputError as error:
            raise located(error, f"{self._file}: {key}") from None


def _first(kind: ReplicaKind) -> dict[str, Any]:
    """Give the first design of a grid."""
    return {name: SearchSpace({name: values}).point(0)[name] for name, values in kind.space.items()}


class OutOfTime(DSE):
    """Answers a question whose time was over before its choices were known."""

    def search(
        self,
        evaluate: Evaluator,  # noqa: ARG002 - of a question that is not known
        *,
        method: str = Method.AUTO,
        **_options: Any,
    ) -> SearchResult:
        """Say that nothing is known."""
        return _of_nothing(unanswered(self.problem, method, _stopped_by(), _UNFINISHED))

    def explain(
        self, evaluate: Evaluator, *, method: str = Method.AUTO, **_options: Any
    ) -> Explanation:
        """Say that nothing is known."""
        return Explanation(result=self.search(evaluate, method=method))

    def pareto(
        self,
        evaluate: Evaluator,  # noqa: ARG002
        objectives: Sequence[str],
        *,
        method: str = Method.AUTO,
        **_options: Any,
    ) -> ParetoFront:
        """Say that nothing is known."""
        goals = Goals.of(self.problem, objectives)
        return _of_nothing(unanswered_front(goals, method, _stopped_by(), _UNFINISHED))


class NoReplica(DSE):
    """Answers a question about a fleet of which some class has no replica.

    Parameters
    ----------
    problem
        What is asked of the fleet.
    why
        Why no replica keeps the limits of the class.
    """

    def __init__(self, problem: Problem, why: SearchResult) -> None:
        self.problem = problem
        self._why = why

    def _about(self, problem: Problem) -> DSE:
        return NoReplica(problem, self._why)

    def search(
        self,
        evaluate: Evaluator,  # noqa: ARG002 - of a fleet that cannot be
        *,
        certificate: str | PathLike[str] | None = None,
        **_options: Any,
    ) -> SearchResult:
        """Say why there is no replica, and so no fleet."""
        found = replace(self._why, objective=self.problem.objective.text, unit="")
        return found if certificate is None else replace(found, unfinished=_UNCERTIFIED)

    def explain(self, evaluate: Evaluator, **_options: Any) -> Explanation:
        """Say the same; nothing binds a fleet that cannot be."""
        return Explanation(result=self.search(evaluate))

    def pareto(
        self,
        evaluate: Evaluator,  # noqa: ARG002
        objectives: Sequence[str],
        **_options: Any,
    ) -> ParetoFront:
        """Say the same of several objectives."""
        goals = Goals.of(self.problem, objectives).objectives
        shared = {item.name: getattr(self._why, item.name) for item in fields(Answer)}
        texts = tuple(goal.text for goal in goals)
        return ParetoFront(**shared, objectives=texts, units=("",) * len(texts))


def _of_nothing(answer: Unanswered) -> Unanswered:
    """Count no designs: those of the draft are not those of the question."""
    return replace(answer, statistics=replace(answer.statistics, grid_size=0))


def _stopped_by() -> str:
    return "interrupt" if current().came else "time limit"
