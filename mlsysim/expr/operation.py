"""What an operation of the language is: everything that anyone needs to know of it.

An `Operation` is one row with all its properties.  Its class is its *form*,
which decides how it is rearranged and how it goes into CP-SAT; whoever treats
forms differently matches on the class, never on a name.  No property has a
default: a row that leaves one out is not built, and tests compare each with
NumPy on random grids.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from mlsysim.expr.ranges import Range

Signs = tuple[int, ...]
"""Per argument 1 (nowhere negative), -1 (nowhere positive) or 0 (not known)."""

Wanted = tuple[Range | None, ...]
"""Per argument the range in which it must lie; nothing where any value will do."""


class Bend(Enum):
    """How a function of one number curves over a range of it."""

    LINEAR = "linear"
    CONVEX = "convex"
    CONCAVE = "concave"
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation.

    Parameters
    ----------
    name
        The name, which is NumPy's.
    compute
        The meaning, on floats and arrays.
    bound
        The range of the result from the ranges of the arguments.
    inverse
        What the result's range says about the arguments, from it and theirs; `None` where
        it says nothing.
    text
        A template for people, with ``{0}``, ``{1}`` for the arguments.
    moves
        How the result moves with each argument (1 rises, -1 falls, 0 neither for
        certain), from the signs of the arguments.
    sign
        The sign of the result, from the signs of the arguments.
    bend
        How the result curves with the first argument between two values of it, the others
        being constants.
    is_exact
        Whether every library rounds the result alike, to the float next to the true value.
    neutral
        Per argument the number that leaves the other one as it is; `None` where none does.
    """

    name: str
    compute: Callable[..., Any]
    bound: Callable[..., Range]
    inverse: Callable[..., Wanted] | None
    text: str
    moves: Callable[[Signs], Signs]
    sign: Callable[[Signs], int]
    bend: Callable[..., Bend]
    is_exact: bool
    neutral: tuple[float | None, ...]

    # Whether the result is a truth value.
    truth: ClassVar[bool] = False
    # Whether choices that meet in it stay blocks of their own: CP-SAT joins such
    # values by linear constraints and literals.
    keeps_blocks_apart: ClassVar[bool] = False

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.neutral)

    def reads_truth(self, _place: int) -> bool:
        """Tell whether an argument counts as true wherever it is not zero."""
        return False


@dataclass(frozen=True, kw_only=True)
class Sum(Operation):
    """A sum of the arguments, each times a coefficient of 1 or -1."""

    coefficients: Signs
    keeps_blocks_apart: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Product(Operation):
    """The product of two numbers."""


@dataclass(frozen=True, kw_only=True)
class Square(Operation):
    """The product of a number and itself."""


@dataclass(frozen=True, kw_only=True)
class Quotient(Operation):
    """The quotient of two numbers."""


class Part(Enum):
    """What is asked of a division with remainder."""

    COUNT = "count"
    REMAINDER = "remainder"


@dataclass(frozen=True, kw_only=True)
class Division(Operation):
    """A division with remainder: how often the divisor fits, or what is left."""

    part: Part


@dataclass(frozen=True, kw_only=True)
class Power(Operation):
    """A number to the power of another."""


@dataclass(frozen=True, kw_only=True)
class Curve(Operation):
    """A smooth function of one number that rises everywhere."""


@dataclass(frozen=True, kw_only=True)
class Rounding(Operation):
    """A whole number near the argument.

    Parameters
    ----------
    below, above
        The result less the argument is no smaller and no larger; it is never a whole 1 away.
    """

    below: float
    above: float


@dataclass(frozen=True, kw_only=True)
class Sign(Operation):
    """The sign of a number."""


@dataclass(frozen=True, kw_only=True)
class Absolute(Operation):
    """The distance of a number from zero."""


@dataclass(frozen=True, kw_only=True)
class Extreme(Operation):
    """The larger (1) or the smaller (-1) of two numbers."""

    way: int
    keeps_blocks_apart: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Selection(Operation):
    """One of two values, by a condition, which comes first."""

    def reads_truth(self, place: int) -> bool:
        """Tell whether an argument is the condition."""
        return place == 0


class Order(Enum):
    """How two numbers may compare, with its opposite."""

    LESS = "less"
    LESS_EQUAL = "less_equal"
    GREATER = "greater"
    GREATER_EQUAL = "greater_equal"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"

    @property
    def opposite(self) -> "Order":
        """The relation that holds where this one does not."""
        match self:
            case Order.LESS:
                return Order.GREATER_EQUAL
            case Order.LESS_EQUAL:
                return Order.GREATER
            case Order.GREATER:
                return Order.LESS_EQUAL
            case Order.GREATER_EQUAL:
                return Order.LESS
            case Order.EQUAL:
                return Order.NOT_EQUAL
            case Order.NOT_EQUAL:
                return Order.EQUAL


@dataclass(frozen=True, kw_only=True)
class ComparisonOperation(Operation):
    """Whether two numbers compare in some way."""

    relation: Order
    truth: ClassVar[bool] = True
    keeps_blocks_apart: ClassVar[bool] = True


class Connection(Enum):
    """How truth values make another."""

    ALL = "all"
    ANY = "any"
    ONE = "exactly one"
    NOT = "not"


@dataclass(frozen=True, kw_only=True)
class Connective(Operation):
    """Logic."""

    connection: Connection
    truth: ClassVar[bool] = True
    keeps_blocks_apart: ClassVar[bool] = True

    def reads_truth(self, _place: int) -> bool:
        """Tell that every argument counts as true wherever it is not zero."""
        return True
