"""Metric paths lead through what an evaluator returned, and to nothing else."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mlsysim.core.dse import DSE
from mlsysim.errors import ConstraintError, MetricError
from mlsysim.problem.metrics import MISSING, find


class Inner:
    """A part of a result, with a number and a method."""

    def __init__(self, load: float) -> None:
        self.load = load

    def double(self) -> float:
        """Give twice the load."""
        return 2 * self.load


def evaluate(params: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate a design to a number, an object, a module and a class."""
    return {
        "cost": 2.0 * params["x"],
        "inner": Inner(params["x"]),
        "parts": [{"load": params["x"]}],
        "module": math,
        "kind": Inner,
    }


@pytest.mark.parametrize(
    "path",
    [
        "inner.__class__",
        "inner.__class__.__init__.__globals__",
        "inner._hidden",
        "inner.double.__self__",
        "inner.double.real",
        "cost.real",
        "cost.as_integer_ratio",
        "module.pi",
        "kind.double",
        "parts.append",
        "parts.1.load",
    ],
)
def test_nothing_else_is_reached(path: str) -> None:
    """The message proposes metrics alone."""
    explorer = DSE({"x": [1, 2, 3]}, "maximize: cost", [f"{path} <= 1"])
    with pytest.raises(MetricError, match=r"metric '.*' (does not exist|is a method)") as told:
        explorer.search(evaluate)
    proposed = str(told.value).partition("does not exist")[2]
    assert "_" not in proposed
    assert "double" not in proposed


@pytest.mark.parametrize(("path", "value"), [("inner.load", 3), ("parts.0.load", 3), ("cost", 6.0)])
def test_what_was_returned_is_reached(path: str, value: float) -> None:
    """Keys, attributes, and positions in a list."""
    assert find(evaluate({"x": 3}), path) == value
    assert find(evaluate({"x": 3}), f"{path}.x") is MISSING


@pytest.mark.parametrize(
    ("written", "best"),
    [
        (f"cost <= {np.float64(4.5)!r}", 2),
        (f"x == {np.int64(1)!r}", 1),
        (f"x <= {np.uint8(2)!r} * {np.float32(1.0)!r}", 2),
        (f"x >= {np.float64(-3.5)!r}", 3),
        ("cost <= numpy.float64(4.0)", 2),
        (f"x <= {np.True_!r}", 1),
        (f"x <= np.{'True_'}", 1),
    ],
    ids=range(7),
)
def test_what_numpy_prints_for_a_number_is_that_number(written: str, best: int) -> None:
    """A constraint written with an f-string and ``!r`` says what its author meant."""
    assert DSE({"x": [1, 2, 3]}, "maximize: cost", [written]).search(evaluate).best_params == {
        "x": best
    }


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (" + ".join(["x"] * 10_000) + " <= 1", r"has 40,002 characters, and 20,000 is the most"),
        (" + ".join(["x"] * 300) + " <= 1", r"more than 200 operations; compute a part of it"),
        ("x <= nan", "'nan' is no number to calculate with; write one"),
        ("x <= np.float64(nan)", "holds no number; write one"),
        ("x <= " + "9" * 5001, r"the number 9+ .* is too large"),
        ("x <= " + "9" * 3000, r"the number 9+ .* is too large"),
        ("x" + ".x" * 50 + " <= 1", "has more than 16 parts"),
    ],
    ids=range(7),
)
def test_expressions_have_limits(written: str, told: str) -> None:
    """Each says how much is too much, in a message of its own bounded length."""
    with pytest.raises(ConstraintError, match=told) as error:
        DSE({"x": [1, 2, 3]}, "maximize: cost", [written])
    assert len(str(error.value)) < 1_000


def test_as_many_operations_as_are_allowed_can_be_evaluated() -> None:
    """No limit of Python's is met below our own, whichever way answers."""
    text = " + ".join(["x"] * 200)
    explorer = DSE({"x": [1, 2, 3]}, "maximize: cost", [f"{text} <= 400"])
    for method in ("cp-sat", "exhaustive"):
        assert explorer.search(lambda p: {"cost": p["x"]}, method=method).best_params == {"x": 2}
