"""Run CP-SAT, and tell its ends apart."""

import time
from dataclasses import dataclass

from ortools.sat.python import cp_model

from mlsysim.errors import DisagreementError
from mlsysim.search.cpsat.clock import Clock

# Enough for CP-SAT to show what it has when a limit is all but reached.
_LEAST_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one run of the solver ended.

    Parameters
    ----------
    solved
        Whether the search is complete: optimal, or proven infeasible.
    solver
        Holds the values of the variables; nothing where there is no solution.
    bound
        No solution has a lower objective.
    """

    solved: bool
    solver: cp_model.CpSolver | None
    bound: float


def run(model: cp_model.CpModel, clock: Clock, seconds: float = float("inf")) -> Outcome:
    """Solve a model within what is left of the time.

    Parameters
    ----------
    model
        The model.
    clock
        The time, the number of workers and the seed; it gathers the counters.
    seconds
        A limit of this run's own.

    Raises
    ------
    DisagreementError
        If the model is invalid, e.g. because it overflows 64 bits: a defect of
        ours, never an infeasible question.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = clock.workers
    solver.parameters.random_seed = clock.seed
    limit = min(clock.left, seconds)
    if limit != float("inf"):
        solver.parameters.max_time_in_seconds = max(limit, _LEAST_SECONDS)
    started = time.perf_counter()
    status = solver.solve(model)
    clock.count(solver, time.perf_counter() - started)
    if status == cp_model.MODEL_INVALID:
        raise DisagreementError(f"the solver's model is invalid: {model.validate()}")
    found = status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    solved = status in {cp_model.OPTIMAL, cp_model.INFEASIBLE}
    if not solved and clock.left > 0 and seconds == float("inf"):
        clock.interrupted = True  # CP-SAT catches Ctrl-C itself, and stops
    return Outcome(
        solved=solved,
        solver=solver if found else None,
        bound=solver.best_objective_bound if status != cp_model.INFEASIBLE else float("inf"),
    )
