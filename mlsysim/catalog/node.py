"""Nodes: servers and racks, several accelerators behind one set of network ports."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.fields import count
from mlsysim.catalog.measures import measure
from mlsysim.catalog.record import Record
from mlsysim.catalog.reference import reference


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Node(Record):
    """One server, or one rack that works as a server.

    Parameters
    ----------
    accelerator
        What it holds.
    accelerators
        How many of them.
    nic_bandwidth
        Bandwidth out of the node, one direction, for each accelerator.
    nics
        Network ports that carry this traffic; one per accelerator unless given.
    scale_up_domain
        How many accelerators reach one another over the accelerators' own links: at most those of
        the node, unless it is stated that links join nodes.
    host_memory
        Memory of its hosts, which takes what accelerators leave to them.
    max_power
        What the whole node draws at most.
    unit_price
        What the whole node costs to buy.
    """

    accelerator: Accelerator = reference(Accelerator)
    accelerators: int = count()
    nic_bandwidth: Any = measure("GB/s", optional=True)
    nics: int = count(0, least=0)
    scale_up_domain: int = count(0, least=0)
    host_memory: Any = measure("GB", optional=True)
    max_power: Any = measure("kW", optional=True)
    unit_price: Any = measure("USD", optional=True)

    def __post_init__(self) -> None:
        if not self.nics:
            self._derive("nics", self.accelerators)
        if not self.scale_up_domain:
            inside = min(self.accelerators, self.accelerator.scale_up_domain)
            self._derive("scale_up_domain", inside)
        if self.scale_up_domain > self.accelerator.scale_up_domain:
            raise self._refuse(
                f"scale_up_domain is {self.scale_up_domain}, but the links of "
                f"{self.accelerator.name} join {self.accelerator.scale_up_domain} accelerators"
            )

    @property
    def capital_cost(self) -> Any:
        """The price of the node, or where it is unknown that of its accelerators alone.

        The latter leaves out the host and its network cards (of the 350,000 USD estimated for a
        DGX H100, the accelerators are 220,000); ``has("unit_price")`` tells which of the two it is.

        Raises
        ------
        MissingFigureError
            If neither price is known.
        """
        if self.has("unit_price"):
            return self.unit_price
        return self.accelerator.unit_price * self.accelerators
