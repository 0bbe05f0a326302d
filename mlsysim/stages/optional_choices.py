"""Trace a choice between a value and none: the design without it, that with it, and which it is.

`None` as an argument means the default, and a stage may branch on it in plain Python.  Where a
choice may be `None`, the stage is therefore evaluated once with `None` and once with the other
values, and every metric is that of the one that is chosen.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from numbers import Real
from typing import Any

from mlsysim.errors import Infeasible, MissingFigureError, MlsysimError, TracingError
from mlsysim.expr.alternatives import Alternatives, unless_none
from mlsysim.expr.functions import logical_not, logical_or, where
from mlsysim.expr.traced import Traced
from mlsysim.problem.verdict import Check
from mlsysim.units import is_quantity, magnitude, quantity, unit_of


def either(choice: Alternatives, evaluate: Callable[[Any], Any]) -> Any:
    """Evaluate a choice that may be `None`.

    Parameters
    ----------
    choice
        One of which `may_be_none`.
    evaluate
        Gives a result for `None`, or for what else is chosen.

    Raises
    ------
    TracingError
        If the two results differ in more than numbers.
    Infeasible, MissingFigureError
        If neither design exists, or no figure is known for either.
    """
    absent, given = unless_none(choice)
    graph = absent.graph
    found: list[Any] = []
    failures: list[MlsysimError] = []
    for condition, value in ((absent, None), (logical_not(absent), given)):
        with graph.assuming(condition.node):
            try:
                found.append(evaluate(value))
            except Infeasible as verdict:
                failures.append(verdict)
                graph.guard(graph.constant(0.0, truth=True), str(verdict))
            except MissingFigureError as lack:
                failures.append(lack)
                graph.lack(graph.constant(1.0, truth=True))
    if not found:
        raise failures[0]
    return _chosen(absent, *found) if len(found) > 1 else found[0]


def _chosen(absent: Any, without: Any, having: Any) -> Any:
    """Choose between two results, member by member."""
    if isinstance(without, Check | None) and isinstance(having, Check | None):
        return _chosen_check(absent, without, having)
    if isinstance(without, Mapping) and isinstance(having, Mapping):
        names = dict.fromkeys([*without, *having])
        return {name: _chosen(absent, without.get(name), having.get(name)) for name in names}
    if is_dataclass(without) and not isinstance(without, type) and type(having) is type(without):
        members = [item.name for item in fields(without)]
        pairs = {name: (getattr(without, name), getattr(having, name)) for name in members}
        return replace(without, **{name: _chosen(absent, *pair) for name, pair in pairs.items()})
    return _chosen_metric(absent, without, having)


def _chosen_check(absent: Any, without: Check | None, having: Check | None) -> Check | None:
    """Choose between two conditions; one that only one of them has holds for the other."""
    if without is None or having is None:
        if having is not None:
            return Check.that(logical_or(absent, having.holds))
        return without and Check.that(logical_or(logical_not(absent), without.holds))
    return Check(
        holds=where(absent, without.holds, having.holds),
        value=_chosen_metric(absent, without.value, having.value),
        limit=_chosen_metric(absent, without.limit, having.limit),
    )


def _chosen_metric(absent: Any, without: Any, having: Any) -> Any:
    """Choose between two numbers; one that only one of them has is not a number for the other."""
    if without is having or (isinstance(without, str) and without == having):
        return without
    if is_quantity(without) or is_quantity(having):
        unit = unit_of(without if is_quantity(without) else having)
        sizes = [math.nan if one is None else magnitude(one, unit) for one in (without, having)]
        return quantity(where(absent, *sizes), unit)
    numbers = [math.nan if one is None else one for one in (without, having)]
    if not all(isinstance(one, Real | Traced) for one in numbers):
        raise TracingError(
            f"a choice that may be None decides between {without!r} and {having!r}; "
            "search with method='exhaustive'"
        )
    return where(absent, *numbers)
