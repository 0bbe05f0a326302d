"""Find a metric in whatever an evaluator returned."""

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from numbers import Number
from typing import Any, Final

import numpy as np

from mlsysim.errors import MetricError, suggest
from mlsysim.units import is_quantity, quantity, unit_of

MISSING: Final = object()
"""What `find` gives where a path leads nowhere."""

_DEPTH = 3
"""How far below the result paths are proposed in messages."""


def find(result: Any, path: str) -> Any:
    """Follow a dotted path through mappings and attributes; `MISSING` if it ends early.

    It leads through what was returned alone: not into a number, a method, a class or a module.

    Parameters
    ----------
    result
        What an evaluator returned.
    path
        ``"DistributedModel.effective_throughput"``: keys before attributes.
    """
    if isinstance(result, Mapping) and path in result:
        return result[path]
    head, _, rest = path.partition(".")
    member = _member(result, head)
    if not rest:
        return member
    return find(member, rest) if _is_holder(member) else MISSING


def lookup(result: Any, path: str) -> Any:
    """Follow a dotted path to a number.

    Parameters
    ----------
    result
        What an evaluator returned.
    path
        The metric.

    Raises
    ------
    MetricError
        If the path leads nowhere (the message lists the nearest paths), or to
        something that is not a number.
    """
    value = find(result, path)
    if value is MISSING:
        raise missing(result, path)
    return number(value, path)


def number(value: Any, path: str) -> Any:
    """Insist that a metric is a number, a quantity, an array or a traced value.

    Raises
    ------
    MetricError
        If it is not.
    """
    held = value.magnitude if is_quantity(value) else value
    if isinstance(held, np.ndarray) and held.dtype == np.bool_:
        return held.astype(np.float64)
    if isinstance(held, np.bool_):
        return bool(held)
    if isinstance(held, complex):  # the root of a negative number; not a number in an array
        return quantity(math.nan, unit_of(value)) if is_quantity(value) else math.nan
    if isinstance(held, (Number, np.ndarray)) or hasattr(held, "__array_ufunc__"):
        return value
    if held is None:
        raise MetricError(
            f"metric {path!r} is None at this design; return a number, or raise Infeasible where "
            "there is none"
        )
    if isinstance(held, str):
        raise MetricError(f"metric {path!r} is the text {held!r}, not a number")
    if callable(held):
        raise MetricError(f"metric {path!r} is a method, not a number; return what it computes")
    inside = [f"{path}.{name}" for name in _names(held)]
    raise MetricError(
        f"metric {path!r} is a {type(held).__name__}, not a number"
        + (f"; it contains {', '.join(inside[:6])}" if inside else "")
    )


def missing(result: Any, path: str, also: Sequence[str] = ()) -> MetricError:
    """Build the error for a path that leads nowhere.

    Parameters
    ----------
    result
        What an evaluator returned.
    path
        The metric.
    also
        Further names that would have been accepted, e.g. those of the choices.
    """
    if result is None:
        return MetricError(
            f"metric {path!r} does not exist, because the evaluator returned None; "
            "does it lack a return statement?"
        )
    if isinstance(result, Number) or is_quantity(result):
        return MetricError(
            f"metric {path!r} does not exist, because the evaluator returned the bare number "
            f"{result}; return it under a name, e.g. {{{path!r}: value}}"
        )
    known = [*paths(result), *also]
    end = path.rpartition(".")[2]
    same_end = [name for name in known if name.rpartition(".")[2] == end]
    if same_end and path not in same_end:
        nearest = "; did you mean " + " or ".join(repr(name) for name in same_end[:3]) + "?"
    else:
        shown = sorted(known, key=lambda name: "." in name and name.split(".")[-2] == "checks")[:6]
        nearest = suggest(path, known) or f"; known are, e.g., {', '.join(map(repr, shown))}"
    return MetricError(f"metric {path!r} does not exist{nearest}")


def paths(result: Any, depth: int = _DEPTH) -> Iterator[str]:
    """List the paths below a result that could be metrics."""
    for name in _names(result):
        member = _member(result, name) if depth > 1 else MISSING
        inner = [] if _is_leaf(member) else list(paths(member, depth - 1))
        yield from (f"{name}.{path}" for path in inner)
        if not inner:
            yield name


def _member(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping) and name in holder:
        return holder[name]
    if isinstance(holder, (list, tuple)) and name.isdigit():
        return holder[int(name)] if int(name) < len(holder) else MISSING
    if name.startswith("_"):
        return MISSING
    try:
        return getattr(holder, name)
    except AttributeError:
        if inspect.getattr_static(holder, name, MISSING) is not MISSING:
            raise  # it exists; something inside it failed
        return MISSING


def _is_holder(value: Any) -> bool:
    """Tell whether metrics may lie inside a value."""
    if isinstance(value, (list, tuple)):
        return True
    inner = callable(value) or inspect.ismodule(value) or hasattr(value, "__array_ufunc__")
    return not (_is_leaf(value) or inner)


def _names(holder: Any) -> list[str]:
    if isinstance(holder, Mapping):
        return [str(name) for name in holder]
    if not _is_holder(holder) or isinstance(holder, (list, tuple)):
        return []
    if is_dataclass(holder):
        own = [item.name for item in fields(holder)]
    else:
        own = list(getattr(holder, "__dict__", {}))
    computed = [
        name
        for name in dir(type(holder))
        if isinstance(inspect.getattr_static(type(holder), name, None), property)
    ]
    return [name for name in (*own, *computed) if not name.startswith("_")]


def _is_leaf(value: Any) -> bool:
    plain = isinstance(value, (Number, str, bytes, np.ndarray, list, tuple, set))
    return value is MISSING or value is None or plain or is_quantity(value)
