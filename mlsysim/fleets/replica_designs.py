"""Make a table of replica designs out of a serving model, a few kinds and a few request classes.

For each kind of accelerator and each class of requests, the designs of a
small grid (tensor parallelism, batch, precision ...) are evaluated; those
that meet the limits of the class and that no other one beats in both the
requests that it serves and the accelerators that it takes become replica designs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.errors import InfeasibleError, ParameterError
from mlsysim.problem.domain import label
from mlsysim.results.status import Status
from mlsysim.stages.arguments import check_number, check_whole, in_unit
from mlsysim.stages.economics.prices import rent
from mlsysim.stages.evidence import Evidence, evidence_of
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign
from mlsysim.stages.serving.hardware import Purchase, hardware_of, rent_of
from mlsysim.stages.serving.machine import check_fleet
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
        What a design has to keep, e.g. ``"ServingModel.inter_token_latency <= 50 ms"``.
    utilization
        Share of a replica's rate that is planned on; the rest is head-room for bursts.
    """

    name: str
    rate: float
    arguments: Mapping[str, Any]
    limits: Sequence[str] = ()
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


def replica_designs(
    stages: Sequence[ForwardModel],
    kinds: Sequence[ReplicaKind],
    classes: Sequence[RequestClass],
    *,
    framework: str | None = None,
    **fixed: Any,
) -> list[ReplicaDesign]:
    """Make the table.

    Parameters
    ----------
    stages
        The models that evaluate one replica; the last that produces ``request_rate``
        and ``accelerators`` counts.
    kinds, classes
        What there is and what is asked for.
    framework
        Who is to run the replicas: what it cannot run is no design.
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
    InfeasibleError
        If no design of any kind keeps the limits of a class.

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
    rated = _rated(stages)
    found: dict[str, ReplicaDesign] = {}
    reasons: dict[str, list[str]] = {item.name: [] for item in classes}
    for kind in kinds:
        price = rent_of(kind.fleet, Purchase.RENTED, kind.price)
        watts = hardware_of(kind.fleet, Purchase.RENTED, 1.0, _SERVER_POWER_FACTOR).watts
        space = {"fleet": [kind.fleet], **kind.space}
        for item in classes:
            best = _best(pipeline, rated, space, item, fixed)
            if isinstance(best, str):
                reasons[item.name].append(f"{kind.name}: {best}")
                continue
            for params, rate, accelerators, evidence in best:
                name = _name(kind.name, params)
                known = found.get(name)
                rates = {**(known.rates if known else {}), item.name: rate * item.utilization}
                found[name] = ReplicaDesign(
                    name=name,
                    kind=kind.name,
                    accelerators=accelerators,
                    rates=rates,
                    price=round(accelerators * price, 4),
                    # A number that is equal to itself is one.
                    watts=accelerators * watts if watts == watts else None,  # noqa: PLR0124
                    params=params,
                    rent=rent(kind.fleet, kind.price),
                    evidence=evidence,
                )
    for name, texts in reasons.items():
        if len(texts) == len(kinds):
            raise InfeasibleError(
                f"no replica design keeps the limits of the class {name!r}:\n" + "\n".join(texts)
            )
    return list(found.values())


def available(kinds: Iterable[ReplicaKind], designs: Iterable[ReplicaDesign]) -> dict[str, int]:
    """Give the accelerators that there are, by kind, of the kinds that have a design."""
    used = {design.kind for design in designs}
    limited = (kind for kind in kinds if kind.name in used)
    return {kind.name: kind.available for kind in limited if kind.available is not None}


def demand(classes: Iterable[RequestClass]) -> dict[str, float]:
    """Give the requests per second, by class."""
    return {item.name: item.rate for item in classes}


_Best = list[tuple[dict[str, Any], float, int, tuple[Evidence, ...]]]


def _best(
    pipeline: Pipeline,
    rated: str,
    space: Mapping[str, Any],
    item: RequestClass,
    fixed: Mapping[str, Any],
) -> _Best | str:
    """Give the designs that no other beats in rate and accelerators, or why there are none."""

    def evaluate(params: Mapping[str, Any]) -> Any:
        return pipeline.run(**{**fixed, **item.arguments, **params})

    explorer = DSE(space, f"maximize: {rated}.request_rate", list(item.limits))
    goals = [f"maximize: {rated}.request_rate", f"minimize: {rated}.accelerators"]
    front = explorer.pareto(evaluate, goals, method="exhaustive")
    if front.status is Status.INFEASIBLE:
        return ", ".join(front.conflict)
    designs = []
    for point in front:
        report = point.result[rated]
        params = {name: value for name, value in point.params.items() if name != "fleet"}
        rate = magnitude(report.request_rate, "1/s")
        evidence = evidence_of(point.result)
        designs.append((params, float(rate), int(report.accelerators), evidence))
    return designs


def _rated(stages: Sequence[ForwardModel]) -> str:
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
