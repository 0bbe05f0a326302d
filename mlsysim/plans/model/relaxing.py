"""Bounds by prices for slots: no plan is better than each run at its cheapest, less what there is.

Give each slot of each resource a price.  Each activity then takes the mode and the start at which
what it adds to the goal and what it pays for slots is least, as if it were alone; from the sum all
that the slots are worth is taken off.  Whatever the prices, no plan is below that (Lagrangian
relaxation of the time-indexed model).  Sums that are limited, such as goals that come before, have
a price as well.  Good prices come from a linear program over the runs that were cheapest so far
(column generation).  Its rounding does not matter, since any prices bound.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ortools.math_opt.python import mathopt

from mlsysim.plans.model.bounding import ceilings, heads, tails
from mlsysim.plans.model.grid import ActivityGrid
from mlsysim.plans.model.instance import Instance
from mlsysim.plans.records.goal import PRICED, Goal
from mlsysim.search.cpsat.solving.clock import Clock

Floats = npt.NDArray[np.float64]

_BLOCKS = 100
"""Into how many spans of equal prices the slots are put together, at most."""

_ROUNDS = 120
_LARGEST = 6_000_000
"""Modes times slots beyond which this is not tried."""

_STEADY = 0.7
"""How far every other prices lean on the best so far."""

_TINY = 1e-6
_SAFE = 1e-7
"""What rounding may add to a bound, relative to what it is a difference of."""


def relaxed(
    instance: Instance,
    goal: Goal,
    clock: Clock,
    known: float,
    value: float,
    reached: Mapping[Goal, int] | None = None,
) -> float:
    """Give what no plan is below by a goal; what was known, if no better is found.

    Parameters
    ----------
    instance
        The problem.
    goal
        What is minimised.
    clock
        The time.
    known
        A bound.
    value
        What a plan is worth.
    reached
        Goal -> what no plan that counts is above by it.
    """
    limits = {**instance.most, **(reached or {})}
    for sooner, most in limits.items():
        if sooner.is_maximum:
            instance = instance.within(sooner, most)
    all_work = goal is Goal.MAKESPAN and all(item.is_work for item in instance.activities)
    modes = [mode for item in instance.activities for mode in item.modes]
    horizon = min(instance.horizon, max(mode.last + mode.length for mode in modes))
    if all_work:  # nothing is better that ends later than what is known
        horizon = min(horizon, int(value))
    if len(modes) * horizon > _LARGEST or any(mode.slack for mode in modes):
        return known
    relaxation = _Relaxation(instance, goal, horizon, limits)
    if not goal.is_maximum:
        return max(known, relaxation.bound(clock, value))
    low, high = int(known) - 1, int(value)  # low is excluded, high is reached
    while high - low > 1 and clock.left > 0:
        middle = (low + high) // 2
        if relaxation.bound(clock, 0.0, middle) > 0:
            low = middle
        else:
            high = middle
    return max(known, low + 1)


class _Relaxation:
    """The runs of one problem, and what they are worth at prices.

    Parameters
    ----------
    instance
        The problem.
    goal
        What is minimised.
    horizon
        How many slots are looked at.
    reached
        Goal -> what no plan is above by it; that of nodes is left out.
    """

    def __init__(
        self, instance: Instance, goal: Goal, horizon: int, reached: Mapping[Goal, int]
    ) -> None:
        self.instance, self.goal, self.horizon = instance, goal, horizon
        self.block = -(-horizon // _BLOCKS)
        self.grids = {item.name: ActivityGrid(item, horizon) for item in instance.activities}
        levels = {item.name: item.levels(horizon) for item in instance.resources}
        begins = range(0, horizon, self.block)
        self.supply = {name: np.add.reduceat(own, begins) for name, own in levels.items()}
        self.lengths = np.add.reduceat(np.ones(horizon), begins)
        self.peaked = {
            item.name: item.most for item in instance.resources if item.peaks and goal is Goal.NODES
        }
        self.earliest, self.latest = heads(instance), ceilings(instance)
        self.behind = tails(instance)
        self.costs = {name: self._costs(grid, goal) for name, grid in self.grids.items()}
        # Sum -> what each run adds to it, and the most that it may be; rented lots only add to it.
        self.sums: dict[str, tuple[dict[str, Floats], int]] = {}
        for sooner, most in reached.items():
            if not sooner.is_maximum and sooner is not Goal.NODES:
                added = {name: self._added(grid, sooner) for name, grid in self.grids.items()}
                self._limit(sooner.value, added, most)
        for limited, most in instance.limits.items():
            fees = {name: grid.fees(limited) for name, grid in self.grids.items()}
            self._limit(f"limit of {limited}", fees, most)
        self.known: dict[tuple[str, int, int], None] = {}
        self.centre: _Prices | None = None

    def _limit(self, name: str, added: Mapping[str, Floats], most: int) -> None:
        """Limit a sum; what cannot be added to it cannot start."""
        for activity, own in added.items():
            self.costs[activity] = np.where(np.isfinite(own), self.costs[activity], np.inf)
        finite = {activity: np.where(np.isfinite(own), own, 0.0) for activity, own in added.items()}
        self.sums[name] = finite, most

    def _added(self, grid: ActivityGrid, goal: Goal) -> Floats:
        """Give what each mode and start of an activity adds to a goal."""
        activity = grid.activity
        if goal in PRICED:
            return grid.fees(goal.value)
        if activity.due is None or goal not in {Goal.LATE, Goal.TARDINESS}:
            return np.zeros(grid.inside.shape)
        late = np.maximum(grid.slots[None, :] + grid.lengths[:, None] - activity.due, 0)
        return activity.weight * (late > 0 if goal is Goal.LATE else late).astype(float)

    def _costs(self, grid: ActivityGrid, goal: Goal) -> Floats:
        """Give what each mode and start adds to the goal; infinity where it cannot start."""
        activity = grid.activity
        ends = grid.slots[None, :] + grid.lengths[:, None]
        costs = self._added(grid, goal)
        earliest, latest = self.earliest[activity.name], self.latest[activity.name]
        inside = grid.inside & (grid.slots >= earliest) & (ends <= latest)
        return np.where(inside, costs, np.inf)

    def bound(self, clock: Clock, value: float, until: int | None = None) -> float:
        """Give what no plan is below; for a maximum more than nothing if none ends in time.

        Parameters
        ----------
        clock
            The time.
        value
            What a plan is worth.
        until
            What a goal that is a maximum is to be at most.
        """
        costs = {name: self._ending(name, until) for name in self.costs}
        if any(not np.isfinite(own).any() for own in costs.values()):
            return math.inf
        program = _Program(self, costs, 2 * value + 1)
        best = -math.inf
        for attempt in range(_ROUNDS):
            solved = program.solved() if clock.left > 0 else None
            if solved is None:
                return best
            reached, prices = solved
            if self.centre is not None and attempt % 2:
                prices = prices.between(self.centre, _STEADY)
            bound, runs = self._worth(prices, costs)
            if bound > best:
                best, self.centre = bound, prices
            if math.ceil(reached - _TINY) <= max(best, 0) or (until is not None and best > 0):
                return best
            program.add(runs)
        return best

    def _ending(self, name: str, until: int | None) -> Floats:
        """Give the costs of an activity, without the runs that end too late."""
        grid, costs = self.grids[name], self.costs[name]
        if until is None:
            return costs
        if self.goal is Goal.MAKESPAN:
            latest = until - self.behind[name] if grid.activity.is_work else None
        else:
            latest = None if grid.activity.due is None else until + grid.activity.due
        ends = grid.slots[None, :] + grid.lengths[:, None]
        return costs if latest is None else np.where(ends <= latest, costs, np.inf)

    def _worth(
        self, prices: "_Prices", costs: Mapping[str, Floats]
    ) -> tuple[float, list[tuple[str, int, int]]]:
        """Give the bound that prices prove, and the cheapest run of each activity."""
        slots = {
            name: np.repeat(own + prices.peak.get(name, 0.0), self.block)[: self.horizon]
            for name, own in prices.standing.items()
        }
        total = size = 0.0
        runs = []
        for name, grid in self.grids.items():
            paid = costs[name] + grid.summed(slots)
            for limited, price in prices.sums.items():
                paid += price * self.sums[limited][0][name]
            place, start = divmod(int(paid.argmin()), self.horizon)
            runs.append((name, place, start))
            total += paid[place, start]
            size += abs(paid[place, start])
        worth = sum(float(self.supply[name] @ own) for name, own in prices.standing.items())
        worth += sum(price * self.sums[limited][1] for limited, price in prices.sums.items())
        for name, most in self.peaked.items():
            # A node more costs one, and is worth what its slots are.
            worth += most * max(float(self.lengths @ prices.peak[name]) - 1.0, 0.0)
        return total - worth - _SAFE * (size + worth), runs


@dataclass(frozen=True, kw_only=True)
class _Prices:
    """What is paid for: resource -> the prices of its slots, block by block, and for sums.

    Parameters
    ----------
    standing
        For what there is.
    peak
        For what a plan holds at most, where that is what counts.
    sums
        Sum that is limited -> the price of a unit of it.
    """

    standing: Mapping[str, Floats]
    peak: Mapping[str, Floats]
    sums: Mapping[str, float]

    def between(self, other: "_Prices", share: float) -> "_Prices":
        """Mix with other prices."""
        return _Prices(
            standing=_mixed(self.standing, other.standing, share),
            peak=_mixed(self.peak, other.peak, share),
            sums={
                name: (1 - share) * price + share * other.sums[name]
                for name, price in self.sums.items()
            },
        )


def _mixed(
    one: Mapping[str, Floats], other: Mapping[str, Floats], share: float
) -> dict[str, Floats]:
    return {name: (1 - share) * one[name] + share * other[name] for name in one}


class _Program:
    """The linear program over some of the runs; its duals are prices.

    All its numbers are shares: of a resource over a block, and of what leaving out an activity
    costs.
    """

    def __init__(
        self, relaxation: _Relaxation, costs: Mapping[str, Floats], penalty: float
    ) -> None:
        self.relaxation, self.costs, self.penalty = relaxation, costs, penalty
        self.whole = {
            item.name: float(max(item.most, 1) * relaxation.block)
            for item in relaxation.instance.resources
        }
        self.model = mathopt.Model()
        self.runs: set[tuple[str, int, int]] = set()
        blocks = range(len(relaxation.lengths))
        add = self.model.add_linear_constraint
        self.standing = {
            name: [add(ub=float(own[at]) / self.whole[name]) for at in blocks]
            for name, own in relaxation.supply.items()
        }
        self.peak = {name: [add(ub=0.0) for _ in blocks] for name in relaxation.peaked}
        # A sum is told in shares of its limit.
        self.sums = {
            name: add(ub=most / max(most, 1)) for name, (_, most) in relaxation.sums.items()
        }
        self.once = {name: add(lb=1.0, ub=1.0) for name in relaxation.grids}
        self.model.minimize(0.0)
        for name, most in relaxation.peaked.items():
            nodes = self.model.add_variable(lb=0.0, ub=float(most))
            self.model.objective.set_linear_coefficient(nodes, 1.0 / penalty)
            for at in blocks:
                self.peak[name][at].set_coefficient(
                    nodes, -float(relaxation.lengths[at]) / self.whole[name]
                )
        for row in self.once.values():
            left_out = self.model.add_variable(lb=0.0)
            row.set_coefficient(left_out, 1.0)
            self.model.objective.set_linear_coefficient(left_out, 1.0)
        self.add([*relaxation.known])
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.HIGHS)

    def add(self, runs: Iterable[tuple[str, int, int]]) -> None:
        """Let activities run in a mode from a start on."""
        for run in runs:
            self._add(*run)

    def _add(self, name: str, place: int, start: int) -> None:
        cost = float(self.costs[name][place, start])
        if (name, place, start) in self.runs or math.isinf(cost):
            return
        self.runs.add((name, place, start))
        self.relaxation.known[name, place, start] = None
        run = self.model.add_variable(lb=0.0)
        self.once[name].set_coefficient(run, 1.0)
        self.model.objective.set_linear_coefficient(run, cost / self.penalty)
        for limited, (added, most) in self.relaxation.sums.items():
            amount = float(added[name][place, start])
            self.sums[limited].set_coefficient(run, amount / max(most, 1))
        mode = self.relaxation.grids[name].activity.modes[place]
        size = self.relaxation.block
        used: Counter[tuple[str, int]] = Counter()
        for begin, end in mode.pieces(start):
            for at in range(begin // size, -(-end // size)):
                length = min(end, (at + 1) * size) - max(begin, at * size)
                for resource, amount in mode.demands.items():
                    used[resource, at] += length * amount
        for (resource, at), amount in used.items():
            share = amount / self.whole[resource]
            self.standing[resource][at].set_coefficient(run, share)
            if resource in self.peak:
                self.peak[resource][at].set_coefficient(run, share)

    def solved(self) -> tuple[float, _Prices] | None:
        """Solve it, and give what it reaches and the prices; nothing if that fails."""
        result = self.solver.solve()
        if result.termination.reason is not mathopt.TerminationReason.OPTIMAL:
            return None
        return self.penalty * result.objective_value(), self._prices(result.dual_values())

    def _prices(self, duals: Mapping[mathopt.LinearConstraint, float]) -> _Prices:
        def of(rows: Mapping[str, list[mathopt.LinearConstraint]]) -> dict[str, Floats]:
            return {
                name: np.array([max(-duals.get(row, 0.0), 0.0) for row in own])
                * (self.penalty / self.whole[name])
                for name, own in rows.items()
            }

        sums = {
            name: max(-duals.get(row, 0.0), 0.0)
            * (self.penalty / max(self.relaxation.sums[name][1], 1))
            for name, row in self.sums.items()
        }
        return _Prices(standing=of(self.standing), peak=of(self.peak), sums=sums)
