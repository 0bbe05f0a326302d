"""A fleet as the training formulas see it: plain numbers in base units, no catalogue."""

from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.units import magnitude

# 16 bits of either kind go through the same units.
_NEAR = {"fp16": "bf16", "bf16": "fp16"}
# Attention cores, routers and the output head stay in 16 bits where layers are narrower.
_NARROW_FLOATS = ("fp8", "fp4")
_NARROW = (*_NARROW_FLOATS, "int8", "int4")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a fleet offers, in s, byte and flop; rates and bandwidths as achieved.

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
    efficiency, wide_efficiency
        Fraction of it that large matrix products reach in a run, and the same in 16 bits.
    wide_peak
        Dense peak in 16 bits, or in the precision asked for if that is wider.
    attention_rate
        Operations per second of attention cores.
    matmul_overhead
        Time that a matrix product costs whatever its size.
    narrow
        Whether products are in 8 or 4 bits of floating point, so that their inputs are narrow too.
    memory_capacity
        Of one accelerator.
    stream_rate
        Memory traffic per second of element-wise kernels.
    link_bandwidth, link_latency
        Out of one accelerator within its domain.
    network_bandwidth, network_latency
        The same between domains.
    pod, oversubscription
        Accelerators that the network joins without blocking; how much it blocks beyond.
    """

    nodes: int
    accelerators_per_node: int
    domain: int
    full_mesh: bool
    peak: float
    efficiency: float
    wide_peak: float
    wide_efficiency: float
    attention_rate: float
    matmul_overhead: float
    narrow: bool
    memory_capacity: float
    stream_rate: float
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
    stream = calibration.memory_efficiency * magnitude(accelerator.memory_bandwidth, "byte/s")
    link, network = _levels(fleet, calibration)
    # What no message crosses is not asked for: a group has one domain, or one member in each,
    # and what stays on an accelerator moves within its memory.
    link, network = link or network or (stream, 0.0), network or link or (stream, 0.0)
    peak = magnitude(accelerator.peak(precision), "flop/s")
    wide = _wide(accelerator, precision)
    wide_peak = magnitude(accelerator.peak(wide), "flop/s")
    kept = calibration.sustained
    return Machine(
        nodes=fleet.nodes,
        accelerators_per_node=fleet.node.accelerators,
        domain=_domain(fleet),
        full_mesh=accelerator.full_mesh,
        peak=peak,
        efficiency=kept * product_efficiency(accelerator, precision, calibration),
        wide_peak=wide_peak,
        wide_efficiency=kept * product_efficiency(accelerator, wide, calibration),
        attention_rate=kept * calibration.attention_efficiency * wide_peak,
        matmul_overhead=_overhead(accelerator, precision, calibration),
        narrow=precision in _NARROW_FLOATS,
        memory_capacity=magnitude(accelerator.memory_capacity, "byte"),
        stream_rate=stream,
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


def product_efficiency(accelerator: Accelerator, precision: str, calibration: Calibration) -> float:
    """Give what large products reach: as fitted, or the best measured, or that of the family.

    Either kind of 16 bits stands in for the other.
    """
    for measured in (accelerator.product_efficiencies, accelerator.matmul_efficiencies):
        for name in (precision, _NEAR.get(precision, precision)):
            if name in measured:
                return measured[name]
    return calibration.matmul_efficiency


def _overhead(accelerator: Accelerator, precision: str, calibration: Calibration) -> float:
    fitted = accelerator.product_overheads
    near = _NEAR.get(precision, precision)
    measured = fitted.get(precision, fitted.get(near))
    return calibration.matmul_overhead if measured is None else magnitude(measured, "s")


def _wide(accelerator: Accelerator, precision: str) -> str:
    if precision not in _NARROW:
        return precision
    return "bf16" if accelerator.supports("bf16") else "fp16"


def _domain(fleet: Cluster) -> int:
    """Give the accelerators that a job finds together.

    Where links join several nodes, a job takes aligned parts of such a rack in powers of
    two (64 of 72), so that its groups stay whole.  Without links of their own, the
    accelerators of a node talk through the host.
    """
    linked, inside = fleet.scale_up_domain, fleet.node.accelerators
    if inside < linked < fleet.accelerators:
        linked = max(1 << (linked.bit_length() - 1), inside)
    return min(max(linked, inside), fleet.accelerators)


def _levels(
    fleet: Cluster, calibration: Calibration
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Give achieved bandwidth and latency of links and of the network, where there are any."""
    domain = _domain(fleet)
    network = link = None
    if domain < fleet.accelerators:
        latency = (
            magnitude(fleet.fabric.latency, "s")
            if fleet.fabric.has("latency")
            else calibration.network_latency
        )
        bandwidth = magnitude(fleet.inter_node_bandwidth, "byte/s")
        network = (bandwidth * calibration.network_efficiency, latency)
    if domain > 1:
        link = _link(fleet.accelerator, calibration)
    return link, network


def _link(accelerator: Accelerator, calibration: Calibration) -> tuple[float, float]:
    latency = (
        magnitude(accelerator.link_latency, "s")
        if accelerator.has("link_latency")
        else calibration.link_latency
    )
    efficiency = (
        accelerator.link_efficiency
        if accelerator.has("link_efficiency")
        else calibration.link_efficiency
    )
    return magnitude(accelerator.link_bandwidth, "byte/s") * efficiency, latency
