"""Make a table of replica designs out of a serving model, a few kinds and a few request classes.

For each kind of accelerator and each class of requests, the designs of a
small grid (tensor parallelism, batch, precision ...) are evaluated; those
that meet the limits of the class and that no other one beats in both the
requests that it serves and the accelerators that it takes become replica designs.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.errors import (
    ConfidenceError,
    Infeasible,
    MissingFigureError,
    NoAnswerError,
    ParameterError,
)
from mlsysim.fleets.no_replica import NoReplicaError, why_none
from mlsysim.fleets.preferences import Requirement
from mlsysim.problem.domain import label
from mlsysim.problem.space import SearchSpace
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.status import Status
from mlsysim.search.interruption import interruptible
from mlsysim.search.method import Method
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.stages.arguments import check_number, check_whole, in_unit
from mlsysim.stages.economics.prices import rent
from mlsysim.stages.error_classes import COVERAGE, levels_of
from mlsysim.stages.evidence import evidence_of
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign, ReplicaLatency
from mlsysim.stages.machine import check_fleet
from mlsysim.stages.serving.hardware import Purchase, hardware_of, rent_of
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import magnitude

# What a server draws over its accelerators alone: a DGX H100, 10.2 kW over eight times 700 W.
_SERVER_POWER_FACTOR = 1.8


@dataclass(frozen=True, kw_only=True)
class RequestClass:
    """Requests of one kind: how long, how many, and what they may wait.

    Parameters
    ----------
    name
        An identifier, e.g. ``"chat"``.
    rate
        Requests that arrive per second, or a quantity.
    arguments
        Arguments of the serving model, e.g. ``{"input_tokens": 512, "output_tokens": 128}``.
    limits
        What a design has to keep, e.g. ``"ServingModel.inter_token_latency <= 50 ms"``, or a table
        of that and a confidence, as `Problem.of` takes it.
    utilization
        Share of a replica's rate that is planned on; the rest is head-room for bursts.
    """

    name: str
    rate: float
    arguments: Mapping[str, Any]
    limits: Sequence[str | Requirement] = ()
    utilization: float = 1.0

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ParameterError(f"a request class is called {self.name!r}; write an identifier")
        object.__setattr__(self, "rate", in_unit("rate", self.rate, "1/s"))
        check_number(f"{self.name}.rate", self.rate, above=True)
        check_number(f"{self.name}.utilization", self.utilization, most=1.0, above=True)


@dataclass(frozen=True, kw_only=True)
class ReplicaKind:
    """A kind of accelerators, and the grid of designs that are tried on it.

    Parameters
    ----------
    name
        An identifier, e.g. ``"H100_SXM"``.
    fleet
        A cluster, a node or an accelerator of the catalogue.
    space
        Choice of the serving model -> its values, e.g. ``{"tp_size": [1, 2, 4, 8]}``.
    available
        How many accelerators there are; no limit unless given.
    price
        USD per accelerator and hour, or a quantity; the median of the catalogue's
        on-demand prices unless given.
    """

    name: str
    fleet: Any
    space: Mapping[str, Iterable[Any]] = field(default_factory=dict)
    available: int | None = None
    price: float | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ParameterError(f"a kind of replicas is called {self.name!r}; write an identifier")
        check_fleet(self.fleet)
        if self.available is not None:
            check_whole(f"{self.name}.available", self.available, least=0)
        if self.price is not None:
            object.__setattr__(self, "price", in_unit("price", self.price, "USD/hour"))
            check_number(f"{self.name}.price", self.price)

    def grid(self, roles: Iterable[str]) -> dict[str, Iterable[Any]]:
        """Give the arguments that are tried, and on what.

        Parameters
        ----------
        roles
            The arguments that say on what a replica runs; of one with two pools both.
        """
        return {**{role: [self.fleet] for role in roles}, **self.space}

    def design(
        self, params: Mapping[str, Any], accelerators: int, rates: Mapping[str, float]
    ) -> ReplicaDesign:
        """Give one design of the grid with what it costs and draws.

        Parameters
        ----------
        params
            Its choices.
        accelerators
            How many it takes.
        rates
            Requests per second that it serves, by class.

        Raises
        ------
        MissingFigureError
            If the price is not known.
        """
        try:
            price = rent_of(self.fleet, Purchase.RENTED, self.price)
        except MissingFigureError as missing:
            raise MissingFigureError(
                f"{self.name}: no price is known; state that of an accelerator, "
                'price = "2.5 USD/hour"'
            ) from missing
        watts = hardware_of(self.fleet, Purchase.RENTED, 1.0, _SERVER_POWER_FACTOR).watts
        return ReplicaDesign(
            name=_name(self.name, params),
            kind=self.name,
            accelerators=accelerators,
            rates=rates,
            price=round(accelerators * price, 4),
            # A number that is equal to itself is one.
            watts=accelerators * watts if watts == watts else None,  # noqa: PLR0124
            params=params,
            rent=rent(self.fleet, self.price),
        )


def replica_designs(
    stages: Sequence[ForwardModel],
    kinds: Sequence[ReplicaKind],
    classes: Sequence[RequestClass],
    *,
    framework: str | None = None,
    options: SearchOptions | None = None,
    **fixed: Any,
) -> list[ReplicaDesign]:
    """Make the table.

    Every design of the grids is evaluated, whatever the method that then searches for the fleet:
    of designs that tie, the table has to hold the same one.

    Parameters
    ----------
    stages
        The models that evaluate one replica; the last that produces ``request_rate``
        and ``accelerators`` counts.
    kinds, classes
        What there is and what is asked for.
    framework
        Who is to run the replicas: what it cannot run is no design.
    options
        The time that all grids together may take, who evaluates them, and who is told of it.
    **fixed
        Other arguments of the models, e.g. ``model=Models.Language.Llama3_70B``.

    Returns
    -------
    list of ReplicaDesign
        One for every choice that is best for some class.

    Raises
    ------
    PipelineError
        If no stage produces a rate.
    MissingFigureError
        If the price of a kind is not known.
    NoReplicaError
        If no design of any kind keeps the limits of a class.
    NoAnswerError
        If the time limit or Ctrl-C came before all grids were evaluated.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> from mlsysim.core.solver import ServingModel
    >>> h100 = ReplicaKind(
    ...     name="H100", fleet=Systems.Accelerators.H100_SXM, price=3.0,
    ...     space={"tp_size": [4], "batch_size": [16, 64]},
    ... )
    >>> chat = RequestClass(
    ...     name="chat", rate=10, arguments={"input_tokens": 512, "output_tokens": 128},
    ... )
    >>> table = replica_designs(
    ...     [ServingModel()], [h100], [chat], model=Models.Language.Llama3_70B
    ... )
    >>> table[0].name, table[0].price
    ('H100_batch64_tp4', 12.0)
    """
    pipeline = Pipeline(stages, framework=framework)
    counting, roles = rated(stages), roles_of(stages)
    found: dict[str, ReplicaDesign] = {}
    pairs = [(kind, item) for kind in kinds for item in classes]
    with interruptible():  # Ctrl-C ends them all
        clock = _Clock(options or SearchOptions(), len(pairs))
        for done, (kind, item) in enumerate(pairs):
            evaluate = _Replica(pipeline=pipeline, arguments={**fixed, **item.arguments})
            front = _front(counting, kind.grid(roles), item, evaluate, clock.left(done))
            for point in front:
                result = point.result[counting]
                params = {name: point.params[name] for name in point.params if name not in roles}
                accelerators = int(result.accelerators)
                rate = float(magnitude(result.request_rate, "1/s")) * item.utilization
                made = kind.design(params, accelerators, {item.name: rate})
                known = found.get(made.name)
                found[made.name] = replace(
                    made,
                    rates={**(known.rates if known else {}), **made.rates},
                    latencies={
                        **(known.latencies if known else {}),
                        item.name: ReplicaLatency.of(result, _ends(point.result, counting)),
                    },
                    prefill_shares={
                        **(known.prefill_shares if known else {}),
                        item.name: float(getattr(result, "prefill_share", 0.0)),
                    },
                    evidence=evidence_of(point.result),
                )
        for item in classes:
            if not any(item.name in design.rates for design in found.values()):
                evaluate = _Replica(pipeline=pipeline, arguments={**fixed, **item.arguments})
                raise NoReplicaError(
                    why_none(
                        item.name,
                        item.limits,
                        dict(_tried(kinds, roles)),
                        evaluate,
                        f"maximize: {counting}.request_rate",
                        clock.left(len(pairs)),
                    )
                )
    return list(found.values())


def _ends(result: PipelineResult, counting: str) -> list[Any]:
    """Give what a replica does at either end of its errors; nothing where none are known."""
    try:
        ends = [result.at_level(level) for level in levels_of(COVERAGE)]
        return [end[counting] for end in ends] if all(end.measured for end in ends) else []
    except (ConfidenceError, Infeasible):
        return []


def available(kinds: Iterable[ReplicaKind], designs: Iterable[ReplicaDesign]) -> dict[str, int]:
    """Give the accelerators that there are, by kind, of the kinds that have a design."""
    used = {design.kind for design in designs}
    limited = (kind for kind in kinds if kind.name in used)
    return {kind.name: kind.available for kind in limited if kind.available is not None}


def demand(classes: Iterable[RequestClass]) -> dict[str, float]:
    """Give the requests per second, by class."""
    return {item.name: item.rate for item in classes}


def _tried(
    kinds: Iterable[ReplicaKind], roles: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every design of the grids with its name."""
    for kind in kinds:
        space = SearchSpace(kind.grid(roles))
        for place in range(space.size):
            params = space.point(place)
            yield _name(kind.name, {k: v for k, v in params.items() if k not in roles}), params


@dataclass(frozen=True, kw_only=True)
class _Replica:
    """Evaluates one replica; a class, so that it can be sent to other processes."""

    pipeline: Pipeline
    arguments: Mapping[str, Any]

    def __call__(self, params: Mapping[str, Any]) -> PipelineResult:
        return self.pipeline.run(**{**self.arguments, **params})


class _Clock:
    """Divides the time that there is among searches, one after the other."""

    def __init__(self, options: SearchOptions, total: int) -> None:
        self._options = options
        self._total = total
        self._began = time.monotonic()

    def left(self, done: int) -> SearchOptions:
        """Give what the next search may take, and tell how many are done."""
        limit = self._options.time_limit
        if self._options.progress is not None:
            self._options.progress(Progress(done=done, total=self._total, what="replica grids"))
        if limit is None:
            return replace(self._options, progress=None)
        rest = limit - (time.monotonic() - self._began)
        if rest <= 0:
            raise NoAnswerError(_STOPPED)
        return replace(self._options, progress=None, time_limit=rest)


_STOPPED = (
    "stopped before all designs of a replica were evaluated, without which there is no fleet to "
    "choose; allow more time, e.g. time_limit=60"
)


def _front(
    counting: str,
    space: Mapping[str, Iterable[Any]],
    item: RequestClass,
    evaluate: _Replica,
    options: SearchOptions,
) -> ParetoFront:
    """Find the designs that no other beats in rate and accelerators."""
    explorer = DSE(space, f"maximize: {counting}.request_rate", list(item.limits))
    goals = [f"maximize: {counting}.request_rate", f"minimize: {counting}.accelerators"]
    front = explorer.pareto(
        evaluate,
        goals,
        method=Method.EXHAUSTIVE,
        time_limit=options.time_limit,
        executor=options.executor,
    )
    if front.status not in {Status.OPTIMAL, Status.INFEASIBLE}:
        raise NoAnswerError(_STOPPED)
    return front


def roles_of(stages: Sequence[ForwardModel]) -> tuple[str, ...]:
    """Name the arguments that say on what a replica runs: of two pools both, which are of a kind.

    Parameters
    ----------
    stages
        The models of a replica.
    """
    names = (name for stage in stages for name in type(stage).inputs())
    return tuple(dict.fromkeys(name for name in names if name.endswith("fleet")))


def rated(stages: Sequence[ForwardModel]) -> str:
    """Name the last of the models that says what a replica serves and takes.

    Raises
    ------
    ParameterError
        If none does.
    """
    names = [
        stage.name for stage in stages if {"request_rate", "accelerators"} <= {*stage.produces}
    ]
    if not names:
        raise ParameterError(
            "none of the stages produces request_rate and accelerators; add ServingModel()"
        )
    return names[-1]


_SHORT = {"batch_size": "batch", "precision": "", "replicas": "x"}


def _name(kind: str, params: Mapping[str, Any]) -> str:
    """Make an identifier such as ``H100_batch64_tp4_fp8``."""
    parts = [
        _SHORT.get(name, name.removesuffix("_size")) + re.sub(r"\W", "_", label(value))
        for name, value in sorted(params.items())
    ]
    return "_".join([kind, *parts])
