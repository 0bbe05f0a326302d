"""A scheduling problem in whole slots: activities with modes on resources of limited supply.

It knows neither jobs nor fleets: what it describes is multi-mode project scheduling with
calendars, optional supply and fees that may depend on the start.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mlsysim.plans.records.goal import Goal

Fee = int | tuple[int | None, ...]
"""What a mode adds to a sum: always the same, or by its start, from the earliest on; at a start
without a fee it cannot start."""


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One way to carry out an activity.

    Parameters
    ----------
    length
        Slots from begin to end.
    slack
        By how many slots the end may be later: the rounding of a relaxation.
    first, last
        The range of its starts.
    pauses
        When it does not run in between.
    demands
        Resource -> how much of it is held while it runs.
    fees
        Sum -> what it adds.
    """

    length: int
    slack: int = 0
    first: int
    last: int
    pauses: tuple[tuple[int, int], ...] = ()
    demands: Mapping[str, int] = field(default_factory=dict)
    fees: Mapping[str, Fee] = field(default_factory=dict)

    def pieces(self, start: int) -> Iterator[tuple[int, int]]:
        """Give from when until when it runs, if it starts at a slot."""
        begins = [start, *(go for _, go in self.pauses)]
        ends = [*(stop for stop, _ in self.pauses), start + self.length]
        return zip(begins, ends, strict=True)


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What has to be carried out in one of its modes.

    Parameters
    ----------
    name
        How it is called.
    modes
        The ways to carry it out.
    after
        The activities that have to have ended.
    due
        After which slot it is late, where lateness counts.
    weight
        How much a slot of lateness counts.
    is_work
        Whether its end is an end of the whole.
    """

    name: str
    modes: tuple[Mode, ...]
    after: tuple[str, ...] = ()
    due: int | None = None
    weight: int = 1
    is_work: bool = True


@dataclass(frozen=True, kw_only=True)
class Option:
    """Supply that can be had in addition.

    Parameters
    ----------
    name
        What distinguishes it.
    begin, end
        For which slots.
    amount
        How much one lot is.
    lots
        How many lots there are.
    fees
        Sum -> what a lot adds.
    """

    name: tuple[str, str]
    begin: int
    end: int
    amount: int
    lots: int
    fees: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What activities hold while they run.

    Parameters
    ----------
    name
        How it is called.
    steps
        From which slot on there is how much, with every option taken.
    options
        What of that is there only if it is taken.
    peaks
        Whether the most that is held at once counts for the goal ``nodes``.
    """

    name: str
    steps: tuple[tuple[int, int], ...]
    options: tuple[Option, ...] = ()
    peaks: bool = True

    @property
    def most(self) -> int:
        """The highest level."""
        return max(level for _, level in self.steps)

    def levels(self, horizon: int) -> npt.NDArray[np.int64]:
        """Give what there is in each slot."""
        found = np.zeros(horizon, dtype=np.int64)
        for begin, level in self.steps:
            found[begin:] = level
        return found

    def missing(self, horizon: int) -> list[tuple[int, int, int]]:
        """List begin, end and amount of what lacks to the highest level."""
        ends = [*(begin for begin, _ in self.steps[1:]), horizon]
        return [
            (begin, min(end, horizon), self.most - level)
            for (begin, level), end in zip(self.steps, ends, strict=True)
            if level < self.most and begin < horizon
        ]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A scheduling problem.

    Parameters
    ----------
    activities, resources
        What has to be carried out on what.
    horizon
        The slot by which everything has ended.
    limits
        Sum of fees -> the most that it may be.
    most
        Goal -> the most that a plan may be worth by it.
    """

    activities: tuple[Activity, ...]
    resources: tuple[Resource, ...]
    horizon: int
    limits: Mapping[str, int] = field(default_factory=dict)
    most: Mapping[Goal, int] = field(default_factory=dict)

    def within(self, goal: Goal, most: int) -> "Instance":
        """Let each activity end in time for a goal that is the largest of what single ones reach.

        The modes stay where they are, some of them perhaps without a start.

        Parameters
        ----------
        goal
            ``makespan`` or ``max_tardiness``.
        most
            What no plan that counts is above by it.
        """
        activities = []
        for item in self.activities:
            by = most if goal is Goal.MAKESPAN else most + (item.due or 0)
            counts = item.is_work if goal is Goal.MAKESPAN else item.due is not None
            modes = [replace(mode, last=min(mode.last, by - mode.length)) for mode in item.modes]
            activities.append(replace(item, modes=tuple(modes)) if counts else item)
        return replace(self, activities=tuple(activities))

    @property
    def size(self) -> int:
        """How many plans there are if nothing is said of resources and of what comes after what."""
        options = (option for resource in self.resources for option in resource.options)
        return math.prod(
            sum(mode.last - mode.first + 1 for mode in activity.modes)
            for activity in self.activities
        ) * math.prod(option.lots + 1 for option in options)

    @property
    def fees(self) -> int:
        """How many fees a plan adds up, at most."""
        options = [option for resource in self.resources for option in resource.options]
        return len(self.activities) + sum(option.lots for option in options)
