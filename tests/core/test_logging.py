"""What a service's log has of a search."""

import logging
from typing import Any

import pytest

import mlsysim


def test_the_first_line_of_an_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With status, objective and effort; and why every design was evaluated, where it was."""

    def opaque(params: dict[str, Any]) -> dict[str, float]:
        return {"gain": float(str(params["x"]).count("1"))}

    caplog.set_level(logging.INFO, logger="mlsysim")
    explorer = mlsysim.DSE({"x": range(20)}, "maximize: gain")
    explorer.search(lambda params: {"gain": params["x"]})
    explorer.search(opaque)
    first, why, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("OPTIMAL (proven): maximize: gain = 19; 20 designs in")
    assert why.startswith("cannot be traced, so every design is evaluated: ")
    assert second.startswith("OPTIMAL (proven): maximize: gain = 2;")
