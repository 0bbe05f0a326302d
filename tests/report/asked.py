"""A small question with every kind of content: what the tests of reports ask."""

from collections.abc import Mapping
from typing import Any

from mlsysim import maximum, quantity
from mlsysim.core.dse import DSE
from mlsysim.problem.verdict import Check


class Machine:
    """A stage's result that tells all that a report can hold."""

    accuracy = "within 5 % of 12 runs"

    def __init__(self, wide: Any, deep: Any) -> None:
        self.work = quantity(960.0 / wide / maximum(deep, 1), "ms")
        self.talk = quantity(7.5 * (wide - 1) + 2.5 * (deep - 1), "ms")
        self.step = self.work + self.talk
        self.used = quantity(64.0 / (wide * deep) + 3.0, "GB")
        self.memory_capacity = quantity(40.0, "GB")
        self.rate = 1.0 / self.step.to("s")
        self.checks = {
            "memory": Check.at_most(self.used, self.memory_capacity),
            "even": Check.that(64 % (wide * deep) == 0),
        }
        self._sizes = {"wide": wide, "deep": deep}

    def time_breakdown(self) -> Mapping[str, Any]:
        """Give the two parts of a step."""
        return {"work": self.work, "talk": self.talk}

    def memory_breakdown(self) -> Mapping[str, Any]:
        """Give the parts of the memory."""
        return {"weights": self.used - quantity(3.0, "GB"), "reserve": quantity(3.0, "GB")}

    def layout_arithmetic(self) -> str:
        """Write the machine as a product."""
        return f"{self._sizes['wide'] * self._sizes['deep']} = wide x deep"


def machine(params: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate a design."""
    return {"machine": Machine(params["wide"], params["deep"])}


SPACE = {"wide": [1, 2, 3, 4, 8], "deep": [1, 2, 4, 8], "kind": ["only"]}
GOAL = "maximize: machine.rate"

FOUND = DSE(SPACE, GOAL, {"step": "machine.step <= 90 ms"})
IMPOSSIBLE = DSE(SPACE, GOAL, {"step": "machine.step <= 5 ms"})
