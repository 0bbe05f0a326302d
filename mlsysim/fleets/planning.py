"""Plan fleets that mix accelerators: how many replicas of which design serve which requests.

>>> designs = [
...     ReplicaDesign(name="L4_tp1", kind="L4", accelerators=1, rates={"chat": 0.5}, price=0.7),
...     ReplicaDesign(name="H100_tp4", kind="H100", accelerators=4, rates={"chat": 9}, price=12),
... ]
>>> plan = plan_fleet(designs, {"chat": 21}, {"L4": 64, "H100": 8})
>>> print(plan)
OPTIMAL: 28.2 USD/hour
  chat: 6 x L4_tp1, 2 x H100_tp4; serves 21 of 21 per second
  H100: 8 of 8 accelerators
  L4: 6 of 64 accelerators

`mlsysim.fleets.replica_designs` makes such a table of designs out of a serving model.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.errors import InfeasibleError, ParameterError, suggest
from mlsysim.fleets.preferences import Requirement, preference_of
from mlsysim.results import SearchResult
from mlsysim.stages.arguments import check_number, check_whole, in_unit
from mlsysim.stages.fleets.dominance import undominated
from mlsysim.stages.fleets.mixed_fleet import (
    MixedFleetModel,
    MixedFleetResult,
    ReplicaDesign,
    pools_of,
)

CHEAPEST = "minimize: MixedFleetModel.cost_per_hour"


@dataclass(frozen=True, kw_only=True)
class FleetQuestion:
    """The space and the constraints of a mixed fleet.

    Parameters
    ----------
    designs
        The designs that a best fleet can need.
    space
        ``"<class>_on_<design>"`` -> how many replicas there can be.
    constraints
        ``"demand of <class>"`` and ``"accelerators of <kind>"`` -> the constraint; a table of it
        and its confidence, where it has one.
    demand
        Class -> requests per second.
    available
        Kind -> accelerators; kinds without a limit are not there.
    confidence
        Class -> with which its demand is carried; classes without one are not there.
    """

    designs: tuple[ReplicaDesign, ...]
    space: Mapping[str, range]
    constraints: Mapping[str, str | Requirement]
    demand: Mapping[str, float]
    available: Mapping[str, int]
    confidence: Mapping[str, float] = field(default_factory=dict)


def fleet_question(
    designs: Iterable[ReplicaDesign],
    demand: Mapping[str, Any],
    available: Mapping[str, int] | None = None,
    *,
    objectives: Iterable[str] = (CHEAPEST,),
    constraints: Iterable[str | Requirement] = (),
    confidence: Mapping[str, float] | float | None = None,
) -> FleetQuestion:
    """Put a demand on a table of designs.

    Where less of everything is as good, designs that others dominate are left out, and
    replicas beyond the demand, which changes no optimum (see `undominated`).

    Parameters
    ----------
    designs
        Any number of designs.
    demand
        Class -> requests per second, or a quantity.
    available
        Kind -> how many accelerators there are at most; no limit to those not named.
    objectives, constraints
        The texts of what will be asked of the fleet, besides the demand.
    confidence
        With which the demand is to be carried, of all classes or by class; as predicted unless
        given.

    Raises
    ------
    ParameterError
        If a number is out of range, a class or a kind has no design, or nothing limits how many
        replicas may be of use.
    InfeasibleError
        If no design at all serves a class.
    """
    designs, constraints = tuple(designs), tuple(constraints)
    rates = {name: in_unit(f"demand of {name}", rate, "1/s") for name, rate in demand.items()}
    sure = _confidences(confidence, rates)
    preference = preference_of(objectives, constraints, pools_of(designs))
    levels = _levels([*sure.values(), *_stated(constraints)])
    table = undominated(designs, levels) if preference.dominated else designs
    limits = dict(available or {})
    kinds = {design.kind for design in designs}
    for name, rate in rates.items():
        check_number(f"demand of {name}", rate, above=True)
        if not any(name in design.rates for design in table):
            classes = {known for design in table for known in design.rates}
            raise InfeasibleError(
                f"no replica design serves the class {name!r}{suggest(name, classes)}"
            )
    for kind, count in limits.items():
        check_whole(f"available {kind}", count, least=0)
        if kind not in kinds:
            raise ParameterError(
                f"available names {kind!r}, of which there is no design{suggest(kind, kinds)}"
            )
    if preference.spare and (endless := sorted({item.kind for item in table} - limits.keys())):
        raise ParameterError(
            f"{preference.spare}: replicas beyond the demand may be of use, and nothing limits how "
            f"many accelerators they take of {', '.join(endless)}; say how many are available"
        )
    return FleetQuestion(
        designs=table,
        space=_space(table, rates, sure, limits if preference.spare else {}),
        constraints=_constraints(table, rates, sure, limits),
        demand=rates,
        available=limits,
        confidence=sure,
    )


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """The best mixed fleet, in words and with its proof.

    Parameters
    ----------
    result
        The answer of the search, with all counts.
    question
        What was asked.
    """

    result: SearchResult
    question: FleetQuestion

    @property
    def replicas(self) -> dict[str, dict[str, int]]:
        """Class -> design -> how many replicas; none of those left out.

        Raises
        ------
        InfeasibleError
            If no fleet carries the demand; the message says what is in the way.
        """
        pools = pools_of(self.question.designs)
        counted: dict[str, dict[str, int]] = {name: {} for name in self.question.demand}
        for pool, count in self.result.best_params.items():
            if count:
                design, name = pools[pool]
                counted[name][design.name] = count
        return counted

    @property
    def fleet(self) -> MixedFleetResult:
        """What the best fleet serves, uses and costs."""
        found: MixedFleetResult = self.result.best_result["MixedFleetModel"]
        return found

    def __str__(self) -> str:
        if not self.result.top_candidates:
            return str(self.result)
        fleet, question = self.fleet, self.question
        lines = [f"{self.result.status}: {fleet.cost_per_hour.m_as('USD/hour'):g} USD/hour"]
        for name, counts in self.replicas.items():
            listed = ", ".join(f"{count} x {design}" for design, count in counts.items())
            served = fleet.served[name].m_as("1/s")
            told = f"  {name}: {listed}; serves {served:g} of {question.demand[name]:g} per second"
            sure = question.confidence.get(name)
            lines.append(told if sure is None else f"{told}, with {100 * sure:g} % confidence")
        for kind, used in sorted(fleet.accelerators.items()):
            if used:
                limit = question.available.get(kind)
                room = "" if limit is None else f" of {limit}"
                lines.append(f"  {kind}: {used}{room} accelerators")
        return "\n".join(lines)


def plan_fleet(
    designs: Iterable[ReplicaDesign],
    demand: Mapping[str, Any],
    available: Mapping[str, int] | None = None,
    *,
    objective: str = CHEAPEST,
    constraints: Mapping[str, str | Requirement] | None = None,
    confidence: Mapping[str, float] | float | None = None,
    region: Any = None,
    **options: Any,
) -> FleetPlan:
    """Find the cheapest fleet that carries a demand, with proof.

    Parameters
    ----------
    designs, demand, available
        As for `fleet_question`.
    objective
        Over the metrics of `MixedFleetModel`.
    constraints
        More of them by name, e.g. ``{"site": "MixedFleetModel.power <= 2 MW"}``.
    confidence
        As for `fleet_question`.
    region
        Where the fleet stands, for its carbon.
    **options
        Those of `DSE.search`.

    Raises
    ------
    ParameterError
        If a number is out of range, a class or a kind has no design, or nothing limits how many
        replicas may be of use.
    InfeasibleError
        If no design at all serves a class.
    """
    own = (constraints or {}).values()
    question = fleet_question(
        designs, demand, available, objectives=[objective], constraints=own, confidence=confidence
    )
    pipeline = Pipeline([MixedFleetModel()])

    def evaluate(replicas: Mapping[str, Any]) -> PipelineResult:
        return pipeline.run(designs=question.designs, replicas=replicas, region=region)

    explorer = DSE(question.space, objective, {**question.constraints, **(constraints or {})})
    return FleetPlan(result=explorer.search(evaluate, **options), question=question)


def _confidences(
    confidence: Mapping[str, float] | float | None, rates: Mapping[str, float]
) -> dict[str, float]:
    """Give the confidence of each class that has one."""
    if confidence is None:
        return {}
    if not isinstance(confidence, Mapping):
        return dict.fromkeys(rates, confidence)
    for name in confidence:
        if name not in rates:
            raise ParameterError(f"confidence names the class {name!r}{suggest(name, rates)}")
    return dict(confidence)


def _stated(constraints: Iterable[str | Requirement]) -> Iterator[float]:
    """Give the confidences of constraints."""
    for one in constraints:
        if not isinstance(one, str) and "confidence" in one:
            yield float(one["confidence"])


def _levels(confidences: Iterable[float]) -> tuple[float, ...]:
    """Give the levels of errors at which constraints with confidences are read."""
    return tuple(sorted({level for one in confidences for level in (one, 1 - one)}))


def _space(
    designs: Iterable[ReplicaDesign],
    rates: Mapping[str, float],
    sure: Mapping[str, float],
    spare: Mapping[str, int],
) -> dict[str, range]:
    """Give each pool as many replicas as carry its class alone, or as many as there can be.

    More than carry it can be of use where more is wanted than the demand needs (`spare`).  What
    there is of a kind is a constraint, not an end of a range, so that an answer can say how many
    more would help.
    """
    space = {}
    for pool, (design, name) in pools_of(designs).items():
        if name in rates:
            ends = [design.at(level) for level in _levels([sure[name]] if name in sure else [])]
            slowest = min(one.rates[name] for one in (design, *ends))
            enough = math.ceil(rates[name] / slowest)
            room = spare.get(design.kind, 0) // design.accelerators
            space[pool] = range(max(enough, room) + 1)
    return space


def _constraints(
    designs: Iterable[ReplicaDesign],
    rates: Mapping[str, float],
    sure: Mapping[str, float],
    limits: Mapping[str, int],
) -> dict[str, str | Requirement]:
    used = {design.kind for design in designs}
    demand: dict[str, str | Requirement] = {}
    for name, rate in rates.items():
        text = f"MixedFleetModel.served.{name} >= {rate!r} / s"
        confident: Requirement = {"require": text, "confidence": sure.get(name, 0.0)}
        demand[f"demand of {name}"] = confident if name in sure else text
    return demand | {
        f"accelerators of {kind}": f"MixedFleetModel.accelerators.{kind} <= {count}"
        for kind, count in limits.items()
        if kind in used
    }
