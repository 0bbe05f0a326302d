"""Read the nodes, their calendars and the power that the jobs of a plan share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.record import Record
from mlsysim.errors import QuestionError, suggest
from mlsysim.files.own_catalog import cluster_of
from mlsysim.files.plans.schema import (
    BlockTable,
    CalendarTable,
    PlanFile,
    PlanFleetTable,
    SiteTable,
)
from mlsysim.files.plans.series import series
from mlsysim.files.plans.times import Reader
from mlsysim.files.values import argument
from mlsysim.plans.records.fleet import FREE, Block, Change, Fleet, Site
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.time.calendar import steps
from mlsysim.stages.economics.electricity import grid_of
from mlsysim.units import magnitude


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """A fleet of a plan's file: what jobs share, and on what their designs are evaluated.

    Parameters
    ----------
    fleet
        What jobs share.
    cluster
        On what they run, as large as the fleet ever is.
    watts
        What a node draws.
    slurm
        Options of ``sbatch``.
    """

    fleet: Fleet
    cluster: Cluster
    watts: float
    slurm: Mapping[str, str]


def read_fleets(
    content: PlanFile, goals: tuple[Goal, ...], records: Mapping[str, Record], reader: Reader
) -> dict[str, Nodes]:
    """Read all fleets.

    Parameters
    ----------
    content
        The file.
    goals
        Which figures are needed follows from them.
    records
        Name -> entry of the user's own catalogues.
    reader
        Reads the file.

    Raises
    ------
    QuestionError
        If a name is not known, a time or an amount is malformed, or a figure is missing.
    """
    if not content.fleets:
        raise QuestionError(f"{reader.file}: fleets: empty; write a table such as [fleets.NAME]")
    found = {}
    for name, table in content.fleets.items():
        powered = any(name in site.fleets for site in content.sites.values())
        found[name] = _nodes(name, table, records, reader, powered=powered)
        _require_figures(found[name].fleet, table, content, goals, reader)
    return found


def _nodes(
    name: str,
    table: PlanFleetTable,
    records: Mapping[str, Record],
    reader: Reader,
    *,
    powered: bool,
) -> Nodes:
    key = f"fleets.{name}"
    cluster = _cluster(name, table, records, reader)
    size = cluster.node.accelerators
    nodes = cluster.nodes if table.nodes is None else table.nodes
    if nodes < 0:
        raise QuestionError(f"{reader.file}: {key}.nodes: {nodes} is no number of nodes")
    grid = _grid(table, key, reader)
    figures: dict[str, Any] = {"price": FREE, "electricity": FREE, "carbon": FREE, **grid}
    for figure, unit, factor in (
        ("price", "USD/hour", size),
        ("electricity", "USD/kWh", 1.0),
        ("carbon", "g/kWh", 1.0),
    ):
        given = getattr(table, figure)
        if given is not None:
            figures[figure] = series(given, unit, factor, f"{key}.{figure}", reader)
    needed = powered or any(any(figures[item].values) for item in ("electricity", "carbon"))
    fleet = Fleet(
        name=name,
        nodes=nodes,
        changes=tuple(_changes(table.calendar, key, reader, "nodes")),
        blocks=tuple(
            _block(f"{key}.blocks.{block}", block, item, size, reader)
            for block, item in table.blocks.items()
        ),
        reserved=table.reserved,
        **figures,
    )
    most = max(level for _, level in steps(fleet))
    return Nodes(
        fleet=fleet,
        cluster=replace(cluster, nodes=most) if most > cluster.nodes else cluster,
        watts=_watts(table, cluster, key, reader) if needed else 0.0,
        slurm=table.slurm,
    )


def _cluster(
    name: str, table: PlanFleetTable, records: Mapping[str, Record], reader: Reader
) -> Cluster:
    """Find the cluster that a fleet is one of."""
    of: Any = table.of or name
    place = f"{reader.file}: fleets.{name}.of"
    if isinstance(of, Mapping):
        with reader.at(f"fleets.{name}.of"):
            return cluster_of(of, records)
    found = argument(records.get(of, of), Cluster, place)
    return found if isinstance(found, Cluster) else argument(found, Cluster, place)


def _grid(table: PlanFleetTable, key: str, reader: Reader) -> dict[str, Any]:
    """Give what a grid costs and emits for a kilowatt-hour of the computers: times its PUE."""
    if table.grid is None:
        return {}
    with reader.at(f"{key}.grid"):
        grid = grid_of(table.grid)
    found = {}
    for figure, name, unit in (
        ("electricity", "electricity_price", "USD/kWh"),
        ("carbon", "carbon_intensity", "g/kWh"),
    ):
        if grid.has(name):
            value = magnitude(getattr(grid, name), unit) * grid.pue
            found[figure] = series(value, unit, 1.0, f"{key}.grid", reader)
    return found


def _watts(table: PlanFleetTable, cluster: Cluster, key: str, reader: Reader) -> float:
    if table.power is not None:
        return reader.amount(table.power, "W", f"{key}.power")
    if not cluster.node.has("max_power"):
        raise QuestionError(
            f"{reader.file}: {key}.power: missing; the catalogue does not say what a node of "
            f"{cluster.name} draws, write e.g. power = '10 kW'"
        )
    return magnitude(cluster.node.max_power, "W")


def _require_figures(
    fleet: Fleet,
    table: PlanFleetTable,
    content: PlanFile,
    goals: tuple[Goal, ...],
    reader: Reader,
) -> None:
    """Refuse to plan by money or carbon that nobody has stated."""
    place = f"{reader.file}: fleets.{fleet.name}"
    spends = Goal.COST in goals or content.budget is not None
    if spends and table.price is None and fleet.electricity is FREE:
        raise QuestionError(
            f"{place}.price: missing; the plan counts money, write e.g. price = '2 USD/hour'"
        )
    if spends and table.grid is not None and fleet.electricity is FREE:
        raise QuestionError(
            f"{place}.electricity: missing; the catalogue has no price for {table.grid}, "
            "write e.g. electricity = '0.1 USD/kWh'"
        )
    if Goal.CARBON in goals and fleet.carbon is FREE:
        raise QuestionError(
            f"{place}.carbon: missing; the plan counts carbon, write e.g. carbon = '300 g/kWh'"
        )


def _changes(
    tables: Mapping[str, CalendarTable], key: str, reader: Reader, what: str
) -> Iterator[Change]:
    """Read a calendar of nodes, or of power."""
    other = "power" if what == "nodes" else "nodes"
    for name, table in tables.items():
        place = f"{key}.calendar.{name}"
        if getattr(table, other) is not None:
            raise QuestionError(f"{reader.file}: {place}.{other}: this calendar is one of {what}")
        amount = table.nodes
        if table.power is not None:
            amount = round(reader.amount(table.power, "W", f"{place}.power"))
        end = None if table.end is None else reader.moment(table.end, f"{place}.end")
        if end is not None and amount is not None and amount > 0:
            end -= reader.span(table.margin, f"{place}.margin")
        with reader.at(place):
            yield Change(
                name=name, begin=reader.since(table.begin, f"{place}.begin"), end=end, nodes=amount
            )


def _block(key: str, name: str, table: BlockTable, size: int, reader: Reader) -> Block:
    begin, end = reader.moment(table.begin, f"{key}.begin"), reader.moment(table.end, f"{key}.end")
    with reader.at(key):
        return Block(
            name=name,
            begin=begin,
            end=end,
            closes=end - reader.span(table.margin, f"{key}.margin"),
            nodes=table.nodes,
            lots=table.lots,
            price=reader.amount(table.price, "USD/hour", f"{key}.price") * size,
        )


def read_sites(tables: Mapping[str, SiteTable], known: list[str], reader: Reader) -> Iterator[Site]:
    """Read the power that fleets share."""
    for name, table in tables.items():
        key = f"sites.{name}"
        for fleet in table.fleets:
            require(fleet, known, "fleet", f"{key}.fleets", reader)
        yield Site(
            name=name,
            fleets=table.fleets,
            watts=round(reader.amount(table.power, "W", f"{key}.power")),
            changes=tuple(_changes(table.calendar, key, reader, "power")),
        )


def require(name: str, known: list[str], what: str, key: str, reader: Reader) -> None:
    """Refuse a name that no table has."""
    if name not in known:
        raise QuestionError(
            f"{reader.file}: {key}: no {what} is called {name!r}{suggest(name, known)}"
        )
