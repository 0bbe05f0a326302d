"""What a fleet costs over a period, in money, energy and carbon."""

from dataclasses import dataclass
from typing import Annotated, Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.expr.functions import where
from mlsysim.physics import economics
from mlsysim.stages.amounts import Kilowatts
from mlsysim.stages.economics.design import EconomicsDesign
from mlsysim.stages.economics.electricity import carbon_intensity_of, grid_of, tariff_of
from mlsysim.stages.knobs import takes
from mlsysim.stages.mapping import mapped, remembered
from mlsysim.stages.stage import ForwardModel, StageResult, View
from mlsysim.units import Amount, Quantity, as_unit, magnitude

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
        Dollars: the share of the purchase that falls on the period.
    energy_usd
        Dollars for electricity over the period.
    maintenance_usd
        Dollars for upkeep over the period.
    tco_usd
        Total cost of ownership over the period in dollars: capital, energy and maintenance;
        network, storage, building and staff are not in it.
    usd_per_million_tokens
        `tco_usd` over the tokens that were produced; `None` where no throughput is known.
    energy
        Electricity that the facility draws over the period.
    power
        Average power that the facility draws for the nodes.
    carbon
        What the production of that electricity emits; `None` where the grid has no such figure.
    duration_days
        Days that are paid for.
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

    @takes(EconomicsDesign)
    def solve(self, design: EconomicsDesign) -> EconomicsResult:
        """Evaluate one period.

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
        grid = grid_of(design.region)
        effectiveness = grid.pue if design.pue is None else design.pue
        counted = design.fleet.nodes if design.nodes is None else design.nodes
        time = design.duration_days * _DAY
        node = mapped(_node_figures, design.fleet)
        price = counted * node.price * where(node.estimated, design.server_factor, 1.0)
        power = economics.average_power(
            counted * node.power, design.idle_power_share, design.utilization
        )
        energy = economics.facility_energy(power, time, effectiveness) / _JOULES_PER_KWH
        capital = economics.straight_line_capital(price, time, design.lifetime_years * _YEAR)
        upkeep = economics.maintenance(price, design.maintenance_rate / _YEAR, time)
        bill = energy * tariff_of(grid, design.electricity_price)
        total = capital + bill + upkeep
        return EconomicsResult(
            checks={},
            capital_usd=capital,
            energy_usd=bill,
            maintenance_usd=upkeep,
            tco_usd=total,
            usd_per_million_tokens=_per_million(total, time, design.effective_throughput),
            energy=Quantity(energy / 1e3, _MEGAWATT_HOUR),
            power=Quantity(power / 1e3, _KILOWATT),
            carbon=_carbon(energy, grid),
            duration_days=design.duration_days,
            price_is_estimated=node.estimated,
        )


@dataclass(frozen=True, kw_only=True)
class _Node:
    price: float
    estimated: bool
    power: float


@remembered
def _node_figures(fleet: Cluster) -> _Node:
    node = fleet.node
    return _Node(
        price=magnitude(node.capital_cost, "USD"),
        estimated=not node.has("unit_price"),
        power=magnitude(node.max_power, "W"),
    )


def _per_million(total: Any, time: Any, throughput: Any) -> Any:
    return None if throughput is None else 1e6 * economics.cost_per_token(total, time, throughput)


def _carbon(energy: Any, grid: Any) -> Any:
    intensity = carbon_intensity_of(grid)
    return None if intensity is None else Quantity(energy * intensity / 1e6, _TONNE)
