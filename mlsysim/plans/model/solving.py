"""Solve a scheduling problem: one goal after the other, and ties to the plainest plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlsysim.plans.model.building import Model
from mlsysim.plans.model.instance import Instance
from mlsysim.plans.records.goal import Goal
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.cpsat.solving.solver import SolverOutcome, run

# With two workers CP-SAT's own choice lacks the one that raises the bound of a makespan.
_PROVING = ("objective_lb_search", "default_lp")
_TIES_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class SlotSolution:
    """What was found in slots.

    Parameters
    ----------
    status
        How it ended.
    chosen
        Activity -> its mode and its start.
    lots
        Option -> how many lots are taken.
    values
        The value of each goal that was reached, in whole numbers.
    bounds
        What none can be below, goal by goal.
    """

    status: Status
    chosen: dict[str, tuple[int, int]] = field(default_factory=dict)
    lots: dict[tuple[str, str], int] = field(default_factory=dict)
    values: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()


def solve(
    instance: Instance, goals: Sequence[Goal], clock: Clock, *, ties: bool = True
) -> SlotSolution:
    """Find the best plan in slots.

    Parameters
    ----------
    instance
        The problem.
    goals
        What is minimised, one after the other; none for any plan.
    clock
        The time.
    ties
        Whether to sort out ties.
    """
    if any(not activity.modes for activity in instance.activities):
        return SlotSolution(status=Status.INFEASIBLE)
    built = Model(instance)
    best = _any(built, clock) if not goals else None
    if best is not None:
        return best
    found = SlotSolution(status=Status.UNKNOWN)
    values: list[int] = []
    bounds: list[float] = []
    for goal in goals:
        worth = built.minimize(goal)
        built.model.minimize(worth)
        outcome = run(built.model, clock, subsolvers=_PROVING)
        if outcome.solver is None:
            if not values:
                return SlotSolution(status=Status.INFEASIBLE if outcome.solved else Status.UNKNOWN)
            return _unproven(found, values, bounds)
        values.append(int(outcome.solver.value(worth)))
        bounds.append(outcome.bound)
        status = Status.OPTIMAL if outcome.solved else Status.FEASIBLE
        found = _read(built, outcome, status, values, bounds)
        if not outcome.solved:
            return found
        built.model.add(worth <= values[-1])
        _hint(built, outcome)
    return _plainest(built, found, clock) if ties else found


def _any(built: Model, clock: Clock) -> SlotSolution:
    outcome = run(built.model, clock)
    if outcome.solver is None:
        return SlotSolution(status=Status.INFEASIBLE if outcome.solved else Status.UNKNOWN)
    return _read(built, outcome, Status.OPTIMAL, [], [])


def _unproven(found: SlotSolution, values: Sequence[int], bounds: Sequence[float]) -> SlotSolution:
    """Give what was found before the time was up: a further goal is not reached."""
    return SlotSolution(
        status=Status.FEASIBLE,
        chosen=found.chosen,
        lots=found.lots,
        values=tuple(values),
        bounds=tuple(bounds),
    )


def _plainest(built: Model, found: SlotSolution, clock: Clock) -> SlotSolution:
    """Of the best plans take one that starts early; a little time is enough for that."""
    starts = sum(built.starts.values())
    built.model.minimize(starts + sum(built.lots.values()))
    outcome = run(built.model, clock, _TIES_SECONDS, subsolvers=_PROVING)
    if outcome.solver is None:
        return found
    return _read(built, outcome, found.status, found.values, found.bounds)


def _read(
    built: Model,
    outcome: SolverOutcome,
    status: Status,
    values: Sequence[int],
    bounds: Sequence[float],
) -> SlotSolution:
    solver = outcome.solver
    if solver is None:
        return SlotSolution(status=status)
    chosen = {}
    for name, literals in built.chosen.items():
        mode = next(place for place, one in enumerate(literals) if solver.boolean_value(one))
        chosen[name] = mode, int(solver.value(built.starts[name]))
    lots = {name: int(solver.value(count)) for name, count in built.lots.items()}
    return SlotSolution(
        status=status, chosen=chosen, lots=lots, values=tuple(values), bounds=tuple(bounds)
    )


def _hint(built: Model, outcome: SolverOutcome) -> None:
    """Let the next run start from this solution."""
    solver = outcome.solver
    if solver is None:
        return
    built.model.clear_hints()  # type: ignore[no-untyped-call]
    for place in range(len(built.model.proto.variables)):
        variable = built.model.get_int_var_from_proto_index(place)
        built.model.add_hint(variable, solver.value(variable))
