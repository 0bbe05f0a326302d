"""The verdicts of models: whether a design can exist at all, and why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from mlsysim.errors import MetricError, UnitError
from mlsysim.problem.arithmetic import aligned
from mlsysim.problem.wording import kind_of
from mlsysim.units import is_quantity

TOP = "feasible"
"""The name of a verdict that an evaluator returns itself, outside any stage."""

_CHECKS = "checks"
_DEPTH = 4
"""How far below the result verdicts are looked for."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One reason for which a design may be impossible.

    Parameters
    ----------
    holds
        Whether the design passes: a truth value, an array or a traced value.
    value, limit
        What is compared, as ``value <= limit``; `None` for a bare condition.

    Examples
    --------
    >>> Check.at_most(91.2, 80.0).holds
    False
    """

    holds: Any
    value: Any = None
    limit: Any = None

    @classmethod
    def at_most(cls, value: Any, limit: Any) -> "Check":
        """Demand ``value <= limit``, e.g. of the memory needed and the memory there is.

        Raises
        ------
        UnitError
            If the two are of different dimensions.
        """
        pair = aligned(value, limit)
        if pair is None:
            raise UnitError(f"a check compares {kind_of(value)} with {kind_of(limit)}")
        return cls(holds=pair[0] <= pair[1], value=value, limit=limit)

    @classmethod
    def that(cls, condition: Any) -> "Check":
        """Demand a bare condition."""
        return cls(holds=condition)


def verdicts_of(result: Any) -> dict[str, Mapping[str, Check]]:
    """Collect the verdicts that an evaluator's result carries.

    A verdict is a mapping ``checks`` of reasons to `Check`, or else a truth
    value ``feasible``; the result itself and its members are looked through, and
    mappings and lists among them too, such as the pipelines of several jobs in one plan.

    Parameters
    ----------
    result
        A mapping, or any object with attributes.

    Returns
    -------
    dict
        ``"<Stage>.feasible"`` (``"feasible"`` for the result itself,
        ``"<member>.<Stage>.feasible"`` further down) to the reasons and their checks.

    Raises
    ------
    MetricError
        If something called ``feasible`` is no truth value.
    """
    found = {}
    own = _verdict(result, TOP)
    if own:
        found[TOP] = own
    for name, member in _carriers(result, _DEPTH):
        verdict = _verdict(member, f"{name}.{TOP}")
        if verdict:
            found[f"{name}.{TOP}"] = verdict
    return found


def _carriers(result: Any, depth: int) -> Iterator[tuple[str, Any]]:
    for name, member in members_of(result):
        yield name, member
        if depth > 1 and isinstance(member, (Mapping, list, tuple)) and name != _CHECKS:
            yield from ((f"{name}.{path}", item) for path, item in _carriers(member, depth - 1))


def _verdict(carrier: Any, name: str) -> Mapping[str, Check]:
    if carrier is None or isinstance(carrier, (str, bytes, int, float, np.generic, np.ndarray)):
        return {}
    if is_quantity(carrier):
        return {}
    checks = _get(carrier, _CHECKS)
    if isinstance(checks, Mapping):
        return {
            str(reason): check
            if isinstance(check, Check)
            else Check.that(_truth(check, f"{name}: {reason}"))
            for reason, check in checks.items()
        }
    feasible = _get(carrier, TOP, missing := object())
    return {} if feasible is missing else {TOP: Check.that(_truth(feasible, name))}


def members_of(result: Any) -> Iterator[tuple[str, Any]]:
    """List what a result holds: the items of a mapping or list, or an object's public fields.

    Parameters
    ----------
    result
        What an evaluator returned, or a part of it.
    """
    if isinstance(result, Mapping):
        yield from ((str(name), member) for name, member in result.items())
    elif is_dataclass(result):
        for item in fields(result):
            yield item.name, getattr(result, item.name)
    elif hasattr(result, "_asdict"):
        yield from result._asdict().items()  # a named tuple's public method
    elif isinstance(result, (list, tuple)):
        yield from ((str(position), member) for position, member in enumerate(result))
    else:
        public = getattr(result, "__dict__", {}).items()
        yield from (item for item in public if not item[0].startswith("_"))


def _get(carrier: Any, name: str, default: Any = None) -> Any:
    # A mapping is asked for its keys only: what it gathers in attributes
    # (`PipelineResult.feasibility`) repeats what its members say.
    if isinstance(carrier, Mapping):
        return carrier.get(name, default)
    if name in getattr(carrier, "__dict__", {}) or hasattr(type(carrier), name):
        value = getattr(carrier, name)
        return default if callable(value) else value
    return default


def _truth(value: Any, name: str) -> Any:
    if value is None or isinstance(value, (str, bytes, Mapping, list, tuple, set)):
        raise MetricError(f"{name} is {value!r}, which is neither true nor false")
    if is_quantity(value):
        raise MetricError(f"{name} is {kind_of(value)}, which is neither true nor false")
    return value
