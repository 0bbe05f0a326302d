"""What `ServingEconomicsModel` reports."""

from dataclasses import dataclass
from typing import Annotated, Any

from mlsysim.stages.amounts import DollarsPerHour, Kilowatts
from mlsysim.stages.stage import StageResult
from mlsysim.units import Amount


@dataclass(frozen=True, kw_only=True)
class ServingEconomicsResult(StageResult):
    """Money, energy and carbon of a serving fleet.

    Parameters
    ----------
    cost_per_hour
        The bill of an hour: rent, capital, energy and maintenance.
    rent_per_hour
        Rent of the accelerators; electricity and upkeep are in it.
    capital_per_hour
        Purchase of owned accelerators, written off over their life.
    energy_cost_per_hour
        Electricity of owned accelerators.
    maintenance_per_hour
        Upkeep of owned accelerators.
    usd_per_million_input_tokens
        Dollars per million tokens of prompts: the bill's share by the time that prompts take;
        `None` where the rate of prompt tokens or `prefill_share` is not known.
    usd_per_million_output_tokens
        Dollars per million tokens of answers: the bill's share by the time that answers take;
        `None` where the rate of output tokens or `prefill_share` is not known.
    usd_per_million_tokens
        The bill over prompt and output tokens alike; `None` where their rates are not known.
    usd_per_thousand_requests
        The bill over the requests.
    power
        Average power of the servers; `None`, as what follows from it, where they are rented and
        nobody states it.
    peak_power
        Power of the facility with every server at full load: what a power budget has to cover.
    energy_per_request
        Electricity of the facility over the requests that it answers.
    carbon_per_request
        What the electricity of a request emits; `None` where the grid has no such figure.
    carbon_per_hour
        What the electricity of an hour emits; `None` where the grid has no such figure.
    utilization
        Share of the time at which the servers are at full load.
    price_is_estimated
        Whether the price of owned servers is derived from that of their accelerators.
    """

    cost_per_hour: DollarsPerHour
    rent_per_hour: DollarsPerHour
    capital_per_hour: DollarsPerHour
    energy_cost_per_hour: DollarsPerHour
    maintenance_per_hour: DollarsPerHour
    usd_per_million_input_tokens: float | None
    usd_per_million_output_tokens: float | None
    usd_per_million_tokens: float | None
    usd_per_thousand_requests: float
    power: Kilowatts
    peak_power: Kilowatts
    energy_per_request: Annotated[Amount, "Wh"]
    carbon_per_request: Annotated[Amount, "g"] | None
    carbon_per_hour: Annotated[Amount, "kg/h"] | None
    utilization: float
    price_is_estimated: bool

    def cost_breakdown(self) -> dict[str, Any]:
        """Give the parts of the cost."""
        return {
            "rent": self.rent_per_hour,
            "capital": self.capital_per_hour,
            "energy": self.energy_cost_per_hour,
            "maintenance": self.maintenance_per_hour,
        }

    def key_figures(self) -> str:
        """Write what a million tokens cost; nothing where the rates of tokens are not known."""
        price = self.usd_per_million_tokens
        return "" if price is None else f"{price:,.4g} USD per million tokens, prompts included"
