"""Leave out what no best plan takes, by money: what costs more than a known plan leaves room for.

A plan costs at least what each activity costs at its cheapest.  If a plan is known that costs
``slack`` more than that, what is dearer than the cheapest by more than that is in no better one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlsysim.plans.model.instance import Activity, Fee, Instance, Mode
from mlsysim.plans.records.goal import PRICED, Goal


@dataclass(frozen=True, kw_only=True)
class NarrowedInstance:
    """A problem with fewer modes and starts, among which all best plans are.

    Parameters
    ----------
    instance
        The problem.
    kept
        Activity -> the places that its modes had.
    least
        What no plan is below.
    """

    instance: Instance
    kept: Mapping[str, Sequence[int]]
    least: int

    def restored(self, chosen: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Give a plan with the places that the modes had before.

        Parameters
        ----------
        chosen
            Activity -> its mode and its start.
        """
        return {name: (self.kept[name][place], start) for name, (place, start) in chosen.items()}

    def told(self, chosen: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Give a plan of the whole problem, all of which is left, with the places of modes here.

        Parameters
        ----------
        chosen
            Activity -> its mode and its start.
        """
        return {
            name: (self.kept[name].index(place), start) for name, (place, start) in chosen.items()
        }


def narrowed(instance: Instance, goal: Goal, value: int | None) -> NarrowedInstance:
    """Leave out the modes and starts that cost too much.

    Parameters
    ----------
    instance
        The problem.
    goal
        What is minimised.
    value
        What a plan that is known is worth; nothing if none is.
    """
    everything = {item.name: range(len(item.modes)) for item in instance.activities}
    if goal not in PRICED:
        return NarrowedInstance(instance=instance, kept=everything, least=0)
    cheapest = {
        item.name: min(min(_fees(mode.fees.get(goal.value, 0))) for mode in item.modes)
        for item in instance.activities
    }
    least = sum(cheapest.values())
    if value is None:
        return NarrowedInstance(instance=instance, kept=everything, least=least)
    slack = value - least
    kept: dict[str, list[int]] = {}
    activities = []
    for item in instance.activities:
        modes, kept[item.name] = [], []
        for place, mode in enumerate(item.modes):
            left = _affordable(mode, goal, cheapest[item.name] + slack)
            if left is not None:
                modes.append(left)
                kept[item.name].append(place)
        activities.append(_with(item, modes))
    return NarrowedInstance(
        instance=replace(instance, activities=tuple(activities)), kept=kept, least=least
    )


def flattened(instance: Instance, goal: Goal) -> Instance | None:
    """Charge for each mode its cheapest start, whenever it starts; nothing if no fee has a time.

    No plan is cheaper than the best of that, which is found much sooner and is a good one itself.
    """
    if goal not in PRICED or not any(
        isinstance(mode.fees.get(goal.value), tuple)
        for item in instance.activities
        for mode in item.modes
    ):
        return None
    return replace(
        instance,
        activities=tuple(
            _with(item, [_flat(mode, goal) for mode in item.modes]) for item in instance.activities
        ),
    )


def _flat(mode: Mode, goal: Goal) -> Mode:
    return replace(mode, fees={**mode.fees, goal.value: min(_fees(mode.fees.get(goal.value, 0)))})


def _fees(fee: Fee) -> list[int]:
    return [fee] if isinstance(fee, int) else [each for each in fee if each is not None]


def _with(activity: Activity, modes: Sequence[Mode]) -> Activity:
    return replace(activity, modes=tuple(modes))


def _affordable(mode: Mode, goal: Goal, most: int) -> Mode | None:
    """Give a mode with the starts that cost no more than an amount; nothing if there are none."""
    fee = mode.fees.get(goal.value, 0)
    if isinstance(fee, int):
        return mode if fee <= most else None
    cut = [each if each is not None and each <= most else None for each in fee]
    inside = [place for place, each in enumerate(cut) if each is not None]
    if not inside:
        return None
    low, high = inside[0], inside[-1] + 1
    fees: dict[str, Fee] = {
        name: other if isinstance(other, int) else other[low:high]
        for name, other in mode.fees.items()
    }
    fees[goal.value] = tuple(cut[low:high])
    last = min(mode.last, mode.first + high - 1)
    return replace(mode, first=mode.first + low, last=last, fees=fees)
