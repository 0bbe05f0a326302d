"""Constraints on choices that are no numbers, answered by the solver and by the reference."""

from collections.abc import Mapping
from typing import Any

import pytest

from mlsysim import select
from mlsysim.catalog import Systems
from mlsysim.core.dse import DSE

CHIPS = [Systems.Accelerators.H100_SXM, Systems.Accelerators.A100_80GB_SXM]


def cost(params: Mapping[str, Any]) -> dict[str, Any]:
    """Prefer the first string and the smaller number; the chip does not matter."""
    return {"cost": select(params["mode"], {"eager": 1, "lazy": 2}) * params["x"]}


@pytest.mark.parametrize(
    ("constraint", "best"),
    [
        ("mode == 'lazy'", ("lazy", 1, "H100_SXM")),
        ("'lazy' == mode", ("lazy", 1, "H100_SXM")),
        ("mode != 'eager'", ("lazy", 1, "H100_SXM")),
        ("mode == 'eager'", ("eager", 1, "H100_SXM")),
        ("chip == 'A100_80GB_SXM'", ("eager", 1, "A100_80GB_SXM")),
        ("chip != 'H100_SXM'", ("eager", 1, "A100_80GB_SXM")),
    ],
)
@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_choice_is_compared_with_a_text(
    method: str, constraint: str, best: tuple[str, int, str]
) -> None:
    """A string is compared by itself and an object by its name, traced or not."""
    space = {"mode": ["eager", "lazy"], "x": [1, 2], "chip": CHIPS}
    found = DSE(space, "minimize: cost", [constraint]).search(cost, method=method)
    params = found.best_params
    assert (params["mode"], params["x"], params["chip"].name) == best
