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

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.grid import Grid
from mlsysim.catalog.node import Node
from mlsysim.expr.functions import minimum, where
from mlsysim.physics import economics
from mlsysim.problem.verdict import Check
from mlsysim.stages.arguments import check_number, check_option, check_whole, in_unit
from mlsysim.stages.economics.electricity import Prices, carbon_intensity_of, grid_of, tariff_of
from mlsysim.stages.economics.serving_economics_result import ServingEconomicsResult
from mlsysim.stages.machine import check_fleet
from mlsysim.stages.mapping import mapped
from mlsysim.stages.serving.hardware import Purchase, hardware_of, rent_of
from mlsysim.stages.stage import ForwardModel, View
from mlsysim.units import Quantity, as_unit, is_quantity, magnitude

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

    def solve(  # noqa: PLR0913 - these are the items of a bill
        self,
        fleet: Cluster | Node | Accelerator,
        accelerators: int,
        request_rate: Any,
        *,
        tokens_per_second: Any = None,
        input_tokens_per_second: Any = None,
        prefill_share: Any = None,
        demand: Any = None,
        utilization: float = 1.0,
        purchase: str = "rented",
        rental_price: Prices = None,
        region: Grid | str = "US_Average",
        electricity_price: Prices = None,
        pue: float | None = None,
        lifetime_years: float = 4.0,
        maintenance_rate: float = 0.05,
        idle_power_share: float = 0.3,
        server_factor: float = 1.5,
        server_power_factor: float = 1.8,
    ) -> ServingEconomicsResult:
        """Evaluate one fleet.

        Parameters
        ----------
        fleet
            Of what the accelerators are.
        accelerators
            How many are paid for; from the serving model in a pipeline.
        request_rate
            Requests that the fleet can answer per second; from the serving model in a pipeline.
        tokens_per_second, input_tokens_per_second
            Output and prompt tokens at this rate; from the serving model in a pipeline.
        prefill_share
            Share of the time that goes into prompts, at most `utilization`; from the serving model
            in a pipeline.
        demand
            Requests that arrive per second: the fleet has to carry them, and is idle for the rest
            of the time.  As many as it can answer unless given.
        utilization
            Share of the time for which `request_rate` keeps the fleet busy: all of it, save
            where `ContinuousBatchingModel` hands on less.
        purchase
            ``"rented"`` by the hour, electricity included, or ``"owned"``.
        rental_price
            In USD per accelerator and hour or as a quantity, or one for each accelerator by name;
            the median of the catalogue's on-demand prices unless given.
        region
            Where it stands: a grid, or its name in ``Infrastructure.Grids``.
        electricity_price
            In USD/kWh or as a quantity, or one for each region by name; the grid's unless given.
        pue
            Power usage effectiveness; the grid's unless given.
        lifetime_years
            Years over which a purchase is written off.
        maintenance_rate
            Upkeep per year, as a share of the full price.
        idle_power_share
            What an idle server draws of its maximum; servers idle at some 30 %.
        server_factor
            What a whole server costs over its accelerators alone (1.3 to 1.7 is usual),
            where only their price is known.
        server_power_factor
            What a whole server draws over its accelerators alone, where only their power is known:
            10.2 kW of a DGX H100 over eight times 700 W.

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
        check_fleet(fleet)
        check_whole("accelerators", accelerators)
        check_option("purchase", purchase, tuple(Purchase))
        check_number("utilization", utilization, above=True)
        if prefill_share is not None:
            check_number("prefill_share", prefill_share)
            # Longer than the fleet is busy it cannot prefill; answers would cost less than nothing.
            if isinstance(utilization, Real):
                check_number("prefill_share", prefill_share, most=float(utilization))
        check_number("lifetime_years", lifetime_years, above=True)
        check_number("maintenance_rate", maintenance_rate)
        check_number("idle_power_share", idle_power_share, most=1.0)
        check_number("server_factor", server_factor, least=1.0)
        check_number("server_power_factor", server_power_factor, least=1.0)
        capacity = _rate(request_rate)
        wanted = capacity if demand is None else in_unit("demand", demand, "1/s")
        if demand is not None:
            check_number("demand", wanted, above=True)
        share = wanted / capacity
        # A load beyond the capacity is refused by the model that hands it on.
        busy = minimum(utilization * share, 1.0)
        grid = grid_of(region)
        tariff = _tariff(purchase, grid, electricity_price)
        effectiveness = grid.pue if pue is None else pue
        check_number("pue", effectiveness, least=1.0)

        hardware = hardware_of(fleet, purchase, server_factor, server_power_factor)
        full = accelerators * hardware.watts
        power = economics.average_power(full, idle_power_share, busy)
        facility = economics.facility_energy(power, 1.0, effectiveness)
        price = accelerators * hardware.price
        parts = {
            "rent_per_hour": accelerators * rent_of(fleet, purchase, rental_price),
            "capital_per_hour": economics.straight_line_capital(
                price, _HOUR, lifetime_years * _YEAR
            ),
            "maintenance_per_hour": economics.maintenance(price, maintenance_rate / _YEAR, _HOUR),
            # What a rented accelerator draws may be unknown; its electricity is in the rent.
            "energy_cost_per_hour": where(
                mapped(_is_owned, purchase), tariff * facility * _HOUR / _JOULES_PER_KWH, 0.0
            ),
        }
        total = sum(parts.values())
        energy = economics.energy_per_item(facility, wanted)
        return ServingEconomicsResult(
            checks={} if demand is None else {"demand": Check.at_most(wanted, capacity)},
            cost_per_hour=_per_hour(total),
            **{name: _per_hour(part) for name, part in parts.items()},
            **_token_prices(
                total,
                share,
                _optional(tokens_per_second),
                _optional(input_tokens_per_second),
                None if prefill_share is None else prefill_share / utilization,
            ),
            usd_per_thousand_requests=1e3 * economics.cost_per_token(total, _HOUR, wanted),
            power=_known(power / 1e3, _KILOWATT),
            peak_power=_known(full * effectiveness / 1e3, _KILOWATT),
            energy_per_request=_known(energy / _HOUR, _WATT_HOUR),
            **_carbon(energy, wanted, grid),
            utilization=busy,
            price_is_estimated=hardware.price_is_estimated,
        )


def _rate(value: Any) -> Any:
    return magnitude(value, "1/s") if is_quantity(value) else value


def _optional(value: Any) -> Any:
    return None if value is None else _rate(value)


def _per_hour(dollars: Any) -> Any:
    return Quantity(dollars, _DOLLARS_PER_HOUR)


def _known(amount: Any, unit: Any) -> Any:
    """Report an amount; `None` where it follows from a power that nobody states."""
    unknown = isinstance(amount, (float, np.ndarray)) and bool(np.isnan(amount).all())
    return None if unknown else Quantity(amount, unit)


def _tariff(purchase: Any, grid: Any, price: Prices) -> Any:
    """Give what electricity costs; nothing where it is in the rent."""
    if price is not None and not isinstance(price, Mapping):
        return tariff_of(grid, price)
    return mapped(_tariff_if_owned, purchase, grid, price)


def _tariff_if_owned(purchase: str, grid: Grid, price: Prices) -> Any:
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
