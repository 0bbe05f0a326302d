"""Read a question file strictly: every key known, every value of the right kind.

msgspec checks each value; this module walks the tables itself, because a
person who mistypes a key needs to read which file, which key and which names
would have been right.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from mlsysim.errors import QuestionError, suggest
from mlsysim.files.schema import RangeTable
from mlsysim.files.stage_names import built_in_stages
from mlsysim.printable import one_line
from mlsysim.textfiles import read_text

Kind = TypeVar("Kind")
_LONGEST = 200
_PLAIN_WORDS = {
    "bool | int | float | str": "text, a number, or true or false",
    "bool | int | float | str | object": "text, a number, true or false, or a table of them",
    "bool | int | float | str | array | object": "text, a number, true or false, or a list or a "
    "table of them",
    "str | array": "text, or a list of texts",
    "float | str": "a number, or text with a unit",
    "float | str | null": "a number, or text with a unit",
    "int | null": "a whole number",
    "str | null": "text",
    "float | null": "a number",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a date",
    "date": "a date",
    "time": "a time",
}
_WITHOUT_QUOTES = {"int": "8", "float": "0.9", "bool": "true"}


def written(path: Path) -> str:
    """Read the text of a question file.

    Raises
    ------
    QuestionError
        If it cannot be read.
    """
    return read_text(path, QuestionError)


def read_table(table: Mapping[str, Any], file: str, kind: type[Kind]) -> Kind:
    """Check a parsed file.

    Raises
    ------
    QuestionError
        If the table does not follow the schema.
    """
    return cast("Kind", _record(table, kind, file, ""))


def _record(table: Any, kind: type[Any], file: str, place: str) -> Any:
    """Build one record from one table, key by key."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    if not isinstance(table, Mapping):
        keys = ", ".join(fields)
        raise QuestionError(
            f"{file}: {place}: expected a table with the keys {keys}, got {_shown(table)}"
        )
    for key in table:
        if key not in fields:
            raise QuestionError(f"{file}: {_join(place, key)}: unknown key{_cure(key, fields)}")
    for key, field in fields.items():
        if field.required and key not in table:
            raise QuestionError(f"{file}: {_join(place, key)}: missing; the file needs this key")
    return kind(
        **{
            fields[key].name: _value(value, fields[key].type, file, _join(place, key))
            for key, value in table.items()
        }
    )


def _value(value: Any, kind: Any, file: str, place: str) -> Any:
    """Convert one value to the type that the schema asks for."""
    kind = _taken(kind, value)
    members = get_args(kind)
    record = next((item for item in (kind, *members) if _is_record(item)), None)
    if get_origin(kind) is dict:
        if not isinstance(value, Mapping):
            raise QuestionError(f"{file}: {place}: expected a table, got {_shown(value)}")
        return {
            key: _value(item, members[1], file, _join(place, key)) for key, item in value.items()
        }
    if record is not None and isinstance(value, str) and hasattr(record, "SHORT"):
        value = {record.SHORT: value}
    others = [item for item in members if item not in {record, NoneType}]
    if record is not None and (isinstance(value, Mapping) or not others):
        return _record(value, record, file, place)
    if not isinstance(value, list):
        _check_listed(value, kind, record, file, place)
    if get_origin(kind) is Literal and value not in members:
        raise QuestionError(
            f"{file}: {place}: unknown word {_shown(value)}{suggest(str(value), members)}"
        )
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise QuestionError(f"{file}: {_plain(str(error), place)}") from None


def _taken(kind: Any, value: Any) -> Any:
    """Choose what takes tables of values, of all that is allowed, where there is one."""
    if not isinstance(value, Mapping):
        return kind
    return next((item for item in get_args(kind) if get_origin(item) is dict), kind)


def _check_listed(value: Any, kind: Any, record: Any, file: str, place: str) -> None:
    """Refuse one value where a list belongs, and write the list."""
    name, shown = place.rpartition(".")[2], _shown(value)
    if record is RangeTable:
        raise QuestionError(
            f"{file}: {place}: {shown} is no list of choices; write {name} = [{shown}],"
            f" or a range such as {name} = {{ from = 1, to = 8 }}"
        )
    if get_origin(kind) is tuple and isinstance(value, str):
        raise QuestionError(f"{file}: {place}: expected a list, got text; write {name} = [{shown}]")


def _cure(key: str, fields: Mapping[str, FieldInfo]) -> str:
    """Say what to write in place of an unknown key."""
    cut_short = any(name.startswith(key) for name in fields)
    home = "" if cut_short else _home(key, fields)
    return home or suggest(key, fields) or f"; known: {', '.join(map(repr, sorted(fields)))}"


def _home(key: str, fields: Mapping[str, FieldInfo]) -> str:
    """Say in which other table a key that is unknown in this one is known, or nothing."""
    for name, field in fields.items():
        place = f"{name}.NAME" if get_origin(field.type) is dict else name
        for kind in (field.type, *get_args(field.type)):
            if _is_record(kind) and key in kind.__struct_encode_fields__:
                return f"; it belongs in [{place}]"
    if "fixed" in fields and any(key in stage.inputs() for stage in built_in_stages().values()):
        return "; arguments of models belong in [fixed], or with their choices in [space]"
    return ""


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _plain(message: str, place: str) -> str:
    """Say a message of msgspec in the words of a TOML file, with the place in front."""
    message, _, where = message.partition(" - at `$")
    words = re.sub(r"`([^`]*)`", lambda match: _PLAIN_WORDS.get(match[1], match[1]), message)
    wanted, *got = re.findall(r"`([^`]*)`", message) or [""]
    wanted, cure = wanted.removesuffix(" | null"), ""
    if wanted in _WITHOUT_QUOTES and got == ["str"]:
        cure = f"; write it without quotes, such as {_WITHOUT_QUOTES[wanted]}"
    elif wanted == "str":
        cure = "; write it in quotes, an amount with its unit"
    return f"{place}{where.rstrip('`')}: {words[0].lower()}{words[1:]}{cure}"


def _shown(value: Any) -> str:
    """Write a value for a message, its middle left out if it is long."""
    return one_line(repr(value), _LONGEST)
