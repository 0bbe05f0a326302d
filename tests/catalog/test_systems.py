"""Nodes, fabrics, clusters and grids: what follows from their figures."""

import pytest

from mlsysim.catalog import Cluster, Fabric, Infrastructure, Node, Systems
from mlsysim.errors import CatalogError, MissingFigureError
from mlsysim.units import magnitude, quantity

NDR = Systems.Fabrics.IB_NDR


def test_the_tutorials_fleet() -> None:
    """Frontier_8K is 1,024 nodes of eight H100 with 400 Gb/s each."""
    fleet = Systems.Clusters.Frontier_8K
    assert fleet.nodes == 1024
    assert fleet.accelerators == 8192
    assert fleet.accelerator is Systems.Accelerators.H100_SXM
    assert magnitude(fleet.inter_node_bandwidth, "Gbit/s") == 400
    assert magnitude(fleet.max_power, "kW") == pytest.approx(1024 * 10.2)
    assert magnitude(fleet.capital_cost, "USD") == 1024 * 350_000
    assert fleet.pod_accelerators == 8192
    assert fleet.oversubscription == 1.0


def test_the_slower_of_card_and_fabric_decides() -> None:
    """A DGX H100 on 200 Gb/s HDR has 25 GB/s for each accelerator, not its cards' 50."""
    slow = Cluster(name="Slow", node=Systems.Nodes.DGX_H100, nodes=2, fabric=Systems.Fabrics.IB_HDR)
    assert magnitude(slow.inter_node_bandwidth, "GB/s") == 25


def test_several_cards_for_one_accelerator_add_up() -> None:
    """32 ports of 100 Gb/s for eight accelerators are four each: 50 GB/s."""
    cloud = Cluster(name="Cloud", node=Systems.Nodes.AWS_p5, nodes=2, fabric=Systems.Fabrics.EFA_v2)
    assert magnitude(cloud.inter_node_bandwidth, "GB/s") == 50


def test_a_short_node_has_a_short_domain() -> None:
    """NVLink joins eight H100, but a node of four has only four to join."""
    assert Systems.Nodes.Kempner_4x_H100.scale_up_domain == 4
    assert Systems.Clusters.Kempner_H100_384.scale_up_domain == 4


def test_links_of_a_tpu_join_hosts() -> None:
    """The torus reaches over hosts, but not beyond the chips that there are."""
    hosts = Cluster(
        name="Slice", node=Systems.Nodes.TPU_v5p_Host, nodes=16, fabric=Systems.Fabrics.Ethernet_100
    )
    assert Systems.Nodes.TPU_v5p_Host.scale_up_domain == 8960
    assert hosts.scale_up_domain == 64


def test_the_llama_3_cluster_is_not_infiniband() -> None:
    """The 405B run used Ethernet, in pods of 3,072 with seven to one between them."""
    fleet = Systems.Clusters.Meta_Llama3_16K_H100
    assert fleet.accelerators == 16_384
    assert fleet.fabric is Systems.Fabrics.RoCE_400
    assert (fleet.pod_accelerators, fleet.oversubscription) == (3072, 7.0)


@pytest.mark.parametrize(
    "name", ["Lab_64_H100", "Training_1K", "Production_2K", "Training_1K_B200"]
)
def test_tiers_have_the_network_that_the_node_ships_with(name: str) -> None:
    """DGX H100 and DGX B200 ship with 400 Gb/s for each accelerator."""
    assert magnitude(Systems.Clusters[name].inter_node_bandwidth, "Gbit/s") == 400


def test_a_node_without_a_price_costs_its_accelerators() -> None:
    """Eight B200 at 40,000 dollars; a node with a price of its own costs that."""
    assert not Systems.Nodes.DGX_B200.has("unit_price")
    assert magnitude(Systems.Nodes.DGX_B200.capital_cost, "USD") == 320_000
    assert magnitude(Systems.Nodes.DGX_H100.capital_cost, "USD") == 350_000


def test_a_node_without_any_price_is_not_free() -> None:
    """Neither the node nor the MI325X has a price."""
    with pytest.raises(MissingFigureError, match="MI325X: unit_price"):
        _ = Systems.Nodes.Server_8x_MI325X.capital_cost


def test_latency_that_nobody_states_is_missing() -> None:
    """A fabric with bandwidth but no latency says so when asked."""
    with pytest.raises(MissingFigureError, match="IB_EDR: latency"):
        _ = Systems.Fabrics.IB_EDR.latency


def test_a_pod_is_not_larger_than_its_cluster() -> None:
    """Sixteen accelerators cannot make a pod of 32."""
    with pytest.raises(CatalogError, match=r"pod_accelerators is 32, .* 16 accelerators"):
        Cluster(name="Bad", node=Systems.Nodes.DGX_H100, nodes=2, fabric=NDR, pod_accelerators=32)


def test_a_domain_is_not_larger_than_the_links_allow() -> None:
    """H100 links join eight, so a node cannot claim sixteen."""
    with pytest.raises(CatalogError, match="scale_up_domain is 16"):
        Node(
            name="Bad",
            accelerator=Systems.Accelerators.H100_SXM,
            accelerators=16,
            scale_up_domain=16,
        )


def test_what_follows_from_a_field_follows_its_replacement() -> None:
    """Halving the accelerators halves the ports and the domain that were derived from them."""
    half = Systems.Nodes.DGX_H100.replace(name="Half", accelerators=4)
    assert (half.nics, half.scale_up_domain) == (4, 4)


def test_a_fabric_of_your_own() -> None:
    """Quantities are taken as they are, in any unit of the dimension."""
    mine = Fabric(name="Mine", bandwidth=quantity(800, "Gbit/s"), latency=quantity(2, "us"))
    assert magnitude(mine.bandwidth, "GB/s") == pytest.approx(100)
    assert magnitude(mine.latency, "s") == pytest.approx(2e-6)


def test_prices_of_electricity_are_not_inherited() -> None:
    """The average price of the United States is not that of Iowa or Texas."""
    average = Infrastructure.Grids.US_Average
    assert magnitude(average.electricity_price, "USD/kWh") == pytest.approx(0.0815)
    for name in ("Iowa", "Texas"):
        with pytest.raises(MissingFigureError, match=f"{name}: electricity_price"):
            _ = Infrastructure.Grids[name].electricity_price


def test_grids_in_their_usual_units() -> None:
    """Carbon is quoted in g/kWh, water in liters per kWh, PUE as a plain ratio."""
    poland = Infrastructure.Grids.Poland
    assert magnitude(poland.carbon_intensity, "g/kWh") == pytest.approx(820)
    assert magnitude(poland.wue, "liter/kWh") == pytest.approx(1.8)
    assert poland.pue == 1.58
    assert magnitude(Infrastructure.Grids.Quebec.wue, "liter/kWh") == 0
