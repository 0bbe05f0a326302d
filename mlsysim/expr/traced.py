"""Traced values: numbers that stand for every value of a choice at once.

Arithmetic on a `Traced` adds a node to its graph.  What would need one
particular number (a truth value, a float, a dictionary key) is refused with
the remedy, because Python would otherwise go on silently with a wrong branch.
"""

import numbers
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from mlsysim.errors import TracingError
from mlsysim.expr.graph import Graph, GraphNode
from mlsysim.expr.operations import OPERATIONS

_TRUTHS = (bool, np.bool_)

# NumPy's names for what the table already has.
_SYNONYMS = {
    "true_divide": "divide",
    "mod": "remainder",
    "float_power": "power",
    "fabs": "absolute",
    "abs": "absolute",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}


class Traced:
    """A number (or truth value) of a graph, usable like a number.

    Parameters
    ----------
    graph
        The graph that grows.
    node
        The node that this value is.
    """

    __slots__ = ("graph", "node")
    # NumPy scalars and arrays hand operators over to this class.
    __array_priority__ = 1000

    def __init__(self, graph: Graph, node: GraphNode) -> None:
        self.graph = graph
        self.node = node

    def __repr__(self) -> str:
        return f"<traced value of {', '.join(sorted(self.node.support)) or 'no choice'}>"

    def __str__(self) -> str:
        raise _refusal("a traced value has no text of its own", "str() or an f-string", "repr()")

    def __format__(self, spec: str) -> str:
        return str(self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = _SYNONYMS.get(ufunc.__name__, ufunc.__name__)
        if name == "positive":
            return self
        if ufunc.__name__.startswith("bitwise_") or ufunc.__name__ == "invert":
            _check_truths(f"np.{ufunc.__name__}", inputs)
        if method != "__call__" or options or name not in OPERATIONS:
            raise TracingError(
                f"np.{ufunc.__name__} cannot be traced in this form; the traceable operations are "
                + ", ".join(sorted(OPERATIONS))
            )
        return apply(name, *inputs)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise TracingError(
                f"np.{function.__name__} cannot be traced; use np.where, np.clip, np.maximum, "
                "np.minimum and arithmetic, or search with method='exhaustive'"
            )
        if not all(issubclass(kind, (Traced, np.ndarray)) for kind in types):
            return NotImplemented  # a quantity is among the arguments and sees to its units
        return rule(*arguments, **options)

    def __pos__(self) -> "Traced":
        return self

    def __ceil__(self) -> Any:
        return apply("ceil", self)

    def __floor__(self) -> Any:
        return apply("floor", self)

    def __trunc__(self) -> Any:
        return apply("trunc", self)

    def __round__(self, digits: int | None = None) -> Any:
        if digits:
            raise _refusal(
                "a traced value is not rounded to decimal digits as Python rounds",
                f"round(..., {digits})",
                f"np.round(..., {digits})",
            )
        return apply("rint", self)

    def __invert__(self) -> NoReturn:
        raise _refusal(
            "`~` on a plain truth value is not its negation (~True is -2)",
            "`~`",
            "mlsysim.logical_not",
        )

    def __bool__(self) -> bool:
        raise _refusal(
            "a traced value has no single truth value",
            "an `if`, `and`, `or`, `not`, `in`, or the built-in max() or min()",
            "mlsysim.where, maximum, minimum, logical_and, logical_or, logical_not",
        )

    def __float__(self) -> NoReturn:
        raise _refusal(
            "a traced value is not one number",
            "float() or a function of the math module",
            "NumPy's functions or those of mlsysim (sqrt, exp, log, log2)",
        )

    def __int__(self) -> NoReturn:
        raise _refusal(
            "a traced value is not one integer", "int()", "mlsysim.floor or mlsysim.ceil"
        )

    def __index__(self) -> int:
        raise _refusal(
            "a traced value is not one position",
            "indexing or range()",
            "mlsysim.select(key, {option: value}) for a look-up",
        )

    def __iter__(self) -> NoReturn:
        raise _refusal(
            "a traced value is not a sequence", "a loop, sum() or unpacking", "arithmetic"
        )

    def __hash__(self) -> int:
        raise _refusal(
            "a traced value is not one key",
            "a dictionary or set",
            "mlsysim.select(key, {option: value})",
        )


def apply(name: str, *values: Any) -> Any:
    """Apply an operation to traced and plain numbers.

    Returns
    -------
    Traced
        The value of the new node; `NotImplemented` where an argument is neither
        a number nor traced, so that a quantity can take over.

    Raises
    ------
    TracingError
        If an argument is an array.
    """
    graph = next(value.graph for value in values if isinstance(value, Traced))
    nodes = [node_of(graph, value) for value in values]
    if None in nodes:
        return NotImplemented
    return Traced(graph, graph.apply(name, *nodes))  # type: ignore[arg-type]  # no None in it


def node_of(graph: Graph, value: Any) -> GraphNode | None:
    """Give the node of a traced or plain number; nothing for any other thing."""
    if isinstance(value, Traced):
        if value.graph is not graph:
            raise TracingError("two searches are mixed: a traced value outlived its own trace")
        return value.node
    if type(value) is float:  # most that is not traced is: the check of the rest takes longer
        return graph.constant(value)
    if isinstance(value, (bool, np.bool_)):
        return graph.constant(float(value), truth=True)
    if isinstance(value, (numbers.Real, np.number)):
        return graph.constant(float(value))
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return node_of(graph, value.item())
        raise TracingError(
            f"an array of shape {value.shape} meets a traced value; trace one number at a time"
        )
    return None


def _refusal(what: str, where: str, remedy: str) -> TracingError:
    return TracingError(
        f"{what}, and {where} asked for it; use {remedy}, or search with method='exhaustive'"
    )


def _check_truths(what: str, values: tuple[Any, ...]) -> None:
    """Refuse arithmetic on the bits of numbers, which has no rule."""
    for value in values:
        truth = value.node.truth if isinstance(value, Traced) else isinstance(value, _TRUTHS)
        if not truth and not hasattr(value, "units"):
            raise _refusal(
                "a traced number has no bits",
                what,
                "arithmetic (x % 2 for x & 1), or comparisons on both sides",
            )


def _round(value: Any, decimals: int = 0) -> Any:
    """Round as NumPy does: scale, round, scale back."""
    if decimals < 0:
        scale = 10.0**-decimals
        return apply("multiply", apply("rint", apply("divide", value, scale)), scale)
    if decimals == 0:
        return apply("rint", value)
    scale = 10.0**decimals
    return apply("divide", apply("rint", apply("multiply", value, scale)), scale)


def _clip(value: Any, low: Any = None, high: Any = None) -> Any:
    if low is not None:
        value = apply("maximum", value, low)
    return value if high is None else apply("minimum", value, high)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: lambda condition, yes, no: apply("where", condition, yes, no),
    np.clip: _clip,
    np.round: _round,
    np.around: _round,
}


def _operator(name: str) -> Callable[[Traced, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        return apply(name, self, other)

    return method


def _connective(name: str, sign: str) -> Callable[[Traced, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        _check_truths(f"`{sign}`", (self, other))
        return apply(name, self, other)

    return method


def _reflected(name: str) -> Callable[[Traced, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        return apply(name, other, self)

    return method


def _unary(name: str) -> Callable[[Traced], Any]:
    return lambda self: apply(name, self)


for _method, _name in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
}.items():
    setattr(Traced, f"__{_method}__", _operator(_name))
    setattr(Traced, f"__r{_method}__", _reflected(_name))
for _method, _name in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    setattr(Traced, f"__{_method}__", _operator(_name))
for _method, _name, _sign in (
    ("and", "logical_and", "&"),
    ("or", "logical_or", "|"),
    ("xor", "logical_xor", "^"),
):
    setattr(Traced, f"__{_method}__", _connective(_name, _sign))
    setattr(Traced, f"__r{_method}__", _connective(_name, _sign))
for _method, _name in {"neg": "negative", "abs": "absolute"}.items():
    setattr(Traced, f"__{_method}__", _unary(_name))
