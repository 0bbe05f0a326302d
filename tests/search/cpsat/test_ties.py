"""Among designs that are equally good the first in the grid is returned, as the reference does."""

import random
from typing import Any

import pytest

from mlsysim import DSE
from mlsysim.search.cpsat import minimize


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("top", [1, 4])
def test_ties_go_to_the_first_in_the_grid(seed: int, top: int) -> None:
    """Small whole coefficients make many ties; CP-SAT lists the same designs in the same order."""
    chosen = random.Random(seed)  # noqa: S311 - no secret
    space = {f"x{at}": range(1, chosen.randint(2, 6) + 1) for at in range(3)}
    a, b, c = (chosen.randint(0, 3) for _ in range(3))

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        x, y, z = params["x0"], params["x1"], params["x2"]
        return {"z": a * x + b * y + c * x * z - y * z}

    explorer = DSE(space, "minimize: z")
    answers = [
        [candidate.params for candidate in found.top_candidates]
        for found in (
            explorer.search(evaluate, method=method, top=top) for method in ("cp-sat", "exhaustive")
        )
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("top", [1, 5])
def test_ties_of_joint_questions(seed: int, top: int) -> None:
    """Jobs that share a limit, solved by blocks: the values of the list are the reference's.

    Each block keeps one row of equals, so that another design may stand for a value; every
    design that is listed has the value that is told, and none is listed twice.
    """
    chosen = random.Random(seed)  # noqa: S311 - no secret
    space = {f"{job}{at}": range(chosen.randint(2, 3)) for job in "ab" for at in range(2)}
    a, b, c, d = (chosen.randint(0, 2) for _ in range(4))

    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        first = a * params["a0"] + b * params["a1"] - params["a0"] * params["a1"]
        second = c * params["b0"] + d * params["b1"] - params["b0"] * params["b1"]
        return {"z": first + second, "used": params["a0"] + params["a1"] + params["b0"]}

    explorer = DSE(space, "minimize: z", {"shared": f"used <= {chosen.randint(0, 4)}"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minimize, "WALK", 1)
        solved = explorer.search(evaluate, method="cp-sat", top=top)
    walked = explorer.search(evaluate, method="exhaustive", top=top)
    assert solved.statistics.solver["rows"] > 0  # it went by blocks
    values = [found.objective_value for found in solved.top_candidates]
    designs = [tuple(found.params.values()) for found in solved.top_candidates]
    assert values == [found.objective_value for found in walked.top_candidates]
    assert len(set(designs)) == len(designs)
    for found in solved.top_candidates:
        told = evaluate(dict(found.params))
        assert told["z"] == found.objective_value
