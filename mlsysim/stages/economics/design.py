"""The arguments of the economics stages: the items of a bill that a planner can say."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import Infrastructure, Systems
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.grid import Grid
from mlsysim.catalog.node import Node
from mlsysim.stages.domains import Entry, Measure, Named, Number, Options, Prices, Whole
from mlsysim.stages.economics.electricity import TARIFF
from mlsysim.stages.knobs import Design, about, knob
from mlsysim.stages.serving.hardware import RENT, Purchase

Priced = float | Mapping[str, float] | None
"""A price for everything, one for each name, or that of the catalogue."""


@dataclass(frozen=True)
class BillDesign(Design):
    """What bills have in common: where the machines stand, and what owning them costs."""

    _: KW_ONLY
    region: Grid | str = knob(
        Named(Infrastructure.Grids, Grid),
        "Where it stands: a grid, or its name in ``Infrastructure.Grids``.",
        default="US_Average",
        applies="where the power is known",
    )
    electricity_price: Priced = knob(
        Prices(TARIFF, Infrastructure.Grids),
        "In USD/kWh or as a quantity, or one for each region by name; the grid's unless given.",
        default=None,
        unit=TARIFF,
        applies="to what is owned",
    )
    pue: float | None = knob(
        Number(least=1.0),
        "Power usage effectiveness; the grid's unless given.",
        default=None,
        applies="where the power is known",
    )
    lifetime_years: float = knob(
        Number(above=True),
        "Years over which a purchase is written off.",
        default=4.0,
        unit="year",
        applies="to what is owned",
    )
    maintenance_rate: float = knob(
        Number(),
        "Upkeep per year, as a share of the full price.",
        default=0.05,
        applies="to what is owned",
    )
    idle_power_share: float = knob(
        Number(most=1.0),
        "What an idle server draws of its maximum; servers idle at some 30 %.",
        default=0.3,
        applies="where the fleet is idle at times, and its power is known",
    )
    server_factor: float = knob(
        Number(least=1.0),
        "What a whole server costs over its accelerators alone (1.3 to 1.7 is usual), where only "
        "their price is known.",
        default=1.5,
        applies="to what is owned, where the catalogue has no price of the server",
    )


@dataclass(frozen=True)
class EconomicsDesign(BillDesign):
    """Nodes over a period; the arguments of `EconomicsModel.solve`."""

    fleet: Cluster = field(metadata=about(Entry((Cluster,)), "What is paid for."))
    duration_days: Any = field(
        metadata=about(Measure("day"), "The period, in days or as a time.", unit="day")
    )
    _: KW_ONLY
    utilization: float = knob(
        Number(most=1.0),
        "Share of the time at full power.  In a pipeline it comes from `DistributedModel`; alone "
        "it is 1, the most that the energy can cost.",
        default=1.0,
        applies="where the power is known, and idle servers draw less",
    )
    effective_throughput: Any = knob(
        Measure("1/s", above=True),
        "Tokens per second, for the cost of a token; from `DistributedModel` in a pipeline.",
        default=None,
        unit="1/s",
    )
    nodes: int | None = knob(
        Whole(),
        "Nodes that are paid for; all unless given.  Whether there are so many is for the stage "
        "to tell that places the work on them.",
        default=None,
        unit="node",
    )


@dataclass(frozen=True)
class ServingEconomicsDesign(BillDesign):
    """A serving fleet by the hour; the arguments of `ServingEconomicsModel.solve`."""

    fleet: Cluster | Node | Accelerator = field(
        metadata=about(Entry((Cluster, Node, Accelerator)), "Of what the accelerators are.")
    )
    accelerators: int = field(
        metadata=about(Whole(), "How many are paid for; from the serving model in a pipeline.")
    )
    request_rate: Any = field(
        metadata=about(
            Measure("1/s"),
            "Requests that the fleet can answer per second; from the serving model in a pipeline.",
            unit="1/s",
        )
    )
    _: KW_ONLY
    tokens_per_second: Any = knob(
        Measure("1/s"),
        "Output tokens at this rate; from the serving model in a pipeline.",
        default=None,
        unit="1/s",
        applies="with input_tokens_per_second: a price per token needs both",
    )
    input_tokens_per_second: Any = knob(
        Measure("1/s"),
        "Prompt tokens at this rate; from the serving model in a pipeline.",
        default=None,
        unit="1/s",
        applies="with tokens_per_second: a price per token needs both",
    )
    prefill_share: Any = knob(
        Number(),
        "Share of the time that goes into prompts, at most `utilization`; from the serving model "
        "in a pipeline.",
        default=None,
        applies="with tokens_per_second and input_tokens_per_second",
    )
    demand: Any = knob(
        Measure("1/s", above=True),
        "Requests that arrive per second: the fleet has to carry them, and is idle for the rest of "
        "the time.  As many as it can answer unless given.",
        default=None,
        unit="1/s",
    )
    utilization: float = knob(
        Number(above=True),
        "Share of the time for which `request_rate` keeps the fleet busy: all of it, save where "
        "`ContinuousBatchingModel` hands on less.",
        default=1.0,
        applies="where the power is known, and idle servers draw less",
    )
    purchase: str = knob(
        Options(tuple(Purchase)),
        '``"rented"`` by the hour, electricity included, or ``"owned"``.',
        default="rented",
    )
    rental_price: Priced = knob(
        Prices(RENT, Systems.Accelerators),
        "In USD per accelerator and hour or as a quantity, or one for each accelerator by name; "
        "the median of the catalogue's on-demand prices unless given.",
        default=None,
        unit=RENT,
        applies='with ``purchase="rented"``',
    )
    server_power_factor: float = knob(
        Number(least=1.0),
        "What a whole server draws over its accelerators alone, where only their power is known: "
        "10.2 kW of a DGX H100 over eight times 700 W.",
        default=1.8,
        applies="where the catalogue has the power of the accelerator, and none of the server",
    )
