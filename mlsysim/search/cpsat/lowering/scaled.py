"""Real numbers as integers of CP-SAT: fixed point with a known error.

Every unit is a power of two, so that sums of differently scaled numbers need
no rounding at all.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError

# |expression| stays below this, so that products of two and sums of many fit 64 bits.
LARGEST = 1 << 58
# What is added up stays below this.
LARGEST_SUM = 1 << 61
# Floats hold every whole number up to this.
_EXACT = 1 << 53


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """A number that is `unit` times an integer expression, up to `slack`.

    For every design the model has an assignment in which the true value is
    within `slack` of ``unit * expression``; in all its assignments it is within `spread`.

    Parameters
    ----------
    expression
        Linear in the model's integer variables.
    low, high
        The range of the expression.
    unit
        A power of two.
    slack
        The largest distance from the true value, in some assignment of each design.
    spread
        The largest distance from it in any assignment, where the value is a number at all.
    weight
        What the sizes of all parts of the expression add up to, where that is more than
        its own: a weighted sum of literals of which one holds.

    Raises
    ------
    NotLowerableError
        If the expression does not fit the solver's integers.
    """

    expression: cp_model.LinearExprT
    low: int
    high: int
    unit: float = 1.0
    slack: float = 0.0
    spread: float = 0.0
    weight: int = 0

    def __post_init__(self) -> None:
        """Refuse what would overflow in the solver."""
        if max(self.size, self.weight) > LARGEST_SUM:
            raise NotLowerableError(f"{self.low} to {self.high} spans more than 61 bits")

    @property
    def size(self) -> int:
        """The largest absolute value of the expression."""
        return max(abs(self.low), abs(self.high), 1)

    @property
    def exact(self) -> bool:
        """Whether the expression can be the value itself."""
        return self.slack == 0.0

    @property
    def certain(self) -> bool:
        """Whether the expression is the value itself, whatever the assignment."""
        return self.spread == 0.0

    def times(self, factor: int) -> "Scaled":
        """Multiply by a whole number."""
        ends = (self.low * factor, self.high * factor)
        return replace(
            self,
            expression=factor * self.expression,
            low=min(ends),
            high=max(ends),
            slack=self.slack * abs(factor),
            spread=self.spread * abs(factor),
            weight=self.weight * abs(factor),
        )

    def finer(self, unit: float) -> "Scaled":
        """Write the same number in a smaller unit."""
        if not self.low == self.high == 0 and self.unit > unit * LARGEST_SUM:
            raise NotLowerableError("numbers of too different size meet in a sum")
        factor = round(min(self.unit / unit, LARGEST_SUM))  # for zero any factor will do
        return replace(self.times(factor), unit=unit, slack=self.slack, spread=self.spread)

    def rounded(self, size: int = 0, steps: int = 1) -> "Scaled":
        """Allow for the rounding of the float operations whose true result this is.

        Parameters
        ----------
        size
            The largest intermediate result, in this unit.
        steps
            The number of operations.
        """
        largest = max(size, self.size)
        if self.exact and largest <= _EXACT:
            return self
        error = steps * sys.float_info.epsilon * (largest * self.unit + self.slack)
        return self.off(error)

    def off(self, error: float) -> "Scaled":
        """Allow for an error, whatever the assignment."""
        return replace(self, slack=self.slack + error, spread=self.spread + error)


def power_of_two(wish: float) -> float:
    """Give the largest power of two that is at most a positive number.

    Raises
    ------
    NotLowerableError
        If the number is none: it was too large for a float.
    """
    if not math.isfinite(wish):
        raise NotLowerableError("numbers beyond the range of floats meet in a sum")
    return 2.0 ** math.floor(math.log2(wish))


def aligned(numbers: Sequence[Scaled]) -> list[Scaled]:
    """Write numbers in one unit: the finest among them."""
    unit = min(number.unit for number in numbers)
    return [number.finer(unit) for number in numbers]


def total(numbers: Sequence[Scaled]) -> Scaled:
    """Add numbers, exactly."""
    parts = aligned(numbers)
    return Scaled(
        expression=sum(part.expression for part in parts),
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
        unit=parts[0].unit,
        slack=sum(part.slack for part in parts),
        spread=sum(part.spread for part in parts),
        weight=sum(max(part.size, part.weight) for part in parts),
    )
