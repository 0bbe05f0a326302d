"""A fleet as the serving formulas see it: achieved rates in s, byte and flop, no catalogue."""

from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator, Precision
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.errors import MissingFigureError, ParameterError
from mlsysim.expr.alternatives import Alternatives
from mlsysim.stages.serving.calibration import Achieved, ServingCalibration
from mlsysim.units import magnitude


@dataclass(frozen=True, kw_only=True)
class ServingMachine:
    """What a fleet achieves.

    Parameters
    ----------
    accelerators
        How many there are of a cluster, which is an inventory. Of an accelerator or a node that
        is named alone any number can be had: how many a replica may have of them.
    counted
        Whether it is an inventory.
    domain
        How many of them reach one another without the network.
    full_mesh
        Whether their links are pairwise.
    matmul_rate, attention_rate, wide_rate, core_rate
        Arithmetic of large products in MLPs, in attention matrices, in head and routers, and of the
        attention core; the last two work in 16 bits.
    memory_rate
        Bandwidth of device memory.
    peak, memory_bandwidth
        The promised figures of the first and the last.
    memory_capacity
        Of one accelerator.
    link_bandwidth, link_latency, network_bandwidth, network_latency
        Out of one accelerator within its domain and between domains; time of a ring step.
    collective_start
        Time that a collective takes on top of its steps.
    context_memory
        What driver and libraries keep of the memory.
    """

    accelerators: int
    counted: bool
    domain: int
    full_mesh: bool
    matmul_rate: float
    attention_rate: float
    wide_rate: float
    core_rate: float
    memory_rate: float
    peak: float
    memory_bandwidth: float
    memory_capacity: float
    link_bandwidth: float
    link_latency: float
    network_bandwidth: float
    network_latency: float
    collective_start: float
    context_memory: float


def accelerator_of(fleet: Cluster | Node | Accelerator) -> Accelerator:
    """Give the accelerator of which a fleet is made."""
    return fleet if isinstance(fleet, Accelerator) else fleet.accelerator


def check_fleet(fleet: object) -> None:
    """Refuse what is no fleet.

    Raises
    ------
    ParameterError
        If it is neither a cluster, nor a node, nor an accelerator, nor a choice among them.
    """
    if not isinstance(fleet, (Cluster, Node, Accelerator, Alternatives)):
        raise ParameterError(
            f"fleet is {fleet!r}; it must be a Cluster, a Node or an Accelerator of the catalogue, "
            "or one that you made"
        )


def serving_machine_of(
    fleet: Cluster | Node | Accelerator,
    precision: str,
    attention_precision: str | None,
    calibration: ServingCalibration,
) -> ServingMachine:
    """Read a catalogue record; of a node or an accelerator alone, a replica has one domain.

    Parameters
    ----------
    fleet
        The record.
    precision, attention_precision
        Arithmetic of MLPs and of attention matrices; None for the 16 bits that it has.
    calibration
        What it achieves.

    Raises
    ------
    Infeasible
        If the accelerators have no arithmetic of one of the precisions.
    MissingFigureError
        If the bandwidth of a network or link that is needed is not known.
    """
    accelerator = accelerator_of(fleet)
    achieved = calibration.achieved(accelerator.name)
    peak = magnitude(accelerator.peak(precision), "flop/s")
    wide = next(
        (name for name in (Precision.BF16, Precision.FP16) if accelerator.supports(name)),
        precision,
    )
    widest = magnitude(accelerator.peak(wide), "flop/s")
    bandwidth = magnitude(accelerator.memory_bandwidth, "byte/s")
    narrow = wide if attention_precision is None else attention_precision
    attention = magnitude(accelerator.peak(narrow), "flop/s")
    own = (bandwidth * achieved.memory_efficiency, 0.0)
    link, network = _levels(fleet, achieved, calibration)
    # What no message crosses is not asked for: a group has one domain, or one member in each,
    # and what stays on an accelerator moves within its memory.
    link, network = link or network or own, network or link or own
    return ServingMachine(
        accelerators=_accelerators(fleet),
        counted=isinstance(fleet, Cluster),
        domain=_domain(fleet),
        full_mesh=accelerator.full_mesh,
        matmul_rate=peak * achieved.matmul_efficiency(precision),
        attention_rate=attention * achieved.matmul_efficiency(narrow),
        wide_rate=widest * achieved.matmul_efficiency(wide),
        core_rate=widest * calibration.core_efficiency,
        memory_rate=bandwidth * achieved.memory_efficiency,
        peak=peak,
        memory_bandwidth=bandwidth,
        memory_capacity=magnitude(accelerator.memory_capacity, "byte"),
        link_bandwidth=link[0],
        link_latency=link[1],
        network_bandwidth=network[0],
        network_latency=network[1],
        collective_start=achieved.collective_start * calibration.collective_factor,
        context_memory=achieved.context_memory,
    )


def _accelerators(fleet: Cluster | Node | Accelerator) -> int:
    if isinstance(fleet, Accelerator):
        return fleet.scale_up_domain
    return fleet.accelerators


def _domain(fleet: Cluster | Node | Accelerator) -> int:
    if isinstance(fleet, Accelerator):
        return fleet.scale_up_domain
    # Without links of their own, the accelerators of a node talk through the host.
    if isinstance(fleet, Node):
        return fleet.accelerators
    return min(max(fleet.scale_up_domain, fleet.node.accelerators), fleet.accelerators)


def _levels(
    fleet: Cluster | Node | Accelerator, achieved: Achieved, calibration: ServingCalibration
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Give achieved bandwidth and latency of links and of the network, where there are any."""
    link = network = None
    if _domain(fleet) > 1:
        bandwidth = magnitude(accelerator_of(fleet).link_bandwidth, "byte/s")
        latency = achieved.collective_step * calibration.collective_factor
        link = (bandwidth * achieved.link_efficiency, latency)
    if isinstance(fleet, Cluster) and _domain(fleet) < fleet.accelerators:
        latency = calibration.network_latency
        if fleet.fabric.has("latency"):
            latency = magnitude(fleet.fabric.latency, "s")
        bandwidth = magnitude(fleet.inter_node_bandwidth, "byte/s")
        network = (bandwidth * calibration.network_efficiency, latency)
    return link, network


def outward_bandwidth_of(
    fleet: Cluster | Node | Accelerator, calibration: ServingCalibration
) -> float:
    """Give what leaves one accelerator for other domains, as achieved (byte/s).

    Raises
    ------
    MissingFigureError
        If the bandwidth of the network cards is not known, as of an accelerator without a node.
    """
    if isinstance(fleet, Accelerator):
        raise MissingFigureError(
            f"{fleet.name}: no network is known of an accelerator alone; name a node or a cluster "
            "of it, or pass transfer_bandwidth in GB/s"
        )
    bandwidth = fleet.inter_node_bandwidth if isinstance(fleet, Cluster) else fleet.nic_bandwidth
    return magnitude(bandwidth, "byte/s") * calibration.network_efficiency


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What two pools share: how many accelerators, and whether they share any at all."""

    shared: bool
    accelerators: int


def shared_inventory(
    first: Cluster | Node | Accelerator, second: Cluster | Node | Accelerator
) -> Inventory:
    """Tell whether two pools are taken from one cluster; what is rented is not used up."""
    shared = isinstance(first, Cluster) and first == second
    return Inventory(shared=shared, accelerators=_accelerators(first))
