"""Where a group of accelerators sits, and over which links its members talk."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import where
from mlsysim.physics import collectives
from mlsysim.physics.partition import members_together
from mlsysim.stages.machine import Machine
from mlsysim.stages.training.run import TrainingRun


@dataclass(frozen=True, kw_only=True)
class CollectiveGroup:
    """A group as collectives see it.

    Parameters
    ----------
    together, domains
        Members per scale-up domain, and domains.
    inside, across
        ``(bandwidth, latency)`` per member within a domain and between domains.
    overhead
        Time that each collective costs whatever its size; none for a group of one.
    """

    together: Any
    domains: Any
    inside: tuple[Any, Any]
    across: tuple[Any, Any]
    overhead: Any


def group_of(run: TrainingRun, size: Any, stride: Any) -> CollectiveGroup:
    """Place a group whose neighbours have ranks a stride apart."""
    machine, layout = run.machine, run.layout
    together = members_together(size, stride, layout.domain, layout.used)
    blocking = where(layout.used > machine.pod, machine.oversubscription, 1.0)
    return CollectiveGroup(
        together=together,
        domains=collectives.domains_spanned(size, together),
        inside=(local_bandwidth(machine, together), machine.link_latency),
        across=(machine.network_bandwidth / blocking, machine.network_latency),
        overhead=where(size > 1, machine.collective_overhead, 0.0),
    )


def local_bandwidth(machine: Machine, members: Any) -> Any:
    """Give the bandwidth that a number of members get out of one within a domain."""
    return collectives.mesh_bandwidth(
        machine.link_bandwidth, members, machine.domain, machine.full_mesh
    )
