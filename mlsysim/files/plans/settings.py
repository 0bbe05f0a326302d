"""Set keys of a plan's file by their dotted names, before it is read."""

import copy
import tomllib
from collections.abc import Mapping
from typing import Any

from mlsysim.errors import ParameterError, suggest
from mlsysim.textfiles import check_shape

_NAMED = 2
"""How deep the tables of one job, fleet or site are."""


def with_settings(
    table: Mapping[str, Any], settings: Mapping[str, str], file: str
) -> dict[str, Any]:
    """Give a parsed file in which some keys have other values.

    Parameters
    ----------
    table
        The top level of the file.
    settings
        Key, such as ``jobs.chat.deadline`` -> value as TOML has it; text needs no quotes.
    file
        The name that messages use.

    Raises
    ------
    ParameterError
        If a table on the way to a key does not exist.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(table))
    for key, text in settings.items():
        *way, last = key.split(".")
        for tables in ("jobs", "fleets"):
            if not way and last in table.get(tables, {}):
                raise ParameterError(
                    f"{file}: {key}: name a key of its table, such as {tables}.{key}."
                    f"{'deadline' if tables == 'jobs' else 'nodes'}"
                )
        place = changed
        for depth, step in enumerate(way):
            # A job or a fleet has to be there; a table in it may be new.
            inner = place.setdefault(step, {}) if depth >= _NAMED else place.get(step)
            if not isinstance(inner, dict):
                near = suggest(
                    step, [name for name, item in place.items() if isinstance(item, dict)]
                )
                raise ParameterError(f"{file}: {key}: there is no table {step!r}{near}")
            place = inner
        value = value_of(text)
        check_shape(value, key, ParameterError)
        place[last] = value
    return changed


def value_of(text: str) -> Any:
    """Read a value as TOML has it; what is none is text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
