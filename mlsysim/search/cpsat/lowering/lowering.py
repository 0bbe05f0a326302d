"""Lower a graph to CP-SAT: choices become integers, formulas become constraints.

The model is a *relaxation*: for every design that the evaluator accepts it has
an assignment whose numbers are within the stated slack of the true ones.  All
rounding is outward, so its bound is a bound and its infeasibility is a proof.
What depends on one group of choices is a weighted sum of the group's literals; the rest
follows the rule of its operation in `rules` and `logic`.

A sub-formula may be no number for some designs, such as a quotient that a selection
guards.  Its constraints then hold only where it is known to be one, and elsewhere its
variable is free: no design is lost for a number that nobody uses.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from mlsysim.expr.graph import Apply, Choice, Graph, GraphNode
from mlsysim.expr.operation import Selection
from mlsysim.expr.ranges import Range
from mlsysim.expr.text import describe
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering import logic, monomials, products, rules, tables
from mlsysim.search.cpsat.lowering.cells import CellReader
from mlsysim.search.cpsat.lowering.group import Group
from mlsysim.search.cpsat.lowering.growing import Check
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.scaled import (
    LARGEST,
    Scaled,
    aligned,
    power_of_two,
    total,
)
from mlsysim.search.cpsat.lowering.value_ranges import ValueRanges
from mlsysim.search.cpsat.program.boxes import Boxes
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.clock import never
from mlsysim.search.cpsat.solving.model import Encoding, EncodingKind

# Values are resolved to this share of the largest one at best.
_RESOLUTION = 2.0**-40
_WHOLE = 2.0**40
# A sum is resolved to this share of what is added up: all variables together fit 64 bits.
_SUM_RESOLUTION = 2.0**-51
# A variable is resolved to this share of its largest value.
_VARIABLE_RESOLUTION = 2.0**-50


class Lowering:
    """A model under construction.

    Parameters
    ----------
    program
        What is minimised.
    model
        Where the constraints go.
    positions
        The position of each choice that is not in rows.
    box
        The one box that holds every design of interest.
    groups
        The groups of choices whose combinations are literals.
    cutoff
        Designs whose objective is not below this do not matter.
    settled
        What is known of every value over the box, where that was looked into.
    marks
        Choice -> positions around which curves are encoded closely.

    Attributes
    ----------
    is_approximate
        Whether marks could make the model better.
    check
        Called now and then; it may raise.
    encodings
        How every expression went in, in this order.
    forms
        The position of a node in the graph -> how it went in.
    free
        The positions of truth values whose literals rounding leaves free at some designs.
    cells
        The combinations of choices that a sub-formula depends on.
    ranges
        Between which ends values lie.
    """

    def __init__(
        self,
        program: Program,
        model: cp_model.CpModel,
        positions: Mapping[str, cp_model.IntVar],
        *,
        box: Boxes,
        groups: Sequence[Group] = (),
        cutoff: float = np.inf,
        settled: Mapping[int, Range] | None = None,
        marks: Mapping[str, frozenset[int]] = MappingProxyType({}),
    ) -> None:
        self.is_approximate = False
        self.check: Check = never
        self.model = model
        self.marks = marks
        self.encodings: list[Encoding] = []
        self.forms: dict[int, Encoding] = {}
        self.free: set[int] = set()
        self.program = program
        self.groups = sorted(groups, key=len)
        self.ranges = ValueRanges(program, box, groups, cutoff, settled)
        self.cells = CellReader(program, model, positions, box)
        self.shares: dict[tuple[int, int], tuple[Scaled, list[monomials.Share]]] = {}
        self.coarse: dict[tuple[int, float], Scaled] = {}
        self._positions = positions
        self._numbers: dict[int, Scaled] = {}
        self._told: set[int] = set()
        self._literals: dict[int, cp_model.BoolVarT] = {}
        self._definitions: dict[int, cp_model.BoolVarT | None] = {}
        self._enforced: list[tuple[cp_model.BoolVarT, ...]] = [()]

    @property
    def names(self) -> tuple[str, ...]:
        """The choices, in the order of the space."""
        return self.program.names

    @property
    def graph(self) -> Graph:
        """The graph of the formulas."""
        return self.program.graph

    def number(self, node: GraphNode, wish: float) -> Scaled:
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
        low, high = self.range(node)
        finest = max(max(abs(low), abs(high)) * _RESOLUTION, 1e-300)
        group = self.group(node)
        if low == high and self.ranges.is_constant(node):
            return products.constant(low, max(wish, finest))
        if group is not None:  # a sum of literals that are there, in whatever unit
            self.tell(node, group)
            return group.number(group.values(node), max(wish, finest))
        if node.position not in self._numbers:
            self.check()
            # What only the conditions leave no room is no constant: they hold through it.
            number = self._numbers[node.position] = self._confined(node, self._number(node, finest))
            self._correct(node, number.spread)
        return self._numbers[node.position]

    def _confined(self, node: GraphNode, number: Scaled) -> Scaled:
        """Know that a number is no further off than the ends between which it and its value lie."""
        if number.spread == 0.0 or self.where_defined(node):
            return number
        low, high = self.range(node)
        widest = max(number.high * number.unit - low, high - number.low * number.unit)
        return replace(number, spread=min(number.spread, widest))

    def _correct(self, node: GraphNode, error: float) -> None:
        """Note how far a number may be off in all, what it is made of included."""
        told = self.forms.get(node.position)
        if told is not None:
            place = next(
                at for at in reversed(range(len(self.encodings))) if self.encodings[at] is told
            )
            self.encodings[place] = self.forms[node.position] = replace(told, error=error)

    def is_lowered(self, node: GraphNode) -> bool:
        """Tell whether a number has its encoding already."""
        return node.position in self._numbers

    def literal(self, node: GraphNode) -> cp_model.BoolVarT:
        """Lower a truth value to a literal that can take the true value of any design."""
        known = self._literals.get(node.position)
        if known is None:
            known = self._literals[node.position] = logic.literal(self, node)
        return known

    def range(self, node: GraphNode) -> tuple[float, float]:
        """Give the finite range of a number, over the designs for which it is known to be one."""
        known = self.ranges.of(node)
        return known.low, known.high

    def is_settled(self, truth: GraphNode) -> bool | None:
        """Tell a truth value that is the same for all designs of interest; nothing otherwise."""
        known = self.ranges.of(truth)
        if known.low > 0 or known.high < 0:
            return True
        return False if known.low == known.high == 0 else None

    def group(self, node: GraphNode) -> Group | None:
        """Give the smallest group that a value depends on, if it depends on nothing else."""
        return next((group for group in self.groups if group.holds(node)), None)

    def tabulates(self, node: GraphNode) -> bool:
        """Tell whether a sub-formula in no group is small enough for a table."""
        if any(node.support & set(group.names) for group in self.groups if group.cells is None):
            return False
        most = tables.CELLS if isinstance(node, Apply) else tables.LONG
        return bool(node.support) and math.prod(self.cells.sizes(node)) <= most

    def record(self, node: GraphNode, kind: EncodingKind, size: int, error: float) -> None:
        """Note how an expression went in."""
        encoding = Encoding(name=describe(node), kind=kind, size=size, error=error)
        self.encodings.append(encoding)
        self.forms[node.position] = encoding

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
        if isinstance(number.expression, cp_model.IntVar):
            return number.expression
        variable = self.variable(number.low, number.high)
        self.model.add(variable == number.expression)
        return variable

    def where_defined(self, *nodes: GraphNode) -> tuple[cp_model.BoolVarT, ...]:
        """Give literals that all hold where some values are known to be numbers."""
        found = (self._definition(node) for node in nodes)
        return tuple(literal for literal in found if literal is not None)

    @contextmanager
    def only_where(self, literals: Sequence[cp_model.BoolVarT]) -> Iterator[None]:
        """Have what is posted hold only where some literals do."""
        self._enforced.append(tuple(literals))
        try:
            yield
        finally:
            self._enforced.pop()

    def post(self, constraint: cp_model.Constraint, *literals: cp_model.BoolVarT) -> None:
        """Have a constraint hold only where literals do, and its numbers are known to be some."""
        if enforced := (*self._enforced[-1], *literals):
            constraint.only_enforce_if(*enforced)

    def total(self, numbers: Sequence[Scaled]) -> Scaled:
        """Add numbers; those that are resolved far more finely than others are coarsened."""
        size = sum(max(number.size, number.weight) * number.unit for number in numbers)
        least = power_of_two(size * _SUM_RESOLUTION)
        return total([products.coarsened(self, number, least) for number in numbers])

    def alike(self, numbers: Sequence[Scaled]) -> list[Scaled]:
        """Write numbers in one unit, in which variables can hold them."""
        size = max(number.size * number.unit for number in numbers)
        least = power_of_two(size * _VARIABLE_RESOLUTION)
        return aligned([products.coarsened(self, number, least) for number in numbers])

    def between(
        self,
        terms: Sequence[Scaled],
        low: float,
        high: float,
        *literals: cp_model.BoolVarT,
    ) -> Scaled:
        """Demand that a sum lies between two ends, as far as its slack allows; give the sum.

        Parameters
        ----------
        terms
            What is added.
        low, high
            The ends; infinite where there is none.
        *literals
            The demand holds where all of these do.
        """
        sum_ = self.total(terms)
        literals = (*self._enforced[-1], *literals)
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
        return sum_

    def tied(self, terms: Sequence[Scaled], reach: float) -> float:
        """Demand that a sum is no further from zero than this, as far as its slack allows.

        Returns
        -------
        float
            How far the first term may be from what the true values of the others make of it.
        """
        sum_ = self.between(terms, -reach, reach)
        size = sum(term.size * term.unit for term in terms)
        return reach + sum_.slack + sum_.spread + 8 * sys.float_info.epsilon * size

    def demand_defined(self, node: GraphNode) -> None:
        """Leave out the designs at which a number is known to be none: they do not count."""
        group = self.group(node)
        if group is not None:
            defined = np.isfinite(group.values(node))
            if not defined.all():
                self.model.add_bool_and([group.any_of(defined)])

    def _definition(self, node: GraphNode) -> cp_model.BoolVarT | None:
        """Give a literal that holds where a value is known to be a number; nothing if always."""
        if node.position not in self._definitions:
            known = self.ranges.of(node)
            if known.nowhere:
                self._definitions[node.position] = self.model.new_constant(0)
                return self._definitions[node.position]
            self._definitions[node.position] = (
                None
                if known.group is None or known.rows is None
                else known.group.any_of(known.rows)
            )
        return self._definitions[node.position]

    def _number(self, node: GraphNode, wish: float) -> Scaled:
        match node:
            case Choice() if (line := self._line(node)) is not None:
                return line
            case _ if self.tabulates(node) and not tables.is_multiple(self, node):
                return tables.table(self, node, wish)
            case Apply():
                strips = None if tables.is_multiple(self, node) else tables.strips(self, node, wish)
                if strips is not None:
                    return strips
                # What a selection does not pick need not be a number.
                picks = isinstance(node.operation, Selection)
                with self.only_where(self.where_defined(node, *(() if picks else node.arguments))):
                    return rules.lower(self, node, wish)
            case _:
                raise NotLowerableError(f"{describe(node)} has too many values for a table")

    def tell(self, node: GraphNode, group: Group) -> None:
        """Note once that a value went in as a table."""
        if node.position not in self._told:
            self._told.add(node.position)
            self.record(node, EncodingKind.TABLE, len(group), 0.0)

    def _line(self, node: Choice) -> Scaled | None:
        """Read a choice off its position, where its values are equally spaced integers."""
        line = self.program.columns[node.name].line
        if line is None:
            return None
        start, step = line
        # What the position can be in the model, not what conditions leave of it.
        (first,), (length,) = self.cells.starts(node), self.cells.sizes(node)
        low, high = sorted((start + step * first, start + step * (first + length - 1)))
        if max(abs(low), abs(high)) > _WHOLE:
            return None
        self.record(node, EncodingKind.LINEAR, 1, 0.0)
        return Scaled(expression=start + step * self._positions[node.name], low=low, high=high)
