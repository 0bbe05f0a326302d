"""A plan in the making: some activities have their mode and start, the others none yet."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from mlsysim.plans.model.grid import ActivityGrid
from mlsysim.plans.model.instance import Activity, Instance
from mlsysim.plans.model.valuing import summed, valued


class Board:
    """What is placed of a problem, and what it leaves free.

    Parameters
    ----------
    instance
        The problem.
    grids
        Activity -> its modes over the slots that are looked at.
    caps
        Resource -> the most that may be held of it, where that is less than there is.
    """

    def __init__(
        self,
        instance: Instance,
        grids: Mapping[str, ActivityGrid],
        caps: Mapping[str, int] | None = None,
    ) -> None:
        self.instance, self.grids = instance, grids
        self.activities = {item.name: item for item in instance.activities}
        self.free = {item.name: item.levels(instance.horizon) for item in instance.resources}
        for name, most in (caps or {}).items():
            np.minimum(self.free[name], most, out=self.free[name])
        self.chosen: dict[str, tuple[int, int]] = {}
        self.ends: dict[str, int] = {}
        self._followers: dict[str, list[str]] = {name: [] for name in self.activities}
        for item in instance.activities:
            for other in item.after:
                self._followers[other].append(item.name)

    @property
    def missing(self) -> list[str]:
        """The activities that are not placed."""
        return [name for name in self.activities if name not in self.chosen]

    def put(self, name: str, place: int, start: int) -> None:
        """Give an activity a mode and a start.

        Parameters
        ----------
        name, place, start
            The activity, which is not placed; which of its modes; when.
        """
        activity = self.activities[name]
        self._hold(activity, place, start, 1)
        self.chosen[name] = place, start
        self.ends[name] = start + activity.modes[place].length

    def take(self, name: str) -> tuple[int, int]:
        """Take an activity away, and give the mode and the start that it had."""
        place, start = self.chosen.pop(name)
        del self.ends[name]
        self._hold(self.activities[name], place, start, -1)
        return place, start

    def _hold(self, activity: Activity, place: int, start: int, sign: int) -> None:
        mode = activity.modes[place]
        for begin, end in mode.pieces(start):
            for name, amount in mode.demands.items():
                self.free[name][begin:end] -= sign * amount

    def window(self, name: str) -> tuple[int, int]:
        """Give from when until when an activity may run beside those before and after it."""
        before = [self.ends[other] for other in self.activities[name].after if other in self.ends]
        behind = [self.chosen[other][1] for other in self._followers[name] if other in self.chosen]
        return max(before, default=0), min(behind, default=self.instance.horizon)

    def fits(self, name: str, place: int, start: int) -> bool:
        """Tell whether a mode and a start of an activity fit beside what is there."""
        mode = self.activities[name].modes[place]
        earliest, latest = self.window(name)
        return (
            earliest <= start
            and start + mode.length <= latest
            and all(
                self.free[resource][begin:end].min(initial=amount) >= amount
                for begin, end in mode.pieces(start)
                for resource, amount in mode.demands.items()
            )
        )

    def ordered(self, names: Iterable[str], keys: Mapping[str, float]) -> Iterator[str]:
        """Give activities by rising keys, but none before those that it waits for.

        Parameters
        ----------
        names
            The activities.
        keys
            Activity -> its key.
        """
        left = set(names)
        while left:
            ready = [name for name in left if not left.intersection(self.activities[name].after)]
            first = min(ready, key=lambda name: (keys[name], name))
            left.remove(first)
            yield first

    def lots(self) -> dict[tuple[str, str], int]:
        """Count the lots that are needed: all but those that nothing uses."""
        found = {}
        for resource in self.instance.resources:
            free = self.free[resource.name].copy()
            for option in resource.options:
                idle = int(free[option.begin : option.end].min(initial=np.iinfo(np.int64).max))
                spare = min(max(idle, 0) // max(option.amount, 1), option.lots)
                free[option.begin : option.end] -= spare * option.amount
                found[option.name] = option.lots - spare
        return found

    def excess(self) -> float:
        """Give by how much sums and goals are beyond their limits, relative to them."""
        instance = self.instance
        if not instance.limits and not instance.most:
            return 0.0
        lots = self.lots()
        pairs = [
            (summed(instance, name, self.chosen, lots), limit)
            for name, limit in instance.limits.items()
        ]
        if not self.missing:
            pairs += [
                (valued(instance, goal, self.chosen, lots), most)
                for goal, most in instance.most.items()
            ]
        return sum(max(value - limit, 0) / max(limit, 1) for value, limit in pairs)
