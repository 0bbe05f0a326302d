"""The objectives of a front besides the first, with their units."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlsysim.problem.reading import resolver
from mlsysim.search.goals import Goals, vector
from mlsysim.search.verify import Point
from mlsysim.units import magnitude, quantity


class Others:
    """Reads the other objectives off blocks and points.

    Parameters
    ----------
    goals
        All objectives; nothing where only one is asked for.
    """

    def __init__(self, goals: Goals | None = None) -> None:
        self._goals = goals
        self._objectives = () if goals is None else goals.objectives[1:]
        self._units: list[str | None] = [None] * len(self._objectives)

    @property
    def units(self) -> list[str]:
        """The unit of each; empty where no design has settled it."""
        return [unit or "" for unit in self._units]

    @property
    def settled(self) -> tuple[str | None, ...]:
        """The unit of each; nothing where no design has settled it."""
        return tuple(self._units)

    def settle(self, units: Sequence[str | None]) -> None:
        """Take over the units that other designs have settled."""
        self._units = [own or unit for own, unit in zip(self._units, units, strict=True)]

    def of_result(self, params: Mapping[str, Any], result: Any) -> Iterator[tuple[str, Any]]:
        """Read what the evaluator returned for a block.

        Yields
        ------
        tuple
            Metric and magnitudes, in the unit of the whole search.
        """
        for place, objective in enumerate(self._objectives):
            value, own = objective.value(resolver(params, result))
            unit = self._settled(place, own)
            yield objective.metric, value if own == unit else magnitude(quantity(value, own), unit)

    def of_point(self, point: Point) -> list[float]:
        """Read a design on plain numbers; nothing where it is infeasible."""
        points = () if self._goals is None else self._goals.others(point)
        for place, other in enumerate(points):
            self._settled(place, "" if other.reading is None else other.reading.unit)
        return vector(points, self.units[: len(points)])

    def _settled(self, place: int, own: str) -> str:
        """Give the unit of an objective, which the first design settles."""
        unit = self._units[place]
        if unit is None:
            unit = self._units[place] = own
        return unit
