"""What docstrings and annotations say about arguments and metrics."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

_SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?:\n\n\w[\w ]*\n-+\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"^(\w[\w, ]*)\n((?:    .*\n?|\n)+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that a stage reports.

    Parameters
    ----------
    name
        Its name, as in constraints and objectives.
    unit
        Its unit; empty for a plain number.
    text
        What it means.
    """

    name: str
    unit: str
    text: str


def described(thing: object) -> dict[str, str]:
    """Read the section about parameters of a docstring: name -> text.

    Examples
    --------
    >>> described(Metric)["unit"]
    'Its unit; empty for a plain number.'
    """
    section = _SECTION.search(inspect.getdoc(thing) or "")
    found: dict[str, str] = {}
    for names, body in _ENTRY.findall(section[1] if section else ""):
        found |= dict.fromkeys(names.split(", "), re.sub(r"\n\s*", " ", body).strip())
    return found


def metrics_of(result: object) -> Mapping[str, Metric]:
    """Give the numbers that a result reports: its fields, save verdicts and mappings of parts."""
    if not (isinstance(result, type) and is_dataclass(result)):
        return {}
    texts, hints = described(result), get_type_hints(result, include_extras=True)
    return {
        item.name: Metric(
            name=item.name, unit=_unit(hints[item.name]), text=texts.get(item.name, "")
        )
        for item in fields(result)
        if get_origin(hints[item.name]) is not Mapping
    }


def _unit(hint: Any) -> str:
    """Find the unit with which a field is annotated, alone or beside None."""
    if get_origin(hint) is Annotated:
        return str(hint.__metadata__[0])
    return next((unit for part in get_args(hint) if (unit := _unit(part))), "")
