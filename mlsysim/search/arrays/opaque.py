"""Tell whether an evaluator's `Infeasible` holds for a whole block.

`Infeasible` raised on arrays may be about one value among them
(``if (tp > 8).any()``) or about a plain choice (``precision == "fp8"``).  The
evaluator is therefore run once more with `Opaque` values, which can be
calculated with but reveal nothing: if it still raises `Infeasible`, no number
can have influenced that.
"""

from collections.abc import Callable
from typing import Any, NoReturn, Self

from mlsysim.errors import Infeasible


class RevealedError(Exception):
    """An evaluator wanted to know an opaque value."""


class Opaque:
    """A number that can be calculated with, but never looked at."""

    __array_priority__ = 1000

    def __array_ufunc__(self, *_arguments: Any, **_options: Any) -> Self:
        return self

    def __array_function__(self, *_arguments: Any, **_options: Any) -> Self:
        return self


def impossible(evaluate: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> str | None:
    """Give the reason why every point of a block is impossible.

    Parameters
    ----------
    evaluate
        The user's evaluator.
    params
        The block: `Opaque` for the numeric choices, plain values for the rest.

    Returns
    -------
    str or None
        Nothing if the evaluator did not raise `Infeasible`, or had to look at
        a number before it could.
    """
    try:
        evaluate(params)
    except Infeasible as verdict:
        return str(verdict)
    except Exception:  # noqa: BLE001 - whatever it is, plain numbers will decide
        return None
    return None


def _same(self: Opaque, *_operands: Any) -> Opaque:
    return self


def _refuse(self: Opaque, *_operands: Any) -> NoReturn:  # noqa: ARG001 - a method
    raise RevealedError


_ARITHMETIC = "add sub mul truediv floordiv mod pow and or xor"
_UNARY = "neg pos abs invert round ceil floor trunc"
_COMPARISONS = "lt le gt ge eq ne"
_REVEALING = "bool int float complex index len iter hash str repr format contains getitem"

_REFLECTED = " ".join(f"r{name}" for name in _ARITHMETIC.split())
for _name in f"{_ARITHMETIC} {_REFLECTED} {_UNARY} {_COMPARISONS}".split():
    setattr(Opaque, f"__{_name}__", _same)
for _name in _REVEALING.split():
    setattr(Opaque, f"__{_name}__", _refuse)
