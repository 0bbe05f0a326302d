"""Change single values in the text of a question file; comments and order stay."""

from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.container import Container, OutOfOrderTableProxy
from tomlkit.items import AbstractTable

from mlsysim.files.schema import ConstraintTable

_Table = Container | AbstractTable | OutOfOrderTableProxy

Place = tuple[str, ...]
"""The keys that lead to a value: ``("constraints", "pace", "require")``."""


def with_value(text: str, place: Place, value: Any) -> str:
    r"""Give the text with one value set; tables on the way are made where there are none.

    Parameters
    ----------
    text
        The text of a question file.
    place
        Where the value stands.
    value
        Text, a number, true or false, or a list or a mapping of them.

    Examples
    --------
    >>> print(with_value("[fixed]  # as planned\nnodes = 8  # racks\n", ("fixed", "nodes"), 16))
    [fixed]  # as planned
    nodes = 16  # racks
    """
    document = tomlkit.parse(text)
    *outer, last = place
    table = _table(document, outer, make=True)
    assert table is not None  # noqa: S101 - for the type checker: it was made
    table[last] = _item(value)
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def without(text: str, place: Place) -> str:
    r"""Give the text without one value or table; the same text where there is none.

    Examples
    --------
    >>> print(without("a = 1\n[limits]\nb = 2\n", ("limits",)))
    a = 1
    """
    document = tomlkit.parse(text)
    *outer, last = place
    table = _table(document, outer)
    if table is None or last not in table:
        return text
    del table[last]
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _table(document: Any, keys: Sequence[str], *, make: bool = False) -> _Table | None:
    """Follow keys through tables."""
    table: _Table = document
    for depth, key in enumerate(keys):
        found: Any = table.get(key)
        if found is None and make:
            table[key] = tomlkit.table(is_super_table=depth + 1 < len(keys))
            found = table[key]
        if isinstance(found, str) and make:  # a requirement may be text alone
            table[key] = _item({ConstraintTable.SHORT: found})
            found = table[key]
        if not isinstance(found, _Table):
            return None
        table = found
    return table


def _item(value: Any) -> Any:
    """Write a mapping on one line, as ranges are written."""
    if not isinstance(value, Mapping):
        return tomlkit.item(value)
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline
