"""The rows of a job are the front of its designs, as trying all of them finds it."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from mlsysim.errors import InfeasibleError, ParameterError, UnitError
from mlsysim.plans.rows import rows_of
from mlsysim.units import quantity

SPACE = {"nodes": [1, 2, 3, 4], "layout": [1, 2, 4], "batch": [1, 2]}


def evaluate(params: Mapping[str, Any]) -> dict[str, Any]:
    """Lose what the layout leaves idle of the nodes, so that three are no quicker than two."""
    used = params["nodes"] // params["layout"] * params["layout"]
    rate = quantity(used * (1 + 0.1 * params["batch"]), "1/s")
    return {"run": {"rate": rate, "used": used}}


def test_rows_are_those_that_no_other_dominates() -> None:
    """Work of 12: seconds = 12 / rate, rounded up, of every design."""
    found = rows_of(SPACE, evaluate, ["run.used >= 1"], fleet="lab", work=12, rate="run.rate")
    designs = [dict(zip(SPACE, values, strict=True)) for values in product(*SPACE.values())]
    reached = {
        (params["nodes"], 12 / evaluate(params)["run"]["rate"].m)
        for params in designs
        if evaluate(params)["run"]["used"]
    }
    front = {
        (nodes, seconds)
        for nodes, seconds in reached
        if not any(n <= nodes and s <= seconds and (n, s) != (nodes, seconds) for n, s in reached)
    }
    assert [(row.nodes, row.seconds) for row in found] == sorted(
        (nodes, -int(-seconds // 1)) for nodes, seconds in front
    )


def test_a_job_without_a_design_says_why() -> None:
    """No layout uses five of four nodes."""
    with pytest.raises(InfeasibleError, match=r"run\.used >= 5"):
        rows_of(SPACE, evaluate, ["run.used >= 5"], fleet="lab", work=1, rate="run.rate")


def test_a_rate_is_per_time() -> None:
    """Work of 12 over a bare number is no duration."""
    with pytest.raises(UnitError, match=r"run\.used"):
        rows_of(SPACE, evaluate, fleet="lab", work=12, rate="run.used")


def test_the_choice_of_nodes_has_to_exist() -> None:
    """A misspelt name is refused."""
    with pytest.raises(ParameterError, match="'node'"):
        rows_of(SPACE, evaluate, fleet="lab", work=1, rate="run.rate", nodes="node")
