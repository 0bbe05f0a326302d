"""Tables of one choice, or of few combinations, that no group of literals holds."""

from typing import TYPE_CHECKING

import numpy as np

from mlsysim.expr.graph import Apply, Choice, Constant, GraphNode
from mlsysim.expr.operation import Curve, Power, Product
from mlsysim.search.cpsat.lowering.scaled import Scaled, power_of_two
from mlsysim.search.cpsat.lowering.strips import add_strips, strips_of
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

# A sub-formula with no more combinations than this is tabulated.
CELLS = 4096
# The same for what is a table from the start, and for strips along one choice.
LONG = 1 << 16
# A long table of one choice goes in as so many strips if they are exact, ...
_EXACT_STRIPS = 12
# ... and if it is a smooth curve, as so many that are not.
_CURVE_STRIPS = 16
# A look-up of up to so many values costs as little as a product.
_FEW = 2
_WHOLE = 2.0**40


def is_multiple(lowering: "Lowering", node: GraphNode) -> bool:
    """Tell whether a value is a constant times a count: linear rather than a table."""
    if not isinstance(node, Apply) or len(node.support) != 1:
        return False
    if not isinstance(node.operation, Product):
        return False
    constant, counted = sorted(node.arguments, key=lambda one: not isinstance(one, Constant))
    if not isinstance(constant, Constant):
        return False
    if isinstance(counted, Choice):
        is_line = lowering.program.columns[counted.name].line is not None
        return is_line and lowering.cells.sizes(counted)[0] > _FEW
    return is_multiple(lowering, counted)


def table(lowering: "Lowering", node: GraphNode, wish: float) -> Scaled:
    """Encode a value by looking it up; what is no number there is left at 0."""
    values = lowering.cells.values(node)
    values = np.where(np.isfinite(values), values, 0.0)
    unit = 1.0
    if np.any(values != np.rint(values)) or np.max(np.abs(values)) > _WHOLE:
        # Conditions may leave a much smaller range than the table has.
        unit = power_of_two(max(wish, float(np.max(np.abs(values))) / _WHOLE))
    entries = [round(value) for value in values / unit]
    error = float(np.max(np.abs(values - np.array(entries) * unit)))
    target = lowering.variable(min(entries), max(entries))
    lowering.model.add_element(lowering.cells.place(node), entries, target)
    lowering.record(node, EncodingKind.TABLE, len(entries), error)
    return Scaled(expression=target, low=min(entries), high=max(entries), unit=unit).off(error)


def strips(lowering: "Lowering", node: Apply, wish: float) -> Scaled | None:
    """Encode a long table of one choice by strips; nothing where the rule is better."""
    if len(node.support) != 1 or lowering.cells.sizes(node)[0] > LONG:
        return None
    values = lowering.cells.values(node)
    if not np.all(np.isfinite(values)):
        return None
    pieces = strips_of(values, wish, _EXACT_STRIPS)
    widest = max(piece.width for piece in pieces)
    if len(pieces) == 1 and widest <= wish:
        return None  # a line: the rule is exact
    if widest > wish:
        if not isinstance(node.operation, (Curve, Power)):
            return None
        lowering.is_approximate = True
        (name,) = node.support
        (start,) = lowering.cells.starts(node)
        cuts = [place - start for place in lowering.marks.get(name, ())]
        pieces = strips_of(values, wish, _CURVE_STRIPS, cuts)
    number = add_strips(lowering.model, lowering.cells.place(node), values, pieces)
    lowering.record(node, EncodingKind.PIECEWISE_LINEAR, len(pieces), number.slack)
    return number
