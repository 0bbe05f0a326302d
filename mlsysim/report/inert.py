"""Choices that make no difference to the best design."""

import math
from collections.abc import Callable, Mapping
from numbers import Number
from typing import Any

from mlsysim.errors import Infeasible, InputError
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.domain import Domain
from mlsysim.problem.metrics import find, paths
from mlsysim.problem.space import SearchSpace
from mlsysim.problem.verdict import verdicts_of
from mlsysim.units import is_quantity

_MOST = 64
"""So many designs are evaluated; choices that would need more are passed over."""


def inert_choices(
    space: SearchSpace, evaluate: Callable[[dict[str, Any]], Any], params: Mapping[str, Any]
) -> tuple[str, ...]:
    """Name the choices of which every value gives the same metrics and verdicts.

    The others stay as they are in the design.  An answer takes the first value of such a choice.
    """
    best = _metrics(evaluate(dict(params)))
    left = _MOST
    found = []
    for name, domain in space.items():
        others = _others(domain, params[name])
        if others is None or len(others) > left:
            continue
        for value in others:
            left -= 1
            if not _same(best, _evaluated(evaluate, {**params, name: value})):
                break
        else:
            found.append(name)
    return tuple(found)


def _others(domain: Domain, value: Any) -> list[Any] | None:
    """List the other values; nothing of a choice that has none, or too many."""
    if not 1 < len(domain.values) <= _MOST:
        return None
    return [other for other in domain.values if other is not value and other != value]


def _evaluated(evaluate: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> dict[str, Any]:
    try:
        return _metrics(evaluate(params))
    except (Infeasible, InputError):  # refused, which is a difference
        return {}


def _metrics(result: Any) -> dict[str, Any]:
    """Read every number and verdict of a result."""
    found: dict[str, Any] = {
        f"{stage}: {reason}": bool(check.holds)
        for stage, checks in verdicts_of(result).items()
        for reason, check in checks.items()
    }
    for path in paths(result):
        value = find(result, path)
        if is_quantity(value):
            found[path] = float(value.magnitude)
        elif isinstance(value, Number) and not isinstance(value, complex):
            found[path] = float(value)  # type: ignore[arg-type]
    return found


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=TOLERANCE)
        or (math.isnan(value) and math.isnan(other[name]))
        for name, value in one.items()
    )
