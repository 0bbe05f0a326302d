"""A program as a CP-SAT model made of its formulas."""

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from mlsysim.expr.graph import Apply, Constant, GraphNode
from mlsysim.expr.operation import Product, Quotient, Sum
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering import logic
from mlsysim.search.cpsat.lowering.choices import add_choices
from mlsysim.search.cpsat.lowering.group import Group
from mlsysim.search.cpsat.lowering.growing import Cells, Check, grown, narrowed
from mlsysim.search.cpsat.lowering.listing import listed
from mlsysim.search.cpsat.lowering.lowering import Lowering
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.products import coarsened
from mlsysim.search.cpsat.lowering.scaled import Scaled, power_of_two
from mlsysim.search.cpsat.program.boxes import Boxes, Tables, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.clock import never

# The objective is resolved to this share of its range at first.
RESOLUTION = 2.0**-36
# CP-SAT keeps bounds on the objective in floating point.
_LARGEST_OBJECTIVE = 2**52
# The solver repeats the whole of a constraint in what it says of it.
_TOLD = 60
_NUDGE = 1e-14

Marks = Mapping[str, frozenset[int]]
NO_MARKS: Marks = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a model minimises, and what that says of the objective.

    Parameters
    ----------
    number
        What is minimised.
    factor
        The objective is this factor over the number; the number itself where there is none.
    least
        What the number is no less than at any design, where there is a factor.
    """

    number: Scaled
    factor: float | None = None
    least: float = 0.0

    @property
    def error(self) -> float:
        """How far the objective that a solution tells may be from that of its design."""
        if self.factor is None:
            return self.number.spread
        if self.least <= 0:
            return math.inf
        # Two such numbers, told and true: by how much they differ, or all that they can.
        low, high = self.number.low * self.number.unit, self.number.high * self.number.unit
        near = self.number.spread / self.least / max(low, self.least)
        ends = 1 / self.least - 1 / (high + self.number.slack)
        return abs(self.factor) * min(near, ends) * (1 + _NUDGE)

    @property
    def scale(self) -> float:
        """What the model's own objective is multiplied by, or what is divided by it."""
        return self.number.unit if self.factor is None else self.factor / self.number.unit

    def objective(self, bound: float) -> float:
        """Give the least objective where the model's own is no less than a bound."""
        low = bound * self.number.unit - self.number.slack
        if self.factor is None:
            return low
        # A ratio of positive numbers is maximised by minimising its reciprocal.
        low = max(low, self.least)
        return self.factor / low * (1 + _NUDGE) if low > 0 else -math.inf

    def limit(self, objective: float) -> float:
        """Give how large the number may be where the objective is no more than this."""
        if self.factor is None:
            return objective
        return self.factor / objective * (1 + _NUDGE) if objective < 0 else math.inf


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A program as constraints.

    Parameters
    ----------
    model
        The model.
    variables
        The integer variable of each choice.
    positions
        The position in its domain of each choice that is not in rows.
    lowering
        What made it; it can add to it.
    aim
        What is minimised.
    rows
        The groups of choices that go in as rows.
    is_impossible
        Whether no design can matter, so that nothing but that went in.
    """

    model: cp_model.CpModel
    variables: Mapping[str, cp_model.IntVar]
    positions: Mapping[str, cp_model.IntVar]
    lowering: Lowering
    aim: Aim
    rows: Sequence[Group]
    is_impossible: bool = False

    def forbid(self, design: Sequence[int]) -> None:
        """Cut off one design.

        (A forbidden assignment of all variables at once would say the same,
        but lets the presolve of CP-SAT 9.15 lose other designs.)
        """
        model = self.model
        at = dict(zip(self.lowering.names, design, strict=True))
        others: list[cp_model.BoolVarT] = []
        told: set[str] = set()
        for group in sorted(self.lowering.groups, key=lambda group: -len(group.names)):
            if set(group.names) <= told:
                continue
            literal = group.at([at[name] for name in group.names])
            if literal is None:
                return  # the model does not have it
            others.append(~literal)
            told |= set(group.names)
        for name, position in self.positions.items():
            if name not in told:
                differs = model.new_bool_var("")
                model.add(position != at[name]).only_enforce_if(differs)
                others.append(differs)
        model.add_bool_or(others)

    def design(self, solution: cp_model.CpSolver) -> list[int]:
        """Read a design off a solution."""
        at = {name: solution.value(var) for name, var in self.positions.items()}
        for group in self.rows:
            at |= dict(zip(group.names, group.chosen(solution), strict=True))
        return [at[name] for name in self.lowering.names]


def lower(
    program: Program,
    *,
    boxes: Boxes | None = None,
    tables: Tables | None = None,
    marks: Marks = NO_MARKS,
    cutoff: float = math.inf,
    into: cp_model.CpModel | None = None,
    name: str = "",
    check: Check = never,
) -> Lowered:
    """Build the model of a program out of its formulas.

    Parameters
    ----------
    program
        What is minimised.
    boxes
        They hold every design of interest; all of them if left out.
    tables
        Choices of a block -> the combinations of interest, by position; the choices in
        none stay integers.  If left out, groups of choices are found.
    marks
        Choice -> positions around which curves are to be encoded closely.
    cutoff
        Designs whose objective is not below this do not matter, and may be missing.
    into
        A model to add this one to; it keeps its objective.
    name
        What the names of the variables begin with.
    check
        Called now and then; it may raise.

    Raises
    ------
    NotLowerableError
        If an expression has no sound encoding, or a sum overflows the solver's integers.
    """
    model = cp_model.CpModel() if into is None else into
    boxes = boxes or whole(list(program.lengths.values()))
    blocks = tables or {}
    rows = [Group(model, program, names, designs) for names, designs in blocks.items()]
    tabulated = {name for names in blocks for name in names}
    free = {name: n for name, n in program.lengths.items() if name not in tabulated}
    variables, positions = add_choices(model, free, program.columns, name)
    groups = list(rows)
    settled: Mapping[int, Range] | None = None
    if tables is None:
        boxes, cells, settled = _cells(program, cutoff, boxes, check)
        if not all(map(len, (boxes, *(one.boxes for one in cells)))):
            return _impossible(program, model, variables, positions)
        check()
        groups = _groups(model, program, positions, cells, boxes)
    box = boxes.hull
    _confine(positions, program.names, box, model)
    lowering = Lowering(
        program,
        model,
        positions,
        box=box,
        groups=groups,
        cutoff=cutoff,
        settled=settled,
        marks=marks,
    )
    lowering.check = check
    aim = _aim(lowering, program.objectives[0])
    if aim.number.size > _LARGEST_OBJECTIVE:
        size = aim.number.size * aim.number.unit
        unit = power_of_two(size / _LARGEST_OBJECTIVE) * 2
        aim = replace(aim, number=coarsened(lowering, aim.number, unit))
    lowering.demand_defined(program.objectives[0])
    in_group = lowering.group(program.objectives[0]) is not None
    if not in_group and lowering.where_defined(program.objectives[0]):
        raise NotLowerableError("the objective may be no number for some designs")
    for condition in program.conditions:
        check()
        for side in condition.sides:
            lowering.demand_defined(side)
        logic.demand(lowering, condition.node)
    if into is None:
        model.minimize(aim.number.expression)
    check_magnitudes(model)
    return Lowered(
        model=model,
        variables=variables,
        positions=positions,
        lowering=lowering,
        aim=aim,
        rows=rows,
    )


def _cells(
    program: Program, cutoff: float, boxes: Boxes, check: Check
) -> tuple[Boxes, list[Cells], Mapping[int, Range] | None]:
    """Find the groups of choices, and what is known of every value, or that nothing is left.

    Returns
    -------
    tuple
        The one box around what is left, the groups, and what is known.
    """
    check()
    small = listed(program, cutoff, boxes.hull) if len(boxes) else None
    if small is not None:
        return boxes.hull, *small
    boxes = narrowed(program, cutoff, boxes)
    if not len(boxes):
        return boxes, [], None
    return grown(program, cutoff, boxes, check)


def _impossible(
    program: Program,
    model: cp_model.CpModel,
    variables: Mapping[str, cp_model.IntVar],
    positions: Mapping[str, cp_model.IntVar],
) -> Lowered:
    """Give the model of a program of which no design can matter."""
    model.add_bool_or([])
    nothing = Scaled(expression=0, low=0, high=0)
    box = whole(list(program.lengths.values()))
    return Lowered(
        model=model,
        variables=variables,
        positions=positions,
        lowering=Lowering(program, model, positions, box=box),
        aim=Aim(number=nothing),
        rows=(),
        is_impossible=True,
    )


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


def _groups(
    model: cp_model.CpModel,
    program: Program,
    positions: Mapping[str, cp_model.IntVar],
    cells: Sequence[Cells],
    box: Boxes,
) -> list[Group]:
    """Make the groups of choices, and tie them to the choices and to each other."""
    groups = [Group.of(model, program, one) for one in cells]
    for group in groups:
        if len(group.names) == 1:
            places = [int(place) for place in group.designs[:, 0]]
            chosen = cp_model.LinearExpr.weighted_sum(group.literals, places)
            model.add(positions[group.names[0]] == chosen)
        _confine_others(model, group, program.names, positions, box)
    for one, other in itertools.combinations(groups, 2):
        _tie(model, one, other)
    return groups


def _confine_others(
    model: cp_model.CpModel,
    group: Group,
    names: Sequence[str],
    positions: Mapping[str, cp_model.IntVar],
    box: Boxes,
) -> None:
    """Have each combination of a group leave the other choices no more than its own box.

    Conditions were found to hold, and branches never to be taken, in these boxes alone: a
    design outside would meet conditions that are not in the model.
    """
    if group.cells is None:
        return
    boxes = group.cells.boxes
    for place, name in enumerate(names):
        if name in group.names:
            continue
        first, last = boxes.first[:, place], boxes.last[:, place]
        if np.any(first > box.first[0, place]):
            least = cp_model.LinearExpr.weighted_sum(group.literals, first.tolist())
            model.add(positions[name] >= least)
        if np.any(last < box.last[0, place]):
            most = cp_model.LinearExpr.weighted_sum(group.literals, last.tolist())
            model.add(positions[name] <= most)


def _tie(model: cp_model.CpModel, one: Group, other: Group) -> None:
    """Have two groups choose the same of the choices that they share, all of these together."""
    shared = [name for name in one.names if name in other.names]
    if not shared or (len(shared) == 1 and len(one.names) > 1 < len(other.names)):
        return  # what is one choice is tied through its own literals
    sides: list[dict[tuple[int, ...], list[cp_model.IntVar]]] = []
    for group in (one, other):
        columns = [group.names.index(name) for name in shared]
        side: dict[tuple[int, ...], list[cp_model.IntVar]] = {}
        for row, literal in zip(group.designs[:, columns].tolist(), group.literals, strict=True):
            side.setdefault(tuple(row), []).append(literal)
        sides.append(side)
    left, right = sides
    for row in left.keys() | right.keys():
        chosen = cp_model.LinearExpr.sum(left.get(row, []))
        model.add(chosen == cp_model.LinearExpr.sum(right.get(row, [])))


def _aim(lowering: Lowering, objective: GraphNode) -> Aim:
    """Encode what is minimised: a positive ratio that is to be large, by its reciprocal."""
    node, factor = objective, 1.0
    while True:
        match node:
            case Apply(operation=Sum(coefficients=(-1,)), arguments=(inner,)):
                node, factor = inner, -factor
            case (
                Apply(operation=Product(), arguments=(Constant(value=own), inner))
                | Apply(operation=Product(), arguments=(inner, Constant(value=own)))
            ) if own and math.isfinite(own):
                node, factor = inner, factor * own
            case Apply(operation=Quotient(), arguments=(inner, Constant(value=own))) if own:
                node, factor = inner, factor / own
            case _:
                break
    if factor < 0 and isinstance(node, Apply) and isinstance(node.operation, Quotient):
        known = lowering.ranges.of(node)
        if not lowering.where_defined(node) and known.low > 0 and lowering.group(node) is None:
            above, below = node.arguments
            inverse = lowering.graph.apply("divide", below, above)
            lowering.ranges.know(inverse, node, _reciprocal)
            high = lowering.range(inverse)[1]
            number = lowering.number(inverse, max(high * RESOLUTION, 1e-300))
            off = 4 * sys.float_info.epsilon * number.size * number.unit
            # It is nowhere zero, though it may be rounded to that.
            least = lowering.range(inverse)[0]
            return Aim(number=number.off(off), factor=factor, least=least)
    return Aim(number=_objective(lowering, objective))


def _reciprocal(bound: Range) -> Range:
    with np.errstate(all="ignore"):
        positive = bound.low > 0
        return Range(
            np.where(positive, 1.0 / bound.high * (1 - _NUDGE), -np.inf),
            np.where(positive, 1.0 / bound.low * (1 + _NUDGE), np.inf),
        )


def _objective(lowering: Lowering, node: GraphNode) -> Scaled:
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
    size = abs(factor)
    scaled = replace(
        signed, unit=signed.unit * size, slack=signed.slack * size, spread=signed.spread * size
    )
    # The reciprocal, the product and the evaluator's own operation round once each.
    return scaled.off(4 * sys.float_info.epsilon * (scaled.size * scaled.unit + scaled.slack))


def _confine(
    positions: Mapping[str, cp_model.IntVar],
    names: Sequence[str],
    box: Boxes,
    model: cp_model.CpModel,
) -> None:
    for place, name in enumerate(names):
        if name in positions:
            first, last = int(box.first[0, place]), int(box.last[0, place])
            model.add_linear_constraint(positions[name], first, last)
