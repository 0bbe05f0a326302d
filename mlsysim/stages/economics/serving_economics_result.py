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
        The sum of the next four.
    rent_per_hour
        Of rented accelerators; electricity and upkeep are in it.
    capital_per_hour, energy_cost_per_hour, maintenance_per_hour
        Of owned ones: their purchase over their life, electricity, upkeep.
    usd_per_million_input_tokens, usd_per_million_output_tokens
        The bill by the time that prompts and answers take; `None` where the
        rates of tokens or `prefill_share` are not known.
    usd_per_million_tokens
        The bill over prompt and output tokens alike; `None` likewise.
    usd_per_thousand_requests
        The bill over the requests.
    power
        Of the servers on average; `None`, as what follows from it, where they are rented and
        nobody states it.
    peak_power
        Of the facility with every server at full load: what a power budget has to cover.
    energy_per_request
        Of the facility.
    carbon_per_request, carbon_per_hour
        What the production of that electricity emits; `None` where the grid has no such figure.
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
