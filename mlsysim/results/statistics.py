"""What a search did to get its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a proof, or a bound, rests on.

    Parameters
    ----------
    method
        ``"cp-sat"`` or ``"branch-and-bound"``.
    boxes
        The boxes of designs that were bounded by branch and bound.
    designs
        The designs that were evaluated exactly.
    solves, variables, constraints
        The runs of CP-SAT, and the size of its last model.
    branches, conflicts
        What CP-SAT did in all runs.
    bound
        No design is better than this, in the objective's own unit and sense; `None` where
        nothing is known, or there is no design.
    """

    method: str
    boxes: int = 0
    designs: int = 0
    solves: int = 0
    variables: int = 0
    constraints: int = 0
    branches: int = 0
    conflicts: int = 0
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Counts and times of one search.

    Parameters
    ----------
    grid_size
        The number of designs in the space.
    points_evaluated
        How many of them were evaluated, in blocks or one by one.
    feasible_points
        How many of those meet every requirement; `None` where they were not counted.
    undefined
        How many of the evaluated designs are infeasible for nothing but numbers
        that are not finite (`mlsysim.search.verify`); `None` where they were not counted.
    rejected
        Requirement -> how many of the evaluated designs break it (a design may
        break several).
    seconds
        Phase -> seconds; ``total`` is the whole search.
    solver
        The solver's own counters.
    fallback_reason
        Why another method answered than the one asked for.
    proof
        What the answer rests on, where it is not that every design was evaluated.
    stopped_by
        ``"time limit"`` or ``"interrupt"``, where the search was cut short.
    extra
        Whatever else the method has to tell, by name.
    """

    grid_size: int
    points_evaluated: int = 0
    feasible_points: int | None = None
    undefined: int | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    solver: Mapping[str, Any] = field(default_factory=dict)
    fallback_reason: str | None = None
    proof: Proof | None = None
    stopped_by: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        """The time of the whole search."""
        return self.seconds.get("total", sum(self.seconds.values()))
