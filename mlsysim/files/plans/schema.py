"""What a plan's file may hold: one record per table of the file.

Times are dates of TOML (`2027-03-01` is its first moment, `2027-03-01T12:00:00`), or text that
counts from the plan's begin (``"14 day"``); spans and amounts are text with a unit.
"""

from typing import Annotated, Any, Literal

import msgspec

from mlsysim.files.schema import ConstraintTable, Fixed, PipelineTable, RangeTable, Scalar
from mlsysim.numeric import TOLERANCE

Moment = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "string"})]
"""A date, a date with a time, or text such as ``"14 day"`` from the plan's begin on."""

Amount = float | str
"""A number, or text with a unit."""


class SeriesTable(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that changes over time: by the time of day, or step by step from the begin.

    Parameters
    ----------
    daily
        Time of day -> the figure from then on, such as ``"07:00" = "0.21 USD/kWh"``; the first is
        ``"00:00"``.
    values
        The figures of equal steps, from the plan's begin on.
    step
        How long each of them holds, such as ``"1 hour"``.
    unit
        The unit of values that are plain numbers, such as ``"g/kWh"``.
    beyond
        What it is after the last of the values: ``"repeat"`` all of them, ``"hold"`` the last, or
        ``"refuse"`` plans that last longer.
    """

    daily: dict[str, Amount] = {}
    values: tuple[Amount, ...] = ()
    step: str = "1 hour"
    unit: str = ""
    beyond: Literal["refuse", "hold", "repeat"] = "refuse"


class CalendarTable(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which there is more or less than otherwise.

    Parameters
    ----------
    begin, end
        From when until when; from the begin on, or for good, where one is left out.
    nodes
        Of a fleet: how many nodes more, or fewer if negative; without it the fleet is closed.
    power
        Of a site: how much more, or less if negative; without it there is none.
    margin
        How long before its end more nodes are of no use any more: what runs on a reservation is
        stopped some time before it ends.
    because
        What happens then.
    """

    begin: Moment = None
    end: Moment = None
    nodes: int | None = None
    power: str | None = None
    margin: str = "0 s"
    because: str = ""


class BlockTable(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes that can be rented for a time, in lots.

    Parameters
    ----------
    begin, end
        From when until when they are paid for.
    nodes
        Nodes of one lot.
    lots
        How many lots can be had.
    price
        USD per accelerator and hour, used or not.
    margin
        How long before the end they are of no use any more.
    because
        Who offers them.
    """

    begin: Moment
    end: Moment
    nodes: int
    price: Amount
    lots: int = 1
    margin: str = "0 s"
    because: str = ""


class PlanFleetTable(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes of one kind, which jobs share.

    Parameters
    ----------
    of
        The cluster; the name of the table unless given, or a table of node, nodes and fabric.
    nodes
        How many nodes there are while the calendar says nothing else; all of the cluster's unless
        given.
    price
        USD per accelerator and hour; none unless given.
    reserved
        Whether every node that there is bills its hours, used or not.
    grid
        The catalogue's grid that feeds it, for the electricity and the carbon that are not given.
    electricity
        USD per kilowatt-hour, which comes on top of the price; none unless given.
    carbon
        Grams per kilowatt-hour; none unless given.
    power
        What a node draws; what the catalogue says that it draws at most, unless given.
    calendar
        Name -> a time in which there are more or fewer nodes.
    blocks
        Name -> nodes that can be rented in addition.
    slurm
        Options of ``sbatch`` for what runs on it, such as partition, account and reservation.
    because
        What it is.
    """

    of: str | dict[str, Scalar] | None = None
    nodes: int | None = None
    price: Amount | SeriesTable | None = None
    reserved: bool = False
    grid: str | None = None
    electricity: Amount | SeriesTable | None = None
    carbon: Amount | SeriesTable | None = None
    power: str | None = None
    calendar: dict[str, CalendarTable] = {}
    blocks: dict[str, BlockTable] = {}
    slurm: dict[str, str] = {}
    because: str = ""


class SiteTable(msgspec.Struct, frozen=True, kw_only=True):
    """Power that fleets share.

    Parameters
    ----------
    fleets
        Whose jobs draw it.
    power
        How much there is while the calendar says nothing else.
    calendar
        Name -> a time in which there is more or less.
    because
        Where the limit comes from.
    """

    fleets: tuple[str, ...]
    power: str
    calendar: dict[str, CalendarTable] = {}
    because: str = ""


class JobTable(msgspec.Struct, frozen=True, kw_only=True, rename={"framework": "for"}):
    """What has to be run once: a question of its own, and when it may run.

    Parameters
    ----------
    work
        How much there is to do, such as the tokens to train on.
    rate
        The metric that says how much of it is done per time; the plan's unless given.
    duration
        Instead of work and rate: the metric that says how long it takes.
    release
        It cannot start before.
    deadline
        When it has to have ended; where lateness is minimised, when it should have.
    after
        The jobs that have to have ended before it starts.
    weight
        How much an hour of its lateness counts.
    fleets
        Where it may run; on any unless given.
    pauses
        Whether it may stop where the calendar has no room for it, and go on afterwards.
    restart
        How much work each such pause costs.
    fixed, space, constraints
        As in any question file, beside those of the plan.
    pipeline
        The models, in place of the plan's.
    framework
        Written ``for``: who is to run it, in place of what the plan says.
    because
        Why it is run, and why by then.
    """

    work: Amount | None = None
    rate: str | None = None
    duration: str | None = None
    release: Moment = None
    deadline: Moment = None
    after: tuple[str, ...] = ()
    weight: int = 1
    fleets: tuple[str, ...] = ()
    pauses: bool = True
    restart: str = "0 s"
    fixed: dict[str, Fixed] = {}
    space: dict[str, tuple[Scalar, ...] | RangeTable] = {}
    constraints: dict[str, ConstraintTable] = {}
    pipeline: PipelineTable | None = None
    framework: str | None = None
    because: str = ""


class HoldTable(msgspec.Struct, frozen=True, kw_only=True, rename={"framework": "for"}):
    """Nodes that are held for a time, as by a serving fleet: so many, or as many as it needs.

    Parameters
    ----------
    begin, end
        From when until when.
    fleet, nodes
        Whose nodes, and how many.
    fleets
        Where it may be, if its models say how many nodes it needs; on any unless given.
    pipeline
        Instead of nodes: the models that say how many replicas there are, and of what size.
    fixed, space, constraints
        As in any question file: the traffic, what can be chosen, the limits on latency.
    framework
        Written ``for``: who is to run it.
    because
        What they are held for.
    """

    begin: Moment
    end: Moment
    fleet: str | None = None
    nodes: int | None = None
    fleets: tuple[str, ...] = ()
    pipeline: PipelineTable | None = None
    fixed: dict[str, Scalar | dict[str, Scalar]] = {}
    space: dict[str, tuple[Scalar, ...] | RangeTable] = {}
    constraints: dict[str, ConstraintTable] = {}
    framework: str | None = None
    because: str = ""


class PlanExpected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that the file is known to have; ``mlsysim check`` compares with it.

    Parameters
    ----------
    status
        ``"OPTIMAL"`` or ``"INFEASIBLE"``.
    objectives
        What the best plan is worth on the slots, one number for each objective.
    conflict
        The names in the minimal conflict of an infeasible plan.
    tolerance
        The relative difference at which two numbers still count as equal; less than 1.
    """

    status: Literal["OPTIMAL", "INFEASIBLE"]
    objectives: tuple[float, ...] = ()
    conflict: tuple[str, ...] = ()
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = TOLERANCE


class PlanFile(msgspec.Struct, frozen=True, kw_only=True, rename={"framework": "for"}):
    """A whole file about a plan.

    Parameters
    ----------
    question
        The question in prose.
    source
        Where the question comes from.
    objective
        ``"minimize: <goal>"``, or a list of such that are reached one after the other: makespan,
        tardiness, max_tardiness, late, cost, carbon, nodes or changes.
    begin
        The date of the begin; without it all times count from the begin.
    end
        When all jobs have to have ended.
    slot
        Jobs start at multiples of it.
    budget
        The most that may be spent.
    catalog
        Files of the user's own catalogue, as in any question file.
    framework
        Written ``for``: who is to run the jobs.
    pipeline
        The models that evaluate a job.
    rate
        The metric that says how much work is done per time; ``effective_throughput`` of the last
        model that reports one, unless given.
    fixed, space, constraints
        What all jobs have in common.
    fleets
        Name -> the nodes that jobs share.
    sites
        Name -> power that fleets share.
    jobs
        Name -> what has to be run.
    holds
        Name -> nodes that are held for a time.
    expected
        The known answer, if there is one.
    """

    question: str
    objective: str | tuple[str, ...]
    jobs: dict[str, JobTable]
    fleets: dict[str, PlanFleetTable]
    pipeline: PipelineTable | None = None
    source: str = ""
    begin: Moment = None
    end: Moment = None
    slot: str = "4 hour"
    budget: Amount | None = None
    catalog: tuple[str, ...] = ()
    framework: str | None = None
    rate: str | None = None
    fixed: dict[str, Fixed] = {}
    space: dict[str, tuple[Scalar, ...] | RangeTable] = {}
    constraints: dict[str, ConstraintTable] = {}
    sites: dict[str, SiteTable] = {}
    holds: dict[str, HoldTable] = {}
    expected: PlanExpected | None = None
