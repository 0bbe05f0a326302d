"""Which prices stand behind a cost: of which provider, from when, and how far to trust them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.figure import Figure
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.stages.arguments import in_unit
from mlsysim.stages.economics.electricity import grid_of
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.serving.hardware import Purchase
from mlsysim.units import magnitude

_RENT, _PURCHASE, _TARIFF = "USD/hour", "USD", "USD/kWh"


@dataclass(frozen=True, kw_only=True)
class Price:
    """One price that a cost is made of.

    Parameters
    ----------
    what
        Of what: ``"rent of H100_SXM"``.
    value, unit
        The price.
    figures
        Provider -> the catalogue's figure; of several the price is the median.  Empty where the
        price was given with the question.
    note
        What else was done with it.
    """

    what: str
    value: float
    unit: str
    figures: Mapping[str, Figure]
    note: str = ""

    @property
    def text(self) -> str:
        """The price in a line, with its providers, sources, dates and confidence."""
        head = f"{self.what}: {self.value:,g} {self.unit}"
        tail = f"; {self.note}" if self.note else ""
        if not self.figures:
            return f"{head}, given in the question{tail}"
        several = len(self.figures) > 1
        told = ", ".join(_told(name, item, several) for name, item in self.figures.items())
        return f"{head}{', the median of' if several else ''} {told}{tail}"

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "given": not self.figures,
            "note": self.note,
            "figures": [
                {
                    "provider": name,
                    "value": item.value,
                    "unit": item.unit,
                    "source": item.source,
                    "date": item.date,
                    "confidence": item.confidence.value,
                    "note": item.note,
                }
                for name, item in self.figures.items()
            ],
        }


def prices_behind(result: Any) -> tuple[Price, ...]:
    """List the prices behind the costs in the result of a pipeline, each once.

    Parameters
    ----------
    result
        The result, on plain values; of anything else than a pipeline nothing is known.
    """
    given = getattr(result, "arguments", None)
    if not isinstance(given, Mapping):
        return ()
    found = [*_of_training(result, given), *_of_serving(result, given), *_of_designs(given)]
    return tuple({price.what: price for price in found}.values())


def rent(fleet: Cluster | Node | Accelerator, stated: Any) -> Price | None:
    """Give the rent of an accelerator; nothing where nobody states one.

    Parameters
    ----------
    fleet
        Of what.
    stated
        The planner's own price, or prices by accelerator; the catalogue's if `None`.
    """
    accelerator = accelerator_of(fleet)
    what = f"rent of {accelerator.name}"
    own = stated.get(accelerator.name) if isinstance(stated, Mapping) else stated
    if own is not None:
        return Price(what=what, value=in_unit("price", own, _RENT), unit=_RENT, figures={})
    if not accelerator.has("rental_prices"):
        return None
    start = "rental_prices."
    figures = accelerator.figures
    return Price(
        what=what,
        value=magnitude(accelerator.rental_price, _RENT),
        unit=_RENT,
        figures={
            name.removeprefix(start): item
            for name, item in figures.items()
            if name.startswith(start)
        },
    )


def _of_training(result: Any, given: Mapping[str, Any]) -> Iterator[Price]:
    fleet = given.get("fleet")
    if fleet is None:
        return
    if "EconomicsModel" in result:
        yield _purchase(fleet)
        yield from _electricity(given)
    if "GoodputModel" in result:
        price = rent(fleet, given.get("accelerator_hour_price"))
        if price is not None:
            yield price


def _of_serving(result: Any, given: Mapping[str, Any]) -> Iterator[Price]:
    fleet = given.get("fleet")
    if "ServingEconomicsModel" not in result or fleet is None:
        return
    if given.get("purchase", Purchase.RENTED) == Purchase.OWNED:
        yield _purchase(fleet)
        yield from _electricity(given)
        return
    price = rent(fleet, given.get("rental_price"))
    if price is not None:
        yield price


def _of_designs(given: Mapping[str, Any]) -> Iterator[Price]:
    """List those of the replicas of which a mixed fleet has some."""
    replicas = given.get("replicas")
    if not isinstance(replicas, Mapping):
        return
    used = [pool for pool, count in replicas.items() if count]
    for design in given.get("designs", ()):
        if design.rent is not None and any(pool.endswith(f"_on_{design.name}") for pool in used):
            yield design.rent


def _purchase(fleet: Cluster | Node | Accelerator) -> Price:
    node = fleet.node if isinstance(fleet, Cluster) else fleet
    if isinstance(node, Node) and node.has("unit_price"):
        return _listed(f"purchase of {node.name}", node, "unit_price", _PURCHASE)
    return _listed(
        f"purchase of {accelerator_of(fleet).name}",
        accelerator_of(fleet),
        "unit_price",
        _PURCHASE,
        "no price of the server is known: server_factor stands for the rest of it",
    )


def _electricity(given: Mapping[str, Any]) -> Iterator[Price]:
    grid = grid_of(given.get("region", "US_Average"))
    what = f"electricity in {grid.name}"
    stated = given.get("electricity_price")
    own = stated.get(grid.name) if isinstance(stated, Mapping) else stated
    if own is None:
        yield _listed(what, grid, "electricity_price", _TARIFF)
    else:
        value = in_unit("electricity_price", own, _TARIFF)
        yield Price(what=what, value=value, unit=_TARIFF, figures={})


def _listed(what: str, record: Record, figure: str, unit: str, note: str = "") -> Price:
    return Price(
        what=what,
        value=magnitude(getattr(record, figure), unit),
        unit=unit,
        figures={"list": record.figures[figure]},
        note=note,
    )


def _told(provider: str, figure: Figure, several: bool) -> str:  # noqa: FBT001 - a detail of text
    known = [
        figure.source,
        figure.date or "undated",
        f"confidence {figure.confidence.value}",
        *([figure.note] if figure.note else []),
    ]
    name = "" if provider == "list" else f"{provider} "
    return f"{name}{f'{figure.value:,g} ' if several else ''}({', '.join(known)})"
