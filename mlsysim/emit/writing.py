"""A launch as text: a shell command, or a configuration file; remarks are comments."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlsysim.emit.sheet import Launch, Setting
from mlsysim.printable import one_line

_INDENT = " " * 4


def as_command(launch: Launch, headline: str, command: Sequence[str]) -> str:
    """Write a shell command, one option to a line.

    Parameters
    ----------
    launch
        What the framework is told.
    headline
        The design in a line.
    command
        The words before the options, as they are to be typed.
    """
    lines = [
        *_comments(launch, headline),
        *(f"export {name}={shlex.quote(value)}" for name, value in launch.environment.items()),
    ]
    words = [" ".join(command), *map(_option, launch.settings)]
    return "\n".join([*lines, f" \\\n{_INDENT}".join(words)]) + "\n"


def as_document(launch: Launch, headline: str) -> str:
    """Write a configuration file: JSON after comments, which Hjson allows."""
    text = json.dumps(_tree(launch), indent=2)
    return "\n".join([*_comments(launch, headline), text]) + "\n"


def as_yaml(launch: Launch, headline: str) -> str:
    """Write a configuration file in YAML: a key to a line, and comments before them."""
    return "\n".join([*_comments(launch, headline), *_yaml(_tree(launch), "")]) + "\n"


def _tree(launch: Launch) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for setting in launch.settings:
        *path, last = setting.name.split(".")
        branch = tree
        for key in path:
            branch = branch.setdefault(key, {})
        branch[last] = setting.value
    return tree


def _yaml(tree: Mapping[str, Any], indent: str) -> Iterable[str]:
    """Write a mapping in blocks; its scalars and lists are JSON, which YAML reads."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _yaml(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {json.dumps(value)}"


def arguments_of(launch: Launch) -> list[str]:
    """Give the options as the words that a parser receives."""
    return [word for setting in launch.settings for word in _words(setting)]


def _comments(launch: Launch, headline: str) -> Iterable[str]:
    yield f"# {one_line(f'{launch.framework}: {headline}')}"
    for remark in launch.remarks:
        yield f"# {one_line(remark)}"


def _words(setting: Setting) -> list[str]:
    if setting.value is True:
        return [setting.name]
    values = setting.value if isinstance(setting.value, tuple) else (setting.value,)
    return [setting.name, *map(str, values)]


def _option(setting: Setting) -> str:
    name, *values = _words(setting)
    return " ".join([name, *map(shlex.quote, values)])
