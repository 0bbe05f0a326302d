"""Bounds by areas: what has to be done inside a time needs node-slots (energetic reasoning).

An activity that can neither start before a window nor end after it takes at least the least of
its modes' node-slots from what the window has.  Where a makespan, or a number of nodes, leaves too
few in some window, it is excluded, without any search.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlsysim.plans.model.instance import Activity, Instance, Mode
from mlsysim.plans.records.goal import Goal

_WINDOWS = 12
"""How many begins and ends of windows are looked at, at most."""

Levels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Windowed:
    """What an activity needs, at least, if it has to lie in a window."""

    activity: Activity
    release: int
    nodes: frozenset[str]

    @property
    def latest(self) -> int:
        """By when it has ended."""
        return max(mode.last + mode.length for mode in self.activity.modes)

    def least(self, until: int, most: int) -> float:
        """Give its least area among the modes that can end by a slot on so many nodes."""
        areas = (
            area(mode, self.nodes)
            for mode in self.activity.modes
            if max(mode.first, self.release) + mode.length <= until
            and sum(amount for name, amount in mode.demands.items() if name in self.nodes) <= most
        )
        return float(min(areas, default=np.inf))


def least(instance: Instance, goal: Goal) -> int:
    """Give a number of slots, or of nodes, that no plan is below.

    Parameters
    ----------
    instance
        The problem.
    goal
        ``makespan`` or ``nodes``; of the others nothing is known.
    """
    nodes = frozenset(item.name for item in instance.resources if item.peaks)
    supply = sum(item.levels(instance.horizon) for item in instance.resources if item.peaks)
    if goal not in {Goal.MAKESPAN, Goal.NODES} or not isinstance(supply, np.ndarray):
        return 0
    parts = [*_parts(instance, nodes)]
    if goal is Goal.NODES:
        return _smallest(int(supply.max()), lambda most: _nodes_fit(parts, supply, most))
    work = [part for part in parts if part.activity.is_work]
    return _smallest(instance.horizon, lambda until: _times_fit(work, supply, until))


def heads(instance: Instance) -> dict[str, int]:
    """Give for each activity the slot before which it cannot start.

    Parameters
    ----------
    instance
        The problem.
    """
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


def tails(instance: Instance) -> dict[str, int]:
    """Give for each activity the slots that those after it take at least.

    Parameters
    ----------
    instance
        The problem.
    """
    found: dict[str, int] = {}
    followers: dict[str, list[Activity]] = {item.name: [] for item in instance.activities}
    for item in instance.activities:
        for other in item.after:
            followers[other].append(item)

    def tail(name: str) -> int:
        if name not in found:
            behind = [
                min(mode.length for mode in item.modes) + tail(item.name)
                for item in followers[name]
            ]
            found[name] = max(behind, default=0)
        return found[name]

    for item in instance.activities:
        tail(item.name)
    return found


def area(mode: Mode, nodes: frozenset[str]) -> int:
    """Give the node-slots that a mode takes.

    Parameters
    ----------
    mode
        The mode.
    nodes
        The resources that count.
    """
    worked = mode.length - sum(go - stop for stop, go in mode.pauses)
    return worked * sum(amount for name, amount in mode.demands.items() if name in nodes)


def _parts(instance: Instance, nodes: frozenset[str]) -> Iterator[_Windowed]:
    """Give each activity with the slot before which it cannot start."""
    releases = heads(instance)
    for item in instance.activities:
        yield _Windowed(item, releases[item.name], nodes)


def _smallest(most: int, fits: Callable[[int], bool]) -> int:
    """Find the smallest number that fits; all larger ones do."""
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _times_fit(parts: Sequence[_Windowed], supply: Levels, until: int) -> bool:
    """Tell whether the areas of all work fit before a slot, by when the work can start."""
    summed = np.concatenate([[0], supply.cumsum()])
    until = min(until, supply.size)
    most = int(supply.max())
    needs = [(part.release, part.least(until, most)) for part in parts]
    return all(
        sum(need for release, need in needs if release >= begin)
        <= summed[until] - summed[min(begin, until)]
        for begin in {release for release, _ in needs}
    )


def _nodes_fit(parts: Sequence[_Windowed], supply: Levels, most: int) -> bool:
    """Tell whether so many nodes have the area for what has to lie in each window."""
    summed = np.concatenate([[0], np.minimum(supply, most).cumsum()])
    needs = [(part.release, part.latest, part.least(part.latest, most)) for part in parts]
    for begin in _some({release for release, _, _ in needs}):
        for end in _some({end for _, end, _ in needs}):
            need = sum(item for first, last, item in needs if first >= begin and last <= end)
            if need and need > summed[min(end, supply.size)] - summed[min(begin, supply.size)]:
                return False
    return True


def _some(moments: set[int]) -> list[int]:
    """Take some of many moments, the first and the last among them."""
    ordered = sorted(moments)
    if len(ordered) <= _WINDOWS:
        return ordered
    return [ordered[place * (len(ordered) - 1) // (_WINDOWS - 1)] for place in range(_WINDOWS)]
