"""ServingEconomicsModel: each part of the bill of a serving fleet, and what must not be free."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from mlsysim.catalog import Grid, Infrastructure, Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import ContinuousBatchingModel, ServingEconomicsModel, ServingModel
from mlsysim.errors import MetricError, MissingFigureError, ParameterError, UnitError
from mlsysim.stages.economics.serving_economics_result import ServingEconomicsResult
from mlsysim.units import is_quantity, quantity

H100 = Systems.Accelerators.H100_SXM
DGX = Systems.Nodes.DGX_H100


def solve(**changes: Any) -> ServingEconomicsResult:
    """Price 16 accelerators of DGX H100 (350,000 USD and 10.2 kW for eight) at 8 requests/s."""
    inputs: dict[str, Any] = {
        "fleet": DGX,
        "accelerators": 16,
        "request_rate": 8.0,
        "rental_price": 3.0,
        "electricity_price": 0.1,
        "pue": 1.2,
    }
    return ServingEconomicsModel().solve(**{**inputs, **changes})


def test_rent_is_all_that_a_tenant_pays() -> None:
    """16 accelerators at 3 USD an hour; electricity is in it."""
    bill = solve()
    assert bill.cost_per_hour.m_as("USD/hour") == bill.rent_per_hour.m_as("USD/hour") == 48.0
    assert bill.energy_cost_per_hour.magnitude == bill.capital_per_hour.magnitude == 0.0


def test_the_catalogue_states_the_rent() -> None:
    """The median of the providers' prices, unless the planner has one of their own by name."""
    median = H100.rental_price.m_as("USD/hour")
    assert solve(rental_price=None).cost_per_hour.m_as("USD/hour") == pytest.approx(16 * median)
    own = solve(rental_price={"H100_SXM": quantity(200, "cent/hour")})
    assert own.cost_per_hour.m_as("USD/hour") == pytest.approx(32.0)


def test_owners_pay_for_purchase_electricity_and_upkeep() -> None:
    """Two servers over four years, 20.4 kW at PUE 1.2 and 0.1 USD/kWh, and 5 % a year."""
    bill = solve(purchase="owned")
    capital = 2 * 350_000 / (4 * 365 * 24)
    upkeep = 0.05 * 2 * 350_000 / (365 * 24)
    assert bill.rent_per_hour.magnitude == 0.0
    assert bill.capital_per_hour.magnitude == pytest.approx(capital)
    assert bill.maintenance_per_hour.magnitude == pytest.approx(upkeep)
    assert bill.energy_cost_per_hour.magnitude == pytest.approx(20.4 * 1.2 * 0.1)
    assert bill.cost_per_hour.magnitude == pytest.approx(capital + upkeep + 20.4 * 1.2 * 0.1)
    assert sum(part.magnitude for part in bill.cost_breakdown().values()) == pytest.approx(
        bill.cost_per_hour.magnitude
    )


def test_energy_and_carbon_of_a_request() -> None:
    """20.4 kW times 1.2 over 8 requests per second, at 429 g/kWh in the US."""
    bill = solve()
    # 24,480 W / 8 per second = 3,060 J = 0.85 Wh
    assert bill.energy_per_request.m_as("Wh") == pytest.approx(0.85)
    intensity = Infrastructure.Grids.US_Average.carbon_intensity.m_as("g/kWh")
    assert bill.carbon_per_request is not None
    assert bill.carbon_per_hour is not None
    assert bill.carbon_per_request.m_as("g") == pytest.approx(0.85e-3 * intensity)
    assert bill.carbon_per_hour.m_as("kg/hour") == pytest.approx(24.48 * intensity / 1e3)
    assert bill.peak_power.m_as("kW") == pytest.approx(24.48)


def test_an_idle_fleet_draws_less_but_costs_the_same_rent() -> None:
    """At half of the load, half of the time is idle at 30 % of the power."""
    bill = solve(demand=4.0)
    assert bill.power.m_as("kW") == pytest.approx(20.4 * (0.3 + 0.5 * 0.7))
    assert bill.usd_per_thousand_requests == pytest.approx(48 / (4 * 3.6))
    assert bill.peak_power.m_as("kW") == solve().peak_power.m_as("kW")
    assert bill.feasible


def test_a_demand_beyond_the_capacity_is_infeasible() -> None:
    """What cannot be served is no bargain."""
    assert not solve(demand=8.1).feasible


def test_tokens_share_the_bill_by_time() -> None:
    """A quarter of the time for 8,000 prompt tokens per second, the rest for 2,000 others."""
    bill = solve(tokens_per_second=2000.0, input_tokens_per_second=8000.0, prefill_share=0.25)
    # 48 USD an hour: 12 for 28.8 million prompt tokens, 36 for 7.2 million others
    assert bill.usd_per_million_input_tokens == pytest.approx(12 / 28.8)
    assert bill.usd_per_million_output_tokens == pytest.approx(36 / 7.2)
    assert bill.usd_per_million_tokens == pytest.approx(48 / 36)
    assert solve().usd_per_million_tokens is None


@pytest.mark.parametrize("rate", [None, 3.0])
def test_a_pipeline_divides_the_whole_bill(rate: float | None) -> None:
    """Behind either serving model, the two prices of tokens add up to the bill."""
    stage = ServingModel() if rate is None else ContinuousBatchingModel()
    inputs = {} if rate is None else {"request_rate": rate}
    result = Pipeline([stage, ServingEconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        fleet=DGX,
        batch_size=32,
        input_tokens=1024,
        output_tokens=256,
        tp_size=8,
        **inputs,
    )
    bill, speed = result["ServingEconomicsModel"], result[stage.name]
    millions = 3600 / 1e6
    total = (
        bill.usd_per_million_input_tokens * speed.input_tokens_per_second.m_as("1/s")
        + bill.usd_per_million_output_tokens * speed.tokens_per_second.m_as("1/s")
    ) * millions
    assert total == pytest.approx(bill.cost_per_hour.m_as("USD/hour"))


def test_missing_figures_are_errors_that_name_the_cure() -> None:
    """B16, B17: neither hardware nor electricity is free because nobody states its price."""
    with pytest.raises(MissingFigureError, match=r"Norway: .* electricity_price = \{'Norway'"):
        solve(purchase="owned", region="Norway", electricity_price=None)
    with pytest.raises(MissingFigureError, match=r"A100_80GB_PCIe: .* rental_price = \{'A100"):
        solve(fleet=Systems.Accelerators.A100_80GB_PCIe, rental_price=None)
    with pytest.raises(MissingFigureError, match="price"):
        solve(fleet=Systems.Accelerators.MI325X, purchase="owned")
    # A tenant needs neither: the price of electricity is in the rent.
    assert solve(region="Norway", electricity_price=None).cost_per_hour.magnitude == 48.0


def test_a_tenant_need_not_know_the_power() -> None:
    """The rent of an accelerator whose power nobody states is known; its power is not."""
    bill = solve(fleet=Systems.Accelerators.TPU_v5e, rental_price=1.2)
    assert bill.cost_per_hour.magnitude == pytest.approx(19.2)
    assert bill.power is None
    assert bill.energy_per_request is None


def test_own_prices_by_region() -> None:
    """A price for each region; one that is misspelt is refused."""
    prices = {"Norway": 0.05, "Quebec": quantity(4, "cent/kWh")}
    bills = [solve(purchase="owned", region=r, electricity_price=prices) for r in prices]
    ratio = bills[0].energy_cost_per_hour / bills[1].energy_cost_per_hour
    assert ratio.magnitude == pytest.approx(5 / 4)
    with pytest.raises(ParameterError, match="'Norwey'; did you mean 'Norway'"):
        solve(electricity_price={"Norwey": 0.05}, purchase="owned")


def test_no_carbon_without_a_figure() -> None:
    """A grid whose intensity nobody states gives no carbon, rather than none."""
    assert solve(region=Grid(name="Nowhere", pue=1.1)).carbon_per_request is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"purchase": "leased"}, "purchase is 'leased'"),
        ({"demand": -1.0}, r"demand is -1\.0"),
        ({"rental_price": -1.0}, r"rental_price is -1\.0"),
        ({"rental_price": {"H100": 1.0}}, "rental_price names 'H100'"),
        ({"accelerators": -1}, "accelerators is -1"),
        ({"server_power_factor": 0.5}, r"server_power_factor is 0\.5"),
        ({"fleet": "H100"}, "fleet is 'H100'"),
        ({"region": 3}, "region is 3"),
    ],
)
def test_bad_arguments(changes: dict[str, Any], message: str) -> None:
    """Every argument has its range, and the message names it."""
    with pytest.raises(ParameterError, match=message):
        solve(**changes)


def test_a_wrong_unit_is_refused() -> None:
    """A price per hour is not one per kilowatt-hour."""
    with pytest.raises(UnitError, match="rental_price"):
        solve(rental_price=quantity(1, "USD/kWh"))


def test_arrays_give_what_numbers_give() -> None:
    """Counts, rates and prices as arrays, against one design at a time."""
    columns = {
        "accelerators": np.array([1.0, 8.0, 64.0]),
        "request_rate": np.array([1.0, 5.0, 9.0]),
        "demand": np.array([0.5, 5.0, 7.0]),
        "electricity_price": np.array([0.05, 0.1, 0.2]),
    }
    block = solve(purchase="owned", **columns)
    for place in range(3):
        design = {name: float(column[place]) for name, column in columns.items()}
        plain = solve(purchase="owned", **design)
        for field in dataclasses.fields(plain):
            value, other = getattr(plain, field.name), getattr(block, field.name)
            if is_quantity(value):
                assert np.broadcast_to(other.magnitude, 3)[place] == pytest.approx(value.magnitude)


def test_regions_and_purchase_are_choices() -> None:
    """CP-SAT picks what the reference picks, over fleets, regions, prices and purchase."""
    space = {
        "fleet": [DGX, H100, Systems.Accelerators.MI300X],
        "region": ["US_Average", "Norway", "Poland"],
        "purchase": ["rented", "owned"],
        "accelerators": range(1, 33),
    }
    prices = {"Norway": 0.09, "Poland": 0.15}

    def evaluate(params: Any) -> Any:
        stage = ServingEconomicsModel()
        rate = params["accelerators"] * 0.7
        return {
            "bill": stage.solve(**params, request_rate=rate, demand=6.0, electricity_price=prices)
        }

    explorer = DSE(space, "minimize: bill.cost_per_hour", ["bill.carbon_per_request <= 0.1 g"])
    assert explorer.cross_check(evaluate, workers=1).differences == ()
    best = explorer.search(evaluate, workers=1).best_params
    assert best["region"] == "Norway"
    assert best["accelerators"] == 9  # 9 * 0.7 = 6.3 requests per second, 8 * 0.7 = 5.6


def test_a_region_without_carbon_is_still_a_choice() -> None:
    """Iowa's intensity is not known: it can be the cheapest, but not the cleanest."""
    prices = {"Iowa": 0.05, "Texas": 0.06}

    def evaluate(params: Any) -> Any:
        return {
            "bill": ServingEconomicsModel().solve(
                fleet=DGX,
                accelerators=8,
                request_rate=2.0,
                purchase="owned",
                electricity_price=prices,
                **params,
            )
        }

    space = {"region": list(prices)}
    cheapest = DSE(space, "minimize: bill.cost_per_hour").search(evaluate, workers=1)
    assert (cheapest.method, cheapest.best_params["region"]) == ("cp-sat", "Iowa")
    with pytest.raises(MetricError, match="carbon_per_hour"):
        DSE(space, "minimize: bill.carbon_per_hour").search(evaluate, workers=1)
