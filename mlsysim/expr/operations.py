"""The operations of the language, one row each.

A row gives an operation's NumPy rule (its meaning), its interval rule (its
range over a box) and its text.  The lowering keeps a rule for each name of
this table; a test walks the table and finds any gap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.expr import ranges
from mlsysim.expr.ranges import Range


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation.

    Parameters
    ----------
    name
        The name, which is NumPy's.
    compute
        The meaning, on floats and arrays.
    bound
        The range of the result from the ranges of the arguments.
    text
        A template for people, with ``{0}``, ``{1}`` for the arguments.
    truth
        Whether the result is a truth value.
    """

    name: str
    compute: Callable[..., Any]
    bound: Callable[..., Range]
    text: str
    truth: bool = False


def _row(name: str, bound: Callable[..., Range], text: str, *, truth: bool = False) -> Operation:
    return Operation(name=name, compute=getattr(np, name), bound=bound, text=text, truth=truth)


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        _row("add", ranges.add, "({0} + {1})"),
        _row("subtract", ranges.subtract, "({0} - {1})"),
        _row("multiply", ranges.multiply, "({0} * {1})"),
        _row("divide", ranges.divide, "({0} / {1})"),
        _row("floor_divide", ranges.floor_divide, "({0} // {1})"),
        _row("remainder", ranges.remainder, "({0} % {1})"),
        _row("power", ranges.power, "({0} ** {1})"),
        _row("negative", ranges.negative, "-{0}"),
        _row("absolute", ranges.absolute, "abs({0})"),
        _row("sign", ranges.rising(np.sign), "sign({0})"),
        _row("floor", ranges.rising(np.floor), "floor({0})"),
        _row("ceil", ranges.rising(np.ceil), "ceil({0})"),
        _row("trunc", ranges.rising(np.trunc), "trunc({0})"),
        _row("rint", ranges.rising(np.rint), "rint({0})"),
        _row("square", ranges.square, "{0}²"),
        _row("sqrt", ranges.rising(np.sqrt, from_=0.0), "sqrt({0})"),
        _row("cbrt", ranges.smooth(np.cbrt), "cbrt({0})"),
        _row("exp", ranges.smooth(np.exp), "exp({0})"),
        _row("exp2", ranges.smooth(np.exp2), "exp2({0})"),
        _row("expm1", ranges.smooth(np.expm1), "expm1({0})"),
        _row("log", ranges.smooth(np.log, from_=0.0), "log({0})"),
        _row("log2", ranges.smooth(np.log2, from_=0.0), "log2({0})"),
        _row("log10", ranges.smooth(np.log10, from_=0.0), "log10({0})"),
        _row("log1p", ranges.smooth(np.log1p, from_=-1.0), "log1p({0})"),
        _row("maximum", ranges.maximum, "max({0}, {1})"),
        _row("minimum", ranges.minimum, "min({0}, {1})"),
        _row("where", ranges.where, "where({0}, {1}, {2})"),
        _row("less", ranges.less, "({0} < {1})", truth=True),
        _row("less_equal", ranges.less_equal, "({0} <= {1})", truth=True),
        _row("greater", ranges.greater, "({0} > {1})", truth=True),
        _row("greater_equal", ranges.greater_equal, "({0} >= {1})", truth=True),
        _row("equal", ranges.equal, "({0} == {1})", truth=True),
        _row("not_equal", ranges.not_equal, "({0} != {1})", truth=True),
        _row("logical_and", ranges.logical_and, "({0} and {1})", truth=True),
        _row("logical_or", ranges.logical_or, "({0} or {1})", truth=True),
        _row("logical_xor", ranges.logical_xor, "({0} xor {1})", truth=True),
        _row("logical_not", ranges.logical_not, "(not {0})", truth=True),
    )
}
