"""What an argument of a stage may be: the check, and the same in words."""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import NoneType
from typing import Any, get_args

from mlsysim.catalog.cluster import Cluster
from mlsysim.errors import ParameterError, UnknownNameError, suggest
from mlsysim.stages.arguments import (
    check_flag,
    check_number,
    check_option,
    check_precision,
    check_record,
    check_whole,
    in_unit,
)
from mlsysim.stages.mapping import mapped

_WORDS = {int: "whole number", float: "number", str: "text", NoneType: "", Any: "amount"}

_JSON = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _most(most: float) -> dict[str, Any]:
    return {} if most == math.inf else {"maximum": most}


class ArgumentDomain(ABC):
    """A set of values; ``str`` gives it in words."""

    def read(self, name: str, value: Any) -> Any:
        """Refuse a plain value that is not in it, and give the value as formulas take it.

        Parameters
        ----------
        name
            The argument, for messages.
        value
            What it was given: plain, an array or a traced value.

        Raises
        ------
        ParameterError
            If it is not in the domain.
        """
        self._check(name, value)
        return value

    def schema(self) -> dict[str, Any]:
        """Give what a question file may hold for it, as JSON Schema; anything unless told."""
        return {}

    @abstractmethod
    def _check(self, name: str, value: Any) -> None: ...


@dataclass(frozen=True)
class Whole(ArgumentDomain):
    """Whole numbers of a range."""

    least: int = 1
    most: float = math.inf

    def _check(self, name: str, value: Any) -> None:
        check_whole(name, value, least=self.least, most=self.most)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        return {"type": "integer", "minimum": self.least} | _most(self.most)

    def __str__(self) -> str:
        return f"from {self.least}" if self.most == math.inf else f"{self.least} to {self.most:g}"


@dataclass(frozen=True, kw_only=True)
class Number(ArgumentDomain):
    """Numbers of a range; `above` excludes the least."""

    least: float = 0.0
    most: float = math.inf
    above: bool = False

    def _check(self, name: str, value: Any) -> None:
        check_number(name, value, least=self.least, most=self.most, above=self.above)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        least = "exclusiveMinimum" if self.above else "minimum"
        return {"type": "number", least: self.least} | _most(self.most)

    def __str__(self) -> str:
        start = f"above {self.least:g}" if self.above else f"from {self.least:g}"
        return start if self.most == math.inf else f"{start} to {self.most:g}"


@dataclass(frozen=True)
class Measure(ArgumentDomain):
    """Plain numbers in a unit, or amounts of its dimension, which are read in that unit."""

    unit: str
    _: KW_ONLY
    above: bool = False

    def read(self, name: str, value: Any) -> Any:
        """Give the number in the unit."""
        return mapped(functools.partial(self._number, name), value)

    def _check(self, name: str, value: Any) -> None:
        check_number(name, value, above=self.above)

    def _number(self, name: str, value: Any) -> Any:
        found = in_unit(name, value, self.unit)
        self._check(name, found)
        return found

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        least = "exclusiveMinimum" if self.above else "minimum"
        return {"anyOf": [{"type": "number", least: 0}, {"type": "string", "minLength": 2}]}

    def __str__(self) -> str:
        return "above 0" if self.above else "from 0"


@dataclass(frozen=True)
class Prices(Measure):
    """A price for everything, or prices by the names of records, from 0."""

    known: Mapping[str, Any] = field(default_factory=dict)

    def read(self, name: str, value: Any) -> Any:
        """Give the numbers in the unit."""
        if not isinstance(value, Mapping):
            return super().read(name, value)
        for key in value:
            if key not in self.known:
                raise ParameterError(f"{name} names {key!r}{suggest(key, self.known)}")
        return {key: super(Prices, self).read(name, price) for key, price in value.items()}

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        price = super().schema()
        table = {"type": "object", "additionalProperties": price, "minProperties": 1}
        return {"anyOf": [*price["anyOf"], table]}

    def __str__(self) -> str:
        return "from 0, alone or by name"


@dataclass(frozen=True)
class Flag(ArgumentDomain):
    """True or false."""

    def _check(self, name: str, value: Any) -> None:
        check_flag(name, value)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        return {"type": "boolean"}

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Options(ArgumentDomain):
    """One of a few names or numbers."""

    values: Collection[str | int]

    def _check(self, name: str, value: Any) -> None:
        check_option(name, value, self.values)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        return {"enum": [item if isinstance(item, int) else str(item) for item in self.values]}

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Arithmetic(ArgumentDomain):
    """A precision of arithmetic; `kept` names the argument for formats of weights, if any."""

    values: tuple[str, ...]
    kept: str = ""

    def _check(self, name: str, value: Any) -> None:
        check_precision(name, value, self.values, kept=self.kept)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        return {"enum": [*map(str, self.values)]}

    def __str__(self) -> str:
        return ", ".join(self.values)


@dataclass(frozen=True)
class Entry(ArgumentDomain):
    """A record of the catalogue, or one that the user made."""

    kinds: tuple[type[Any], ...]

    def _check(self, name: str, value: Any) -> None:
        check_record(name, value, *self.kinds)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema: a name, or a cluster by its nodes and fabric."""
        if Cluster not in self.kinds:
            return {"type": "string"}
        parts = {
            "node": {"type": "string"},
            "nodes": {"type": "integer", "minimum": 1},
            "fabric": {"type": "string"},
        }
        others = {
            "name": {"type": "string"},
            "pod_accelerators": {"type": "integer", "minimum": 0},
            "oversubscription": {"type": "number", "minimum": 1},
        }
        table = {
            "type": "object",
            "properties": parts | others,
            "required": [*parts],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string"}, table]}

    def __str__(self) -> str:
        return " or ".join(kind.__name__ for kind in self.kinds)


@dataclass(frozen=True)
class Named(ArgumentDomain):
    """A record by its name in a part of the catalogue, or one that the user made."""

    tree: Mapping[str, Any]
    kind: type[Any]

    def _check(self, name: str, value: Any) -> None:
        if isinstance(value, str) and value not in self.tree:
            near = suggest(value, self.tree) or f"; known: {', '.join(self.tree)}"
            raise UnknownNameError(f"{name} is {value!r}, which is not in the catalogue{near}")
        if not isinstance(value, str):
            check_record(name, value, self.kind)

    def schema(self) -> dict[str, Any]:
        """Give it as JSON Schema."""
        return {"type": "string", "examples": [*self.tree]}

    def __str__(self) -> str:
        return ", ".join(self.tree)


@dataclass(frozen=True)
class Typed(ArgumentDomain):
    """Values of a type, of which a stage without a record checks the rest itself."""

    kind: Any

    def schema(self) -> dict[str, Any]:
        """Tell numbers, flags and text apart; what a text stands for is the catalogue's to say."""
        kinds = get_args(self.kind) or (self.kind,)
        types = {_JSON.get(kind, "") for kind in kinds if kind is not NoneType}
        return {} if "" in types else {"type": sorted(types)}

    def _check(self, name: str, value: Any) -> None: ...

    def __str__(self) -> str:
        kinds = get_args(self.kind) or (self.kind,)
        names = (_WORDS.get(kind, getattr(kind, "__name__", str(kind))) for kind in kinds)
        return " or ".join(dict.fromkeys(filter(None, names)))


@dataclass(frozen=True)
class Checked(ArgumentDomain):
    """Whatever passes a check of its own, which is described in words."""

    check: Callable[[str, Any], None]
    words: str

    def _check(self, name: str, value: Any) -> None:
        self.check(name, value)

    def __str__(self) -> str:
        return self.words
