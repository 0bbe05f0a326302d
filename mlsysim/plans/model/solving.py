"""Solve a scheduling problem: one goal after the other, and ties to the plainest plan."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlsysim.errors import DisagreementError
from mlsysim.plans.model.bounding import is_excluded, least
from mlsysim.plans.model.building import Model
from mlsysim.plans.model.instance import Instance
from mlsysim.plans.model.local_search import PlanSearch
from mlsysim.plans.model.narrowing import flattened, narrowed
from mlsysim.plans.model.peaks import at_least, totals_of
from mlsysim.plans.model.relaxing import relaxed
from mlsysim.plans.model.valuing import valued
from mlsysim.plans.records.goal import Goal
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.cpsat.solving.solver import SolverOutcome, run

# With two workers CP-SAT's own choice lacks the search that raises the bound of a makespan, and the
# two that raise it improve no plan: so each has its turn, and starts from what the other knows.
_PROVING = ("objective_lb_search", "default_lp")
_IMPROVING: tuple[str, ...] = ()
_TURN_SECONDS = 4.0
_FIRST_SECONDS = 1.0
"""How long CP-SAT looks for any plan at first."""
_LONGER = 1.5
_SEARCHED = 0.25
"""How long plans are searched from place to place after a turn, relative to it."""
_TIES_SECONDS = 2.0
_TINY = 1e-6


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
    chosen: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    lots: Mapping[tuple[str, str], int] = field(default_factory=dict)
    values: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()


def solve(
    instance: Instance,
    goals: Sequence[Goal],
    clock: Clock,
    *,
    ties: bool = True,
    known: SlotSolution | None = None,
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
    known
        A plan to begin with.
    """
    if is_excluded(instance):
        return SlotSolution(status=Status.INFEASIBLE)
    if not goals:
        return _any(instance, clock)
    found = SlotSolution(status=Status.UNKNOWN)
    if known is not None:
        found = replace(found, chosen=known.chosen, lots=known.lots)
    for place, goal in enumerate(goals):
        found = _reached(instance, goals[: place + 1], found, clock)
        if found.status is not Status.OPTIMAL:
            return found
        if goal.is_maximum:
            instance = instance.within(goal, found.values[-1])
    return _plainest(instance, goals, found, clock) if ties else found


def _any(instance: Instance, clock: Clock) -> SlotSolution:
    """Find any plan, or prove that there is none.

    A plan that is easy to find is found from place to place, and where there is none CP-SAT proves
    that soon or never: so each has a short turn, then a longer one.
    """
    seconds, built = _FIRST_SECONDS, None
    for turn in itertools.count():
        placed = PlanSearch(instance, (), clock, turn=turn, seconds=_SEARCHED * seconds).plan()
        if placed is not None:
            return SlotSolution(status=Status.OPTIMAL, chosen=placed.chosen, lots=placed.lots)
        built = built or Model(instance)
        outcome = run(built.model, clock, seconds)
        if outcome.solver is not None:
            return _read(built, outcome, SlotSolution(status=Status.OPTIMAL))
        if outcome.solved:
            return SlotSolution(status=Status.INFEASIBLE)
        if clock.left <= 0:
            break
        seconds *= _LONGER**2
    return SlotSolution(status=Status.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What one run of CP-SAT has to tell: a plan, a bound, or that there is no plan.

    Parameters
    ----------
    found
        The plan, in place of the one that was known if it is another.
    value
        What it is worth.
    bound
        What none is below.
    is_denied
        Whether it is proven that there is none.
    """

    found: SlotSolution
    value: float
    bound: float
    is_denied: bool = False


def _reached(
    instance: Instance, goals: Sequence[Goal], known: SlotSolution, clock: Clock
) -> SlotSolution:
    """Reach the last of some goals among the plans that are best by those before.

    Parameters
    ----------
    instance
        The problem.
    goals
        Those before, whose values are known, and the one that is minimised.
    known
        What is known of the goals before; its plan, if it has one, is where the search begins.
    clock
        The time.
    """
    goal = goals[-1]
    state = _Run(
        found=known,
        value=valued(instance, goal, known.chosen, known.lots) if known.chosen else math.inf,
        bound=max(
            _whole(instance, goal, least(instance, goal)), narrowed(instance, goal, None).least
        ),
    )
    state = _searched(instance, goals, _cheapest(instance, goals, state, clock), clock)
    seconds, alternates = _TURN_SECONDS, clock.workers == len(_PROVING)
    turns = itertools.cycle([_PROVING, _IMPROVING])
    for turn in itertools.count():
        if state.value <= state.bound or state.is_denied or (turn and clock.left <= 0):
            break
        if turn == 1 and not math.isinf(state.value):
            before = dict(zip(goals, known.values, strict=False))
            bound = relaxed(instance, goal, clock, state.bound, state.value, before)
            state = replace(state, bound=_whole(instance, goal, bound))
        limit = seconds if alternates or not turn else math.inf
        state = _turn(instance, goals, state, clock, limit, next(turns))
        state = _searched(instance, goals, state, clock, turn + 1, _SEARCHED * limit)
        seconds *= _LONGER
    if state.is_denied:
        return replace(known, status=Status.INFEASIBLE)
    if not state.found.chosen:
        return replace(known, status=Status.UNKNOWN)
    return replace(
        state.found,
        status=Status.OPTIMAL if state.value <= state.bound else Status.FEASIBLE,
        values=(*known.values, int(state.value)),
        bounds=(*known.bounds, float(min(state.bound, state.value))),
    )


def _cheapest(instance: Instance, goals: Sequence[Goal], state: _Run, clock: Clock) -> _Run:
    """Take bound and plan of the problem in which every mode costs what its cheapest start does."""
    *before, goal = goals
    flat = flattened(instance, goal)
    if flat is None or before:
        return state
    found = _reached(flat, goals, state.found, clock)
    if found.status is Status.INFEASIBLE:
        return replace(state, is_denied=True)
    bound = max(state.bound, *found.bounds) if found.bounds else state.bound
    if not found.chosen:
        return replace(state, bound=bound)
    value = valued(instance, goal, found.chosen, found.lots)
    return _Run(
        found=replace(state.found, chosen=found.chosen, lots=found.lots), value=value, bound=bound
    )


def _searched(
    instance: Instance,
    goals: Sequence[Goal],
    state: _Run,
    clock: Clock,
    turn: int = 0,
    seconds: float = math.inf,
) -> _Run:
    """Look for a better plan from place to place, without a proof."""
    if state.is_denied or state.value <= state.bound:
        return state
    better = PlanSearch(instance, goals, clock, state.bound, turn, seconds).plan(state.found.chosen)
    if better is None or better.value >= state.value:
        return state
    for sooner, reached in [*zip(goals, state.found.values, strict=False), *instance.most.items()]:
        if valued(instance, sooner, better.chosen, better.lots) > reached:
            return state
    plan = replace(state.found, chosen=better.chosen, lots=better.lots)
    return replace(state, found=plan, value=better.value)


def _turn(
    instance: Instance,
    goals: Sequence[Goal],
    state: _Run,
    clock: Clock,
    seconds: float,
    subsolvers: Sequence[str],
) -> _Run:
    """Run CP-SAT once, on what can still be better than the plan that is known."""
    *before, goal = goals
    value = None if math.isinf(state.value) else int(state.value)
    small = narrowed(instance, goal, value)
    built = Model(small.instance)
    for sooner, reached in zip(before, state.found.values, strict=True):
        built.model.add(built.minimize(sooner) <= reached)
    worth = built.minimize(goal)
    built.model.minimize(worth)
    bound = max(state.bound, small.least)
    if bound > 0:
        built.model.add(worth >= int(bound))
    if value is not None:
        built.hint(small.told(state.found.chosen), state.found.lots)
        built.model.add(worth <= value)
    outcome = run(built.model, clock, seconds, subsolvers=subsolvers)
    if outcome.solver is None and outcome.solved:
        if value is not None:
            raise DisagreementError("CP-SAT denies a plan that stands")
        return replace(state, is_denied=True)
    if outcome.solver is None:
        return replace(state, bound=max(bound, _whole(instance, goal, outcome.bound)))
    found = _read(built, outcome, state.found)
    better = int(outcome.solver.value(worth))
    return _Run(
        found=replace(found, chosen=small.restored(found.chosen)),
        value=better,
        bound=better if outcome.solved else max(bound, _whole(instance, goal, outcome.bound)),
    )


def _whole(instance: Instance, goal: Goal, bound: float) -> float:
    """Round a bound of whole numbers up to one, that of nodes to one that they can add up to."""
    if math.isinf(bound):
        return bound
    whole = math.ceil(bound - _TINY)
    return at_least(totals_of(instance), whole) if goal is Goal.NODES else whole


def _plainest(
    instance: Instance, goals: Sequence[Goal], found: SlotSolution, clock: Clock
) -> SlotSolution:
    """Of the best plans take one that starts early; a little time is enough for that."""
    small = narrowed(instance, goals[0], found.values[0])
    built = Model(small.instance)
    for goal, value in zip(goals, found.values, strict=True):
        built.model.add(built.minimize(goal) <= value)
    built.hint(small.told(found.chosen), found.lots)
    built.model.minimize(sum(built.starts.values()) + sum(built.lots.values()))
    outcome = run(built.model, clock, _TIES_SECONDS, subsolvers=_PROVING)
    if outcome.solver is None:
        return found
    plainer = _read(built, outcome, found)
    return replace(plainer, chosen=small.restored(plainer.chosen))


def _read(built: Model, outcome: SolverOutcome, known: SlotSolution) -> SlotSolution:
    """Put the plan of a run in the place of the one that was known."""
    solver = outcome.solver
    if solver is None:
        return known
    chosen = {}
    for name, literals in built.chosen.items():
        mode = next(place for place, one in enumerate(literals) if solver.boolean_value(one))
        chosen[name] = mode, int(solver.value(built.starts[name]))
    lots = {name: int(solver.value(count)) for name, count in built.lots.items()}
    return replace(known, chosen=chosen, lots=lots)
