"""One choice of a design: a name and the finite values that it may take."""

import keyword
import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.errors import SpaceError
from mlsysim.numeric import plain
from mlsysim.problem.wording import listed
from mlsysim.units import is_quantity

_RESERVED = ("true", "false", "feasible")
EXACT = 2**53
"""Whole numbers are exact up to this size; beyond it a float64 skips some of them."""

_SHOWN = 8
_WRITTEN_OUT = 128
"""Whole numbers of fewer bits are written out in messages."""


def label(value: Any) -> str:
    """Name a value of a choice for people: its ``name`` if it has one, else its text.

    Examples
    --------
    >>> label("fp16"), label(8)
    ('fp16', '8')
    """
    if isinstance(value, str):
        return value
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else str(value)


@dataclass(frozen=True)
class Domain(Sequence[Any]):
    """The finite values of one choice, in the order in which they were given.

    Parameters
    ----------
    name
        The name of the choice; an identifier, because constraints mention it.
    values
        A list, tuple, range or one-dimensional NumPy array of numbers,
        strings, booleans or objects.  A range stays a range: nothing is
        expanded, so it may be as long as it likes.

    Raises
    ------
    SpaceError
        If the name is no identifier, or the values are empty, repeated, not
        finite, unordered, numbers mixed with anything else, or whole numbers
        beyond 2**53 in size, which not every reading can tell apart.

    Examples
    --------
    >>> Domain("tp", [1, 2, 4, 8]).array(1, 3)
    array([2., 4.])
    """

    name: str
    values: Any  # a tuple or a range, once made
    is_numeric: bool = field(init=False, repr=False, compare=False)
    _positions: Mapping[Any, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values and bring NumPy scalars to Python numbers."""
        _check_name(self.name)
        values = _as_sequence(self.name, self.values)
        positions: Mapping[Any, int] = {}
        if isinstance(values, tuple):
            positions = _positions(self.name, values)
            _check_kinds(self.name, values)
        object.__setattr__(self, "values", values)
        numeric = isinstance(values[0], (bool, int, float)) and None not in positions
        object.__setattr__(self, "is_numeric", numeric)
        object.__setattr__(self, "_positions", positions)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __contains__(self, value: object) -> bool:
        try:
            self.index(value)
        except SpaceError:
            return False
        return True

    @property
    def is_boolean(self) -> bool:
        """Whether every value is a truth value, or `None` beside them."""
        return any(isinstance(value, bool) for value in self.values[:2])

    @cached_property
    def is_integer(self) -> bool:
        """Whether every value is a whole number of type `int` (truth values are not)."""
        if isinstance(self.values, range):
            return True
        kinds = set(map(type, self.values))  # far quicker than asking each value
        return all(issubclass(kind, int) and kind is not bool for kind in kinds)

    @property
    def labels(self) -> tuple[str, ...]:
        """The values as people read them."""
        return tuple(label(value) for value in self.values)

    def array(self, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        """Give a slice of the values as numbers; truth values become 0 and 1.

        Parameters
        ----------
        start
            Position of the first value.
        stop
            Position after the last value; the end where it is left out.

        Raises
        ------
        SpaceError
            If the values are not numbers.
        """
        if not self.is_numeric:
            raise SpaceError(f"choice {self.name!r} has no numbers to make an array of")
        part = self.values[start:stop]
        if isinstance(part, range):
            return np.arange(part.start, part.stop, part.step, dtype=np.float64)
        return np.array(part, dtype=np.float64)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Find the position of a value.

        Raises
        ------
        SpaceError
            If the value is not among the choices.
        """
        position = self._position(plain(value))
        if position is None or position < start or (stop is not None and position >= stop):
            raise SpaceError(
                f"{self.name!r} = {label(value)} is not among its choices: "
                f"{_shortened(self.values)}"
            )
        return position

    def _position(self, value: Any) -> int | None:
        if value is not None and isinstance(value, bool) != self.is_boolean:
            return None
        if isinstance(self.values, range):
            whole = isinstance(value, (int, float)) and value == math.floor(value)
            return self.values.index(int(value)) if whole and int(value) in self.values else None
        try:
            return self._positions.get(value)
        except TypeError:  # unhashable, hence not among them
            return None


def _shortened(values: Sequence[Any]) -> str:
    shown = [label(value) for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        shown += ["...", label(values[-1])]
    return ", ".join(shown)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise SpaceError(f"the name of a choice must be a string, not {name!r}")
    if not name.isidentifier():
        fixed = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")
        proposal = fixed if fixed.isidentifier() else f"choice_{fixed}".rstrip("_")
        raise SpaceError(
            f"choice {name!r}: the name must be an identifier, because constraints mention it; "
            f"write {proposal!r}"
        )
    if keyword.iskeyword(name) or name in _RESERVED:
        raise SpaceError(f"choice {name!r}: the word is reserved; write {name + '_'!r}")


def _as_sequence(name: str, values: Any) -> Sequence[Any]:
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise SpaceError(
                f"choice {name!r} is an array of {values.ndim} dimensions; a choice is a list of "
                "values: write array.ravel()"
            )
        values = values.tolist()
    elif isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise SpaceError(f"choice {name!r} is a single value; write {name!r}: [{values!r}]")
    elif isinstance(values, (AbstractSet, Mapping)):
        raise SpaceError(
            f"choice {name!r} is a {type(values).__name__}, which has no order of values; "
            f"write a list: {name!r}: [{listed(list(map(repr, values)))}]"
        )
    elif not hasattr(values, "__len__"):
        raise SpaceError(
            f"choice {name!r} is a {type(values).__name__}, which may never end; "
            f"write {name!r}: list(...)"
        )
    # A range may be longer than len() can tell.
    if not values if isinstance(values, range) else len(values) == 0:
        raise SpaceError(f"choice {name!r} has no values; give at least one")
    if isinstance(values, range):
        _check_exact(name, max(values[0], values[-1], key=abs))
        return values
    return tuple(map(plain, values))


def _positions(name: str, values: tuple[Any, ...]) -> dict[Any, int]:
    positions: dict[Any, int] = {}
    for position, value in enumerate(values):
        _check_value(name, position, value)
        try:
            first = positions.setdefault(value, position)
        except TypeError:
            raise SpaceError(
                f"choice {name!r}: value {position + 1} is a {type(value).__name__}, which cannot "
                "be told from its peers; write frozen values, e.g. a tuple or a catalogue record"
            ) from None
        if first != position and isinstance(value, bool) == isinstance(values[first], bool):
            raise SpaceError(
                f"choice {name!r} lists {label(value)} twice (values {first + 1} and "
                f"{position + 1}); leave one out"
            )
    return positions


def _check_value(name: str, position: int, value: Any) -> None:
    number = value.magnitude if is_quantity(value) else value
    if isinstance(number, complex) or (isinstance(number, float) and not math.isfinite(number)):
        raise SpaceError(
            f"choice {name!r}: value {position + 1} is {value}, not a finite number; leave it out"
        )
    if isinstance(value, int):
        _check_exact(name, value)


def _check_exact(name: str, value: int) -> None:
    if abs(value) > EXACT:
        size = f"{value:,}" if value.bit_length() < _WRITTEN_OUT else f"{value.bit_length()} bits"
        raise SpaceError(
            f"choice {name!r} reaches {size}, but whole numbers are exact only up to "
            f"2**53 = {EXACT:,}; count in a larger unit, e.g. in thousands"
        )


def _check_kinds(name: str, values: tuple[Any, ...]) -> None:
    kinds: dict[str, Any] = {}
    for value in values:
        kinds.setdefault(_kind(value), value)
    # None stands beside anything: it is the default of an argument that has no value of its own.
    others = {kind: value for kind, value in kinds.items() if kind != "None"}
    if len(others) > 1:
        described = " with ".join(f"{kind} ({label(value)})" for kind, value in others.items())
        raise SpaceError(f"choice {name!r} mixes {described}; make them all of one kind")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth values"
    if isinstance(value, (int, float)):
        return "numbers"
    if value is None:
        return "None"
    return "strings" if isinstance(value, str) else "objects"
