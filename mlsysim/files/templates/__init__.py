"""Commented question files to start from, one for each kind of question."""

import re
from importlib.resources import files

from mlsysim.catalog.builtin import node_of
from mlsysim.errors import ParameterError, suggest

_NAMED = {
    "model": re.compile(r'^model = "[^"]*"', re.MULTILINE),
    "fleet": re.compile(r'^fleet = (?:"[^"]*"|\[[^\]]*\])', re.MULTILINE),
}
_TRAINING = "training"
"""The kind whose fleet is one cluster: a node, or an accelerator, is written as a small one."""
_PROSE = re.compile(r'^question = """\n.*?\n"""', re.MULTILINE | re.DOTALL)


def kinds() -> list[str]:
    """Name the kinds of questions for which there is one."""
    found = (item.name for item in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def named_in(kind: str, name: str) -> str:
    """Give what stands in a template for a model or a fleet, without quotes.

    Parameters
    ----------
    kind
        What the template asks about.
    name
        ``"model"`` or ``"fleet"``.
    """
    place = _NAMED[name].search(template(kind))
    return "" if place is None else re.sub(r'["\[\]]', "", place[0].partition(" = ")[2])


def template(kind: str, *, model: str | None = None, fleet: str | None = None) -> str:
    """Give the text of one; ``FILE`` in it stands for the name that it is written under.

    Parameters
    ----------
    kind
        What to ask about.
    model, fleet
        Entries of the catalogue in place of those in the template.

    Raises
    ------
    ParameterError
        If there is none of that kind, or it has no such place.
    """
    if kind not in kinds():
        raise ParameterError(f"there is no question of kind {kind!r}{suggest(kind, kinds())}")
    text = files(__name__).joinpath(f"{kind}.toml").read_text(encoding="utf-8")
    named = {name: value for name, value in (("model", model), ("fleet", fleet)) if value}
    for name, value in named.items():
        place = _NAMED[name].search(text)
        if place is None:
            raise ParameterError(f"a question about {kind} has no {name} of its own; edit its file")
        written = f'["{value}"]' if place[0].endswith("]") else f'"{value}"'
        if kind == _TRAINING and (node := node_of(value)) is not None:
            written = f'{{ node = "{node.name}", nodes = 32, fabric = "IB_NDR" }}'
        text = f"{text[: place.start()]}{name} = {written}{text[place.end() :]}"
    if named:
        told = ", ".join(f"{name} = {value}" for name, value in named.items())
        prose = f'question = """\nWritten for {kind} with {told}; say here what is asked.\n"""'
        text = _PROSE.sub(lambda _: prose, text)
    return text
