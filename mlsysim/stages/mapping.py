"""Call plain Python functions on catalogue records that may themselves be choices."""

from collections.abc import Callable
from typing import Any

from mlsysim.expr.alternatives import Alternatives, combine


def mapped(function: Callable[..., Any], *values: Any) -> Any:
    """Call a function, once for every alternative where an argument is a choice.

    The function therefore sees real records and texts only, and may branch on
    them in plain Python.  The attributes of what it returns become look-up
    tables where they differ.

    Parameters
    ----------
    function
        Reads records, e.g. into a frozen dataclass of plain numbers.
    values
        Its arguments.
    """
    if any(isinstance(value, Alternatives) for value in values):
        return combine(function, *values)
    return function(*values)


def given_or(value: Any, default: Any) -> Any:
    """Give a value, or a default in its place where it is None; either may be a choice."""
    if value is None:
        return default
    return mapped(_given_or, value, default) if isinstance(value, Alternatives) else value


def _given_or(value: Any, default: Any) -> Any:
    return default if value is None else value
