"""What CP-SAT 9.15 is known to do wrong, and how its ends are told apart."""

import pytest
from ortools.sat.python import cp_model

from mlsysim.errors import DisagreementError
from mlsysim.search.cpsat.solving import solver
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


def clock(**options: float) -> Clock:
    """Start a clock."""
    return Clock(SearchOptions(workers=1, **options))  # type: ignore[arg-type]


def test_values_beyond_32_bits_lose_no_solution() -> None:
    """Row 2 with mode 1 is left, though OR-Tools by itself calls this model infeasible."""
    rows = [0, 962072674304, -164926744166]
    limits = [17179869184, 1073741824, 38654705664]
    model = cp_model.CpModel()
    row, mode = model.new_int_var(0, 2, "row"), model.new_int_var(0, 2, "mode")
    value = model.new_int_var(min(rows), max(rows), "value")
    limit = model.new_int_var(min(limits), max(limits), "limit")
    model.add_element(row, rows, value)
    model.add_element(mode, limits, limit)
    below = model.new_bool_var("below")
    model.add(value <= limit).only_enforce_if(below)
    model.add(value >= limit).only_enforce_if(~below)
    model.add_forbidden_assignments([row, mode], [[2, 2], [2, 0]])
    model.minimize(value)
    outcome = solver.run(model, clock())
    assert outcome.solved
    assert outcome.bound == min(rows)


def test_an_interrupted_run_has_no_bound() -> None:
    """Stopped before its first solution the solver reports a bound of 0, which is none."""
    model = cp_model.CpModel()
    numbers = [model.new_int_var(-1000, 1000, "") for _ in range(40)]
    for one, other, third in zip(numbers, numbers[1:], numbers[2:], strict=False):
        product = model.new_int_var(-(10**6), 10**6, "")
        model.add_multiplication_equality(product, [one, other])
        model.add(product + 7 * third == 11)
    model.minimize(sum(numbers) - 100_000)
    outcome = solver.run(model, clock(time_limit=1e-6))
    assert not outcome.solved
    assert outcome.solver is None
    assert outcome.bound == -float("inf")


def test_no_solution_is_an_infinite_bound() -> None:
    """A model without a solution is solved: nothing is below infinity."""
    model = cp_model.CpModel()
    number = model.new_int_var(0, 5, "")
    model.add(number > 7)
    model.minimize(number)
    outcome = solver.run(model, clock())
    assert (outcome.solved, outcome.solver, outcome.bound) == (True, None, float("inf"))


def test_an_invalid_model_is_our_own_bug() -> None:
    """An overflow is raised as a disagreement, never taken for infeasible."""
    model = cp_model.CpModel()
    number = model.new_int_var(0, 1 << 61, "")
    model.add(8 * number <= 5)
    with pytest.raises(DisagreementError, match="invalid"):
        solver.run(model, clock())
