"""Evaluators that other processes can import, for the tests of executors."""

import os
import time
from collections.abc import Mapping
from typing import Any

from mlsysim.errors import Infeasible


class UnsendableError(Exception):
    """An exception that cannot be read from its own pickle."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


def gain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Take arrays: x is best at 700, y at 3; an odd x costs one."""
    x, y = params["x"], params["y"]
    return {"gain": 1000 - abs(x - 700) - 10 * (y - 3) ** 2 - x % 2, "load": x + 50 * y}


def black_box(params: Mapping[str, Any]) -> dict[str, Any]:
    """Take plain numbers only, a millisecond each; where x is a multiple of 5, nothing fits."""
    time.sleep(0.001)
    if params["x"] % 5 == 0:
        raise Infeasible("x is a multiple of 5")
    return gain(params)


def fails_late(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fail from x = 300 on, at each design with another message."""
    if params["x"] >= 300:
        raise ZeroDivisionError(f"at {params['x']}")
    return gain(params)


def fails_unsendably(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fail with what cannot be sent."""
    if params["x"] >= 300:
        raise UnsendableError("this", "that")
    return gain(params)


def dies_at_the_asker(params: Mapping[str, Any]) -> dict[str, Any]:
    """End the process at one design, unless it is the one that asks."""
    if params["x"] == 500 and str(os.getpid()) != os.environ["ASKER"]:
        os._exit(1)
    return black_box(params)
