"""What an accelerator of a serving fleet costs and draws, with its share of the server."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.errors import MissingFigureError
from mlsysim.expr.functions import where
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.mapping import mapped
from mlsysim.units import magnitude

RENT = "USD/hour"


class Purchase(StrEnum):
    """How a fleet is paid for."""

    RENTED = "rented"
    OWNED = "owned"


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """One accelerator with its share of the server around it.

    Parameters
    ----------
    price
        What it costs to buy (USD); nothing where it is rented.
    price_is_estimated
        Whether no price of the server is known, so that it is derived from the accelerator's.
    watts
        What it draws at most; not a number where it is rented and nobody states it.
    """

    price: float
    price_is_estimated: bool
    watts: float


def hardware_of(fleet: Any, purchase: Any, server_factor: Any, server_power_factor: Any) -> Any:
    """Read a fleet, which may be a choice.

    Parameters
    ----------
    fleet
        A cluster, a node or an accelerator.
    purchase
        One of `Purchase`.
    server_factor
        What a server costs over its accelerators alone, where only their price is known.
    server_power_factor
        What a server draws over its accelerators alone, where only their power is known.

    Raises
    ------
    MissingFigureError
        If a price or a power is needed that the catalogue does not have.
    """
    found = mapped(_hardware, fleet, purchase)
    return Hardware(
        price=found.bare_price * _factor(found.price_is_estimated, server_factor),
        price_is_estimated=found.price_is_estimated,
        watts=found.bare_watts * _factor(found.power_is_estimated, server_power_factor),
    )


def rent_of(fleet: Any, purchase: Any, price: Any) -> Any:
    """Give the rent of one accelerator (USD per hour); nothing where it is owned.

    Parameters
    ----------
    fleet, purchase
        As for `hardware_of`.
    price
        The planner's own (USD per accelerator and hour), or one for each accelerator by name;
        the median of the catalogue's on-demand prices if `None`.

    Raises
    ------
    MissingFigureError
        If nobody states the price of an accelerator that is rented.
    """
    if price is not None and not isinstance(price, Mapping):
        return where(mapped(_is_rented, purchase), price, 0.0)
    return mapped(_rent, fleet, purchase, price or {})


@dataclass(frozen=True, kw_only=True)
class _Found:
    bare_price: float
    price_is_estimated: bool
    bare_watts: float
    power_is_estimated: bool


def _hardware(fleet: Cluster | Node | Accelerator, purchase: str) -> _Found:
    accelerator = accelerator_of(fleet)
    node = fleet.node if isinstance(fleet, Cluster) else fleet
    server = node if isinstance(node, Node) else None
    count = server.accelerators if server is not None else 1
    priced = server if server is not None and server.has("unit_price") else None
    powered = server if server is not None and server.has("max_power") else None
    owned = purchase == Purchase.OWNED
    price, watts = 0.0, math.nan
    if owned:
        price = magnitude(accelerator.unit_price if priced is None else priced.unit_price, "USD")
    if powered is not None:
        watts = magnitude(powered.max_power, "W")
    elif owned or accelerator.has("thermal_design_power"):
        watts = magnitude(accelerator.thermal_design_power, "W")
    return _Found(
        bare_price=price if priced is None else price / count,
        price_is_estimated=priced is None,
        bare_watts=watts if powered is None else watts / count,
        power_is_estimated=powered is None,
    )


def _rent(fleet: Cluster | Node | Accelerator, purchase: str, stated: Mapping[str, float]) -> float:
    if purchase == Purchase.OWNED:
        return 0.0
    accelerator = accelerator_of(fleet)
    if accelerator.name in stated:
        return stated[accelerator.name]
    if not accelerator.has("rental_prices"):
        raise MissingFigureError(
            f"{accelerator.name}: no rental_price is known; pass your own, "
            f"rental_price = {{'{accelerator.name}': 2.5}} in {RENT}"
        )
    price: float = magnitude(accelerator.rental_price, RENT)
    return price


def _is_rented(purchase: str) -> bool:
    return purchase == Purchase.RENTED


def _factor(estimated: Any, factor: Any) -> Any:
    # Works on truth values and on look-up tables of them.
    return 1 + estimated * (factor - 1)
