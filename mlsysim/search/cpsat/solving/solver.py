"""Run CP-SAT, and tell its ends apart."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mlsysim.errors import DisagreementError
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.solving.clock import Clock

# Enough for CP-SAT to show what it has when a limit is all but reached.
_LEAST_SECONDS = 0.01
# A model of so few variables is tried with little effort first, for so long.
_SMALL = 128
_QUICK_SECONDS = 0.5
# Seconds after which a request to stop is seen.
_PULSE = 0.05


@dataclass(frozen=True, kw_only=True)
class SolverOutcome:
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


def run(
    model: cp_model.CpModel,
    clock: Clock,
    seconds: float = float("inf"),
    *,
    gap: float = 0.0,
    subsolvers: Sequence[str] = (),
) -> SolverOutcome:
    """Solve a model within what is left of the time.

    Parameters
    ----------
    model
        The model.
    clock
        The time, the number of workers and the seed; it gathers the counters.
    seconds
        A limit of this run's own.
    gap
        How far from the optimum, relative, the solution may be.
    subsolvers
        Which of CP-SAT's searches run first, where there are fewer workers than it has of them.

    Raises
    ------
    DisagreementError
        If the model is invalid, e.g. because it overflows 64 bits: a defect of
        ours, never an infeasible question.
    """
    if len(model.proto.variables) <= _SMALL:
        quick = _run(model, clock, min(seconds, _QUICK_SECONDS), gap, quick=True)
        if quick.solved:
            return quick
    return _run(model, clock, seconds, gap, subsolvers=subsolvers)


def _run(
    model: cp_model.CpModel,
    clock: Clock,
    seconds: float,
    gap: float,
    *,
    quick: bool = False,
    subsolvers: Sequence[str] = (),
) -> SolverOutcome:
    """Solve a model once; quickly means with one worker, and without what helps large models."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1 if quick else clock.workers
    if not quick and 1 < clock.workers <= len(subsolvers):
        solver.parameters.subsolvers.extend(subsolvers)
    if quick:
        solver.parameters.max_presolve_iterations = 1
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.linearization_level = 0
        solver.parameters.symmetry_level = 0
    solver.parameters.random_seed = clock.seed
    # With OR-Tools 9.15 it cuts off solutions where values exceed 32 bits.
    solver.parameters.auto_detect_greater_than_at_least_one_of = False
    # In CP-SAT 9.15 this pass of the presolve loses solutions of models with
    # weighted sums over an exactly-one group, and then "proves" a wrong optimum
    # (or-tools issue 5293).
    solver.parameters.presolve_inclusion_work_limit = 0
    solver.parameters.relative_gap_limit = gap
    limit = min(clock.left, seconds)
    if limit != float("inf"):
        solver.parameters.max_time_in_seconds = max(limit, _LEAST_SECONDS)
    # Its own handler of Ctrl-C would leave behind one that ends the process.
    solver.parameters.catch_sigint_signal = False
    started = time.perf_counter()
    status = _status(solver, model, clock)
    clock.count(solver, time.perf_counter() - started)
    if status == cp_model.MODEL_INVALID:
        raise DisagreementError(f"the solver's model is invalid: {model.validate()}")
    found = status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    solved = status in {cp_model.OPTIMAL, cp_model.INFEASIBLE}
    return SolverOutcome(
        solved=solved,
        solver=solver if found else None,
        bound=_bound(solver, status),
    )


def _status(
    solver: cp_model.CpSolver, model: cp_model.CpModel, clock: Clock
) -> cp_model.CpSolverStatus:
    """Solve in a thread, so that Ctrl-C reaches Python, which stops the solver.

    It is a daemon: a solver that does not stop when it is asked to is left behind.
    """
    ended = _Ended()
    threading.Thread(target=ended.solve, args=(solver, model), daemon=True).start()
    while not ended.event.wait(_PULSE):
        if clock.interrupted:
            solver.stop_search()
    if ended.error is not None:
        raise ended.error
    return ended.status


class _Ended:
    """How a run in another thread ended."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status: cp_model.CpSolverStatus = cp_model.UNKNOWN
        self.error: BaseException | None = None

    def solve(self, solver: cp_model.CpSolver, model: cp_model.CpModel) -> None:
        """Run the solver, and keep what comes of it."""
        try:
            self.status = solver.solve(model)
        except BaseException as error:  # noqa: BLE001 - raised where the run was asked for
            self.error = error
        finally:
            self.event.set()


def _bound(solver: cp_model.CpSolver, status: cp_model.CpSolverStatus) -> float:
    """Read the bound, which is meaningless (zero) unless there is a solution."""
    if status == cp_model.INFEASIBLE:
        return float("inf")
    return -float("inf") if status == cp_model.UNKNOWN else float(solver.best_objective_bound)
