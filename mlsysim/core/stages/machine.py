"""A fleet as the training formulas see it: plain numbers in base units, no catalogue."""

from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.core.stages.calibration import Calibration
from mlsysim.units import magnitude


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a fleet offers, in s, byte and flop.

    Parameters
    ----------
    nodes, accelerators_per_node
        How many there are.
    domain
        Accelerators that reach one another without the network.
    full_mesh
        Whether their links are pairwise.
    peak
        Dense peak of one accelerator in the precision asked for.
    memory_capacity, memory_bandwidth
        Of one accelerator.
    link
        ``(bandwidth, latency)`` out of one accelerator within its domain, as achieved.
    network
        The same between domains.
    pod, oversubscription
        Accelerators that the network joins without blocking; how much it blocks beyond.
    """

    nodes: int
    accelerators_per_node: int
    domain: int
    full_mesh: bool
    peak: float
    memory_capacity: float
    memory_bandwidth: float
    link_bandwidth: float
    link_latency: float
    network_bandwidth: float
    network_latency: float
    pod: int
    oversubscription: float


def machine_of(fleet: Cluster, precision: str, calibration: Calibration) -> Machine:
    """Read a catalogue record.

    Raises
    ------
    Infeasible
        If the accelerators have no arithmetic of this precision.
    MissingFigureError
        If the bandwidth of a network or link that is needed is not known.
    """
    accelerator = fleet.accelerator
    link, network = _levels(fleet, calibration)
    return Machine(
        nodes=fleet.nodes,
        accelerators_per_node=fleet.node.accelerators,
        domain=_domain(fleet),
        full_mesh=accelerator.full_mesh,
        peak=magnitude(accelerator.peak(precision), "flop/s"),
        memory_capacity=magnitude(accelerator.memory_capacity, "byte"),
        memory_bandwidth=magnitude(accelerator.memory_bandwidth, "byte/s"),
        link_bandwidth=link[0],
        link_latency=link[1],
        network_bandwidth=network[0],
        network_latency=network[1],
        pod=fleet.pod_accelerators,
        oversubscription=fleet.oversubscription,
    )


def efficiency_of(accelerator: Accelerator, precision: str) -> float:
    """Give the best measured fraction of the peak, in this precision or else in 16 bits.

    Raises
    ------
    MissingFigureError
        If neither is known.
    """
    measured = accelerator.matmul_efficiencies.get(precision)
    return accelerator.matmul_efficiency if measured is None else measured


def _domain(fleet: Cluster) -> int:
    # Without links of their own, the accelerators of a node talk through the host.
    return min(max(fleet.scale_up_domain, fleet.node.accelerators), fleet.accelerators)


def _levels(
    fleet: Cluster, calibration: Calibration
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give achieved bandwidth and latency of links and network; an absent level copies the other.

    A level that no message crosses must have some figure, or formulas that
    multiply it by zero would not work.
    """
    domain = _domain(fleet)
    if fleet.accelerators == 1:
        return (1.0, 0.0), (1.0, 0.0)
    network = link = None
    if domain < fleet.accelerators:
        latency = (
            magnitude(fleet.fabric.latency, "s")
            if fleet.fabric.has("latency")
            else calibration.network_latency
        )
        bandwidth = magnitude(fleet.inter_node_bandwidth, "byte/s")
        network = (bandwidth * calibration.link_efficiency, latency)
    if domain > 1:
        accelerator = fleet.accelerator
        latency = (
            magnitude(accelerator.link_latency, "s")
            if accelerator.has("link_latency")
            else calibration.link_latency
        )
        bandwidth = magnitude(accelerator.link_bandwidth, "byte/s")
        link = (bandwidth * calibration.link_efficiency, latency)
    return (link or network or (1.0, 0.0)), (network or link or (1.0, 0.0))
