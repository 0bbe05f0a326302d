"""The cluster that a measured row ran on: its accelerators, their node and their network.

A row may name a node and a fabric of the catalogue, and what leaves a node for each
accelerator.  Collections say so in a remark after the accelerator's name, of which those
in the table below are known.  Otherwise the node is that in which the accelerator is
usually sold.
"""

import functools
from dataclasses import dataclass

from mlsysim.catalog import Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.node import Node
from mlsysim.errors import UnknownNameError, suggest
from mlsysim.units import magnitude
from mlsysim.validation.accelerators import Figures, catalogue_name, stated_accelerator
from mlsysim.validation.rows import MeasuredRun
from mlsysim.validation.words import remark_of

# Accelerators of which the catalogue has no node, or not their usual one first.
_USUAL_NODES = {
    "P100_SXM": "DGX_1_V100",
    "A100_40GB_SXM": "DGX_A100",
    "A100_80GB_PCIe": "DGX_A100",
    "A800_SXM": "DGX_A100",
    "H100_PCIe": "DGX_H100",
    "H100_NVL": "DGX_H100",
    "H20_SXM": "DGX_H100",
    "GH200_96GB": "DGX_H100",
    "MI250X": "Server_8x_MI300X",
    "MI350X": "Server_8x_MI355X",
    "TPU_v2": "TPU_v4_Host",
    "TPU_v3": "TPU_v4_Host",
    "TPU7x": "TPU_v5p_Host",
}
# A server of no particular make: one port of HDR per accelerator, or the 100 Gb/s of a cloud.
_PLAIN_NODE = "DGX_A100"
# Remarks of sources -> node of the catalogue.
_NAMED_NODES = {
    "gcp a3": "GCP_a3_high",
    "gcp a3 mega": "GCP_a3_mega",
    "aws p4d": "AWS_p4d",
    "aws p4de": "AWS_p4de",
    "aws p5": "AWS_p5",
    "aws p5e": "AWS_p5e",
    "aws p5en": "AWS_p5en",
}
# Remarks of sources -> what leaves a whole node, in Gb/s.
_NAMED_NETWORKS = {
    "omni-path 4 links/node": 400.0,
    "jean zay, 4 per node": 400.0,  # four ports of Omni-Path
    "ib 8x50 gb/s": 3200.0,
    "aws p3.16xlarge": 25.0,
    "aws p3dn": 100.0,
}
_GIGABITS_PER_GIGABYTE = 8
# Networks by what one port carries (GB/s).
_FABRICS = ((100.0, "IB_XDR"), (50.0, "IB_NDR"), (25.0, "IB_HDR"), (0.0, "IB_EDR"))


@dataclass(frozen=True, kw_only=True)
class Machinery:
    """What a row ran on.

    Parameters
    ----------
    cluster
        All of it.
    notes
        What had to be supposed about it.
    """

    cluster: Cluster
    notes: tuple[str, ...] = ()


def machinery_of(row: MeasuredRun, count: int) -> Machinery | str:
    """Build the cluster of a row, or say what is missing."""
    figures = Figures(
        memory=row.memory_gib, bandwidth=row.memory_tb_s, link=row.link_gb_s, power=row.power_w
    )
    place = (row.accel_per_node, row.node, row.fabric, row.network_gb_s)
    try:
        return _machinery(row.accelerator, figures, count, *place)
    except UnknownNameError as error:
        return str(error)


@functools.cache
def _machinery(
    words: str,
    figures: Figures,
    count: int,
    per_node: int | None,
    named_node: str,
    fabric: str,
    network: float | None,
) -> Machinery:
    accelerator = stated_accelerator(words, figures)
    if accelerator is None:
        raise UnknownNameError(
            f"the catalogue has no accelerator {words!r}{suggest(words, Systems.Accelerators)}"
        )
    remark = remark_of(words).casefold()
    named = named_node or _NAMED_NODES.get(remark, "")
    usual, notes = _usual_node(words, named)
    inside = per_node or min(usual.accelerators, 8)
    # A run on part of a node, or on nodes that were not filled.
    inside = min(inside, count)
    while count % inside:
        inside -= 1
    if network is None and (whole := _network_of(remark)):
        network = whole / _GIGABITS_PER_GIGABYTE / inside
    if network is None:
        network = magnitude(usual.nic_bandwidth, "GB/s")
        if not named and count > inside:
            notes = (*notes, f"network of {usual.name} supposed")
    built = Node(
        name=f"{accelerator.name}_node",
        accelerator=accelerator,
        accelerators=inside,
        nic_bandwidth=f"{network} GB/s",
        scale_up_domain=_domain(accelerator, usual, inside),
        max_power=usual.max_power if usual.has("max_power") else None,
    )
    cluster = Cluster(
        name=f"{count}_{accelerator.name}",
        node=built,
        nodes=count // inside,
        fabric=_fabric(network, fabric),
    )
    return Machinery(cluster=cluster, notes=notes)


def _network_of(remark: str) -> float | None:
    """Read what leaves a node (Gb/s) from a remark that is known or begins "1600 Gbps"."""
    number, _, rest = remark.partition(" ")
    if rest.startswith("gbps") and number.isdigit():
        return float(number)
    return _NAMED_NETWORKS.get(remark)


def _usual_node(words: str, named: str) -> tuple[Node, tuple[str, ...]]:
    if named:
        return Systems.Nodes[named], ()
    name = catalogue_name(words) or ""
    if name in _USUAL_NODES:
        return Systems.Nodes[_USUAL_NODES[name]], ()
    own = next((node for node in Systems.Nodes.values() if node.accelerator.name == name), None)
    if own is not None:
        return own, ()
    return Systems.Nodes[_PLAIN_NODE], (f"node supposed to be like {_PLAIN_NODE}",)


def _domain(accelerator: Accelerator, usual: Node, inside: int) -> int:
    """Keep domains that reach beyond the node: racks and pods; others end with it."""
    beyond = accelerator.scale_up_domain if usual.scale_up_domain > usual.accelerators else 0
    if usual.accelerators > inside:
        beyond = min(usual.scale_up_domain, accelerator.scale_up_domain)
        beyond = beyond if beyond > 8 else 0  # noqa: PLR2004 - a rack, not a server half used
    return max(beyond, min(inside, accelerator.scale_up_domain))


def _fabric(speed: float, named: str) -> Fabric:
    """Give the network whose ports are at least as fast; the node's own ports limit it then."""
    if named:
        return Systems.Fabrics[named]
    name = next(name for least, name in _FABRICS if speed >= least)
    fabric = Systems.Fabrics[name]
    return fabric.replace(bandwidth=f"{max(speed, magnitude(fabric.bandwidth, 'GB/s'))} GB/s")
