"""The exact Pareto front of two goals in slots: one goal is limited, the other minimised.

Both ends come first, then the largest gap between two plans is halved, again and again: where time
runs out, what there is lies spread over the front, and is told to be incomplete (epsilon-constraint
method; each point is the best by one goal among those that are within a limit by the other, and
then the best by that one, so that no plan is better by one and no worse by the other).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlsysim.plans.model.instance import Instance
from mlsysim.plans.model.solving import SlotSolution, solve
from mlsysim.plans.records.goal import Goal
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock


@dataclass(frozen=True, kw_only=True)
class SlotFront:
    """Plans of which none is better than another by both goals.

    Parameters
    ----------
    status
        ``OPTIMAL`` if no other plan belongs to them, ``INFEASIBLE`` if there is none at all.
    points
        By rising value of the first goal; the values are in the order of the goals.
    """

    status: Status
    points: tuple[SlotSolution, ...] = ()


def front(instance: Instance, goals: tuple[Goal, Goal], clock: Clock) -> SlotFront:
    """Find all plans that are not worse than another by both goals, one for each pair of values.

    Sums of money or carbon count as equal if they differ by no more than their rounding.
    """
    # What is counted in slots is halved: its steps are known.
    flipped = goals[0].is_rounded and not goals[1].is_rounded
    axis, other = (goals[1], goals[0]) if flipped else goals
    found = _FrontWalk(instance, axis, other, clock).front()
    if not flipped:
        return found
    points = [replace(item, values=item.values[::-1]) for item in found.points]
    return replace(found, points=tuple(sorted(points, key=lambda item: item.values)))


class _FrontWalk:
    """A walk along one axis."""

    def __init__(self, instance: Instance, axis: Goal, other: Goal, clock: Clock) -> None:
        self.instance, self.axis, self.other, self.clock = instance, axis, other, clock
        self.step = max(instance.fees, 1) if axis.is_rounded else 1

    def front(self) -> SlotFront:
        """Find the ends, then what lies between them."""
        first = solve(self.instance, (self.axis, self.other), self.clock, ties=False)
        if first.status is not Status.OPTIMAL:
            return SlotFront(status=first.status)
        last = self._within(self.instance, first)
        if last is None:
            return SlotFront(status=Status.FEASIBLE, points=(first,))
        if last.values[0] <= first.values[0] or not self._is_better(last, first):
            return SlotFront(status=Status.OPTIMAL, points=(first,))
        points, gaps = [first, last], [(first, last, first.values[0])]
        while gaps:
            gap = max(gaps, key=lambda item: _size(item, first, last))
            gaps.remove(gap)
            lower, upper, low = gap
            high = upper.values[0] - self.step
            if high <= low:
                continue
            middle = high if high - low <= self.step else (low + high) // 2
            found = self._within(_limited(self.instance, self.axis, middle), lower)
            if found is None:
                return SlotFront(status=Status.FEASIBLE, points=_sorted(points))
            if not self._is_better(found, lower):
                gaps.append((lower, upper, middle))
                continue
            points.append(found)
            gaps += [(lower, found, low), (found, upper, middle)]
        return SlotFront(status=Status.OPTIMAL, points=_sorted(points))

    def _is_better(self, one: SlotSolution, two: SlotSolution) -> bool:
        """Tell whether a plan is better by the other goal, by more than rounding."""
        rounding = self.instance.fees if self.other.is_rounded else 0
        return one.values[1] < two.values[1] - rounding

    def _within(self, instance: Instance, known: SlotSolution) -> SlotSolution | None:
        """Find the best by the other goal, and of those the best by the axis; nothing in time."""
        found = solve(instance, (self.other, self.axis), self.clock, ties=False, known=known)
        if found.status is not Status.OPTIMAL:
            return None
        return replace(found, values=found.values[::-1], bounds=found.bounds[::-1])


def _limited(instance: Instance, goal: Goal, most: int) -> Instance:
    return replace(instance, most={**instance.most, goal: most})


def _size(gap: tuple[SlotSolution, SlotSolution, int], *ends: SlotSolution) -> float:
    """Give how much of the picture a gap takes."""
    lower, upper, low = gap
    spans = [max(abs(ends[1].values[at] - ends[0].values[at]), 1) for at in range(2)]
    width = (upper.values[0] - low) / spans[0]
    return width * (lower.values[1] - upper.values[1]) / spans[1]


def _sorted(points: Sequence[SlotSolution]) -> tuple[SlotSolution, ...]:
    return tuple(sorted(points, key=lambda item: item.values))
