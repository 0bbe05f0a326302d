"""Clusters: nodes joined by a fabric; the fleets that planners choose between."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.fields import count, number
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.catalog.reference import reference


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cluster(Record):
    """Equal nodes joined by one fabric.

    Parameters
    ----------
    node
        What it is made of.
    nodes
        How many.
    fabric
        What joins them.
    pod_accelerators
        Accelerators that reach one another without blocking; all of them unless given.
    oversubscription
        How many times more bandwidth enters a pod's switches than leaves them.

    Examples
    --------
    >>> from mlsysim.catalog import Systems
    >>> mine = Cluster(
    ...     name="Mine", node=Systems.Nodes.DGX_H100, nodes=4, fabric=Systems.Fabrics.IB_NDR
    ... )
    >>> mine.accelerators
    32
    """

    node: Node = reference(Node)
    nodes: int = count()
    fabric: Fabric = reference(Fabric)
    pod_accelerators: int = count(0, least=0)
    oversubscription: float = number(1.0, least=1.0)

    def __post_init__(self) -> None:
        if not self.pod_accelerators:
            self._derive("pod_accelerators", self.accelerators)
        if self.pod_accelerators > self.accelerators:
            raise self._refuse(
                f"pod_accelerators is {self.pod_accelerators}, "
                f"but the whole cluster has {self.accelerators} accelerators"
            )

    @cached_property
    def accelerators(self) -> int:
        """How many accelerators all nodes together have."""
        return self.nodes * self.node.accelerators

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator of the nodes."""
        return self.node.accelerator

    @cached_property
    def scale_up_domain(self) -> int:
        """How many accelerators reach one another over the accelerators' own links."""
        return min(self.node.scale_up_domain, self.accelerators)

    @cached_property
    def inter_node_bandwidth(self) -> Any:
        """Bandwidth between nodes for each accelerator, in one direction.

        The slower of the node's network cards and of its ports on the fabric:
        ``min(nic_bandwidth, fabric.bandwidth * nics / accelerators)``.

        Raises
        ------
        MissingFigureError
            If the bandwidth of the node's network cards is not known.
        """
        port_share = self.fabric.bandwidth * (self.node.nics / self.node.accelerators)
        return min(self.node.nic_bandwidth, port_share)

    @cached_property
    def max_power(self) -> Any:
        """What all nodes together draw at most; switches and cooling are not in it.

        Raises
        ------
        MissingFigureError
            If the power of the node is not known.
        """
        return self.node.max_power * self.nodes

    @cached_property
    def capital_cost(self) -> Any:
        """The price of all nodes; the fabric and the building are not in it.

        Raises
        ------
        MissingFigureError
            If neither the node nor its accelerator has a known price.
        """
        return self.node.capital_cost * self.nodes
