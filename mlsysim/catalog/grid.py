"""Grids: what electricity costs and emits where a data centre stands."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.fields import number
from mlsysim.catalog.measures import measure
from mlsysim.catalog.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Grid(Record):
    """A region's electricity, and the cooling that is usual there.

    Parameters
    ----------
    electricity_price
        What a data centre pays for electricity.
    carbon_intensity
        Carbon dioxide equivalents emitted for electricity, on the average of the grid.
    pue
        Power usage effectiveness: power of the site over power of its computers.
    wue
        Water usage effectiveness: water evaporated for the computers' energy.
    """

    electricity_price: Any = measure("USD/kWh", optional=True, zero=True)
    carbon_intensity: Any = measure("g/kWh", optional=True, zero=True)
    pue: float = number(least=1.0)
    wue: Any = measure("liter/kWh", optional=True, zero=True)
