"""The operations of the language, one row each, with all their properties.

To add an operation, add its row, and for a form of its own (see
`mlsysim.expr.operation`) a case in `mlsysim.search.cpsat.lowering.rules`.
Tests walk the table: they compare every property with NumPy and find any gap.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlsysim.expr import inverse, ranges
from mlsysim.expr.operation import (
    Absolute,
    Bend,
    ComparisonOperation,
    Connection,
    Connective,
    Curve,
    Division,
    Extreme,
    Operation,
    Order,
    Part,
    Power,
    Product,
    Quotient,
    Rounding,
    Selection,
    Sign,
    Signs,
    Square,
    Sum,
    Wanted,
)
from mlsysim.expr.ranges import Range

Bound = Callable[..., Range]
Inverse = Callable[..., Wanted]


def _always(*moves: int) -> Callable[[Signs], Signs]:
    """Move the same way whatever the signs."""
    return lambda _: moves


def _is(sign: int) -> Callable[[Signs], int]:
    """Have one sign whatever those of the arguments."""
    return lambda _: sign


def _shared(signs: Signs) -> int:
    """Give the sign that all have in common."""
    return signs[0] if len(set(signs)) == 1 else 0


def _product(signs: Signs) -> int:
    return signs[0] * signs[1]


def _as_quotient(signs: Signs) -> Signs:
    # The divisor moves it only where it does not pass zero.
    return signs[1], -signs[0] * abs(signs[1])


def _of_selection(signs: Signs) -> Signs:
    # The condition moves it only where the two values lie on either side of zero.
    condition, yes, no = signs
    return condition * (yes if yes * no < 0 else 0), 1, 1


def _of_equality(signs: Signs) -> Signs:
    # Numbers on either side of zero are equal where they meet there.
    return (-signs[0], -signs[1]) if signs[0] * signs[1] < 0 else (0, 0)


def _of_difference(signs: Signs) -> Signs:
    return signs if signs[0] * signs[1] < 0 else (0, 0)


def _of_logarithm(signs: Signs) -> int:
    return min(signs[0], 0)  # zero is the only such number that has one


def _linear(*_: float) -> Bend:
    return Bend.LINEAR


def _convex(*_: float) -> Bend:
    return Bend.CONVEX


def _concave(*_: float) -> Bend:
    return Bend.CONCAVE


def _neither(*_: float) -> Bend:
    return Bend.NEITHER


def _turning_at_zero(low: float, high: float) -> Bend:
    if low >= 0:
        return Bend.CONCAVE
    return Bend.CONVEX if high <= 0 else Bend.NEITHER


def _of_power(low: float, _high: float, exponent: float) -> Bend:
    if exponent in (0.0, 1.0):
        return Bend.LINEAR
    if low < 0:
        return Bend.NEITHER
    return Bend.CONCAVE if 0 < exponent < 1 else Bend.CONVEX


def _sum(name: str, text: str, coefficients: Signs, bound: Bound, back: Inverse) -> Operation:
    def sign(signs: Signs) -> int:
        return _shared(tuple(own * c for own, c in zip(signs, coefficients, strict=True)))

    neutral = tuple(0.0 if other > 0 else None for other in reversed(coefficients))
    return Sum(
        name=name, compute=getattr(np, name), bound=bound, inverse=back, text=text,
        moves=_always(*coefficients), sign=sign, bend=_linear, is_exact=True,
        neutral=neutral, coefficients=coefficients,
    )  # fmt: skip


def _rounding(name: str, below: float, above: float, back: Inverse | None) -> Operation:
    function = getattr(np, name)
    return Rounding(
        name=name, compute=function, bound=ranges.rising(function), inverse=back,
        text=name + "({0})", moves=_always(1), sign=_shared, bend=_neither, is_exact=True,
        neutral=(None,), below=below, above=above,
    )  # fmt: skip


def _curve(
    name: str,
    bend: Callable[..., Bend],
    *,
    sign: Callable[[Signs], int],
    from_: float = -np.inf,
    back: Inverse | None = None,
    is_exact: bool = False,
) -> Operation:
    function = getattr(np, name)
    rule = ranges.rising if is_exact else ranges.smooth
    return Curve(
        name=name, compute=function, bound=rule(function, from_=from_), inverse=back,
        text=name + "({0})", moves=_always(1), sign=sign, bend=bend, is_exact=is_exact,
        neutral=(None,),
    )  # fmt: skip


def _extreme(name: str, word: str, way: int, bound: Bound, back: Inverse) -> Operation:
    def sign(signs: Signs) -> int:
        return way if way in signs else _shared(signs)

    return Extreme(
        name=name, compute=getattr(np, name), bound=bound, inverse=back,
        text=word + "({0}, {1})", moves=_always(1, 1), sign=sign,
        bend=_convex if way > 0 else _concave, is_exact=True, neutral=(None, None), way=way,
    )  # fmt: skip


def _comparison(
    relation: Order,
    mark: str,
    moves: Callable[[Signs], Signs],
    bound: Bound,
    back: Inverse | None,
) -> Operation:
    return ComparisonOperation(
        name=relation.value, compute=getattr(np, relation.value), bound=bound, inverse=back,
        text="({0} " + mark + " {1})", moves=moves, sign=_is(1), bend=_neither,
        is_exact=True, neutral=(None, None), relation=relation,
    )  # fmt: skip


def _connective(
    name: str,
    text: str,
    way: int,
    connection: Connection,
    bound: Bound,
    back: Inverse | None,
) -> Operation:
    def moves(signs: Signs) -> Signs:
        # A number counts as true wherever it is not zero, on either side.
        return tuple(way * sign for sign in signs)

    return Connective(
        name=name, compute=getattr(np, name), bound=bound, inverse=back, text=text,
        moves=moves, sign=_is(1), bend=_neither, is_exact=True,
        neutral=(None,) * text.count("{"), connection=connection,
    )  # fmt: skip


def _row(form: type[Operation], compute: Any, **properties: Any) -> Operation:
    return form(name=compute.__name__, compute=compute, **properties)


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        _sum("add", "({0} + {1})", (1, 1), ranges.add, inverse.add),
        _sum("subtract", "({0} - {1})", (1, -1), ranges.subtract, inverse.subtract),
        _sum("negative", "-{0}", (-1,), ranges.negative, inverse.negative),
        _row(
            Product, np.multiply, text="({0} * {1})", bound=ranges.multiply,
            inverse=inverse.multiply, moves=lambda signs: signs[::-1], sign=_product,
            bend=_linear, is_exact=True, neutral=(1.0, 1.0),
        ),
        _row(
            Quotient, np.divide, text="({0} / {1})", bound=ranges.divide,
            inverse=inverse.divide, moves=_as_quotient, sign=_product,
            bend=_linear, is_exact=True, neutral=(None, 1.0),
        ),
        _row(
            Division, np.floor_divide, text="({0} // {1})", bound=ranges.floor_divide,
            inverse=None, moves=_as_quotient, sign=_product,
            bend=_neither, is_exact=True, neutral=(None, None), part=Part.COUNT,
        ),
        _row(
            Division, np.remainder, text="({0} % {1})", bound=ranges.remainder,
            inverse=None, moves=_always(0, 0), sign=lambda signs: signs[1],
            bend=_neither, is_exact=True, neutral=(None, None), part=Part.REMAINDER,
        ),
        _row(
            Power, np.power, text="({0} ** {1})", bound=ranges.power,
            inverse=inverse.power, moves=lambda signs: (signs[1] if signs[0] > 0 else 0, 0),
            sign=lambda signs: max(signs[0], 0),
            bend=_of_power, is_exact=False, neutral=(None, 1.0),
        ),
        _row(
            Square, np.square, text="{0}²", bound=ranges.square,
            inverse=inverse.square, moves=lambda signs: signs, sign=_is(1),
            bend=_convex, is_exact=True, neutral=(None,),
        ),
        _row(
            Absolute, np.absolute, text="abs({0})", bound=ranges.absolute,
            inverse=None, moves=lambda signs: signs, sign=_is(1),
            bend=_convex, is_exact=True, neutral=(None,),
        ),
        _row(
            Sign, np.sign, text="sign({0})", bound=ranges.rising(np.sign),
            inverse=None, moves=_always(1), sign=_shared,
            bend=_neither, is_exact=True, neutral=(None,),
        ),
        _rounding("floor", -1.0, 0.0, inverse.floor),
        _rounding("ceil", 0.0, 1.0, inverse.ceil),
        _rounding("trunc", -1.0, 1.0, None),
        _rounding("rint", -0.5, 0.5, None),
        _curve("sqrt", _concave, sign=_is(1), from_=0.0, back=inverse.sqrt, is_exact=True),
        _curve("cbrt", _turning_at_zero, sign=_shared),
        _curve("exp", _convex, sign=_is(1)),
        _curve("exp2", _convex, sign=_is(1)),
        _curve("expm1", _convex, sign=_shared),
        _curve("tanh", _turning_at_zero, sign=_shared),
        _curve("log", _concave, sign=_of_logarithm, from_=0.0),
        _curve("log2", _concave, sign=_of_logarithm, from_=0.0),
        _curve("log10", _concave, sign=_of_logarithm, from_=0.0),
        _curve("log1p", _concave, sign=_shared, from_=-1.0),
        _extreme("maximum", "max", 1, ranges.maximum, inverse.maximum),
        _extreme("minimum", "min", -1, ranges.minimum, inverse.minimum),
        _row(
            Selection, np.where, text="where({0}, {1}, {2})", bound=ranges.where,
            inverse=inverse.where, moves=_of_selection,
            sign=lambda signs: _shared(signs[1:]),
            bend=_neither, is_exact=True, neutral=(None, None, None),
        ),
        _comparison(Order.LESS, "<", _always(-1, 1), ranges.less, inverse.less),
        _comparison(Order.LESS_EQUAL, "<=", _always(-1, 1), ranges.less_equal, inverse.less),
        _comparison(Order.GREATER, ">", _always(1, -1), ranges.greater, inverse.greater),
        _comparison(
            Order.GREATER_EQUAL, ">=", _always(1, -1), ranges.greater_equal, inverse.greater
        ),
        _comparison(Order.EQUAL, "==", _of_equality, ranges.equal, inverse.equal),
        _comparison(Order.NOT_EQUAL, "!=", _of_difference, ranges.not_equal, None),
        _connective(
            "logical_and", "({0} and {1})", 1, Connection.ALL,
            ranges.logical_and, inverse.logical_and,
        ),
        _connective(
            "logical_or", "({0} or {1})", 1, Connection.ANY,
            ranges.logical_or, inverse.logical_or,
        ),
        _connective(
            "logical_xor", "({0} xor {1})", 0, Connection.ONE, ranges.logical_xor, None
        ),
        _connective(
            "logical_not", "(not {0})", -1, Connection.NOT,
            ranges.logical_not, inverse.logical_not,
        ),
    )
}  # fmt: skip
