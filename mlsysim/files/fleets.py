"""Bind a question file about a mixed fleet: kinds of accelerators, classes of requests.

The file's ``[space]`` describes a replica, ``[fleet.NAME]`` the kinds of which
there are some, ``[demand.NAME]`` what has to be served.  The choices of the
question are how many replicas of which design serve which class; its
constraints are the demand of each class and the accelerators of each kind,
and those of the file.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.core.pipeline import Pipeline
from mlsysim.errors import Infeasible, InputError, QuestionError, suggest
from mlsysim.files.assembly import located
from mlsysim.files.binding import PipelineEvaluator
from mlsysim.files.schema import ConstraintTable, QuestionFile
from mlsysim.files.stage_names import annotations_of, stage_named
from mlsysim.files.values import argument, choices
from mlsysim.fleets.planning import FleetQuestion, fleet_question
from mlsysim.fleets.replica_designs import (
    ReplicaKind,
    RequestClass,
    available,
    demand,
    replica_designs,
)
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import read
from mlsysim.problem.space import SearchSpace
from mlsysim.stages.fleets.mixed_fleet import MixedFleetModel

_LAST = MixedFleetModel.__name__
_OWN = ("designs", "replicas")
_FLEETS = Cluster | Node | Accelerator


@dataclass(frozen=True, kw_only=True)
class BoundFleet:
    """A question file about a mixed fleet, bound.

    Parameters
    ----------
    content
        The file, with the constraints that follow from demand and availability.
    choices
        Choice -> how many replicas.
    evaluate
        Adds up a fleet.
    """

    content: QuestionFile
    choices: Mapping[str, Any]
    evaluate: PipelineEvaluator


def is_fleet(content: QuestionFile) -> bool:
    """Tell whether a file is about a mixed fleet."""
    return bool(content.fleet or content.demand or _LAST in content.pipeline.stages)


def bind_fleet(content: QuestionFile, file: str) -> BoundFleet:
    """Evaluate the designs of the file, and make the question of them.

    Parameters
    ----------
    content
        The file.
    file
        The name that messages use.

    Raises
    ------
    QuestionError
        If a name in the file is not known, a table is missing, or a model refuses a value.
    InfeasibleError
        If no design of any kind keeps the limits of a class.
    """
    return _Binder(content, file).bound()


class _Binder:
    """One binding in the making."""

    def __init__(self, content: QuestionFile, file: str) -> None:
        self._content = content
        self._file = file
        self._check_tables()
        *names, _ = content.pipeline.stages
        folder = Path(file).parent
        stages = [stage_named(name, f"{file}: pipeline.stages", folder) for name in names]
        self._stages = [stage() for stage in stages]
        self._known = {
            name: kind for stage in reversed(stages) for name, kind in annotations_of(stage).items()
        }
        own = annotations_of(MixedFleetModel)
        self._own = {name: kind for name, kind in own.items() if name not in _OWN}
        self._chosen = {choice: name for name, choice in content.pipeline.arguments.items()}

    def bound(self) -> BoundFleet:
        """Bind the file."""
        fixed, own = self._fixed()
        kinds = [self._kind(name) for name in self._content.fleet]
        classes = [self._class(name) for name in self._content.demand]
        for item in classes:
            self._probe(kinds[0], item, fixed)
        with self._at("pipeline"):
            designs = replica_designs(
                self._stages, kinds, classes, framework=self._content.framework, **fixed
            )
            question = fleet_question(designs, demand(classes), available(kinds, designs))
        evaluate = PipelineEvaluator(
            pipeline=Pipeline([MixedFleetModel()]),
            fixed={"designs": question.designs, **own},
            chosen={},
            gathered={"replicas": tuple(question.space)},
        )
        return BoundFleet(
            content=msgspec.structs.replace(
                self._content, constraints={**self._made(question), **self._content.constraints}
            ),
            choices=question.space,
            evaluate=evaluate,
        )

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

    def _fixed(self) -> tuple[dict[str, Any], dict[str, Any]]:
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
            raise QuestionError(
                f"{self._file}: {key}: no model takes this argument{suggest(name, known)}"
            )

    def _probe(self, kind: ReplicaKind, item: RequestClass, fixed: Mapping[str, Any]) -> None:
        """Evaluate one replica, so that what does not fit is told with its key."""
        inputs = {"fleet": kind.fleet, **fixed, **item.arguments}
        params = SearchSpace({"fleet": [kind.fleet], **kind.space}).point(0)
        with self._at(f"demand.{item.name}"):
            try:
                result = Pipeline(self._stages).run(**{**inputs, **params})
            except Infeasible:
                return
        for text in item.limits:
            with self._at(f"demand.{item.name}.require"):
                goal = f"minimize: {self._stages[-1].name}.accelerators"
                read(
                    Problem.of({"fleet": [kind.fleet], **kind.space}, goal, [text]), params, result
                )

    def _made(self, question: FleetQuestion) -> dict[str, ConstraintTable]:
        """Give the constraints that follow, each with the reason that the file states."""
        because = {f"demand of {name}": item.because for name, item in self._content.demand.items()}
        because |= {f"{name} available": item.because for name, item in self._content.fleet.items()}
        return {
            name: ConstraintTable(require=text, because=because[name])
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
