"""The designs of an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlsysim.errors import UnknownNameError, suggest
from mlsysim.results.jsonable import jsonable


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
class Candidate(_Parts):
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
    result: Any

    _KEYS = ("params", "objective_value", "result")
    _WHAT = "a candidate"


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoPoint(_Parts):
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
    result: Any

    _KEYS = ("params", "objective_values", "result")
    _WHAT = "a point of a front"
