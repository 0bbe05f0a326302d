"""Turn what evaluators return into data that JSON can hold."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlsysim.units import is_quantity, unit_of

_DEEPEST = 12


class JsonText(ABC):
    """What can be given as data that JSON can hold, and hence as text."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give it as data that JSON can hold."""

    def to_json(self, indent: int | None = 2) -> str:
        """Give it as JSON text.

        Parameters
        ----------
        indent
            Spaces per level; `None` for one line.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)


def jsonable(value: Any, depth: int = _DEEPEST) -> Any:
    """Convert a value to numbers, strings, lists and dicts.

    Quantities become ``{"value": ..., "unit": ...}``, catalogue objects their
    name, numbers that are not finite `None`; what has no better form becomes
    its text.

    Parameters
    ----------
    value
        Anything.
    depth
        How many levels may still follow; deeper ones become text.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _of_container(value, depth - 1) if depth > 0 else str(value)


def _of_container(value: Any, depth: int) -> Any:
    if is_quantity(value):
        return {"value": jsonable(value.magnitude, depth), "unit": unit_of(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, depth) for key, item in value.items()}
    if isinstance(value, (list, tuple, range, AbstractSet)) and not hasattr(value, "_asdict"):
        return [jsonable(item, depth) for item in value]
    return _of_object(value, depth)


def _of_object(value: Any, depth: int) -> Any:
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    if hasattr(value, "_asdict"):
        members = value._asdict()
    elif is_dataclass(value):
        members = {item.name: getattr(value, item.name) for item in fields(value)}
    else:
        members = {
            key: item
            for key, item in getattr(value, "__dict__", {}).items()
            if not key.startswith("_")
        }
    return jsonable(members, depth) if members else str(value)
