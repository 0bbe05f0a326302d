"""Numbers of a question file that can be moved, and the round values that a slider takes."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import floor, log10

from mlsysim.live.editing import Place
from mlsysim.problem.relation import Relation
from mlsysim.results.formatting import number

_MANTISSAS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_REACH = 30.0
_BELOW = {Relation.AT_MOST, Relation.LESS}
_ABOVE = {Relation.AT_LEAST, Relation.GREATER}


@dataclass(frozen=True, kw_only=True)
class Dial:
    """One number of the file.

    Parameters
    ----------
    place
        Where it stands.
    name
        What people call it.
    value
        The number.
    unit
        Its unit as it is written; may be empty.
    left, relation
        Of a requirement: what is limited, and how; nothing otherwise.
    is_whole
        Whether it counts something.
    """

    place: Place
    name: str
    value: float
    unit: str = ""
    left: str = ""
    relation: Relation | None = None
    is_whole: bool = False

    @property
    def scale(self) -> tuple[float, ...]:
        """The values that a slider goes through, its own among them; none around zero."""
        return around(self.value, whole=self.is_whole)

    def shown(self, value: float) -> str:
        """Write a value for people."""
        text = f"{number(int(value) if value == int(value) else value)} {self.unit}".strip()
        return text if self.relation is None else f"{self.relation} {text}"

    def written(self, value: float) -> str | int | float:
        """Write a value for the file, in place of the one that stands there."""
        plain = int(value) if self.is_whole or value == int(value) else value
        if self.relation is not None:
            return f"{self.left} {self.relation} {plain!r} {self.unit}".strip()
        return f"{plain!r} {self.unit}" if self.unit else plain

    def reaching(self, value: float) -> float:
        """Round a value of what is limited to four digits, so that the limit lets it through.

        Examples
        --------
        >>> pace = Dial(place=(), name="pace", value=1e6, relation=Relation.AT_LEAST)
        >>> pace.reaching(595_463.1)
        595400.0
        """
        if self.relation not in _BELOW | _ABOVE or not value:
            return value
        exact = Decimal(value)
        step = Decimal(1).scaleb(exact.adjusted() - 3)
        upward = self.relation in _BELOW
        rounded = exact.quantize(step, rounding=ROUND_CEILING if upward else ROUND_FLOOR)
        if rounded == exact and self.relation in (Relation.LESS, Relation.GREATER):
            rounded += step if upward else -step
        return float(rounded)


def around(value: float, *, whole: bool = False) -> tuple[float, ...]:
    """Give the round numbers from a thirtieth of a number to thirty times it, and itself.

    Examples
    --------
    >>> around(8, whole=True)[:6]
    (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    """
    if not value:
        return ()
    size = abs(value)
    first, last = floor(log10(size / _REACH)), floor(log10(size * _REACH))
    found = {float(f"{m}e{power}") for power in range(first, last + 1) for m in _MANTISSAS}
    inside = {item for item in found if size / _REACH <= item <= size * _REACH} | {float(size)}
    if whole:
        inside = {item for item in inside if item == int(item)}
    return tuple(sorted(item if value > 0 else -item for item in inside))
