"""The cluster that a measured row ran on: its accelerators, their node and their network.

A row may name a node and a fabric of the catalogue in columns of those names.
Otherwise the words after the accelerator's name count ("4 links/node", "1600 Gbps"),
and where they say nothing, the node in which the accelerator is usually sold.
"""

import functools
import re
from dataclasses import dataclass

from mlsysim.catalog import Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.fabric import Fabric
from mlsysim.catalog.node import Node
from mlsysim.units import magnitude
from mlsysim.validation.accelerators import accelerator_of, catalogue_name

_USUAL_NODES = {
    "P100_SXM": "DGX_1_V100",
    "V100_SXM2_32GB": "DGX_1_V100",
    "A100_40GB_SXM": "DGX_A100",
    "A100_80GB_SXM": "DGX_A100",
    "A100_80GB_PCIe": "DGX_A100",
    "A800": "DGX_A100",
    "H100_SXM": "DGX_H100",
    "H100_PCIe": "DGX_H100",
    "H800_SXM": "DGX_H100",
    "H20": "DGX_H100",
    "GH200_96GB": "DGX_H100",
    "H200_SXM": "DGX_H200",
    "B200_SXM": "DGX_B200",
    "B300_SXM": "DGX_B300",
    "GB200": "GB200_NVL72",
    "GB300": "GB300_NVL72",
    "MI250X": "Server_8x_MI300X",
    "MI300X": "Server_8x_MI300X",
    "MI325X": "Server_8x_MI325X",
    "MI350X": "Server_8x_MI355X",
    "MI355X": "Server_8x_MI355X",
    "Gaudi2": "Gaudi2_HLS",
    "Gaudi3": "Gaudi3_HLS",
    "TPU_v2": "TPU_v4_Host",
    "TPU_v3": "TPU_v4_Host",
    "TPU_v4": "TPU_v4_Host",
    "TPU_v5p": "TPU_v5p_Host",
    "TPU_v5e": "TPU_v5e_Host",
    "TPU_v6e": "TPU_v6e_Host",
    "TPU7x": "TPU_v5p_Host",
    "Trainium2": "AWS_trn2",
}
# A server of no particular make: one port of HDR per accelerator, or the 100 Gb/s of a cloud.
_PLAIN_NODE = "DGX_A100"

# Named systems whose network is not that of the usual node.
_NAMED_NODES = (
    (r"\bA3\b", "GCP_a3_high"),
    (r"\bA3 ?Mega", "GCP_a3_mega"),
    (r"\bp4de", "AWS_p4de"),
    (r"\bp4d\b", "AWS_p4d"),
    (r"\bp5en", "AWS_p5en"),
    (r"\bp5e\b", "AWS_p5e"),
    (r"\bp5\b", "AWS_p5"),
)
_GIGABITS_PER_GIGABYTE = 8
_OMNI_PATH = 100 / _GIGABITS_PER_GIGABYTE
# Per node, whatever the number of accelerators (GB/s).
_NAMED_NETWORKS = (
    (r"Jean Zay", 4 * _OMNI_PATH),
    (r"p3\.16xlarge", 25 / _GIGABITS_PER_GIGABYTE),
    (r"p3dn", 100 / _GIGABITS_PER_GIGABYTE),
)
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


@functools.cache
def machinery_of(
    words: str, count: int, per_node: int | None, node: str = "", fabric: str = ""
) -> Machinery | None:
    """Build the cluster of a row.

    Parameters
    ----------
    words
        How the source names the accelerator.
    count
        How many there were.
    per_node
        How many in a node; the usual number where it is not known.
    node, fabric
        Names of the catalogue, or empty.

    Returns
    -------
    Machinery or None
        None where the accelerator is not in the catalogue.

    Raises
    ------
    UnknownNameError
        If a node or fabric is named that the catalogue does not have.

    Examples
    --------
    >>> cluster = machinery_of("A100-SXM4-80GB (Omni-Path 4 links/node)", 384, 8).cluster
    >>> cluster.nodes, cluster.inter_node_bandwidth.m_as("GB/s")
    (48, 6.25)
    """
    accelerator = accelerator_of(words)
    if accelerator is None:
        return None
    usual, notes = _usual_node(words, node)
    inside = per_node or min(usual.accelerators, 8)
    # A run on part of a node, or on nodes that were not filled.
    inside = min(inside, count)
    while count % inside:
        inside -= 1
    speed, stated = _network_speed(words, usual, inside)
    if not stated and not node and count > inside:
        notes = (*notes, f"network of {usual.name} supposed")
    built = Node(
        name=f"{accelerator.name}_node",
        accelerator=accelerator,
        accelerators=inside,
        nic_bandwidth=f"{speed} GB/s",
        scale_up_domain=_domain(accelerator, usual, inside),
        max_power=usual.max_power if usual.has("max_power") else None,
    )
    cluster = Cluster(
        name=f"{count}_{accelerator.name}",
        node=built,
        nodes=count // inside,
        fabric=_fabric(speed, fabric),
    )
    return Machinery(cluster=cluster, notes=notes)


def _usual_node(words: str, named: str) -> tuple[Node, tuple[str, ...]]:
    if named:
        return Systems.Nodes[named], ()
    hint = words.partition("(")[2]
    found = next((name for pattern, name in reversed(_NAMED_NODES) if re.search(pattern, hint)), "")
    if found:
        return Systems.Nodes[found], ()
    name = catalogue_name(words) or ""
    if name in _USUAL_NODES:
        return Systems.Nodes[_USUAL_NODES[name]], ()
    return Systems.Nodes[_PLAIN_NODE], (f"node supposed to be like {_PLAIN_NODE}",)


def _network_speed(words: str, usual: Node, inside: int) -> tuple[float, bool]:
    """Give what leaves the node for each accelerator (GB/s), and whether the words say so."""
    for pattern, whole in _NAMED_NETWORKS:
        if re.search(pattern, words):
            return whole / inside, True
    if links := re.search(r"Omni-Path (\d+) links", words):
        return int(links[1]) * _OMNI_PATH / inside, True
    if each := re.search(r"([\d.]+) ?Gb/s per GPU", words):
        return float(each[1]) / _GIGABITS_PER_GIGABYTE, True
    if whole_node := re.search(r"([\d.]+) ?Gbps", words):
        return float(whole_node[1]) / _GIGABITS_PER_GIGABYTE / inside, True
    if ports := re.search(r"(\d+)x([\d.]+) ?GB/s", words):
        return int(ports[1]) * float(ports[2]) / inside, True
    return magnitude(usual.nic_bandwidth, "GB/s"), False


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
