"""How a search ended."""

from enum import StrEnum
from typing import assert_never


class Status(StrEnum):
    """How a search ended; each value compares equal to its name in text."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNKNOWN = "UNKNOWN"

    @property
    def meaning(self) -> str:
        """What the status says, in one phrase."""
        match self:
            case Status.OPTIMAL:
                return "proven: no design is better"
            case Status.FEASIBLE:
                return "not proven: stopped before every design was accounted for"
            case Status.INFEASIBLE:
                return "proven: no design meets every requirement"
            case Status.UNKNOWN:
                return "stopped before any feasible design was found"
            case _:
                assert_never(self)
