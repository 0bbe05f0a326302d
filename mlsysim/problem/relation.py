"""The six ways in which a constraint compares its sides."""

from enum import StrEnum
from typing import Any, assert_never


class Relation(StrEnum):
    """A comparison of two sides.

    Comparing goes through operators alone, so that numbers, arrays and traced
    values are all compared in their own way.
    """

    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    NOT_EQUAL = "!="

    def holds(self, left: Any, right: Any) -> Any:
        """Compare two magnitudes that have the same unit."""
        match self:
            case Relation.LESS:
                return left < right
            case Relation.AT_MOST:
                return left <= right
            case Relation.GREATER:
                return left > right
            case Relation.AT_LEAST:
                return left >= right
            case Relation.EQUAL:
                return left == right
            case Relation.NOT_EQUAL:
                return left != right
            case _:
                assert_never(self)

    def excess(self, left: Any, right: Any) -> Any:
        """Tell how far the left side would have to move for the comparison to hold.

        The smaller the better; `Relation.NOT_EQUAL` has no distance and gives zero.
        """
        match self:
            case Relation.LESS | Relation.AT_MOST:
                return left - right
            case Relation.GREATER | Relation.AT_LEAST:
                return right - left
            case Relation.EQUAL:
                return abs(left - right)
            case Relation.NOT_EQUAL:
                return left * 0
            case _:
                assert_never(self)
