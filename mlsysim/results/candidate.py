"""The designs of an answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from mlsysim.errors import UnknownNameError, suggest
from mlsysim.frames import flat, frame
from mlsysim.results.jsonable import jsonable

if TYPE_CHECKING:
    from pandas import DataFrame
    from typing_extensions import TypeVar

    Result = TypeVar("Result", default=Any)
else:
    from typing import TypeVar

    Result = TypeVar("Result")


def frame_of(
    points: Iterable["Candidate | ParetoPoint"], goals: Sequence[str], units: Sequence[str]
) -> "DataFrame":
    """Make a table of designs: a row each, with choices, objectives and what the models report.

    Parameters
    ----------
    points
        The designs.
    goals, units
        The objectives, as columns, and their units.
    """
    rows, known = [], dict(zip(goals, units, strict=True))
    for point in points:
        row = {name: jsonable(value) for name, value in point.params.items()}
        row |= zip(goals, point.values_of_objectives, strict=True)
        told = jsonable(point.result)
        for path, value, unit in flat(told if isinstance(told, Mapping) else {}):
            row.setdefault(path, value)
            known.setdefault(path, unit)
        rows.append(row)
    return frame(rows, known)


class _Parts(Mapping[str, Any]):
    """A record that is also a mapping of its parts."""

    _KEYS: ClassVar[tuple[str, ...]]
    _WHAT: ClassVar[str]

    def __getitem__(self, key: str) -> Any:
        if key not in self._KEYS:
            raise UnknownNameError(f"{self._WHAT} has no {key!r}{suggest(str(key), self._KEYS)}")
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._KEYS)

    def __len__(self) -> int:
        return len(self._KEYS)

    def to_dict(self) -> dict[str, Any]:
        """Give the design as data that JSON can hold."""
        return {key: jsonable(self[key]) for key in self._KEYS}


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate(_Parts, Generic[Result]):
    """A design, re-evaluated on plain numbers; also a mapping of its three parts.

    Parameters
    ----------
    params
        Choice -> value.
    objective_value
        The objective, in its own unit.
    result
        What the evaluator returned.
    """

    params: Mapping[str, Any]
    objective_value: float
    result: Result

    @property
    def values_of_objectives(self) -> tuple[float, ...]:
        """The objective, as a front has several."""
        return (self.objective_value,)

    _KEYS = ("params", "objective_value", "result")
    _WHAT = "a candidate"


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoPoint(_Parts, Generic[Result]):
    """A design of a front, re-evaluated on plain numbers; also a mapping of its three parts.

    Parameters
    ----------
    params
        Choice -> value.
    objective_values
        The objectives in their order, each in its own unit.
    result
        What the evaluator returned.
    """

    params: Mapping[str, Any]
    objective_values: tuple[float, ...]
    result: Result

    @property
    def values_of_objectives(self) -> tuple[float, ...]:
        """The objectives."""
        return self.objective_values

    _KEYS = ("params", "objective_values", "result")
    _WHAT = "a point of a front"
