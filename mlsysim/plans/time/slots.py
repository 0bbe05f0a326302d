"""A plan's question in whole slots, rounded so that the answer means something in exact time.

*Outward*: jobs start at multiples of a slot and the calendar is widened to slots, so that what
is planned can be carried out.  *Inward*: every moment is rounded down.  That maps each plan that
can be carried out to one in slots: where there is none, there is none at all, and no plan is
better than the best of those.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from mlsysim.plans.model.instance import Activity, Fee, Instance, Mode, Option, Resource
from mlsysim.plans.records.fleet import Fleet, Site
from mlsysim.plans.records.goal import PRICED, Goal
from mlsysim.plans.records.job import Job
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.records.series import Series
from mlsysim.plans.time.calendar import changes_on, gaps, steps, widened
from mlsysim.plans.time.modes import PausedRow, way_on, ways
from mlsysim.plans.worth import (
    begin_before,
    carbon,
    changed,
    cost,
    emissions,
    rates,
    reserved,
)

_PRECISION = 10**9
"""Into how many units the largest possible sum of money or carbon is divided."""


class Side(StrEnum):
    """Which way times are rounded."""

    OUTWARD = "outward"
    INWARD = "inward"


@dataclass(frozen=True, kw_only=True)
class Slotted:
    """A question in slots.

    Parameters
    ----------
    question
        The question, its calendar as the slots see it.
    instance
        The problem in slots.
    ways
        Job -> what each of its modes stands for.
    unit
        Goal -> what one unit of its sum is worth.
    standing
        Goal -> what comes to its sum whatever the plan, in its own unit.
    """

    question: PlanQuestion
    instance: Instance
    ways: dict[str, tuple[PausedRow, ...]]
    unit: dict[str, float]
    standing: dict[str, float]

    def run(self, job: str, mode: int, start: int) -> Run:
        """Give the run that a mode and a start stand for."""
        way = self.ways[job][mode]
        return Run(job=job, row=way.row, pieces=_pieces(way, start * self.question.slot))


def slotted(question: PlanQuestion, side: Side) -> Slotted:
    """Put a question into slots."""
    slot = question.slot
    standing = {Goal.COST.value: reserved(question), Goal.CARBON.value: 0.0}
    if side is Side.OUTWARD:
        fleets = tuple(widened(fleet, slot) for fleet in question.fleets)
        sites = tuple(
            replace(site, changes=changes_on(site.changes, slot)) for site in question.sites
        )
        question = replace(question, fleets=fleets, sites=sites)
    found = {job.name: tuple(_ways(question, job)) for job in question.jobs}
    goals = {*PRICED} & {*question.goals}
    goals |= set() if question.budget is None else {Goal.COST}
    pricing = _Pricing(question, side, found, tuple(sorted(goals)))
    kept = {name: tuple(pricing.front(name, own)) for name, own in found.items()}
    activities = tuple(_activity(question, job, kept[job.name], pricing) for job in question.jobs)
    limits = {}
    if question.budget is not None:
        left = (question.budget - standing[Goal.COST]) / pricing.unit[Goal.COST]
        # Each fee is rounded by up to a unit, a billionth of the budget; the replay allows that.
        limits[Goal.COST.value] = int(left) + len(question.jobs) + 1
    power = tuple(_resource(site, slot, pricing) for site in question.sites)
    nodes = tuple(_resource(fleet, slot, pricing) for fleet in question.fleets)
    horizon = -(-question.axis // slot) + 1
    instance = Instance(
        activities=activities, resources=(*nodes, *power), horizon=horizon, limits=limits
    )
    return Slotted(
        question=question, instance=instance, ways=kept, unit=pricing.unit, standing=standing
    )


def _ways(question: PlanQuestion, job: Job) -> Iterator[PausedRow]:
    """List the ways of a job that have a start on the grid."""
    latest = question.axis
    if job.deadline is not None and (job.holds or not question.is_soft):
        latest = min(latest, job.deadline)
    kept = None
    if Goal.CHANGES in question.goals and not job.begun:
        kept = begin_before(question, job.name)
    job = replace(job, release=max(job.release, question.now))
    for row in job.rows:
        closed = gaps(question.fleet(row.fleet), row.nodes)
        if job.begun:
            yield from way_on(job, row, closed, latest, question.now)
            continue
        for way in ways(job, row, closed, latest):
            yield from (_starting(way, job.start) if job.start is not None else (way,))
            if kept is not None:
                yield from (replace(own, is_kept=True) for own in _starting(way, kept))


def _starting(way: PausedRow, start: int) -> Iterator[PausedRow]:
    """Give a way that starts at a moment, if it can."""
    if way.first <= start <= way.last:
        yield replace(way, first=start, last=start)


class _Pricing:
    """What ways cost and emit, as whole numbers, and which of them are worth keeping."""

    def __init__(
        self,
        question: PlanQuestion,
        side: Side,
        found: dict[str, tuple[PausedRow, ...]],
        goals: Sequence[Goal],
    ) -> None:
        self.question, self.side, self.goals = question, side, goals
        self.unit: dict[str, float] = {}
        for goal in goals:
            if not goal.is_rounded:
                self.unit[goal] = 1.0
                continue
            most = sum(
                max((self._most(goal, way) for way in own), default=0.0) for own in found.values()
            )
            if goal is Goal.COST:
                most += sum(b.cost * b.lots for fleet in question.fleets for b in fleet.blocks)
                most = question.budget or most
            self.unit[goal] = (most or 1.0) / _PRECISION

    def _most(self, goal: Goal, way: PausedRow) -> float:
        hourly = sum(max(item.values) * rate for item, rate in self._rates(goal, way))
        return way.length / 3600 * hourly + (way.row.cost if goal is Goal.COST else 0.0)

    def _rates(self, goal: Goal, way: PausedRow) -> list[tuple[Series, float]]:
        """List which series a way adds to a sum, and how often in an hour."""
        fleet = self.question.fleet(way.row.fleet)
        found = rates(fleet, way.row) if goal is Goal.COST else emissions(fleet, way.row)
        return [(item, rate) for item, rate in found if rate and any(item.values)]

    def window(self, way: PausedRow) -> tuple[int, int]:
        """Give the range of the starts in slots."""
        slot = self.question.slot
        if way.pieces:
            return way.first // slot, way.first // slot
        first = way.first // slot if self.side is Side.INWARD else -(-way.first // slot)
        return first, way.last // slot

    def fee(self, goal: Goal, job: str, way: PausedRow) -> Fee:
        """Give what a way of a job adds to a sum, by its start where that matters."""
        if goal is Goal.CHANGES:
            return 0 if way.pieces else changed(self.question, job, way.row, is_kept=way.is_kept)
        found = self._rates(goal, way)
        first, last = self.window(way)
        if all(item.is_constant for item, _ in found):
            return self._within(goal, way, first)
        return tuple(self._within(goal, way, start) for start in range(first, last + 1))

    def _within(self, goal: Goal, way: PausedRow, start: int) -> int:
        """Give what a way adds at a slot: at its begin, or inward the least at any time in it."""
        slot = self.question.slot
        if self.side is Side.OUTWARD:
            return math.ceil(self._at(goal, way, start * slot) / self.unit[goal])
        lowest, highest = max(start * slot, way.first), min(start * slot + slot - 1, way.last)
        # Between the moments at which an end of a piece meets a step of a series, what a run adds
        # is linear in its start: the least is at one of them.
        moments = {lowest, highest}
        for series, _ in self._rates(goal, way):
            for shift in (0, way.length):
                steps = series.breaks(lowest + shift, highest + shift)
                moments |= {moment - shift for moment in steps}
        return math.floor(min(self._at(goal, way, moment) for moment in moments) / self.unit[goal])

    def _at(self, goal: Goal, way: PausedRow, moment: int) -> float:
        run = Run(job="", row=way.row, pieces=_pieces(way, moment))
        return (cost if goal is Goal.COST else carbon)(self.question, run)

    def front(self, job: str, own: Sequence[PausedRow]) -> Iterator[PausedRow]:
        """Keep the ways that have a start on the grid and that no other makes superfluous."""
        fitting = [way for way in own if self.window(way)[0] <= self.window(way)[1]]
        traits = [self._traits(job, way) for way in fitting]
        for place, (way, mine) in enumerate(zip(fitting, traits, strict=True)):
            if not any(
                other[0] == mine[0]
                and all(map(int.__le__, other[1], mine[1]))
                and (other[1] != mine[1] or rank < place)
                for rank, other in enumerate(traits)
                if rank != place
            ):
                yield way

    def _traits(self, job: str, way: PausedRow) -> tuple[tuple[object, ...], tuple[int, ...]]:
        """Say what has to be equal, and what is the better the less it is."""
        first, last = self.window(way)
        row = way.row
        slots = way.length // self.question.slot
        if self.side is Side.OUTWARD:
            slots = -(-way.length // self.question.slot)
        money = (row.nodes * way.length, int(row.cost * 1e6), row.watts * way.length)
        less = (row.nodes, row.watts, slots, first, -last, *(money if self.goals else ()))
        changes = self.fee(Goal.CHANGES, job, way) if Goal.CHANGES in self.goals else 0
        return (row.fleet, way.pauses, changes), less


def _activity(
    question: PlanQuestion, job: Job, own: Sequence[PausedRow], pricing: _Pricing
) -> Activity:
    slot, side = question.slot, pricing.side
    modes = []
    for way in own:
        fees = {goal.value: pricing.fee(goal, job.name, way) for goal in pricing.goals}
        if way.pieces:
            modes.append(_begun(way, question, fees, side))
            continue
        first, last = pricing.window(way)
        length = way.length // slot if side is Side.INWARD else -(-way.length // slot)
        slack = int(side is Side.INWARD and bool(way.pauses) and way.length % slot > 0)
        demands = _demands(question, way)
        modes.append(
            Mode(
                length=length,
                slack=slack,
                first=first,
                last=last,
                pauses=tuple((stop // slot, go // slot) for stop, go in way.pauses),
                demands=demands,
                fees=fees,
            )
        )
    is_late = question.is_soft and job.deadline is not None and not job.holds
    return Activity(
        name=job.name,
        modes=tuple(modes),
        after=job.after,
        due=(job.deadline or 0) // slot if is_late else None,
        weight=job.weight,
        is_work=not job.holds,
    )


def _demands(question: PlanQuestion, way: PausedRow) -> dict[str, int]:
    demands = {f"nodes of {way.row.fleet}": way.row.nodes}
    if way.row.watts:
        for site in question.sites:
            if way.row.fleet in site.fleets:
                demands[f"power of {site.name}"] = way.row.watts
    return demands


def _begun(way: PausedRow, question: PlanQuestion, fees: Mapping[str, Fee], side: Side) -> Mode:
    """Give what is left of a job that has begun: what it held before is history."""
    slot, now = question.slot, question.now
    left = [(max(begin, now), end) for begin, end in way.pieces if end > now]
    up = -1 if side is Side.OUTWARD else 1  # a floor division that rounds up, or down
    end = up * (up * way.pieces[-1][1] // slot)
    if not left:
        return Mode(length=0, first=end, last=end, fees=fees)
    first = left[0][0] // slot
    between = [(up * (up * stop // slot), go // slot) for (_, stop), (go, _) in pairwise(left)]
    return Mode(
        length=end - first,
        first=first,
        last=first,
        pauses=tuple((stop, go) for stop, go in between if stop < go),
        demands=_demands(question, way),
        fees=fees,
    )


def _resource(item: Fleet | Site, slot: int, pricing: _Pricing) -> Resource:
    """Put a calendar into slots: the last level that begins in a slot is that of the slot.

    Outward, all levels begin with a slot.
    """
    levels = {moment // slot: level for moment, level in steps(item)}
    options = []
    for block in item.blocks if isinstance(item, Fleet) else ():
        begin, end = (moment // slot for moment in block.window)
        if begin < end:
            fees = {
                goal.value: round(block.cost / pricing.unit[goal])
                for goal in pricing.goals
                if goal is Goal.COST
            }
            options.append(
                Option(
                    name=(item.name, block.name),
                    begin=begin,
                    end=end,
                    amount=block.nodes,
                    lots=block.lots,
                    fees=fees,
                )
            )
    kind = "nodes" if isinstance(item, Fleet) else "power"
    return Resource(
        name=f"{kind} of {item.name}",
        steps=tuple(levels.items()),
        options=tuple(options),
        peaks=isinstance(item, Fleet),
    )


def _pieces(way: PausedRow, start: int) -> tuple[tuple[int, int], ...]:
    if way.pieces:
        return way.pieces
    begins = [start, *(go for _, go in way.pauses)]
    ends = [*(stop for stop, _ in way.pauses), start + way.length]
    return tuple(zip(begins, ends, strict=True))


def decoded(
    found: Slotted, chosen: Mapping[str, tuple[int, int]], lots: Mapping[tuple[str, str], int]
) -> Schedule:
    """Read a plan from modes and starts.

    Parameters
    ----------
    found
        The question in slots.
    chosen
        Job -> its mode and its start.
    lots
        Block -> how many lots are rented.
    """
    runs = tuple(found.run(job, mode, start) for job, (mode, start) in chosen.items())
    return Schedule(runs=runs, lots=lots)
