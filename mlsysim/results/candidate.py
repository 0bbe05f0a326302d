"""One design of an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.errors import UnknownNameError, suggest
from mlsysim.results.jsonable import jsonable

_KEYS = ("params", "objective_value", "result")


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate(Mapping[str, Any]):
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

    def __getitem__(self, key: str) -> Any:
        if key not in _KEYS:
            raise UnknownNameError(f"a candidate has no {key!r}{suggest(str(key), _KEYS)}")
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __len__(self) -> int:
        return len(_KEYS)

    def to_dict(self) -> dict[str, Any]:
        """Give the candidate as data that JSON can hold."""
        return {key: jsonable(self[key]) for key in _KEYS}
