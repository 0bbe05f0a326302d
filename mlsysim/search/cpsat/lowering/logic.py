"""Lower truth values: literals, and demands.

A literal is free where rounding leaves a comparison undecided, so that every
design keeps an assignment with the true values of all its conditions.
"""

import math
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from ortools.sat.python import cp_model

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.search.cpsat.lowering.scaled import Scaled, total
from mlsysim.search.cpsat.solving.model import Kind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

_RESOLUTION = 2.0**-36


def demand(lowering: "Lowering", node: Node) -> None:
    """Demand that a truth value holds."""
    if isinstance(node, Apply) and node.operation.name == "logical_and":
        for argument in node.arguments:
            demand(lowering, argument)
    elif _is_comparison(node) and lowering.block(node) is None and not lowering.tabulates(node):
        difference = _difference(lowering, node)
        _post(lowering, difference, node.operation.name)
        lowering.record(node, Kind.LINEAR, 1, difference.slack)
    else:
        lowering.model.add_bool_and([literal(lowering, node)])


def literal(lowering: "Lowering", node: Node) -> cp_model.BoolVarT:
    """Give a literal that can take the true value of any design."""
    if isinstance(node, Constant):
        return lowering.model.new_constant(int(node.value != 0))
    block = lowering.block(node)
    if block is not None:
        return block.literal(node)
    if lowering.tabulates(node):
        return _tabulated(lowering, node)
    if not isinstance(node, Apply) or not node.truth:
        return _compared(lowering, node, lowering.number(node, _wish(lowering, node)), "not_equal")
    if _is_comparison(node):
        return _compared(lowering, node, _difference(lowering, node), node.operation.name)
    return _connected(lowering, node.operation.name, [lowering.literal(a) for a in node.arguments])


def _tabulated(lowering: "Lowering", node: Node) -> cp_model.BoolVarT:
    truths = lowering.cells.values(node) != 0
    if truths.all() or not truths.any():
        return lowering.model.new_constant(int(truths[0]))
    place = lowering.cells.place(node)
    chosen = lowering.model.new_bool_var("")
    for sign, where in ((chosen, truths), (~chosen, ~truths)):
        domain = cp_model.Domain.from_values([int(at) for at in np.flatnonzero(where)])
        lowering.model.add_linear_expression_in_domain(place, domain).only_enforce_if(sign)
    lowering.record(node, Kind.TABLE, len(truths), 0.0)
    return chosen


def _connected(
    lowering: "Lowering", name: str, literals: list[cp_model.BoolVarT]
) -> cp_model.BoolVarT:
    model = lowering.model
    if name == "logical_not":
        return ~literals[0]
    chosen = model.new_bool_var("")
    if name == "where":
        condition, yes, no = literals
        model.add(chosen == yes).only_enforce_if(condition)
        model.add(chosen == no).only_enforce_if(~condition)
    elif name == "logical_and":
        model.add_bool_and(literals).only_enforce_if(chosen)
        model.add_bool_or([~one for one in literals]).only_enforce_if(~chosen)
    elif name == "logical_or":
        model.add_bool_or(literals).only_enforce_if(chosen)
        model.add_bool_and([~one for one in literals]).only_enforce_if(~chosen)
    else:
        model.add_bool_xor([*literals, ~chosen])
    return chosen


def _compared(lowering: "Lowering", node: Node, difference: Scaled, name: str) -> cp_model.BoolVarT:
    chosen = lowering.model.new_bool_var("")
    lowering.record(node, Kind.LOGICAL, 1, difference.slack)
    _post(lowering, difference, name, chosen)
    _post(lowering, difference, _OPPOSITE[name], ~chosen)
    return chosen


_OPPOSITE = {
    "less": "greater_equal",
    "less_equal": "greater",
    "greater": "less_equal",
    "greater_equal": "less",
    "equal": "not_equal",
    "not_equal": "equal",
}


def _post(
    lowering: "Lowering", difference: Scaled, name: str, *literals: cp_model.BoolVarT
) -> None:
    step = difference.unit if difference.exact else 0.0
    match name:
        case "less":
            lowering.between([difference], -math.inf, -step, *literals)
        case "less_equal":
            lowering.between([difference], -math.inf, 0.0, *literals)
        case "greater":
            lowering.between([difference], step, math.inf, *literals)
        case "greater_equal":
            lowering.between([difference], 0.0, math.inf, *literals)
        case "equal":
            lowering.between([difference], 0.0, 0.0, *literals)
        case _:
            if difference.exact:
                lowering.model.add(difference.expression != 0).only_enforce_if(*literals)


def _is_comparison(node: Node) -> TypeGuard[Apply]:
    return isinstance(node, Apply) and node.operation.name in _OPPOSITE


def _difference(lowering: "Lowering", node: Apply) -> Scaled:
    left, right = node.arguments
    wish = max(_wish(lowering, left), _wish(lowering, right))
    return total([lowering.number(left, wish), lowering.number(right, wish).times(-1)])


def _wish(lowering: "Lowering", node: Node) -> float:
    return max(map(abs, lowering.range(node))) * _RESOLUTION
