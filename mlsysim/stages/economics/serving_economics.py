"""What serving costs, draws and emits: per hour, per token and per request.

`ServingEconomicsModel` follows a serving model in a pipeline, which hands it
accelerators and rates.  `EconomicsModel` bills whole nodes over a period; here
a fleet is billed by the accelerator and the hour, rented or owned, and the
bill is divided among the tokens.

The formulas are those of `mlsysim.physics.economics`.  Prompts and answers
are charged for the share of the time that each takes, so that
``input tokens x their price + output tokens x their price = the bill``.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from mlsysim.catalog.grid import Grid
from mlsysim.expr.functions import minimum, where
from mlsysim.physics import economics
from mlsysim.problem.verdict import Check
from mlsysim.stages.arguments import check_number
from mlsysim.stages.economics.design import ServingEconomicsDesign
from mlsysim.stages.economics.electricity import carbon_intensity_of, grid_of, tariff_of
from mlsysim.stages.economics.serving_economics_result import ServingEconomicsResult
from mlsysim.stages.knobs import takes
from mlsysim.stages.mapping import mapped
from mlsysim.stages.serving.hardware import Purchase, hardware_of, rent_of
from mlsysim.stages.stage import ForwardModel, View
from mlsysim.units import Quantity, as_unit

_HOUR = 3600.0
_YEAR = 365 * 24 * _HOUR
_JOULES_PER_KWH = 3.6e6
_DOLLARS_PER_HOUR = as_unit("USD/hour")
_KILOWATT = as_unit("kW")
_WATT_HOUR = as_unit("Wh")
_GRAM = as_unit("g")
_KILOGRAMS_PER_HOUR = as_unit("kg/hour")


class ServingEconomicsModel(ForwardModel):
    """Price a serving fleet by the hour, and divide the bill among what it serves.

    Examples
    --------
    >>> from mlsysim.catalog import Systems
    >>> bill = ServingEconomicsModel().solve(
    ...     fleet=Systems.Accelerators.H100_SXM, accelerators=8, request_rate=4.0,
    ...     rental_price=3.0,
    ... )
    >>> bill.cost_per_hour.m_as("USD/hour"), round(bill.usd_per_thousand_requests, 4)
    (24.0, 1.6667)
    """

    view = View.MACRO
    produces = ("cost_per_hour", "power", "peak_power", "carbon_per_hour")

    @takes(ServingEconomicsDesign)
    def solve(self, design: ServingEconomicsDesign) -> ServingEconomicsResult:
        """Evaluate one fleet.

        Returns
        -------
        ServingEconomicsResult
            The bill; it is feasible if the demand can be met.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        MissingFigureError
            If a price or a power is needed that the catalogue does not have.
        """
        prefill, busy_share = design.prefill_share, design.utilization
        # Longer than the fleet is busy it cannot prefill; answers would cost less than nothing.
        if prefill is not None and isinstance(busy_share, Real):
            check_number("prefill_share", prefill, most=float(busy_share))
        purchase, accelerators = design.purchase, design.accelerators
        capacity = design.request_rate
        wanted = capacity if design.demand is None else design.demand
        share = 1.0 if design.demand is None else wanted / capacity
        # A load beyond the capacity is refused by the model that hands it on.
        busy = minimum(busy_share * share, 1.0)
        grid = grid_of(design.region)
        tariff = _tariff(purchase, grid, design.electricity_price)
        effectiveness = grid.pue if design.pue is None else design.pue

        hardware = hardware_of(
            design.fleet, purchase, design.server_factor, design.server_power_factor
        )
        full = accelerators * hardware.watts
        power = economics.average_power(full, design.idle_power_share, busy)
        facility = economics.facility_energy(power, 1.0, effectiveness)
        price = accelerators * hardware.price
        parts = {
            "rent_per_hour": accelerators * rent_of(design.fleet, purchase, design.rental_price),
            "capital_per_hour": economics.straight_line_capital(
                price, _HOUR, design.lifetime_years * _YEAR
            ),
            "maintenance_per_hour": economics.maintenance(
                price, design.maintenance_rate / _YEAR, _HOUR
            ),
            # What a rented accelerator draws may be unknown; its electricity is in the rent.
            "energy_cost_per_hour": where(
                mapped(_is_owned, purchase), tariff * facility * _HOUR / _JOULES_PER_KWH, 0.0
            ),
        }
        total = sum(parts.values())
        energy = economics.energy_per_item(facility, wanted)
        return ServingEconomicsResult(
            checks={} if design.demand is None else {"demand": Check.at_most(wanted, capacity)},
            cost_per_hour=_per_hour(total),
            **{name: _per_hour(part) for name, part in parts.items()},
            **_token_prices(
                total,
                share,
                design.tokens_per_second,
                design.input_tokens_per_second,
                None if prefill is None else prefill / busy_share,
            ),
            usd_per_thousand_requests=1e3 * economics.cost_per_token(total, _HOUR, wanted),
            power=_known(power / 1e3, _KILOWATT),
            peak_power=_known(full * effectiveness / 1e3, _KILOWATT),
            energy_per_request=_known(energy / _HOUR, _WATT_HOUR),
            **_carbon(energy, wanted, grid),
            utilization=busy,
            price_is_estimated=hardware.price_is_estimated,
        )


def _per_hour(dollars: Any) -> Any:
    return Quantity(dollars, _DOLLARS_PER_HOUR)


def _known(amount: Any, unit: Any) -> Any:
    """Report an amount; `None` where it follows from a power that nobody states."""
    unknown = isinstance(amount, (float, np.ndarray)) and bool(np.isnan(amount).all())
    return None if unknown else Quantity(amount, unit)


def _tariff(purchase: Any, grid: Any, price: Any) -> Any:
    """Give what electricity costs; nothing where it is in the rent."""
    if price is not None and not isinstance(price, Mapping):
        return tariff_of(grid, price)
    return mapped(_tariff_if_owned, purchase, grid, price)


def _tariff_if_owned(purchase: str, grid: Grid, price: Any) -> Any:
    return tariff_of(grid, price) if _is_owned(purchase) else 0.0


def _is_owned(purchase: str) -> bool:
    return purchase == Purchase.OWNED


def _token_prices(
    total: Any, share: Any, outputs: Any, inputs: Any, prefill: Any
) -> dict[str, Any]:
    """Divide the bill (USD per hour) among tokens, made at a share of the rates given."""
    prices: dict[str, Any] = dict.fromkeys(_PRICES)
    if outputs is None or inputs is None:
        return prices
    cost = total / _HOUR
    prices["usd_per_million_tokens"] = 1e6 * economics.cost_per_token(
        cost, 1.0, share * (inputs + outputs)
    )
    if prefill is not None:
        prices["usd_per_million_input_tokens"] = 1e6 * economics.time_share_cost(
            cost, prefill, share * inputs
        )
        prices["usd_per_million_output_tokens"] = 1e6 * economics.time_share_cost(
            cost, 1 - prefill, share * outputs
        )
    return prices


_PRICES = (
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
    "usd_per_million_tokens",
)


def _carbon(energy: Any, rate: Any, grid: Any) -> dict[str, Any]:
    """Give what the energy of a request (joule) emits, and that of an hour."""
    intensity = carbon_intensity_of(grid)
    if intensity is None:
        return {"carbon_per_request": None, "carbon_per_hour": None}
    grams = energy / _JOULES_PER_KWH * intensity
    return {
        "carbon_per_request": _known(grams, _GRAM),
        "carbon_per_hour": _known(grams * rate * _HOUR / 1e3, _KILOGRAMS_PER_HOUR),
    }
