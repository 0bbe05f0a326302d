"""Lower a graph to CP-SAT: choices become integers, formulas become constraints.

The model is a *relaxation*: for every design that the evaluator accepts it has
an assignment whose numbers are within the stated slack of the true ones.  All
rounding is outward, so its bound is a bound and its infeasibility is a proof.
Sub-formulas of few choices are tabulated exactly; the others follow the rule
of their operation in `rules` and `logic`.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from ortools.sat.python import cp_model

from mlsysim.expr.graph import Apply, Choice, Constant, Node
from mlsysim.expr.operation import Curve, Power, Product
from mlsysim.expr.text import describe
from mlsysim.search.cpsat.blocks.rowblock import RowBlock
from mlsysim.search.cpsat.lowering import logic, products, rules
from mlsysim.search.cpsat.lowering.cells import Cells
from mlsysim.search.cpsat.lowering.scaled import (
    LARGEST,
    NotLowerableError,
    Scaled,
    power_of_two,
    total,
)
from mlsysim.search.cpsat.lowering.strips import add_strips, strips_of
from mlsysim.search.cpsat.lowering.value_ranges import ValueRanges
from mlsysim.search.cpsat.program.boxes import Boxes, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.model import Encoding, Kind

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
# Values are resolved to this share of the largest one.
_RESOLUTION = 2.0**-40
_WHOLE = 2.0**40


class Lowering:
    """A model under construction.

    Parameters
    ----------
    program
        What is minimised.
    variables
        The position of each choice.
    model
        Where the constraints go.
    box
        The one box that holds every design of interest.
    blocks
        Choices of which only some combinations are of interest, each a row.
    marks
        Choice -> positions around which curves are encoded closely.

    Attributes
    ----------
    is_approximate
        Whether marks could make the model better.
    cells
        The combinations of choices that a sub-formula depends on.
    """

    def __init__(
        self,
        program: Program,
        model: cp_model.CpModel,
        positions: Mapping[str, cp_model.IntVar],
        *,
        box: Boxes | None = None,
        blocks: Sequence[RowBlock] = (),
        marks: Mapping[str, frozenset[int]] = MappingProxyType({}),
    ) -> None:
        self.is_approximate = False
        self.model = model
        self._blocks = blocks
        self._marks = marks
        self.encodings: list[Encoding] = []
        self._program = program
        self._positions = positions
        self._box = box or whole(list(program.lengths.values()))
        self._ranges = ValueRanges(program, self._box, blocks)
        self.cells = Cells(program, model, positions, self._box)
        self._numbers: dict[int, Scaled] = {}
        self._literals: dict[int, cp_model.BoolVarT] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The choices, in the order of the space."""
        return self._program.names

    def number(self, node: Node, wish: float) -> Scaled:
        """Lower a number.

        Parameters
        ----------
        node
            The number.
        wish
            The slack that is hoped for; it may come out smaller or larger.

        Raises
        ------
        NotLowerableError
            If no sound encoding exists.
        """
        known = self._numbers.get(node.position)
        if known is not None and known.slack <= wish:
            return known
        low, high = self.range(node)
        wish = max(wish, max(abs(low), abs(high)) * _RESOLUTION, 1e-300)
        self._numbers[node.position] = lowered = self._number(node, wish)
        return lowered

    def literal(self, node: Node) -> cp_model.BoolVarT:
        """Lower a truth value to a literal that can take the true value of any design."""
        known = self._literals.get(node.position)
        if known is None:
            known = self._literals[node.position] = logic.literal(self, node)
        return known

    def range(self, node: Node) -> tuple[float, float]:
        """Give the finite range of a number over the box.

        Raises
        ------
        NotLowerableError
            If it is not bounded.
        """
        bound = self._ranges.of(node)
        low, high = float(np.min(bound.low)), float(np.max(bound.high))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise NotLowerableError(f"{describe(node)} is not bounded")
        return low, high

    def record(self, node: Node, kind: Kind, size: int, error: float) -> None:
        """Note how an expression went in."""
        self.encodings.append(Encoding(name=describe(node), kind=kind, size=size, error=error))

    def variable(self, low: int, high: int, name: str = "") -> cp_model.IntVar:
        """Make an integer variable.

        Raises
        ------
        NotLowerableError
            If its range does not fit the solver's integers.
        """
        if max(abs(low), abs(high)) > LARGEST:
            raise NotLowerableError(f"a range of {low} to {high} is too wide for the solver")
        return self.model.new_int_var(low, high, name)

    def single(self, number: Scaled) -> cp_model.IntVar:
        """Give a variable that equals the expression of a number.

        The presolve of CP-SAT 9.15 runs out of memory over a maximum of long
        sums: it lists the values that each sum can take.
        """
        variable = self.variable(number.low, number.high)
        self.model.add(variable == number.expression)
        return variable

    def block(self, node: Node) -> RowBlock | None:
        """Give the rows that a sub-formula depends on, if it depends on nothing else."""
        return next((b for b in self._blocks if node.support and b.holds(node)), None)

    def tabulates(self, node: Node) -> bool:
        """Tell whether a sub-formula is small enough for a table."""
        if any(node.support & set(block.names) for block in self._blocks):
            return False
        most = CELLS if isinstance(node, Apply) else LONG
        return math.prod(self.cells.sizes(node)) <= most

    def between(
        self,
        terms: Sequence[Scaled],
        low: float,
        high: float,
        *literals: cp_model.BoolVarT,
    ) -> None:
        """Demand that a sum lies between two ends, as far as its slack allows.

        Parameters
        ----------
        terms
            What is added.
        low, high
            The ends; infinite where there is none.
        *literals
            The demand holds where all of these do.
        """
        sum_ = total(terms)
        first, last = sum_.low, sum_.high
        # Whatever is not exact was rounded as a float, and so are these ends.
        nudge = 0.0 if sum_.exact else 4 * sys.float_info.epsilon
        if math.isfinite(low):
            end = (low - sum_.slack) / sum_.unit
            first = math.ceil(end - nudge * abs(end))
        if math.isfinite(high):
            end = (high + sum_.slack) / sum_.unit
            last = math.floor(end + nudge * abs(end))
        if first > sum_.high or last < sum_.low or first > last:
            self.model.add_bool_or([~literal for literal in literals])
        elif first > sum_.low or last < sum_.high:
            ends = max(first, sum_.low), min(last, sum_.high)
            demand = self.model.add_linear_constraint(sum_.expression, *ends)
            if literals:
                demand.only_enforce_if(*literals)

    def check_defined(self, node: Node) -> None:
        """Insist that a number is finite for every design of the box.

        Raises
        ------
        NotLowerableError
            If it may not be; the evaluator then has to be asked.
        """
        if not self.tabulates(node):
            self.range(node)
        elif not np.all(np.isfinite(self.cells.values(node))):
            raise NotLowerableError(f"{describe(node)} is not a number for some designs")

    def _number(self, node: Node, wish: float) -> Scaled:
        match node:
            case Constant():
                return products.constant(node.value, wish)
            case _ if (block := self.block(node)) is not None:
                return block.number(node, wish)
            case Choice() if (line := self._line(node)) is not None:
                return line
            case _ if self.tabulates(node) and not self._is_multiple(node):
                return self._table(node, wish)
            case Apply():
                strips = None if self._is_multiple(node) else self._strips(node, wish)
                return strips or rules.lower(self, node, wish)
            case _:
                raise NotLowerableError(f"{describe(node)} has too many values for a table")

    def _line(self, node: Choice) -> Scaled | None:
        """Read a choice off its position, where its values are equally spaced integers."""
        line = self._program.columns[node.name].line
        if line is None:
            return None
        start, step = line
        # What the position can be in the model, not what conditions leave of it.
        (first,), (length,) = self.cells.starts(node), self.cells.sizes(node)
        low, high = sorted((start + step * first, start + step * (first + length - 1)))
        if max(abs(low), abs(high)) > _WHOLE:
            return None
        self.record(node, Kind.LINEAR, 1, 0.0)
        return Scaled(expression=start + step * self._positions[node.name], low=low, high=high)

    def _is_multiple(self, node: Node) -> bool:
        """Tell whether a value is a constant times a count: linear rather than a table."""
        if not isinstance(node, Apply) or len(node.support) != 1:
            return False
        if not isinstance(node.operation, Product):
            return False
        constant, counted = sorted(node.arguments, key=lambda one: not isinstance(one, Constant))
        if not isinstance(constant, Constant):
            return False
        if isinstance(counted, Choice):
            is_line = self._program.columns[counted.name].line is not None
            return is_line and self.cells.sizes(counted)[0] > _FEW
        return self._is_multiple(counted)

    def _table(self, node: Node, wish: float) -> Scaled:
        values = self.cells.values(node)
        if not np.all(np.isfinite(values)):
            raise NotLowerableError(f"{describe(node)} is not a number for some designs")
        unit = 1.0
        if np.any(values != np.rint(values)) or np.max(np.abs(values)) > _WHOLE:
            # Conditions may leave a much smaller range than the table has.
            unit = power_of_two(max(wish, float(np.max(np.abs(values))) / _WHOLE))
        entries = [round(value) for value in values / unit]
        error = float(np.max(np.abs(values - np.array(entries) * unit)))
        target = self.variable(min(entries), max(entries))
        self.model.add_element(self.cells.place(node), entries, target)
        self.record(node, Kind.TABLE, len(entries), error)
        return Scaled(
            expression=target, low=min(entries), high=max(entries), unit=unit, slack=error
        )

    def _strips(self, node: Apply, wish: float) -> Scaled | None:
        """Encode a long table of one choice by strips, unless the rule is better."""
        if (
            self.block(node) is not None
            or len(node.support) != 1
            or self.cells.sizes(node)[0] > LONG
        ):
            return None
        values = self.cells.values(node)
        if not np.all(np.isfinite(values)):
            return None
        pieces = strips_of(values, wish, _EXACT_STRIPS)
        widest = max(piece.width for piece in pieces)
        if len(pieces) == 1 and widest <= wish:
            return None  # a line: the rule is exact
        if widest > wish:
            if not isinstance(node.operation, (Curve, Power)):
                return None
            self.is_approximate = True
            (name,) = node.support
            (start,) = self.cells.starts(node)
            cuts = [place - start for place in self._marks.get(name, ())]
            pieces = strips_of(values, wish, _CURVE_STRIPS, cuts)
        number = add_strips(self.model, self.cells.place(node), values, pieces)
        self.record(node, Kind.PIECEWISE_LINEAR, len(pieces), number.slack)
        return number
