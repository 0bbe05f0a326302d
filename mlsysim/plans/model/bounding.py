"""Bounds by areas: what has to be done inside a time needs node-slots (energetic reasoning).

Wherever an activity runs between its earliest start and its latest end, some of it lies inside a
window: at least what the lesser of its first and its last start puts there, in the mode for which
that is least.  Where all activities together need more in some window than there is, there is no
plan; nor is there one that ends so soon, or is on so few nodes, that some window has too little.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from mlsysim.plans.model.instance import Activity, Instance, Mode
from mlsysim.plans.records.goal import Goal

_WINDOWS = 16
"""How many begins and ends of windows are looked at, at most."""

Slots = npt.NDArray[np.int64]


def is_excluded(instance: Instance) -> bool:
    """Tell whether an activity has no mode, or a window too little for its work."""
    if any(not item.modes for item in instance.activities):
        return True
    return any(
        not _Demand(instance, names).fits(_supply(instance, names)) for names in _groups(instance)
    )


def least(instance: Instance, goal: Goal) -> int:
    """Give what no plan is below by a goal.

    Parameters
    ----------
    instance
        The problem.
    goal
        One that is a maximum, or ``nodes``; of the others nothing is known.
    """
    if goal.is_maximum:
        return _smallest(
            instance.horizon, lambda most: not is_excluded(instance.within(goal, most))
        )
    names = _peaked(instance)
    if goal is not Goal.NODES or not names:
        return 0
    demand, supply = _Demand(instance, names), _supply(instance, names)
    return _smallest(
        int(supply.max()), lambda most: demand.fits(np.minimum(supply, most), most=most)
    )


def _groups(instance: Instance) -> list[frozenset[str]]:
    """Give each resource by itself, and those together among which nodes are chosen."""
    every = [frozenset([item.name]) for item in instance.resources]
    return [names for names in dict.fromkeys([_peaked(instance), *every]) if names]


def _peaked(instance: Instance) -> frozenset[str]:
    return frozenset(item.name for item in instance.resources if item.peaks)


def heads(instance: Instance) -> dict[str, int]:
    """Give for each activity the slot before which it cannot start."""
    known = {item.name: item for item in instance.activities}
    found: dict[str, int] = {}

    def head(name: str) -> int:
        if name not in found:
            item = known[name]
            before = [
                min(max(mode.first, head(other)) + mode.length for mode in known[other].modes)
                for other in item.after
            ]
            found[name] = max([min(mode.first for mode in item.modes), *before])
        return found[name]

    return {item.name: head(item.name) for item in instance.activities}


def ceilings(instance: Instance) -> dict[str, int]:
    """Give for each activity the slot by which it has to have ended for those after it."""
    followers = _followers(instance)
    found: dict[str, int] = {}

    def ceiling(name: str) -> int:
        if name not in found:
            found[name] = min(
                (
                    max(min(mode.last, ceiling(item.name) - mode.length) for mode in item.modes)
                    for item in followers[name]
                ),
                default=instance.horizon,
            )
        return found[name]

    return {item.name: ceiling(item.name) for item in instance.activities}


def tails(instance: Instance) -> dict[str, int]:
    """Give for each activity the slots from its end to that of the last work, at least.

    What is no work, such as a serving fleet that waits for a job, counts only where work follows.
    """
    followers = _followers(instance)
    found: dict[str, int] = {}

    def tail(name: str) -> int:
        if name not in found:
            found[name] = max(
                (
                    min(mode.length for mode in item.modes) + tail(item.name)
                    for item in followers[name]
                    if item.is_work or tail(item.name)
                ),
                default=0,
            )
        return found[name]

    return {item.name: tail(item.name) for item in instance.activities}


def _followers(instance: Instance) -> dict[str, list[Activity]]:
    """Give for each activity those that wait for it."""
    found: dict[str, list[Activity]] = {item.name: [] for item in instance.activities}
    for item in instance.activities:
        for other in item.after:
            found[other].append(item)
    return found


def _supply(instance: Instance, names: frozenset[str]) -> Slots:
    """Give what there is of some resources together in each slot."""
    own = [item.levels(instance.horizon) for item in instance.resources if item.name in names]
    return np.sum(own, axis=0, dtype=np.int64)


def _smallest(most: int, fits: Callable[[int], bool]) -> int:
    """Find the smallest number that fits; all larger ones do."""
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


class _Demand:
    """The modes of all activities, one behind the other, as arrays.

    Parameters
    ----------
    instance
        The problem.
    names
        The resources that count.
    """

    def __init__(self, instance: Instance, names: frozenset[str]) -> None:
        earliest, latest = heads(instance), ceilings(instance)
        owned = [(item, mode) for item in instance.activities for mode in item.modes]
        modes = [mode for _, mode in owned]
        sizes = [len(item.modes) for item in instance.activities]
        self.owners = np.cumsum([0, *sizes[:-1]])
        self.lengths = np.array([mode.length for mode in modes])
        self.amounts = np.array([_amount(mode, names) for mode in modes])
        self.firsts = np.array([max(mode.first, earliest[item.name]) for item, mode in owned])
        self.lasts = np.array(
            [min(mode.last, latest[item.name] - mode.length) for item, mode in owned]
        )
        self.pauses = [*_pauses(modes)]

    def fits(self, supply: Slots, *, most: int | None = None) -> bool:
        """Tell whether every window has enough for what has to be done in it."""
        held = int(supply.max()) if most is None else most
        fitting = (self.firsts <= self.lasts) & (self.amounts <= held)
        if not np.logical_or.reduceat(fitting, self.owners).all():
            return False
        summed = np.concatenate([[0], supply.cumsum()])
        earliest = np.minimum.reduceat(np.where(fitting, self.firsts, supply.size), self.owners)
        latest = np.maximum.reduceat(np.where(fitting, self.lasts + self.lengths, 0), self.owners)
        every_end = _some(np.minimum(latest, supply.size))
        for begin in _some(earliest):
            ends = every_end[every_end > begin]
            inside = np.minimum(
                self._worked(self.firsts, begin, ends), self._worked(self.lasts, begin, ends)
            )
            needs = np.where(fitting[:, None], inside * self.amounts[:, None], np.inf)
            need = np.minimum.reduceat(needs, self.owners, axis=0).sum(axis=0)
            if (need > summed[ends] - summed[begin]).any():
                return False
        return True

    def _worked(self, starts: Slots, begin: int, ends: Slots) -> Slots:
        """Give for each mode how long it runs from a slot to each of some ends."""
        stops = (starts + self.lengths)[:, None]
        found = _overlap(starts[:, None], stops, begin, ends)
        for stop, go in self.pauses:
            found -= _overlap(stop[:, None], go[:, None], begin, ends)
        return found


def _pauses(modes: Sequence[Mode]) -> Iterator[tuple[Slots, Slots]]:
    """Give the first pause of each mode, then the second, and so on; nothing lasts no time."""
    for place in range(max((len(mode.pauses) for mode in modes), default=0)):
        own = [mode.pauses[place] if place < len(mode.pauses) else (0, 0) for mode in modes]
        yield np.array([stop for stop, _ in own]), np.array([go for _, go in own])


def _overlap(begin: Slots, end: Slots, other_begin: int, other_ends: Slots) -> Slots:
    return np.maximum(np.minimum(end, other_ends) - np.maximum(begin, other_begin), 0)


def _amount(mode: Mode, names: frozenset[str]) -> int:
    return sum(amount for name, amount in mode.demands.items() if name in names)


def _some(moments: Slots) -> Slots:
    """Take some of many moments, the first and the last among them."""
    ordered = np.unique(moments)
    if ordered.size <= _WINDOWS:
        return ordered
    return ordered[np.arange(_WINDOWS) * (ordered.size - 1) // (_WINDOWS - 1)]
