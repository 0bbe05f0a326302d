"""Fabrics: the networks that join nodes."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.measures import measure
from mlsysim.catalog.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Fabric(Record):
    """A kind of network.

    Parameters
    ----------
    bandwidth
        Of one port, in one direction.
    latency
        Time of a small message through the fabric, as a collective sees it.
    """

    bandwidth: Any = measure("GB/s")
    latency: Any = measure("us", optional=True, zero=True)
