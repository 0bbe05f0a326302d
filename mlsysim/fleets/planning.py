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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.errors import InfeasibleError, ParameterError, suggest
from mlsysim.fleets.preferences import preference_of
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
        ``"demand of <class>"`` and ``"accelerators of <kind>"`` -> the constraint.
    demand
        Class -> requests per second.
    available
        Kind -> accelerators; kinds without a limit are not there.
    """

    designs: tuple[ReplicaDesign, ...]
    space: Mapping[str, range]
    constraints: Mapping[str, str]
    demand: Mapping[str, float]
    available: Mapping[str, int]


def fleet_question(
    designs: Iterable[ReplicaDesign],
    demand: Mapping[str, Any],
    available: Mapping[str, int] | None = None,
    *,
    objectives: Iterable[str] = (CHEAPEST,),
    constraints: Iterable[str] = (),
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

    Raises
    ------
    ParameterError
        If a number is out of range, a class or a kind has no design, or nothing limits how many
        replicas may be of use.
    InfeasibleError
        If no design at all serves a class.
    """
    designs = tuple(designs)
    preference = preference_of(objectives, constraints, pools_of(designs))
    table = undominated(designs) if preference.dominated else designs
    limits = dict(available or {})
    rates = {name: in_unit(f"demand of {name}", rate, "1/s") for name, rate in demand.items()}
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
        space=_space(table, rates, limits if preference.spare else {}),
        constraints=_constraints(table, rates, limits),
        demand=rates,
        available=limits,
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
            lines.append(
                f"  {name}: {listed}; serves {served:g} of {question.demand[name]:g} per second"
            )
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
    constraints: Mapping[str, str] | None = None,
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
    question = fleet_question(designs, demand, available, objectives=[objective], constraints=own)
    model = MixedFleetModel()

    def evaluate(replicas: Mapping[str, Any]) -> dict[str, MixedFleetResult]:
        return {model.name: model.solve(designs=question.designs, replicas=replicas, region=region)}

    explorer = DSE(question.space, objective, {**question.constraints, **(constraints or {})})
    return FleetPlan(result=explorer.search(evaluate, **options), question=question)


def _space(
    designs: Iterable[ReplicaDesign], rates: Mapping[str, float], spare: Mapping[str, int]
) -> dict[str, range]:
    """Give each pool as many replicas as carry its class alone, or as many as there can be.

    More than carry it can be of use where more is wanted than the demand needs (`spare`).  What
    there is of a kind is a constraint, not an end of a range, so that an answer can say how many
    more would help.
    """
    space = {}
    for pool, (design, name) in pools_of(designs).items():
        if name in rates:
            enough = math.ceil(rates[name] / design.rates[name])
            room = spare.get(design.kind, 0) // design.accelerators
            space[pool] = range(max(enough, room) + 1)
    return space


def _constraints(
    designs: Iterable[ReplicaDesign], rates: Mapping[str, float], limits: Mapping[str, int]
) -> dict[str, str]:
    used = {design.kind for design in designs}
    demand = {
        f"demand of {name}": f"MixedFleetModel.served.{name} >= {rate!r} / s"
        for name, rate in rates.items()
    }
    return demand | {
        f"accelerators of {kind}": f"MixedFleetModel.accelerators.{kind} <= {count}"
        for kind, count in limits.items()
        if kind in used
    }
