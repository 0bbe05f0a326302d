"""Plans built job by job, in a moment: where CP-SAT starts from, and what it has to beat.

An order of the activities is drawn, and each takes the mode and the start that look best beside
what is already there (serial schedule generation).  Of many such plans the best is kept.  Nothing
here is a proof: a plan that is built meets every requirement, and may be far from the best.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from mlsysim.plans.model.instance import Activity, Instance, Mode
from mlsysim.plans.model.valuing import summed, valued
from mlsysim.plans.records.goal import Goal
from mlsysim.search.cpsat.solving.clock import Clock

_ROUNDS = 60
_FEWEST = 12
_SECONDS = 1.5
"""How many plans are built at most, how many at least, and for how long."""

_REINSERTIONS = 4
"""How often all activities are put anew, at most, while that makes a plan better."""


@dataclass(frozen=True, kw_only=True)
class BuiltPlan:
    """A plan in slots.

    Parameters
    ----------
    chosen
        Activity -> its mode and its start.
    lots
        Option -> how many lots are taken.
    value
        What it is worth by a goal.
    """

    chosen: Mapping[str, tuple[int, int]]
    lots: Mapping[tuple[str, str], int]
    value: int


def constructed(
    instance: Instance, goal: Goal | None, clock: Clock, bound: int = 0
) -> BuiltPlan | None:
    """Build plans, and give the best by a goal; nothing if none was found.

    Parameters
    ----------
    instance
        The problem.
    goal
        What counts; without one the first plan will do.
    clock
        The time, and the seed.
    bound
        What no plan is below.
    """
    if any(mode.slack for activity in instance.activities for mode in activity.modes):
        return None  # only a relaxation has that
    random = Random(clock.seed)  # noqa: S311 - no cryptography
    best: BuiltPlan | None = None
    until = clock.elapsed + min(_SECONDS, clock.left / 4)
    for place in range(_ROUNDS):
        if (place >= _FEWEST or clock.left <= 0) and clock.elapsed > until:
            break
        built = _Construction(instance, goal or Goal.MAKESPAN, random, place, best, bound).plan()
        if built is not None and (best is None or built.value < best.value):
            best = built
            if goal is None:
                break
    return best


def improved(
    instance: Instance, goal: Goal, chosen: Mapping[str, tuple[int, int]], clock: Clock
) -> BuiltPlan | None:
    """Put each activity of a plan in a better place if there is one; nothing if it breaks a limit.

    Parameters
    ----------
    instance
        The problem.
    goal
        What counts.
    chosen
        Activity -> its mode and its start.
    clock
        The seed.
    """
    random = Random(clock.seed)  # noqa: S311 - no cryptography
    begun = _Construction(instance, goal, random, 0, None, 0)
    for activity in instance.activities:
        begun.put(activity, *chosen[activity.name])
    return begun.improved()


class _Construction:
    """One plan that is being built."""

    def __init__(
        self,
        instance: Instance,
        goal: Goal,
        random: Random,
        place: int,
        best: BuiltPlan | None,
        bound: int,
    ) -> None:
        self.instance, self.goal, self.random = instance, goal, random
        self.free = {item.name: item.levels(instance.horizon) for item in instance.resources}
        # How much an idle slot of nodes counts against one of time: none, little, much.
        self.thrift = (0.0, 0.5, 1.0, 2.0, random.uniform(0, 4))[min(place % 5, 4)]
        self.place = place
        self.chosen: dict[str, tuple[int, int]] = {}
        self.ends: dict[str, int] = {}
        self.followers: dict[str, list[str]] = {item.name: [] for item in instance.activities}
        for item in instance.activities:
            for other in item.after:
                self.followers[other].append(item.name)
        if goal is Goal.NODES and best is not None:
            room = best.value - bound
            self._cap(best.value - max(room >> (1 + place % 6), 1))

    def _cap(self, most: int) -> None:
        """Leave no more of the resources whose peaks count than a better plan has."""
        left = most
        peaked = [item for item in self.instance.resources if item.peaks]
        self.random.shuffle(peaked)
        for place, item in enumerate(peaked):
            share = min(item.most, left)
            if place < len(peaked) - 1 and self.place % 2:
                share = self.random.randint(0, share)
            np.minimum(self.free[item.name], share, out=self.free[item.name])
            left -= share

    def plan(self) -> BuiltPlan | None:
        """Add one activity after the other, and improve what comes of it."""
        for activity in self._ordered():
            if not self._put(activity):
                return None
        return self.improved()

    def improved(self) -> BuiltPlan | None:
        """Put each activity in a better place if there is one, as long as that helps."""
        best = self._weighed()
        if best is None or self.goal in {Goal.MAKESPAN, Goal.NODES}:
            return best
        for _ in range(_REINSERTIONS):
            for activity in self.instance.activities:
                self._take(activity)
                self._put(activity)
            better = self._weighed()
            if better is None or better.value >= best.value:
                break
            best = better
        return best

    def _put(self, activity: Activity) -> bool:
        """Give an activity the mode and the start that look best."""
        begins = {name: start for name, (_, start) in self.chosen.items()}
        earliest = max((self.ends[name] for name in activity.after), default=0)
        followers = [begins[name] for name in self.followers[activity.name] if name in begins]
        found = self._best(activity, earliest, min(followers, default=self.instance.horizon))
        if found is None:
            return False
        self.put(activity, *found)
        return True

    def put(self, activity: Activity, place: int, start: int) -> None:
        """Give an activity a mode and a start."""
        self._hold(activity.modes[place], start, 1)
        self.chosen[activity.name] = place, start
        self.ends[activity.name] = start + activity.modes[place].length

    def _take(self, activity: Activity) -> None:
        """Take an activity out; where it was there is room for it again."""
        place, start = self.chosen.pop(activity.name)
        del self.ends[activity.name]
        self._hold(activity.modes[place], start, -1)

    def _hold(self, mode: Mode, start: int, sign: int) -> None:
        for begin, end in mode.pieces(start):
            for name, amount in mode.demands.items():
                self.free[name][begin:end] -= sign * amount

    def _weighed(self) -> BuiltPlan | None:
        """Give the plan and what it is worth, if it keeps the limits on sums."""
        chosen, lots = dict(self.chosen), dict(self._lots())
        for name, limit in self.instance.limits.items():
            if summed(self.instance, name, chosen, lots) > limit:
                return None
        value = valued(self.instance, self.goal, chosen, lots)
        return BuiltPlan(chosen=chosen, lots=lots, value=value)

    def _ordered(self) -> Iterator[Activity]:
        """Give the activities in an order in which none comes before those that it waits for."""
        spread = 0.0 if self.place < len(_RULES) else 0.3 * self.instance.horizon
        rule = _RULES[self.place % len(_RULES)]
        keys = {
            activity.name: rule(activity) + self.random.uniform(0, spread)
            for activity in self.instance.activities
        }
        left = {activity.name: activity for activity in self.instance.activities}
        while left:
            ready = [item for item in left.values() if not any(name in left for name in item.after)]
            first = min(ready, key=lambda item: keys[item.name])
            del left[first.name]
            yield first

    def _best(self, activity: Activity, earliest: int, latest: int) -> tuple[int, int] | None:
        """Find the mode and the start that look best, between the activities around it."""
        best: tuple[Any, int, int] | None = None
        for place, mode in enumerate(activity.modes):
            starts = self._starts(mode, earliest, latest)
            if not starts.size:
                continue
            fee = mode.fees.get(self.goal.value, 0)
            start = int(starts[0])
            if isinstance(fee, tuple):
                fees = np.array(fee, dtype=float)[starts - mode.first]
                at = int(fees.argmin())
                start, fee = int(starts[at]), int(fees[at])
            key = self._key(activity, mode, start, fee)
            if best is None or key < best[0]:
                best = key, place, start
        return None if best is None else best[1:]

    def _key(self, activity: Activity, mode: Mode, start: int, fee: float) -> tuple[float, ...]:
        end = start + mode.length
        late = 0 if activity.due is None else activity.weight * max(end - activity.due, 0)
        used = sum(
            amount * mode.length / max(item.most, 1)
            for item in self.instance.resources
            for amount in [mode.demands.get(item.name, 0)]
        )
        time = end + self.thrift * used
        if self.goal in {Goal.COST, Goal.CARBON}:
            return (fee, time)
        return (late, time) if self.goal.softens else (time,)

    def _starts(self, mode: Mode, earliest: int, latest: int) -> npt.NDArray[np.intp]:
        """List when a mode can start beside what is there."""
        first = max(mode.first, earliest)
        starts = np.arange(first, min(mode.last, latest - mode.length) + 1)
        if not starts.size:
            return starts
        held = np.zeros(self.instance.horizon + 1, dtype=np.int64)
        for name, amount in mode.demands.items():
            held[1:] |= self.free[name] < amount
        taken = held.cumsum()
        most = self.instance.horizon
        good = np.ones(starts.size, dtype=bool)
        ends = [*(np.full(1, stop) for stop, _ in mode.pauses), starts + mode.length]
        begins = [starts, *(np.full(1, go) for _, go in mode.pauses)]
        for begin, end in zip(begins, ends, strict=True):
            good &= taken[np.minimum(end, most)] == taken[np.minimum(begin, most)]
        return starts[good]

    def _lots(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Give back the lots that nothing uses."""
        for resource in self.instance.resources:
            free = self.free[resource.name].copy()
            for option in resource.options:
                idle = int(free[option.begin : option.end].min(initial=np.iinfo(np.int64).max))
                spare = min(max(idle, 0) // max(option.amount, 1), option.lots)
                free[option.begin : option.end] -= spare * option.amount
                yield option.name, option.lots - spare


def _due(activity: Activity) -> float:
    """Those that have to end soon come first."""
    latest = max(mode.last + mode.length for mode in activity.modes)
    return float(latest if activity.due is None else min(activity.due, latest))


def _weight(activity: Activity) -> float:
    """Those with the most work come first."""
    least = min(sum(mode.demands.values()) * mode.length for mode in activity.modes)
    return -least / 1e3


def _release(activity: Activity) -> float:
    """Those that can start early come first."""
    return float(min(mode.first for mode in activity.modes))


_RULES = (_due, _release, _weight)
