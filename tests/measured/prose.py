"""What the prose of sources says: patterns, each the statement of a fact, kept out of the package.

A pattern that a word of negation stands before is not such a statement: "no CPU offload" and
"gradient all-reduce not overlapped" deny what they name.
"""

import re

_NEGATION = re.compile(
    r"(?i)\b(no|not|without|never|lacks?|disabled?|off|except)\b(?:\W+\w+){0,3}\W*$"
)
_CLAUSE = re.compile(r"[;.,:()]|\bbut\b")


def says(text: str, pattern: str) -> bool:
    """Tell whether a text states something, not counting where it denies it.

    Examples
    --------
    >>> says("high; optimizer (AdamW) on CPU", r"optimizer[^;]*on (the )?cpu")
    True
    >>> says("ZeRO-2, no CPU offload was used", r"cpu offload")
    False
    """
    return any(
        not _denied(text[: found.start()]) for found in re.finditer(pattern, text, re.IGNORECASE)
    )


def _denied(before: str) -> bool:
    """Tell whether what was said just before, in the same clause, is a negation."""
    clause = _CLAUSE.split(before)[-1]
    return bool(_NEGATION.search(clause))


def figure(text: str, pattern: str) -> float | None:
    """Read the first number that a pattern with one group finds, or None."""
    found = re.search(pattern, text, re.IGNORECASE)
    return float(found[1]) if found else None


def first(text: str, patterns: tuple[tuple[str, str], ...]) -> str:
    """Give the word of the first pattern that a text contains, or nothing."""
    return next((word for pattern, word in patterns if re.search(pattern, text, re.IGNORECASE)), "")
