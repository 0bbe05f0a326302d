"""What electricity costs where a fleet stands: the catalogue's price, or the planner's own."""

import math
from collections.abc import Mapping
from typing import Any

from mlsysim.catalog.builtin import Infrastructure
from mlsysim.catalog.grid import Grid
from mlsysim.errors import MissingFigureError, ParameterError, suggest
from mlsysim.stages.arguments import check_number, check_record, in_unit
from mlsysim.stages.mapping import mapped
from mlsysim.units import magnitude

_UNIT = "USD/kWh"

Prices = float | Mapping[str, float] | None
"""A price for everything, one for each name, or that of the catalogue."""


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


def tariff_of(grid: Any, price: Prices) -> Any:
    """Give what electricity costs (USD/kWh).

    Parameters
    ----------
    grid
        As `grid_of` gives it.
    price
        The planner's own price in USD/kWh or as a quantity, or one for each
        grid by name; the grid's unless given.

    Raises
    ------
    MissingFigureError
        If nobody states a price for this grid.
    ParameterError
        If the price is negative, or given for names that are no grids.
    """
    if price is not None and not isinstance(price, Mapping):
        own = in_unit("electricity_price", price, _UNIT)
        check_number("electricity_price", own)
        return own
    stated = own_prices("electricity_price", price, _UNIT, Infrastructure.Grids)
    return mapped(_tariff, grid, stated)


def carbon_intensity_of(grid: Any) -> Any:
    """Give what a kilowatt-hour emits (g); `None` where nobody states it.

    Of a choice among grids those without the figure are not a number, so that a
    question that looks at their carbon is told so, and others are answered.

    Parameters
    ----------
    grid
        As `grid_of` gives it.
    """
    intensity = mapped(_intensity, grid)
    return None if isinstance(intensity, float) and math.isnan(intensity) else intensity


def own_prices(
    name: str, prices: Mapping[str, Any] | None, unit: str, known: Mapping[str, Any]
) -> dict[str, float]:
    """Read prices that a planner gives for some records of the catalogue, by their names.

    Parameters
    ----------
    name
        The argument.
    prices
        Record -> its price, a number in `unit` or a quantity.
    unit
        The unit of a plain number.
    known
        The names that there are.

    Raises
    ------
    ParameterError
        If a price is negative or no number, or a name is not known.
    """
    for key in prices or {}:
        if key not in known:
            raise ParameterError(f"{name} names {key!r}{suggest(key, known)}")
    stated = {key: in_unit(name, value, unit) for key, value in (prices or {}).items()}
    for value in stated.values():
        check_number(name, value)
    return stated


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
            f"electricity_price = {{'{grid.name}': 0.08}} in {_UNIT}"
        )
    price: float = magnitude(grid.electricity_price, _UNIT)
    return price


def _intensity(grid: Grid) -> float:
    if not grid.has("carbon_intensity"):
        return math.nan
    intensity: float = magnitude(grid.carbon_intensity, "g/kWh")
    return intensity
