"""EconomicsModel: each item of the bill, and what must not be free."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.catalog import Grid, Infrastructure, Systems
from mlsysim.errors import MissingFigureError, ParameterError, UnitError, UnknownNameError
from mlsysim.stages.economics.economics import EconomicsModel, EconomicsResult
from mlsysim.units import quantity

FRONTIER = Systems.Clusters.Frontier_8K


def solve(**changes: Any) -> EconomicsResult:
    """Price a month of 1,024 DGX H100 at 350,000 USD and 10.2 kW, at 0.1 USD/kWh and PUE 1.2."""
    inputs: dict[str, Any] = {
        "fleet": FRONTIER,
        "duration_days": 30,
        "electricity_price": 0.1,
        "pue": 1.2,
        "utilization": 0.5,
    }
    return EconomicsModel().solve(**{**inputs, **changes})


def test_capital_is_written_off_in_equal_parts() -> None:
    """C T / Y over four years of 365 days."""
    # 1024 * 350,000 * 30 / 1,460 = 7,364,383.56
    assert solve().capital_usd == pytest.approx(1024 * 350_000 * 30 / 1460)


def test_energy_is_that_of_whole_nodes() -> None:
    """Hosts and network cards draw as well: 10.2 kW a node, 30 % of it when idle."""
    # 1024 * 10.2 kW * (0.3 + 0.5 * 0.7) = 6,789.12 kW; * 720 h * 1.2 = 5,865.8 MWh
    result = solve()
    assert result.power.m_as("kW") == pytest.approx(1024 * 10.2 * 0.65)
    assert result.energy.m_as("MWh") == pytest.approx(1024 * 10.2 * 0.65 * 720 * 1.2 / 1000)
    assert result.energy_usd == pytest.approx(1024 * 10.2 * 0.65 * 720 * 1.2 * 0.1)


def test_maintenance_is_on_the_full_price() -> None:
    """5 % a year of 358.4 million USD."""
    assert solve().maintenance_usd == pytest.approx(0.05 * 1024 * 350_000 * 30 / 365)


def test_total_is_the_sum() -> None:
    """The TCO is a plain number of dollars, the sum of its three items."""
    result = solve()
    assert type(result.tco_usd) is float
    assert result.tco_usd == result.capital_usd + result.energy_usd + result.maintenance_usd


def test_cost_of_a_token() -> None:
    """The bill over the tokens of the period; unknown without a throughput."""
    result = solve(effective_throughput=quantity(1e6, "1/s"))
    assert result.usd_per_million_tokens == pytest.approx(result.tco_usd / (30 * 86400))
    assert solve().usd_per_million_tokens is None


def test_the_region_sets_price_and_carbon() -> None:
    """B15: another region has another bill, by name or by record."""
    bills = {
        name: solve(region=name, electricity_price=None, pue=None)
        for name in ("US_Average", "EU_Average")
    }
    grid = Infrastructure.Grids.EU_Average
    same = solve(region=grid, electricity_price=None, pue=None)
    assert same.energy_usd == bills["EU_Average"].energy_usd != bills["US_Average"].energy_usd
    expected = same.energy.m_as("kWh") * grid.carbon_intensity.m_as("t/kWh")
    assert same.carbon is not None
    assert same.carbon.m_as("t") == pytest.approx(expected)


def test_an_unknown_region_is_refused() -> None:
    """B15: a region that does not exist is never an average one."""
    with pytest.raises(UnknownNameError, match="US_Averige"):
        solve(region="US_Averige")


def test_a_missing_tariff_is_an_error() -> None:
    """A region without a known price needs one from the user."""
    nowhere = Grid(name="Nowhere", pue=1.1)
    with pytest.raises(MissingFigureError, match="electricity_price"):
        solve(region=nowhere, electricity_price=None)
    assert solve(region=nowhere).carbon is None


def test_a_missing_price_is_an_error() -> None:
    """B16: hardware without a price is never free."""
    fleet = FRONTIER.replace(name="Unpriced", node=Systems.Nodes.Server_8x_MI325X)
    with pytest.raises(MissingFigureError, match="price"):
        solve(fleet=fleet)


def test_a_missing_power_is_an_error() -> None:
    """B16: hardware without a power figure does not run on nothing."""
    node = next(node for node in Systems.Nodes.values() if not node.has("max_power"))
    node = node.replace(name="Dark", unit_price="100 kUSD")
    with pytest.raises(MissingFigureError, match="max_power"):
        solve(fleet=FRONTIER.replace(name="Dark", node=node))


def test_accelerators_alone_are_not_a_server() -> None:
    """Where only the accelerators have a price, a server costs 1.5 times as much, and says so."""
    node = Systems.Nodes.DGX_H100
    accelerator = node.accelerator.replace(unit_price="20 kUSD")
    bare = node.replace(name="Bare", unit_price=None, accelerator=accelerator)
    result = solve(fleet=FRONTIER.replace(name="Bare", node=bare))
    assert result.price_is_estimated
    assert result.capital_usd == pytest.approx(1024 * 8 * 20_000 * 1.5 * 30 / 1460)
    assert not solve().price_is_estimated


def test_amounts_may_carry_units() -> None:
    """A tariff or a duration may be a quantity; a wrong dimension is an error."""
    cents = solve(electricity_price=quantity(10, "cent/kWh"), duration_days=quantity(720, "hour"))
    assert cents.tco_usd == pytest.approx(solve().tco_usd)
    with pytest.raises(UnitError, match="duration_days is in kWh; it must be in day"):
        solve(duration_days=quantity(1, "kWh"))


def test_nodes_are_paid_for_one_by_one() -> None:
    """Half of the nodes cost half; what can be had is not for economics to say."""
    assert solve(nodes=512).tco_usd == pytest.approx(solve().tco_usd / 2)
    assert solve(nodes=1025).feasible
    assert solve().feasible


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"duration_days": -30}, "duration_days is -30; it must be a number from 0"),
        ({"duration_days": float("inf")}, "duration_days is inf"),
        ({"duration_days": "a month"}, "duration_days is 'a month'"),
        ({"electricity_price": -0.1}, r"electricity_price is -0\.1"),
        ({"pue": 0.9}, r"pue is 0\.9; it must be a number from 1"),
        ({"utilization": 1.1}, r"utilization is 1\.1; it must be a number from 0 to 1"),
        ({"lifetime_years": 0}, "lifetime_years is 0; it must be a number above 0"),
        ({"maintenance_rate": -1}, "maintenance_rate is -1"),
        ({"idle_power_share": 2}, "idle_power_share is 2"),
        ({"server_factor": 0.5}, r"server_factor is 0\.5"),
        ({"effective_throughput": 0.0}, r"effective_throughput is 0\.0"),
        ({"region": 3}, "region is 3; it must be a Grid"),
        ({"fleet": None}, "fleet is None; it must be a Cluster"),
        ({"price": 1}, "no argument 'price'"),
    ],
)
def test_bad_arguments(changes: dict[str, Any], message: str) -> None:
    """B16: a negative duration is no income, and every argument has its range."""
    with pytest.raises(ParameterError, match=message):
        solve(**changes)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1), st.floats(1.01, 10))
def test_dearer_or_busier_is_never_cheaper(
    utilization: float, more: float, price: float, factor: float
) -> None:
    """The cost rises with the tariff and with the share of busy time."""
    start = solve(utilization=min(utilization, more), electricity_price=price).tco_usd
    assert solve(utilization=max(utilization, more), electricity_price=price).tco_usd >= start
    dearer = solve(utilization=min(utilization, more), electricity_price=factor * price)
    assert dearer.tco_usd > start
