"""The designs that come nearest to being feasible."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.problem.reading import Condition
from mlsysim.search.arrays.block_reading import Booleans, Floats
from mlsysim.search.arrays.layout import GridBlock
from mlsysim.search.verify import Point


@dataclass(frozen=True, kw_only=True, order=True)
class Near:
    """How far a design is from meeting the one requirement that it breaks.

    Parameters
    ----------
    waived
        How many conditions without numbers would have to be waived.
    excess
        How far the worst of the others would have to give.
    total
        How far all of them would have to give together.
    key
        The objective, negated where more is better.
    index
        The position in the grid.
    """

    waived: int
    excess: float
    total: float
    key: float
    index: int


class Nearest:
    """Keeps, for each requirement, the nearest of the designs that break it alone.

    Parameters
    ----------
    sign
        The factor that makes the objective one to be minimised.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._nearest: dict[str, Near] = {}

    def index(self, name: str) -> int | None:
        """Give the position of the design that comes nearest to a requirement."""
        near = self._nearest.get(name)
        return None if near is None else near.index

    def add_point(self, index: int, objective: float, point: Point) -> None:
        """Offer a design that breaks one requirement."""
        (name,) = point.violated
        conditions = () if point.reading is None else point.reading.conditions
        amounts = [
            float(_excess(condition))
            for condition in conditions
            if condition.relation and (condition.name, condition.reason) in point.broken
        ]
        self._offer(
            name,
            Near(
                waived=len(point.broken) - len(amounts),
                excess=max(amounts, default=0.0),
                total=sum(amounts),
                key=_or_infinity(self._sign * objective),
                index=index,
            ),
        )

    def add_impossible(self, name: str, index: int) -> None:
        """Offer a design that has no numbers: it breaks nothing but the one requirement."""
        self._offer(name, Near(waived=1, excess=0.0, total=0.0, key=math.inf, index=index))

    def add_block(
        self,
        name: str,
        block: GridBlock,
        objective: Floats,
        conditions: list[Condition],
        alone: Booleans,
    ) -> None:
        """Offer the designs of a block that break one requirement alone."""
        chosen = np.flatnonzero(alone)
        waived = np.zeros(len(chosen), dtype=np.int64)
        excess, total = np.zeros(len(chosen)), np.zeros(len(chosen))
        for condition in conditions:
            broken = ~condition.holds[chosen]
            if condition.relation is None:
                waived += broken
            else:
                amount = np.broadcast_to(_excess(condition), alone.shape)[chosen]
                amount = np.where(broken, amount, 0.0)
                excess = np.maximum(excess, amount)
                total += amount
        keys = np.nan_to_num(self._sign * objective[chosen], nan=math.inf, posinf=math.inf)
        best = np.lexsort((keys, total, excess, waived))[0]
        self._offer(
            name,
            Near(
                waived=int(waived[best]),
                excess=float(excess[best]),
                total=float(total[best]),
                key=float(keys[best]),
                index=block.index(int(chosen[best])),
            ),
        )

    def absorb(self, other: "Nearest") -> None:
        """Offer what was kept elsewhere."""
        for name, near in other._nearest.items():  # noqa: SLF001 - of the same class
            self._offer(name, near)

    def _offer(self, name: str, near: Near) -> None:
        known = self._nearest.get(name)
        if known is None or near < known:
            self._nearest[name] = near


def _excess(condition: Condition) -> Any:
    """How far a condition is from holding, relative to its right side; undefined is farthest."""
    if condition.relation is None:
        return 0.0
    with np.errstate(all="ignore"):
        scale = np.abs(condition.right)
        amount = condition.relation.excess(condition.left, condition.right)
        relative = np.asarray(amount) / np.where(scale > 0, scale, 1.0)
    return np.where(np.isfinite(np.asarray(relative, np.float64)), relative, np.inf)


def _or_infinity(value: float) -> float:
    return math.inf if math.isnan(value) else value
