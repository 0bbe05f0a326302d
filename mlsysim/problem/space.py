"""The space of designs: every combination of the values of a few choices."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mlsysim.errors import SpaceError, suggest
from mlsysim.markup import table
from mlsysim.problem.domain import Domain, label

__all__ = ["Domain", "SearchSpace"]

# Values of a choice that a table shows, before it only counts the rest.
_SHOWN = 12


class SearchSpace(Mapping[str, Domain]):
    """An ordered collection of choices, whose combinations are the designs.

    The designs are numbered in grid order: the last choice changes fastest.

    Parameters
    ----------
    choices
        Maps the name of each choice to its values (or to a `Domain`).

    Raises
    ------
    SpaceError
        If there is no choice, or one is malformed.

    Examples
    --------
    >>> space = SearchSpace({"tp": [1, 2, 4], "precision": ["fp16", "fp8"]})
    >>> space.size, space.point(3)
    (6, {'tp': 2, 'precision': 'fp8'})
    """

    __slots__ = ("_domains", "_size")

    def __init__(self, choices: Mapping[str, Any]) -> None:
        if not isinstance(choices, Mapping):
            raise SpaceError(
                f"the space is a {type(choices).__name__}; write a dict of choices, "
                'e.g. {"tp": [1, 2, 4, 8]}'
            )
        if not choices:
            raise SpaceError('the space has no choices; write at least one, e.g. {"tp": [1, 2]}')
        self._domains = {
            name: Domain(name, values.values if isinstance(values, Domain) else values)
            for name, values in choices.items()
        }
        self._size = math.prod(len(domain.values) for domain in self._domains.values())

    def __getitem__(self, name: str) -> Domain:
        return self._domains[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._domains)

    def __len__(self) -> int:
        return len(self._domains)

    def __repr__(self) -> str:
        choices = {
            name: domain.values if isinstance(domain.values, range) else list(domain.values)
            for name, domain in self._domains.items()
        }
        return f"SearchSpace({choices!r})"

    def _repr_html_(self) -> str:
        rows = [(domain.name, _listed(domain), f"{len(domain):,}") for domain in self.domains]
        return table(("choice", "values", "how many"), rows, f"{self.size:,} designs")

    @property
    def size(self) -> int:
        """The number of designs."""
        return self._size

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the choices, in order."""
        return tuple(self._domains)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The choices, in order."""
        return tuple(self._domains.values())

    def point(self, index: int) -> dict[str, Any]:
        """Give the design at a position in grid order, as a new dict.

        Raises
        ------
        SpaceError
            If there is no such position.
        """
        if not 0 <= index < self._size:
            raise SpaceError(f"there is no design {index}; the space has {self._size}")
        values = []
        for domain in reversed(self.domains):
            index, position = divmod(index, len(domain))
            values.append(domain[position])
        return dict(zip(self._domains, reversed(values), strict=True))

    def index(self, params: Mapping[str, Any]) -> int:
        """Find the position of a design in grid order.

        Raises
        ------
        SpaceError
            If a choice is missing or unknown, or its value is not in the space.
        """
        for name in params:
            if name not in self._domains:
                raise SpaceError(f"{name!r} is not a choice{suggest(name, self._domains)}")
        position = 0
        for name, domain in self._domains.items():
            if name not in params:
                raise SpaceError(f"the design {dict(params)} gives no value for {name!r}")
            position = position * len(domain) + domain.index(params[name])
        return position


def _listed(domain: Domain) -> str:
    """Write the values of a choice, of many the first few and the last."""
    if len(domain) <= _SHOWN:
        return ", ".join(map(label, domain.values))
    return f"{', '.join(map(label, domain.values[: _SHOWN - 2]))}, ..., {label(domain.values[-1])}"
