"""A fleet as the formulas of all stages see it: achieved rates in s, byte and flop, no catalogue.

Training and serving read the same figures of an accelerator.  What they make of them differs in
the few constants that a `ServingCalibration` shares with a `Calibration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator, Precision
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.errors import MissingFigureError
from mlsysim.stages.arguments import check_record
from mlsysim.stages.calibration import serving_part
from mlsysim.stages.mapping import remembered
from mlsysim.units import magnitude

Fleet = Cluster | Node | Accelerator

# Kinds of one width go through the same units.
_ALIKE: Mapping[str, str] = {"fp16": "bf16", "bf16": "fp16", "int8": "fp8"}
# Attention cores, routers and the output head stay in 16 bits where layers are narrower.
_NARROW_FLOATS = (Precision.FP8, Precision.FP4)
_NARROW = (*_NARROW_FLOATS, Precision.INT8, Precision.INT4)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a fleet offers.

    Parameters
    ----------
    accelerators
        How many there are of a cluster, which is an inventory. Of an accelerator or a node that
        is named alone any number can be had: how many a replica may have of them.
    counted
        Whether it is an inventory.
    nodes, accelerators_per_node
        How many nodes, and what each holds.
    domain
        Accelerators that reach one another without the network.
    full_mesh
        Whether their links are pairwise.
    peak, wide_peak
        Dense peak in the precision asked for, and in 16 bits (or the former if it is wider).
    efficiency, wide_efficiency
        Fractions of them that large matrix products reach.
    projection_rate
        Arithmetic of attention matrices, which may be in another precision than the rest.
    core_rate
        Arithmetic of attention cores, in 16 bits.
    matmul_overhead
        Time that a matrix product costs whatever its size, launched one by one.
    narrow
        Whether products are in 8 or 4 bits of floating point, so that their inputs are narrow too.
    memory_capacity, memory_bandwidth
        Of one accelerator, as promised.
    memory_rate
        Memory traffic per second of kernels that do little else.
    link_bandwidth, link_latency
        Out of one accelerator within its domain; time of a ring step.
    network_bandwidth, network_latency
        The same between domains.
    bulk_link_latency, bulk_network_latency
        The same of ring steps of large messages.
    collective_overhead
        Time that a collective takes on top of its steps.
    pod, oversubscription
        Accelerators that the network joins without blocking; how much it blocks beyond.
    runtime_reserve, reserve_alone
        Memory that software takes before any tensor, with buffers for communication and without.
    host_known, host_memory
        Whether it is known what memory the hosts of a node have, and how much.
    """

    accelerators: int
    counted: bool
    nodes: int
    accelerators_per_node: int
    domain: int
    full_mesh: bool
    peak: float
    wide_peak: float
    efficiency: float
    wide_efficiency: float
    projection_rate: float
    core_rate: float
    matmul_overhead: float
    narrow: bool
    memory_capacity: float
    memory_bandwidth: float
    memory_rate: float
    link_bandwidth: float
    link_latency: float
    network_bandwidth: float
    network_latency: float
    bulk_link_latency: float
    bulk_network_latency: float
    collective_overhead: float
    pod: int
    oversubscription: float
    runtime_reserve: float
    reserve_alone: float
    host_known: bool
    host_memory: float

    @property
    def matmul_rate(self) -> float:
        """Arithmetic of large matrix products."""
        return self.peak * self.efficiency

    @property
    def wide_rate(self) -> float:
        """The same in 16 bits, as of heads and routers."""
        return self.wide_peak * self.wide_efficiency


@remembered
def machine_of(
    fleet: Fleet,
    precision: str,
    calibration: Calibration,
    constants: Calibration | ServingCalibration,
    attention_precision: str | None = None,
) -> Machine:
    """Read a catalogue record; of a node or an accelerator alone, a replica has one domain.

    Parameters
    ----------
    fleet
        The record.
    precision, attention_precision
        Arithmetic of the layers and of their attention matrices; the latter in 16 bits unless
        given.
    calibration
        What stands in where the accelerator has no figure of its own.
    constants
        What is made of the machine: the calibration itself in training, its part in serving.

    Raises
    ------
    Infeasible
        If the accelerators have no arithmetic of one of the precisions.
    MissingFigureError
        If the bandwidth of a network or link that is needed is not known.
    """
    accelerator = accelerator_of(fleet)
    wide = _wide(accelerator, precision)
    projection = wide if attention_precision is None else attention_precision
    peak, wide_peak, projection_peak = (
        magnitude(accelerator.peak(name), "flop/s") for name in (precision, wide, projection)
    )
    efficiency, wide_efficiency, projection_efficiency = (
        constants.sustained * product_efficiency(accelerator, name, calibration)
        for name in (precision, wide, projection)
    )
    bandwidth = magnitude(accelerator.memory_bandwidth, "byte/s")
    memory_rate = bandwidth * memory_efficiency(accelerator, calibration)
    link, network = _levels(fleet, calibration, constants)
    # What no message crosses is not asked for: a group has one domain, or one member in each,
    # and what stays on an accelerator moves within its memory.
    link, network = link or network or (memory_rate, 0.0), network or link or (memory_rate, 0.0)
    cluster = fleet if isinstance(fleet, Cluster) else None
    return Machine(
        accelerators=available(fleet),
        counted=cluster is not None,
        nodes=1 if cluster is None else cluster.nodes,
        accelerators_per_node=available(fleet if cluster is None else cluster.node),
        domain=domain_of(fleet),
        full_mesh=accelerator.full_mesh,
        peak=peak,
        wide_peak=wide_peak,
        efficiency=efficiency,
        wide_efficiency=wide_efficiency,
        projection_rate=projection_peak * projection_efficiency,
        core_rate=wide_peak * constants.sustained * constants.attention_efficiency,
        matmul_overhead=_overhead(accelerator, precision, calibration),
        narrow=precision in _NARROW_FLOATS,
        memory_capacity=magnitude(accelerator.memory_capacity, "byte"),
        memory_bandwidth=bandwidth,
        memory_rate=memory_rate,
        link_bandwidth=link[0],
        link_latency=link[1],
        network_bandwidth=network[0],
        network_latency=network[1],
        bulk_link_latency=calibration.bulk_link_latency,
        bulk_network_latency=calibration.bulk_network_latency,
        collective_overhead=constants.collective_factor
        * _own(accelerator, "collective_overhead", "s", calibration),
        pod=available(fleet) if cluster is None else cluster.pod_accelerators,
        oversubscription=1.0 if cluster is None else cluster.oversubscription,
        runtime_reserve=constants.runtime_reserve,
        reserve_alone=min(constants.runtime_reserve, serving_part(calibration).runtime_reserve),
        host_known=_host(fleet) is not None,
        host_memory=_host(fleet) or 0.0,
    )


def _host(fleet: Fleet) -> float | None:
    """Give the memory of the hosts of a node (byte), if it is known."""
    if isinstance(fleet, Accelerator):
        return None
    node = fleet.node if isinstance(fleet, Cluster) else fleet
    return float(magnitude(node.host_memory, "byte")) if node.has("host_memory") else None


def accelerator_of(fleet: Fleet) -> Accelerator:
    """Give the accelerator of which a fleet is made."""
    return fleet if isinstance(fleet, Accelerator) else fleet.accelerator


def check_fleet(fleet: object) -> None:
    """Refuse what is no fleet.

    Raises
    ------
    ParameterError
        If it is neither a cluster, nor a node, nor an accelerator, nor a choice among them.
    """
    check_record("fleet", fleet, Cluster, Node, Accelerator)


def available(fleet: Fleet) -> int:
    """Count the accelerators of a fleet, or those that one replica may have of them."""
    return fleet.scale_up_domain if isinstance(fleet, Accelerator) else fleet.accelerators


def domain_of(fleet: Fleet) -> int:
    """Count the accelerators that reach one another without the network.

    Without links of their own, the accelerators of a node talk through the host.
    """
    if isinstance(fleet, Cluster):
        return min(max(fleet.scale_up_domain, fleet.node.accelerators), fleet.accelerators)
    return available(fleet)


def efficiency_of(accelerator: Accelerator, precision: str) -> float:
    """Give the best measured fraction of the peak, in this precision or else in 16 bits.

    Raises
    ------
    MissingFigureError
        If neither is known.
    """
    measured = accelerator.matmul_efficiencies.get(precision)
    return accelerator.matmul_efficiency if measured is None else measured


def product_efficiency(accelerator: Accelerator, precision: str, calibration: Calibration) -> float:
    """Give what large products reach: as fitted, or the best measured, or that of the family."""
    for measured in (accelerator.product_efficiencies, accelerator.matmul_efficiencies):
        for name in (precision, _ALIKE.get(precision, precision)):
            if name in measured:
                return measured[name]
    return calibration.matmul_efficiency


def memory_efficiency(accelerator: Accelerator, calibration: Calibration) -> float:
    """Give the fraction of the memory bandwidth that reading reaches, or that of the family."""
    return _own(accelerator, "memory_efficiency", "", calibration)


def outward_bandwidth_of(fleet: Fleet, calibration: Calibration) -> float:
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


def _own(accelerator: Accelerator, figure: str, unit: str, calibration: Calibration) -> float:
    """Give a figure of the accelerator, or else that of its family."""
    if not accelerator.has(figure):
        known: float = getattr(calibration, figure)
        return known
    value = getattr(accelerator, figure)
    return float(magnitude(value, unit) if unit else value)


def _overhead(accelerator: Accelerator, precision: str, calibration: Calibration) -> float:
    for name in (precision, _ALIKE.get(precision, precision)):
        if name in accelerator.product_overheads:
            return float(magnitude(accelerator.product_overheads[name], "s"))
    return calibration.matmul_overhead


def _wide(accelerator: Accelerator, precision: str) -> str:
    if precision not in _NARROW:
        return precision
    wide = (Precision.BF16, Precision.FP16)
    return next((name for name in wide if accelerator.supports(name)), precision)


def _levels(
    fleet: Fleet, calibration: Calibration, constants: Calibration | ServingCalibration
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Give achieved bandwidth and latency of links and of the network, where there are any."""
    accelerator, domain = accelerator_of(fleet), domain_of(fleet)
    link = network = None
    if domain > 1:
        bandwidth = magnitude(accelerator.link_bandwidth, "byte/s")
        reached = _own(accelerator, "link_efficiency", "", calibration)
        if isinstance(constants, ServingCalibration):
            reached = reached * calibration.short_link_factor
        link = (
            bandwidth * reached,
            constants.collective_factor * _own(accelerator, "link_latency", "s", calibration),
        )
    if isinstance(fleet, Cluster) and domain < fleet.accelerators:
        latency = calibration.network_latency
        if fleet.fabric.has("latency"):
            latency = magnitude(fleet.fabric.latency, "s")
        bandwidth = magnitude(fleet.inter_node_bandwidth, "byte/s")
        network = (bandwidth * calibration.network_efficiency, latency)
    return link, network
