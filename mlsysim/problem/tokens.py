"""Cut the text of an expression into words, and refuse look-alikes of operators."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from mlsysim.problem.source import Source
from mlsysim.units import NUMBER


class TokenKind(Enum):
    """The kinds of words."""

    NUMBER = auto()
    NAME = auto()
    TEXT = auto()
    OPERATOR = auto()
    RELATION = auto()
    END = auto()


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word.

    Parameters
    ----------
    kind
        What it is.
    text
        As it was written.
    start
        Where it starts in the source.
    """

    kind: TokenKind
    text: str
    start: int

    @property
    def stop(self) -> int:
        """Where it ends in the source."""
        return self.start + len(self.text)


# What people write, and what the language has instead.
_LOOK_ALIKES = {
    "===": "==",
    "!==": "!=",
    "=<": "<=",
    "=>": ">=",
    "<>": "!=",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "=": "==",
    "^": "**",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
}
_RELATIONS = ("===", "!==", "<=", ">=", "==", "!=", "=<", "=>", "<>", "≤", "≥", "≠", "<", ">", "=")
_SIGNS = [sign for sign in _LOOK_ALIKES if sign not in _RELATIONS]
_JOINERS = ("&&", "||", "&", "|", "and", "or")

_LONGEST = 20_000
_WORDS = re.compile(
    rf"""(?P<NUMBER>{NUMBER})
      | (?P<NAME>[^\W\d]\w*(?:\.\w+)*)
      | (?P<TEXT>'[^']*'|"[^"]*")
      | (?P<SPLIT>[<>!=]\s+=(?!=))
      | (?P<RELATION>{"|".join(_RELATIONS)})
      | (?P<OPERATOR>\*\*|//|[-+*/%(),])
      | (?P<LOOK_ALIKE>[{re.escape("".join(_SIGNS))}])
      | (?P<JOINER>&&|\|\||&|\|)
      | (?P<SPACE>\s+)
      | (?P<STRAY>.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens_of(source: Source) -> list[Token]:
    """Cut a source into words; the last one is the end.

    Raises
    ------
    InputError
        If a sign is not of the language; the message shows the corrected text.
    """
    if len(source.text) > _LONGEST:
        raise source.fault(
            f"it has {len(source.text):,} characters, and {_LONGEST:,} is the most; "
            "compute a part of it in a stage"
        )
    words = []
    for match in _WORDS.finditer(source.text):
        group, text, start = str(match.lastgroup), match.group(), match.start()
        if group == "SPACE":
            continue
        _refuse_look_alike(source, group, text, start)
        words.append(Token(kind=TokenKind[group], text=text, start=start))
    return [*words, Token(kind=TokenKind.END, text="", start=len(source.text))]


def _refuse_look_alike(source: Source, group: str, text: str, start: int) -> None:
    stop = start + len(text)
    if group == "SPLIT":
        joined = text[0] + "="
        raise source.fault(f"{text!r} has a gap", source.replaced(start, stop, joined))
    if group == "JOINER" or text in _JOINERS:
        raise source.fault(
            f"{text!r} joins two conditions; write each as a constraint of its own: "
            f"{source.text[:start].strip()!r} and {source.text[stop:].strip()!r}"
        )
    if text in _LOOK_ALIKES:
        what = "a relation" if text in _RELATIONS else "an operator"
        corrected = source.replaced(start, stop, _LOOK_ALIKES[text])
        raise source.fault(f"{text!r} is not {what}", corrected)
    if group == "STRAY":
        _refuse_stray(source, text, start)


def _refuse_stray(source: Source, text: str, start: int) -> None:
    if text in "'\"":
        raise source.fault(f"the quote {text} is never closed", source.text + text)
    if text in "[]{}":
        raise source.fault(
            f"{text!r} at position {start + 1} has no meaning here; "
            "reach into a result with dots, e.g. DistributedModel.step_latency_total"
        )
    if text == "$":
        raise source.fault("'$' is not a unit; write 'USD' after the number, e.g. '5 USD'")
    raise source.fault(f"{text!r} at position {start + 1} has no meaning here; take it out")
