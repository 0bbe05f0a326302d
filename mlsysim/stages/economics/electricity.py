"""What electricity costs where a fleet stands: the catalogue's price, or the planner's own."""

import math
from collections.abc import Mapping
from typing import Any

from mlsysim.catalog.builtin import Infrastructure
from mlsysim.catalog.grid import Grid
from mlsysim.errors import MissingFigureError
from mlsysim.stages.arguments import check_record
from mlsysim.stages.mapping import mapped, remembered
from mlsysim.units import magnitude

TARIFF = "USD/kWh"


def grid_of(region: Grid | str) -> Any:
    """Find the grid of a region, which may be a choice among grids or among their names.

    Raises
    ------
    UnknownNameError
        If no grid has this name.
    ParameterError
        If it is neither a grid nor a name.
    """
    return mapped(_grid, region)


def tariff_of(grid: Any, price: Any) -> Any:
    """Give what electricity costs (USD/kWh).

    Parameters
    ----------
    grid
        As `grid_of` gives it.
    price
        The planner's own price, or one for each grid by name; the grid's if `None`.

    Raises
    ------
    MissingFigureError
        If nobody states a price for this grid.
    """
    if price is not None and not isinstance(price, Mapping):
        return price
    return mapped(_tariff, grid, price or {})


def carbon_intensity_of(grid: Any) -> Any:
    """Give what a kilowatt-hour emits (g); `None` where nobody states it.

    Of a choice among grids those without the figure are not a number, so that a
    question that looks at their carbon is told so, and others are answered.
    """
    intensity = mapped(_intensity, grid)
    return None if isinstance(intensity, float) and math.isnan(intensity) else intensity


def _grid(region: Grid | str) -> Grid:
    if isinstance(region, str):
        region = Infrastructure.Grids[region]
    check_record("region", region, Grid)
    return region


def _tariff(grid: Grid, stated: Mapping[str, float]) -> float:
    if grid.name in stated:
        return stated[grid.name]
    if not grid.has("electricity_price"):
        raise MissingFigureError(
            f"{grid.name}: no electricity_price is known; pass your own, "
            f"electricity_price = {{'{grid.name}': 0.08}} in {TARIFF}"
        )
    price: float = magnitude(grid.electricity_price, TARIFF)
    return price


@remembered
def _intensity(grid: Grid) -> float:
    if not grid.has("carbon_intensity"):
        return math.nan
    intensity: float = magnitude(grid.carbon_intensity, "g/kWh")
    return intensity
