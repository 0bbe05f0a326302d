"""A program as a CP-SAT model made of its formulas."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ortools.sat.python import cp_model

from mlsysim.expr.graph import Apply, Constant, Node
from mlsysim.expr.operation import Product, Quotient, Sum
from mlsysim.search.cpsat.blocks.rowblock import RowBlock
from mlsysim.search.cpsat.lowering import logic
from mlsysim.search.cpsat.lowering.choices import add_choices
from mlsysim.search.cpsat.lowering.lowering import Lowering
from mlsysim.search.cpsat.lowering.scaled import NotLowerableError, Scaled
from mlsysim.search.cpsat.program.boxes import Boxes, Positions
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.model import CompiledModel

# The objective is resolved to this share of its range at first.
RESOLUTION = 2.0**-36
# CP-SAT keeps bounds on the objective in floating point.
_LARGEST_OBJECTIVE = 2**52

# The solver repeats the whole of a constraint in what it says of it.
_TOLD = 60

Tables = Mapping[tuple[str, ...], Positions]
Marks = Mapping[str, frozenset[int]]
NO_TABLES: Tables = MappingProxyType({})
NO_MARKS: Marks = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A program as constraints.

    Parameters
    ----------
    compiled
        The model.
    lowering
        What made it; it can add to it.
    objective
        What is minimised.
    blocks
        The choices that go in as rows.
    """

    compiled: CompiledModel
    lowering: Lowering
    objective: Scaled
    blocks: Sequence[RowBlock]

    def forbid(self, design: Sequence[int]) -> None:
        """Cut off one design.

        (A forbidden assignment of all variables at once would say the same,
        but lets the presolve of CP-SAT 9.15 lose other designs.)
        """
        names = self.lowering.names
        at = dict(zip(names, design, strict=True))
        others = [block.differs([at[name] for name in block.names]) for block in self.blocks]
        for name, position in self.compiled.positions.items():
            differs = self.compiled.model.new_bool_var("")
            self.compiled.model.add(position != at[name]).only_enforce_if(differs)
            others.append(differs)
        self.compiled.model.add_bool_or(others)

    def design(self, solution: cp_model.CpSolver) -> list[int]:
        """Read a design off a solution."""
        at = {name: solution.value(var) for name, var in self.compiled.positions.items()}
        for block in self.blocks:
            at |= dict(zip(block.names, block.chosen(solution), strict=True))
        return [at[name] for name in self.lowering.names]


def lower(
    program: Program,
    *,
    box: Boxes | None = None,
    tables: Tables = NO_TABLES,
    marks: Marks = NO_MARKS,
) -> Lowered:
    """Build the model of a program out of its formulas.

    Parameters
    ----------
    program
        What is minimised.
    box
        The one box that holds every design of interest; all of them if left out.
    tables
        Choices of a block -> the combinations of interest, by position.
    marks
        Choice -> positions around which curves are to be encoded closely.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding, or a sum overflows the solver's integers.
    """
    model = cp_model.CpModel()
    blocks = [RowBlock(model, names, designs, program.columns) for names, designs in tables.items()]
    tabulated = {name for names in tables for name in names}
    free = {name: n for name, n in program.lengths.items() if name not in tabulated}
    variables, positions = add_choices(model, free, program.columns)
    lowering = Lowering(program, model, positions, box=box, blocks=blocks, marks=marks)
    objective = _objective(lowering, program.objectives[0])
    if objective.size > _LARGEST_OBJECTIVE:
        raise NotLowerableError("the objective spans more than 52 bits")
    if box is not None:
        _confine(model, positions, program.names, box)
    for condition in program.conditions:
        for side in condition.sides:
            lowering.check_defined(side)
        logic.demand(lowering, condition.node)
    model.minimize(objective.expression)
    check_magnitudes(model)
    compiled = CompiledModel(
        model=model,
        variables=variables,
        positions=positions,
        encodings=tuple(lowering.encodings),
        objective=objective.expression,
    )
    return Lowered(compiled=compiled, lowering=lowering, objective=objective, blocks=blocks)


def check_magnitudes(model: cp_model.CpModel) -> None:
    """Insist that no sum of a model can overflow, before the solver refuses it.

    Every number by itself stays below 2**58; what matters here is what they add up to.

    Raises
    ------
    NotLowerableError
        If one can.
    """
    if told := model.validate():
        raise NotLowerableError(f"the solver's integers do not hold it: {told[:_TOLD]}")


def _objective(lowering: Lowering, node: Node) -> Scaled:
    """Encode what is minimised; constant factors stay outside, so that whole numbers stay whole."""
    match node:
        case Apply(operation=Sum(coefficients=(-1,)), arguments=(inner,)):
            return _times(_objective(lowering, inner), -1.0)
        case (
            Apply(operation=Product(), arguments=(Constant(value=factor), inner))
            | Apply(operation=Product(), arguments=(inner, Constant(value=factor)))
        ) if factor:
            return _times(_objective(lowering, inner), factor)
        case Apply(operation=Quotient(), arguments=(inner, Constant(value=divisor))) if divisor:
            return _times(_objective(lowering, inner), 1.0 / divisor)
    low, high = lowering.range(node)
    return lowering.number(node, max((high - low) * RESOLUTION, 1e-300))


def _times(number: Scaled, factor: float) -> Scaled:
    """Multiply by any number; what is added to nothing else may have any unit."""
    signed = number.times(-1) if factor < 0 else number
    scaled = replace(signed, unit=signed.unit * abs(factor), slack=signed.slack * abs(factor))
    # The reciprocal, the product and the evaluator's own operation round once each.
    error = 4 * sys.float_info.epsilon * (scaled.size * scaled.unit + scaled.slack)
    return replace(scaled, slack=scaled.slack + error)


def _confine(
    model: cp_model.CpModel,
    positions: Mapping[str, cp_model.IntVar],
    names: Sequence[str],
    box: Boxes,
) -> None:
    for name, position in positions.items():
        place = names.index(name)
        model.add_linear_constraint(position, int(box.first[0, place]), int(box.last[0, place]))
