"""Call plain Python functions on catalogue records that may themselves be choices."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from mlsysim.expr.alternatives import Alternatives, combine

Given = ParamSpec("Given")
Read = TypeVar("Read")

_KEPT = 256


def mapped(function: Callable[..., Any], *values: Any) -> Any:
    """Call a function, once for every alternative where an argument is a choice.

    The function therefore sees real records and texts only, and may branch on
    them in plain Python.  The attributes of what it returns become look-up
    tables where they differ.
    """
    if any(isinstance(value, Alternatives) for value in values):
        return combine(function, *values)
    return function(*values)


def remembered(function: Callable[Given, Read]) -> Callable[Given, Read]:
    """Read the same records once: a search asks for them again at every design.

    Parameters
    ----------
    function
        Makes something frozen of records and texts, and of nothing else; a record is known
        again by what it says, so that one changed by `replace` is another.
    """
    kept = functools.lru_cache(maxsize=_KEPT, typed=True)(function)
    return cast("Callable[Given, Read]", kept)


def given_or(value: Any, default: Any) -> Any:
    """Give a value, or a default in its place where it is None; either may be a choice."""
    if value is None:
        return default
    return mapped(_given_or, value, default) if isinstance(value, Alternatives) else value


def _given_or(value: Any, default: Any) -> Any:
    return default if value is None else value
