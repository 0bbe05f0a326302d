"""Lower truth values: literals, and demands.

A literal is free where rounding leaves a comparison undecided, so that every
design keeps an assignment with the true values of all its conditions.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

import numpy as np

from mlsysim.expr.graph import Apply, Constant, GraphNode, is_conjunction
from mlsysim.expr.operation import ComparisonOperation, Connection, Connective, Order
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering.scaled import Scaled
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

_RESOLUTION = 2.0**-36


def demand(lowering: "Lowering", node: GraphNode) -> None:
    """Demand that a truth value holds."""
    if lowering.is_settled(node):
        return
    if is_conjunction(node):
        for argument in node.arguments:
            demand(lowering, argument)
    elif (
        isinstance(node, Apply)
        and isinstance(node.operation, ComparisonOperation)
        and lowering.group(node) is None
        and not lowering.tabulates(node)
    ):
        difference = _difference(lowering, node)
        with lowering.only_where(lowering.where_defined(*node.arguments)):
            _post(lowering, difference, node.operation.relation)
        lowering.record(node, EncodingKind.LINEAR, 1, difference.slack)
    else:
        lowering.model.add_bool_and([literal(lowering, node)])


def literal(  # noqa: PLR0911 - one case per form
    lowering: "Lowering", node: GraphNode
) -> cp_model.BoolVarT:
    """Give a literal that can take the true value of any design."""
    if isinstance(node, Constant):
        return lowering.model.new_constant(int(node.value != 0))
    settled = lowering.is_settled(node)
    if settled is not None:
        return lowering.model.new_constant(int(settled))
    group = lowering.group(node)
    if group is not None:
        lowering.tell(node, group)
        return group.any_of(group.values(node) != 0)
    if lowering.tabulates(node):
        return _tabulated(lowering, node)
    if not isinstance(node, Apply) or not node.truth:
        number = lowering.number(node, _wish(lowering, node))
        return _compared(lowering, node, [node], number, Order.NOT_EQUAL)
    match node.operation:
        case ComparisonOperation(relation=relation):
            difference = _difference(lowering, node)
            return _compared(lowering, node, node.arguments, difference, relation)
        case Connective(connection=connection):
            _share_freedom(lowering, node)
            return _connected(lowering, connection, [lowering.literal(a) for a in node.arguments])
        case _:  # a selection between truth values
            _share_freedom(lowering, node)
            return _selected(lowering, *(lowering.literal(a) for a in node.arguments))


def _share_freedom(lowering: "Lowering", node: Apply) -> None:
    """Note that what is made of a literal that rounding leaves free is so, too."""
    for argument in node.arguments:
        lowering.literal(argument)
    if not lowering.free.isdisjoint(argument.position for argument in node.arguments):
        lowering.free.add(node.position)


def _tabulated(lowering: "Lowering", node: GraphNode) -> cp_model.BoolVarT:
    truths = lowering.cells.values(node) != 0
    if truths.all() or not truths.any():
        return lowering.model.new_constant(int(truths[0]))
    place = lowering.cells.place(node)
    chosen = lowering.model.new_bool_var("")
    for sign, where in ((chosen, truths), (~chosen, ~truths)):
        domain = cp_model.Domain.from_values([int(at) for at in np.flatnonzero(where)])
        lowering.model.add_linear_expression_in_domain(place, domain).only_enforce_if(sign)
    lowering.record(node, EncodingKind.TABLE, len(truths), 0.0)
    return chosen


def _selected(
    lowering: "Lowering",
    condition: cp_model.BoolVarT,
    yes: cp_model.BoolVarT,
    no: cp_model.BoolVarT,
) -> cp_model.BoolVarT:
    chosen = lowering.model.new_bool_var("")
    lowering.model.add(chosen == yes).only_enforce_if(condition)
    lowering.model.add(chosen == no).only_enforce_if(~condition)
    return chosen


def _connected(
    lowering: "Lowering", connection: Connection, literals: list[cp_model.BoolVarT]
) -> cp_model.BoolVarT:
    if connection is Connection.NOT:
        return ~literals[0]
    model = lowering.model
    chosen = model.new_bool_var("")
    match connection:
        case Connection.ALL:
            model.add_bool_and(literals).only_enforce_if(chosen)
            model.add_bool_or([~one for one in literals]).only_enforce_if(~chosen)
        case Connection.ANY:
            model.add_bool_or(literals).only_enforce_if(chosen)
            model.add_bool_and([~one for one in literals]).only_enforce_if(~chosen)
        case Connection.ONE:
            model.add_bool_xor([*literals, ~chosen])
    return chosen


def _compared(
    lowering: "Lowering",
    node: GraphNode,
    compared: Sequence[GraphNode],
    difference: Scaled,
    relation: Order,
) -> cp_model.BoolVarT:
    chosen = lowering.model.new_bool_var("")
    lowering.record(node, EncodingKind.LOGICAL, 1, difference.slack)
    defined = lowering.where_defined(*compared)
    if defined or not (difference.exact and difference.certain):
        lowering.free.add(node.position)
    with lowering.only_where(defined):
        _post(lowering, difference, relation, chosen)
        _post(lowering, difference, relation.opposite, ~chosen)
    return chosen


def _post(
    lowering: "Lowering", difference: Scaled, relation: Order, *literals: cp_model.BoolVarT
) -> None:
    step = difference.unit if difference.exact else 0.0
    match relation:
        case Order.LESS:
            lowering.between([difference], -math.inf, -step, *literals)
        case Order.LESS_EQUAL:
            lowering.between([difference], -math.inf, 0.0, *literals)
        case Order.GREATER:
            lowering.between([difference], step, math.inf, *literals)
        case Order.GREATER_EQUAL:
            lowering.between([difference], 0.0, math.inf, *literals)
        case Order.EQUAL:
            lowering.between([difference], 0.0, 0.0, *literals)
        case Order.NOT_EQUAL:
            if difference.exact:
                zero = cp_model.Domain(0, 0)
                demand = lowering.model.add_linear_expression_in_domain(
                    difference.expression, zero.complement()
                )
                lowering.post(demand, *literals)
        case _:
            assert_never(relation)


def _difference(lowering: "Lowering", node: Apply) -> Scaled:
    left, right = node.arguments
    wish = max(_wish(lowering, left), _wish(lowering, right))
    return lowering.total([lowering.number(left, wish), lowering.number(right, wish).times(-1)])


def _wish(lowering: "Lowering", node: GraphNode) -> float:
    return max(map(abs, lowering.range(node))) * _RESOLUTION
