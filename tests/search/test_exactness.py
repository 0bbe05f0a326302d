"""Whole numbers are exact up to 2**53; what needs their digits beyond is walked in plain Python."""

from collections.abc import Callable
from typing import Any

import pytest

from mlsysim.core.dse import DSE
from mlsysim.errors import ExactnessError, SpaceError, TracingError

Params = dict[str, Any]


def parity(params: Params) -> Params:
    """Both products of an odd x are odd, but 134217729**2 is a float only without its last bit."""
    return {"y": params["x"], "w": (params["x"] * params["z"]) % 2}


# (formula, constraint, how many of x = 1 ... 59 meet it)
FORMULAS: list[tuple[Callable[[Params], Params], list[str], int]] = [
    # 3**n is divisible by 9 from n = 2 on; as floats it is not, from n = 34 on.
    (lambda p: {"y": p["x"], "w": 3 ** p["x"] % 9}, ["w == 0"], 58),
    # x**10 and x**2 leave the same remainder by 3, x**13 and x by 13 (Fermat).
    (lambda p: {"y": p["x"], "w": (p["x"] ** 10 - p["x"] ** 2) % 3}, ["w == 0"], 59),
    (lambda p: {"y": p["x"], "w": 0}, ["(x ** 13 - x) % 13 == 0"], 59),
    (lambda p: {"y": p["x"], "w": p["x"] ** 12 + 1 - p["x"] ** 12}, ["w == 1"], 59),
]


@pytest.mark.parametrize(("evaluate", "constraints", "count"), FORMULAS)
def test_digits_beyond_floats_are_counted_in_plain_python(
    evaluate: Callable[[Params], Params], constraints: list[str], count: int
) -> None:
    """CP-SAT refuses, and the reference takes one design at a time; both under ``auto``."""
    explorer = DSE({"x": range(1, 60)}, "maximize: y", constraints)
    with pytest.raises(ExactnessError, match=r"beyond 2\*\*53.*count in larger units") as caught:
        explorer.search(evaluate, method="cp-sat")
    assert isinstance(caught.value, SpaceError)
    assert isinstance(caught.value, TracingError)
    with pytest.raises(ExactnessError):
        explorer.compile(evaluate)
    for method in ("auto", "exhaustive"):
        found = explorer.search(evaluate, method=method, top=59)
        assert found.best_params == {"x": 59}
        assert len(found.top_candidates) == count
        assert found.statistics.extra["blocks"] == 0


def test_a_product_beyond_floats_keeps_its_last_bit() -> None:
    """Of 32 pairs of odd numbers every product is odd."""
    space = {"x": range(134217729, 134217737, 2), "z": range(134217729, 134217745, 2)}
    found = DSE(space, "minimize: y", ["w == 1"]).search(parity)
    assert found.statistics.feasible_points == 32
    assert found.best_params["x"] == 134217729


def test_large_amounts_are_no_digits() -> None:
    """A count of 6e23 operations is used to a part in 1e9, and goes into the solver."""

    def operations(params: Params) -> Params:
        return {"work": 6 * 10**14 * params["x"] ** 3, "time": 6 * 10**14 * params["x"] / 1e15}

    found = DSE({"x": range(1, 1000)}, "maximize: work", ["time <= 300"]).search(operations)
    assert (found.method, found.best_params) == ("cp-sat", {"x": 500})
