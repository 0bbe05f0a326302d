"""What a fleet costs over a period, in money, energy and carbon."""

from dataclasses import dataclass
from typing import Annotated, Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.grid import Grid
from mlsysim.expr.functions import where
from mlsysim.physics import economics
from mlsysim.stages.amounts import Kilowatts
from mlsysim.stages.arguments import check_number, check_record, check_whole, in_unit
from mlsysim.stages.economics.electricity import Prices, carbon_intensity_of, grid_of, tariff_of
from mlsysim.stages.mapping import mapped
from mlsysim.stages.stage import ForwardModel, StageResult, View
from mlsysim.units import Amount, Quantity, as_unit, is_quantity, magnitude

_DAY = 86400.0
_YEAR = 365 * _DAY
_JOULES_PER_KWH = 3.6e6
_MEGAWATT_HOUR = as_unit("MWh")
_KILOWATT = as_unit("kW")
_TONNE = as_unit("t")
_DOLLAR = as_unit("USD")


@dataclass(frozen=True, kw_only=True)
class EconomicsResult(StageResult):
    """Money and energy of a period.

    Parameters
    ----------
    capital_usd
        Share of the purchase that falls on the period.
    energy_usd
        Electricity.
    maintenance_usd
        Upkeep.
    tco_usd
        The sum of the three; network, storage, building and staff are not in it.
    usd_per_million_tokens
        The sum over what was produced; `None` where no throughput is known.
    energy
        Electricity of the facility.
    power
        Average power of the nodes.
    carbon
        What its production emits; `None` where the grid has no such figure.
    duration_days
        The period.
    price_is_estimated
        Whether the nodes have no known price, so that it is derived from that of
        their accelerators.
    """

    capital_usd: float
    energy_usd: float
    maintenance_usd: float
    tco_usd: float
    usd_per_million_tokens: float | None
    energy: Annotated[Amount, "MWh"]
    power: Kilowatts
    carbon: Annotated[Amount, "t"] | None
    duration_days: float
    price_is_estimated: bool

    def cost_breakdown(self) -> dict[str, Any]:
        """Give the parts of the cost."""
        parts = {
            "capital": self.capital_usd,
            "energy": self.energy_usd,
            "maintenance": self.maintenance_usd,
        }
        return {part: Quantity(amount, _DOLLAR) for part, amount in parts.items()}


class EconomicsModel(ForwardModel):
    """Price the nodes that a run occupies, over the days that it takes.

    ``tco = C T/Y + PUE P T price + r C T`` with the formulas of
    `mlsysim.physics.economics`.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> bill = EconomicsModel().solve(
    ...     fleet=Systems.Clusters.Frontier_8K, duration_days=30, utilization=0.4
    ... )
    >>> bill.tco_usd == bill.capital_usd + bill.energy_usd + bill.maintenance_usd
    True
    """

    view = View.MACRO
    produces = ("tco_usd", "energy", "carbon")

    def solve(  # noqa: PLR0913 - these are the items of a bill
        self,
        fleet: Cluster,
        duration_days: float,
        *,
        region: Grid | str = "US_Average",
        electricity_price: Prices = None,
        pue: float | None = None,
        utilization: float = 1.0,
        effective_throughput: Any = None,
        nodes: int | None = None,
        lifetime_years: float = 4.0,
        maintenance_rate: float = 0.05,
        idle_power_share: float = 0.3,
        server_factor: float = 1.5,
    ) -> EconomicsResult:
        """Evaluate one period.

        Parameters
        ----------
        fleet
            What is paid for.
        duration_days
            The period, in days or as a time.
        region
            Where it stands: a grid, or its name in ``Infrastructure.Grids``.
        electricity_price
            In USD/kWh or as a quantity, or one for each region by name; the grid's unless given.
        pue
            Power usage effectiveness; the grid's unless given.
        utilization
            Share of the time at full power.  In a pipeline it comes from
            `DistributedModel`; alone it is 1, the most that the energy can cost.
        effective_throughput
            Tokens per second, for the cost of a token; from `DistributedModel` in a pipeline.
        nodes
            Nodes that are paid for; all unless given.  Whether there are so many
            is for the stage to tell that places the work on them.
        lifetime_years
            Years over which a purchase is written off.
        maintenance_rate
            Upkeep per year, as a share of the full price.
        idle_power_share
            What an idle node draws of its maximum; servers idle at some 30 %.
        server_factor
            What a whole server costs over its accelerators alone (1.3 to 1.7 is usual),
            where only their price is known.

        Returns
        -------
        EconomicsResult
            The bill.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        MissingFigureError
            If a price or a power is needed that the catalogue does not have.
        """
        check_record("fleet", fleet, Cluster)
        days = in_unit("duration_days", duration_days, "day")
        counted = fleet.nodes if nodes is None else nodes
        check_number("duration_days", days)
        check_whole("nodes", counted)
        check_number("utilization", utilization, most=1.0)
        check_number("lifetime_years", lifetime_years, above=True)
        check_number("maintenance_rate", maintenance_rate)
        check_number("idle_power_share", idle_power_share, most=1.0)
        check_number("server_factor", server_factor, least=1.0)
        grid = grid_of(region)
        tariff = tariff_of(grid, electricity_price)
        effectiveness = grid.pue if pue is None else pue
        check_number("pue", effectiveness, least=1.0)

        time = days * _DAY
        node = mapped(_node_figures, fleet)
        price = counted * node.price * where(node.estimated, server_factor, 1.0)
        power = economics.average_power(counted * node.power, idle_power_share, utilization)
        energy = economics.facility_energy(power, time, effectiveness) / _JOULES_PER_KWH
        capital = economics.straight_line_capital(price, time, lifetime_years * _YEAR)
        upkeep = economics.maintenance(price, maintenance_rate / _YEAR, time)
        bill = energy * tariff
        total = capital + bill + upkeep
        return EconomicsResult(
            checks={},
            capital_usd=capital,
            energy_usd=bill,
            maintenance_usd=upkeep,
            tco_usd=total,
            usd_per_million_tokens=_per_million(total, time, effective_throughput),
            energy=Quantity(energy / 1e3, _MEGAWATT_HOUR),
            power=Quantity(power / 1e3, _KILOWATT),
            carbon=_carbon(energy, grid),
            duration_days=days,
            price_is_estimated=node.estimated,
        )


@dataclass(frozen=True, kw_only=True)
class _Node:
    price: float
    estimated: bool
    power: float


def _node_figures(fleet: Cluster) -> _Node:
    node = fleet.node
    return _Node(
        price=magnitude(node.capital_cost, "USD"),
        estimated=not node.has("unit_price"),
        power=magnitude(node.max_power, "W"),
    )


def _per_million(total: Any, time: Any, throughput: Any) -> Any:
    if throughput is None:
        return None
    rate = magnitude(throughput, "1/s") if is_quantity(throughput) else throughput
    check_number("effective_throughput", rate, above=True)
    return 1e6 * economics.cost_per_token(total, time, rate)


def _carbon(energy: Any, grid: Any) -> Any:
    intensity = carbon_intensity_of(grid)
    return None if intensity is None else Quantity(energy * intensity / 1e6, _TONNE)
