"""Whether the whole numbers of an evaluator stay where floats tell them apart.

Plain Python counts on beyond 2**53, where floats, and so arrays and traced
values, skip whole numbers.  Mostly that is a rounding error like any other: a
count of operations of 1e24 is used to one part in 1e9.  It is none where the last digit
decides: in a remainder, a whole quotient, a comparison of two whole numbers, or a
difference that cancels.

The evaluator is run once on whole numbers that keep track of this, at the
design whose numbers are largest; formulas that are largest elsewhere pass unseen.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from mlsysim.problem.domain import EXACT, Domain
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import resolver
from mlsysim.results.formatting import design, number
from mlsysim.search.verify import Evaluator

_CANCELLED = 2.0**20
"""A difference this much smaller than what it is made of has lost the digits that count."""


class _InexactError(Exception):
    """The last digit of a whole number beyond 2**53 is asked for."""


class _Whole(int):
    """A whole number that refuses to be used to the last digit beyond 2**53."""

    __slots__ = ()


def beyond_floats(problem: Problem, evaluate: Evaluator) -> str | None:
    """Say that the largest design needs digits of whole numbers that floats do not have.

    Returns
    -------
    str or None
        What is wrong and what to do; nothing if all is well.
    """
    if not any(domain.is_integer for domain in problem.space.values()):
        return None
    params = {name: _largest(domain) for name, domain in problem.space.items()}
    try:
        result = evaluate(dict(params))
        resolve = resolver(params, result)
        problem.objective.value(resolve)
        for constraint in problem.constraints:
            constraint.sides(resolve)
    except _InexactError as error:
        return (
            f"at the design {design(params)} {error}, which is beyond 2**53, where floats skip "
            "whole numbers; count in larger units, or search with method='exhaustive'"
        )
    except Exception:  # noqa: BLE001 - whatever it is, the search will tell where it matters
        return None
    return None


def _largest(domain: Domain) -> Any:
    """Give the value farthest from zero, or the first where values are no numbers."""
    if not domain.is_integer:
        return domain[0] if not domain.is_numeric else _farthest(domain.values)
    values = domain.values
    return _Whole(_farthest((values[0], values[-1]) if isinstance(values, range) else values))


def _farthest(values: Sequence[Any]) -> Any:
    return max(min(values), max(values), key=abs)


def _is_cancelled(left: int, right: int, outcome: int) -> bool:
    return abs(outcome) * _CANCELLED < max(abs(left), abs(right))


def _always(_left: int, _right: int, _outcome: int) -> bool:
    return True


def _never(_left: int, _right: int, _outcome: int) -> bool:
    return False


def _tracked(
    name: str, needs_digits: Callable[[int, int, int], bool], *, turned: bool
) -> Callable[[int, Any], Any]:
    function = getattr(operator, name)

    def method(self: int, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented  # a float rounds, and says so
        left, right = (int(other), int(self)) if turned else (int(self), int(other))
        outcome = function(left, right)
        beyond = max(abs(left), abs(right)) > EXACT
        if beyond and needs_digits(left, right, outcome):
            raise _InexactError(f"the last digit of {number(max(left, right, key=abs))} decides")
        return _Whole(outcome) if type(outcome) is int else outcome

    return method


def _kept(function: Callable[[int], int]) -> Callable[[int], _Whole]:
    return lambda self: _Whole(function(int(self)))


_RULES: dict[str, Callable[[int, int, int], bool]] = {
    "add": _is_cancelled,
    "sub": _is_cancelled,
    "mul": _never,
    "pow": _never,
    "mod": _always,
    "floordiv": _always,
}
for _name, _rule in _RULES.items():
    setattr(_Whole, f"__{_name}__", _tracked(_name, _rule, turned=False))
    setattr(_Whole, f"__r{_name}__", _tracked(_name, _rule, turned=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(_Whole, f"__{_name}__", _tracked(_name, _always, turned=False))
for _name in ("neg", "abs", "pos"):
    setattr(_Whole, f"__{_name}__", _kept(getattr(operator, _name)))
_Whole.__hash__ = int.__hash__  # type: ignore[method-assign]
