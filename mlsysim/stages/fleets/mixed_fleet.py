"""Fleets that mix accelerators: replicas of many designs that together carry a demand.

A replica serves one class of requests: classes that differ in length or in
limits on latency have pools of their own, between which a router divides the traffic.
What a fleet serves, uses and costs is then linear in how many replicas there
are of each design for each class::

    served_c = sum_j n_jc rate_jc,   used_k = sum_(j of k, c) n_jc a_j,   cost = sum_jc n_jc price_j

At a level of the errors of predictions each replica answers as many fewer requests as all that it
does takes longer, by the measured runs of its own class.  All are as far off as that at once: what
runs of one model on one engine have in common is not evened out by their number.

`MixedFleetModel` adds this up; `mlsysim.fleets.planning` makes the question of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Annotated, Any

from mlsysim.catalog.builtin import Infrastructure
from mlsysim.catalog.grid import Grid
from mlsysim.errors import ParameterError, suggest
from mlsysim.numeric import plain
from mlsysim.stages.amounts import DollarsPerHour, Kilowatts, per_second
from mlsysim.stages.arguments import check_number, check_whole, in_unit
from mlsysim.stages.domains import Checked, Named, Number
from mlsysim.stages.economics.electricity import grid_of
from mlsysim.stages.error_classes import Pace, pace_of_evidence
from mlsysim.stages.evidence import Evidence
from mlsysim.stages.knobs import Design, about, knob, takes
from mlsysim.stages.mapping import mapped
from mlsysim.stages.stage import ForwardModel, StageResult, View
from mlsysim.units import Amount, Quantity, as_unit, magnitude

_DOLLARS_PER_HOUR = as_unit("USD/hour")
_KILOWATT = as_unit("kW")
_KILOGRAMS_PER_HOUR = as_unit("kg/hour")


@dataclass(frozen=True, kw_only=True)
class ReplicaLatency:
    """How long a request waits on a replica, in seconds; `None` where no model tells.

    Parameters
    ----------
    first_token
        For the first token, on average.
    per_token
        For each further one.
    first_token_within, per_token_within
        Between what both are expected to turn out, where runs like this were measured.
    """

    first_token: float | None = None
    per_token: float | None = None
    first_token_within: tuple[float, float] | None = None
    per_token_within: tuple[float, float] | None = None

    @classmethod
    def of(cls, result: Any, ends: Sequence[Any] = ()) -> "ReplicaLatency":
        """Read what a serving model reports.

        Parameters
        ----------
        result
            Its result, on plain numbers.
        ends
            The same at either end of its errors, where these are known.
        """
        first, later = _waits(result)
        firsts, laters = zip(*map(_waits, ends), strict=True) if ends else ((), ())
        return cls(
            first_token=first,
            per_token=later,
            first_token_within=_within(firsts),
            per_token_within=_within(laters),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "first_token_s": self.first_token,
            "first_token_within_s": self.first_token_within and [*self.first_token_within],
            "per_token_s": self.per_token,
            "per_token_within_s": self.per_token_within and [*self.per_token_within],
        }


def _waits(result: Any) -> tuple[float | None, float | None]:
    first, later = (
        getattr(result, name, None) for name in ("time_to_first_token", "inter_token_latency")
    )
    return (
        None if first is None else float(magnitude(first, "s")),
        None if later is None else float(magnitude(later, "s")),
    )


def _within(ends: Sequence[float | None]) -> tuple[float, float] | None:
    known = sorted(end for end in ends if end is not None)
    return (known[0], known[-1]) if known and len(known) == len(ends) else None


@dataclass(frozen=True, kw_only=True)
class ReplicaDesign:
    """One way to build a replica, and what it can do.

    Parameters
    ----------
    name
        An identifier, e.g. ``"H100_tp4_fp8"``.
    kind
        The accelerators that it takes from, by the name under which they are limited.
    accelerators
        How many of them.
    rates
        Requests per second that it serves within their limits, by class; a class
        that is not there it cannot serve.
    price
        USD per hour, or a quantity.
    watts
        Power of its servers at full load, or a quantity; `None` where nobody states it.
    latencies
        How long a request waits, by class.
    prefill_shares
        The part of a replica's time that prefills take, by class; none unless given.
    params
        The choices behind it, for the reader.
    rent
        The `Price` of an accelerator behind it, where that is known.
    evidence
        Of what kind the predictions behind it are.

    Raises
    ------
    ParameterError
        If a number is out of range, or a name is no identifier.

    Examples
    --------
    >>> ReplicaDesign(
    ...     name="H100_tp4", kind="H100", accelerators=4, rates={"chat": 6.5}, price=11.8,
    ... ).price
    11.8
    """

    name: str
    kind: str
    accelerators: int
    rates: Mapping[str, float]
    price: float
    watts: float | None = None
    latencies: Mapping[str, ReplicaLatency] = field(default_factory=dict)
    prefill_shares: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    rent: Any = None
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        for name in ("accelerators", "rates", "price", "watts"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        if not self.name.isidentifier():
            raise ParameterError(
                f"a replica design is called {self.name!r}; write an identifier such as 'H100_tp4'"
            )
        rates = {name: in_unit("rate", rate, "1/s") for name, rate in self.rates.items()}
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "price", in_unit("price", self.price, "USD/hour"))
        check_whole(f"{self.name}.accelerators", self.accelerators)
        check_number(f"{self.name}.price", self.price)
        if self.watts is not None:
            object.__setattr__(self, "watts", in_unit("watts", self.watts, "W"))
            check_number(f"{self.name}.watts", self.watts)
        for name, rate in self.rates.items():
            check_number(f"{self.name}.rates.{name}", rate)
        for name, share in self.prefill_shares.items():
            check_number(f"{self.name}.prefill_shares.{name}", share, most=1.0)

    def pool(self, request_class: str) -> str:
        """Name the choice of how many replicas of this design serve a class."""
        return f"{request_class}_on_{self.name}"

    def at(self, level: float) -> "ReplicaDesign":
        """Give the design with the rates that it had if all took longer by what its class shows.

        Of a request's time prefills take their share, and further tokens the rest; each is as many
        times as long as that share of the measured runs took at the most.  Of several kinds of
        accelerators the slowest counts.

        Parameters
        ----------
        level
            The share of the runs.
        """
        paces = [pace_of_evidence(evidence, level) for evidence in self.evidence]
        first = max((pace.first for pace in paces), default=1.0)
        later = max((pace.later for pace in paces), default=1.0)
        shares = {name: self.prefill_shares.get(name, 0.0) for name in self.rates}
        return replace(
            self,
            rates={
                name: rate / (shares[name] * first + (1 - shares[name]) * later)
                for name, rate in self.rates.items()
            },
        )

    @property
    def measured(self) -> bool:
        """Whether runs were measured of all that it is predicted from."""
        known = [pace_of_evidence(evidence, 0.5).measured for evidence in self.evidence]
        return bool(known) and all(known)


@dataclass(frozen=True, kw_only=True)
class MixedFleetResult(StageResult):
    """What a mixed fleet serves, uses and costs.

    Parameters
    ----------
    served
        Requests per second that it can serve, by class.
    accelerators
        Accelerators in use, by kind.
    replicas
        Replicas of all designs together.
    cost_per_hour
        The bill of an hour, over all replicas.
    power
        Power of all servers at full load; `None` where that of a design is not known.
    carbon_per_hour
        What the production of the servers' electricity emits; `None` without a region.
    """

    served: Mapping[str, Any]
    accelerators: Mapping[str, Any]
    replicas: int
    cost_per_hour: DollarsPerHour
    power: Kilowatts
    carbon_per_hour: Annotated[Amount, "kg/h"] | None


def _check_designs(name: str, value: Any) -> None:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    if not listed or not value or not all(isinstance(item, ReplicaDesign) for item in value):
        raise ParameterError(f"{name} is {value!r}; give a list of at least one ReplicaDesign")


def _check_replicas(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ParameterError(
            f'{name} is {value!r}; give counts by name, e.g. {{"chat_on_H100_tp4": 3}}'
        )


@dataclass(frozen=True)
class MixedFleetDesign(Design):
    """Replicas of several designs; the arguments of `MixedFleetModel.solve`."""

    designs: Sequence[ReplicaDesign] = field(
        metadata=about(Checked(_check_designs, "replica designs"), "The designs that there are.")
    )
    replicas: Mapping[str, Any] = field(
        metadata=about(
            Checked(_check_replicas, "counts by name"),
            '``"<class>_on_<design>"`` -> how many; none of those left out.',
        )
    )
    _: KW_ONLY
    region: Grid | str | None = knob(
        Named(Infrastructure.Grids, Grid),
        "Where it stands, for the carbon: a grid, or its name in ``Infrastructure.Grids``.",
        default=None,
        applies="where the power of all designs is known",
    )
    pue: float | None = knob(
        Number(least=1.0),
        "Power usage effectiveness; the grid's unless given.",
        default=None,
        applies="with a region",
    )


class MixedFleetModel(ForwardModel):
    """Add up replicas of several designs.

    Examples
    --------
    >>> small = ReplicaDesign(name="A", kind="L4", accelerators=1, rates={"chat": 0.5}, price=0.7)
    >>> large = ReplicaDesign(name="B", kind="H100", accelerators=4, rates={"chat": 9}, price=12)
    >>> fleet = MixedFleetModel().solve(
    ...     designs=[small, large], replicas={"chat_on_A": 2, "chat_on_B": 3}
    ... )
    >>> fleet.served["chat"].m_as("1/s"), fleet.cost_per_hour.m_as("USD/hour")
    (28.0, 37.4)
    """

    view = View.MACRO
    produces = ("cost_per_hour",)

    @takes(MixedFleetDesign)
    def solve(self, design: MixedFleetDesign) -> MixedFleetResult:
        """Evaluate one fleet.

        Returns
        -------
        MixedFleetResult
            The sums.

        Raises
        ------
        ParameterError
            If two designs share a name, or replicas are counted of something else.
        MissingFigureError
            If the carbon of a region is not known.
        """
        level = self.level
        designs = design.designs if level is None else [one.at(level) for one in design.designs]
        pools = pools_of(designs)
        for name, count in design.replicas.items():
            if name not in pools:
                raise ParameterError(f"replicas counts {name!r}{suggest(name, pools)}")
            check_whole(f"replicas.{name}", count, least=0)
        counted = [(*pools[name], count) for name, count in design.replicas.items()]
        classes = dict.fromkeys(name for item in designs for name in item.rates)
        kinds = dict.fromkeys(item.kind for item in designs)
        power = _power(designs, counted)
        return MixedFleetResult(
            checks=self.support(*(_known(item, count) for item, _, count in counted)),
            served={
                name: per_second(
                    sum(n * item.rates[name] for item, served, n in counted if served == name)
                )
                for name in classes
            },
            accelerators={
                kind: sum(n * item.accelerators for item, _, n in counted if item.kind == kind)
                for kind in kinds
            },
            replicas=sum(count for *_, count in counted),
            cost_per_hour=Quantity(
                sum(count * item.price for item, _, count in counted), _DOLLARS_PER_HOUR
            ),
            power=power,
            carbon_per_hour=None
            if design.region is None
            else _carbon(power, design.region, design.pue),
        )


def _known(design: ReplicaDesign, count: Any) -> Pace:
    """Tell whether runs were measured of a design; of one that is not used nothing need be."""
    return Pace(measured=True if design.measured else count < 1)


def pools_of(designs: Iterable[ReplicaDesign]) -> dict[str, tuple[ReplicaDesign, str]]:
    """List every design with every class that it serves, by the name of the choice.

    Raises
    ------
    ParameterError
        If two would have the same name.
    """
    pools: dict[str, tuple[ReplicaDesign, str]] = {}
    for design in designs:
        for request_class, rate in design.rates.items():
            name = design.pool(request_class)
            if name in pools:
                raise ParameterError(f"two replica designs make {name!r}; give each its own name")
            if rate > 0:
                pools[name] = design, request_class
    return pools


def _power(
    designs: Sequence[ReplicaDesign], counted: Sequence[tuple[ReplicaDesign, str, Any]]
) -> Any:
    watts = {design.name: design.watts for design in designs if design.watts is not None}
    if len(watts) < len(designs):
        return None
    return Quantity(sum(n * (watts[design.name] / 1e3) for design, _, n in counted), _KILOWATT)


def _carbon(power: Any, region: Grid | str, pue: Any) -> Any:
    if power is None:
        return None
    grid = grid_of(region)
    intensity = mapped(_intensity, grid)
    effectiveness = grid.pue if pue is None else pue
    return Quantity(magnitude(power, "kW") * effectiveness * intensity, _KILOGRAMS_PER_HOUR)


def _intensity(grid: Grid) -> float:
    """Give the carbon of a grid in kg per kWh, so that kW make kg per hour."""
    intensity: float = magnitude(grid.carbon_intensity, "kg/kWh")
    return intensity
