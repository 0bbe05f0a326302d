"""What a plan in slots is worth by a goal, in whole numbers."""

from collections.abc import Mapping
from typing import assert_never

from mlsysim.plans.model.instance import Activity, Instance, Mode, Resource
from mlsysim.plans.records.goal import Goal

Chosen = Mapping[str, tuple[int, int]]
"""Activity -> its mode and its start."""


def valued(
    instance: Instance, goal: Goal, chosen: Chosen, lots: Mapping[tuple[str, str], int]
) -> int:
    """Add up what a plan is worth.

    Parameters
    ----------
    instance
        The problem.
    goal
        What counts.
    chosen
        Activity -> its mode and its start.
    lots
        Option -> how many lots are taken.
    """
    ends = [(item, _end(item, chosen[item.name])) for item in instance.activities]
    match goal:
        case Goal.MAKESPAN:
            return max((end for item, end in ends if item.is_work), default=0)
        case Goal.TARDINESS:
            return sum(item.weight * _late(item, end) for item, end in ends)
        case Goal.MAX_TARDINESS:
            return max((_late(item, end) for item, end in ends), default=0)
        case Goal.LATE:
            return sum(item.weight for item, end in ends if _late(item, end))
        case Goal.COST | Goal.CARBON | Goal.CHANGES:
            return summed(instance, goal.value, chosen, lots)
        case Goal.NODES:
            return sum(_peak(instance, item, chosen) for item in instance.resources if item.peaks)
        case _:
            assert_never(goal)


def summed(
    instance: Instance, name: str, chosen: Chosen, lots: Mapping[tuple[str, str], int]
) -> int:
    """Add up the fees of one sum.

    Parameters
    ----------
    instance, chosen, lots
        As for `valued`.
    name
        The sum; activities that are not placed add nothing to it.
    """
    options = (option for resource in instance.resources for option in resource.options)
    rented = sum(option.fees.get(name, 0) * lots.get(option.name, 0) for option in options)
    return rented + sum(
        _fee(item.modes[place], name, start)
        for item in instance.activities
        if item.name in chosen
        for place, start in [chosen[item.name]]
    )


def _end(activity: Activity, taken: tuple[int, int]) -> int:
    place, start = taken
    return start + activity.modes[place].length


def _late(activity: Activity, end: int) -> int:
    return 0 if activity.due is None else max(end - activity.due, 0)


def _fee(mode: Mode, name: str, start: int) -> int:
    fee = mode.fees.get(name, 0)
    return fee if isinstance(fee, int) else fee[start - mode.first] or 0


def _peak(instance: Instance, resource: Resource, chosen: Chosen) -> int:
    """Find the most that is held at once."""
    changes: dict[int, int] = {}
    for item in instance.activities:
        place, start = chosen[item.name]
        mode = item.modes[place]
        amount = mode.demands.get(resource.name, 0)
        for begin, end in mode.pieces(start):
            changes[begin] = changes.get(begin, 0) + amount
            changes[end] = changes.get(end, 0) - amount
    held = most = 0
    for moment in sorted(changes):
        held += changes[moment]
        most = max(most, held)
    return most
