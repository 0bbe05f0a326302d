"""Products and quotients as sums of tables, each times at most one number.

A product of a number with what depends on one group of choices is linear once the number
is divided among the combinations of the group: in each it is what it is there, or zero
(the disaggregated form of disjunctive programming, whose relaxation is the convex hull).
Formulas are brought into that form by multiplying out sums where factors cancel, as the
cost of a step does by the tokens that it processes.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlsysim.expr.graph import Apply, Constant, GraphNode
from mlsysim.expr.operation import Product, Quotient, Selection, Sum
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering import products
from mlsysim.search.cpsat.lowering.group import Array, Group
from mlsysim.search.cpsat.lowering.scaled import Scaled, power_of_two
from mlsysim.search.cpsat.solving.model import EncodingKind

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.lowering import Lowering

Powers = Mapping[GraphNode, int]

Share = tuple[int, int, cp_model.IntVar | None]
"""What a number is in one combination: from where, by how much it can be more, and how much."""

# A group of more combinations is not worth a number for each.
_MOST_CELLS = 1200
# Sums longer than this are not multiplied out, nor deeper ones.
_MOST_TERMS = 12
_MOST_DEPTH = 4
# What a disaggregated product takes of the solver's 64 bits, with a reserve for sums.
_BITS = 56
# More than some hundred operations, off by 1.1e-16 each, can add up to.
_ROUNDING = 1e-13


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A table over a group (or a single number), times a number (or nothing)."""

    number: GraphNode | None
    group: Group | None
    values: Array


def encode(lowering: "Lowering", node: Apply, wish: float) -> Scaled | None:
    """Encode a product or quotient as such a sum; nothing where it is none."""
    parts = _parts(lowering, node)
    if parts is None:
        return None
    low, high = lowering.range(node)
    numbers, size = [], 0.0
    for part in parts:
        number = _part(lowering, part, wish / len(parts))
        numbers.append(number)
        size += number.size * number.unit + number.slack
    unit = power_of_two(max(wish, max(abs(low), abs(high)) * 2.0**-40, 1e-300))
    first, last = int(np.floor(low / unit)), int(np.ceil(high / unit))
    target = Scaled(expression=lowering.variable(first, last), low=first, high=last, unit=unit)
    reach = unit / 2 + _ROUNDING * size
    spread = lowering.tied([target, *(number.times(-1) for number in numbers)], reach)
    lowering.record(
        node, EncodingKind.DISAGGREGATED, sum(len(p.group or ()) for p in parts), unit / 2
    )
    return replace(target, slack=unit / 2, spread=spread)


def _part(lowering: "Lowering", part: _Part, wish: float) -> Scaled:
    if part.number is None:
        if part.group is None:
            return products.constant(float(part.values[0]), wish)
        return part.group.number(part.values, wish)
    if part.group is None:
        return products.by_constant(lowering, part.number, float(part.values[0]), wish)
    return _disaggregated(lowering, part.number, part.group, part.values)


def _disaggregated(lowering: "Lowering", node: GraphNode, group: Group, values: Array) -> Scaled:
    """Encode a number times a table over a group."""
    values = np.where(np.isfinite(values), values, 0.0)
    number, shares = _divided(lowering, node, group)
    starts = np.array([start for start, _, _ in shares], np.float64)
    widths = np.array([width for _, width, _ in shares], np.float64)
    weight = float((np.abs(values) * (np.abs(starts) + widths)).sum()) * number.unit
    unit = power_of_two(max(weight * 2.0**-_BITS, 1e-300))
    fixed = np.rint(values * starts * (number.unit / unit))
    steep = np.rint(values * (number.unit / unit))
    error = np.abs(values * starts * number.unit - fixed * unit)
    error += np.abs(values * number.unit - steep * unit) * widths
    coefficients = [int(one) for one in fixed]
    variables: list[cp_model.IntVar] = list(group.literals)
    for slope, (_, _, share) in zip(steep, shares, strict=True):
        if share is not None:
            variables.append(share)
            coefficients.append(int(slope))
    ends = np.stack([fixed, fixed + steep * widths])
    largest = float(np.max(np.abs(values), initial=0.0))
    # One combination is chosen; the number is divided to the others without a rest.
    off = float(error.max(initial=0.0)) + 4 * sys.float_info.epsilon * weight
    return Scaled(
        expression=cp_model.LinearExpr.weighted_sum(variables, coefficients),
        low=int(ends.min()),
        high=int(ends.max()),
        unit=unit,
        slack=largest * number.slack + off,
        spread=largest * number.spread + off,
        weight=int(np.abs(fixed).sum() + (np.abs(steep) * widths).sum()),
    )


def _divided(lowering: "Lowering", node: GraphNode, group: Group) -> tuple[Scaled, list[Share]]:
    """Divide a number among the combinations of a group: in each, a start and what is above it."""
    key = (node.position, id(group))
    if key not in lowering.shares:
        bits = (_BITS - len(group).bit_length()) // 2
        low, high = lowering.range(node)
        number = products.narrow(lowering, node, max(abs(low), abs(high)) * 2.0**-bits, bits)
        bound = lowering.ranges.within(node, group)
        shares: list[Share] = []
        rest = []
        for place, literal in enumerate(group.literals):
            first, last = number.low, number.high
            if (
                bound is not None
                and np.isfinite(bound.low[place])
                and np.isfinite(bound.high[place])
            ):
                reach = number.slack * (1 + 1e-9) + 1e-12 * max(abs(low), abs(high))
                first = max(first, int(np.floor((bound.low[place] - reach) / number.unit)))
                last = min(last, int(np.ceil((bound.high[place] + reach) / number.unit)))
                if first > last:  # no design is left there, which is the solver's to find
                    first, last = number.low, number.high
            share = None
            if last > first:
                share = lowering.variable(0, last - first)
                lowering.model.add(share <= (last - first) * literal)
                rest.append(share)
            shares.append((first, last - first, share))
        whole = cp_model.LinearExpr.weighted_sum(
            group.literals, [start for start, _, _ in shares]
        ) + cp_model.LinearExpr.sum(rest)
        lowering.model.add(whole == number.expression)
        lowering.shares[key] = number, shares
    return lowering.shares[key]


def _parts(lowering: "Lowering", node: Apply) -> list[_Part] | None:
    """Write a formula as a sum of tables over one group each, times at most one number."""
    form = _Form(lowering, node)
    powers: dict[GraphNode, int] = {}
    factor = form.factors(node, 1, powers)
    gathered: dict[tuple[tuple[GraphNode, int], ...], list[tuple[float, Powers]]] = {}
    for own, monomial in form.opened(factor, powers):
        atoms, tables = form.divided(monomial)
        if len(atoms) > 1 or (atoms and atoms[0] == (node, 1)) or any(p != 1 for _, p in atoms):
            return None
        gathered.setdefault(atoms, []).append((own, tables))
    parts = [_gathered(lowering, atoms, terms) for atoms, terms in gathered.items()]
    return [part for part in parts if part is not None] if all(parts) else None


def _gathered(
    lowering: "Lowering",
    atoms: tuple[tuple[GraphNode, int], ...],
    terms: list[tuple[float, Powers]],
) -> _Part | None:
    """Add up the tables that one number is multiplied by; nothing where no group holds them."""
    number = atoms[0][0] if atoms else None
    support = frozenset[str]().union(*(one.support for _, tables in terms for one in tables))
    group = next((one for one in lowering.groups if support <= set(one.names)), None)
    if support and group is None and number is None and len(terms) == 1:
        # Of tables over two groups, one is a number to the other.
        number, group = _apart(lowering, terms[0][1])
        terms = [(terms[0][0], {one: p for one, p in terms[0][1].items() if one is not number})]
    elif (
        support
        and number is not None
        and len(terms) == 1
        and (group is None or len(group) > _MOST_CELLS)
    ):
        # A number times tables over two groups: with those of one it is a number to the other.
        number, group, kept = _in_turn(lowering, number, terms[0][1])
        terms = [(terms[0][0], kept)]
    if support and (group is None or (number is not None and len(group) > _MOST_CELLS)):
        return None
    values = np.zeros(len(group) if group is not None and support else 1)
    with np.errstate(all="ignore"):
        for own, tables in terms:
            product = np.full(len(values), own)
            for table, power in tables.items():
                product = product * (group.values(table) if group else values) ** float(power)
            values = values + product
    if not support and not np.all(np.isfinite(values)):
        return None
    return _Part(number=number, group=group if support else None, values=values)


def _apart(lowering: "Lowering", tables: Powers) -> tuple[GraphNode | None, Group | None]:
    """Find the table without which one group, the smallest, holds all others."""
    found: list[tuple[int, int, GraphNode, Group]] = []
    for table, power in tables.items():
        others = frozenset[str]().union(*(one.support for one in tables if one is not table))
        group = next((one for one in lowering.groups if others <= set(one.names)), None)
        if power == 1 and others and group is not None:
            found.append((len(group), table.position, table, group))
    if not found:
        return None, None
    _, _, number, group = min(found, key=lambda one: one[:2])
    return number, group


def _in_turn(
    lowering: "Lowering", number: GraphNode, tables: Powers
) -> tuple[GraphNode, Group | None, Powers]:
    """Find the group, the smallest, without whose tables another group holds the rest."""
    for group in lowering.groups:
        own = {one: power for one, power in tables.items() if one.support <= set(group.names)}
        if len(own) == len(tables):
            continue
        rest = {one: power for one, power in tables.items() if one not in own}
        others = frozenset[str]().union(*(one.support for one in rest))
        if own and any(others <= set(one.names) for one in lowering.groups):
            graph, inner = lowering.graph, number
            for one, power in rest.items():
                for _ in range(abs(power)):
                    inner = graph.apply("multiply" if power > 0 else "divide", inner, one)
            return inner, group, own
    return number, None, tables


class _Form:
    """Takes the products and sums of one formula apart."""

    def __init__(self, lowering: "Lowering", top: GraphNode) -> None:
        self._lowering = lowering
        self._top = top

    def factors(  # noqa: C901, PLR0911 - one case per form
        self, node: GraphNode, power: int, into: dict[GraphNode, int]
    ) -> float:
        """Take a product apart into powers of nodes, and a constant, which is returned."""
        if isinstance(node, Constant):
            return float(np.float64(node.value) ** power)
        low, high = self._lowering.range(node)
        if low == high and low and not self._partly(node):
            return float(low**power)
        if isinstance(node, Apply) and self._lowering.group(node) is None:
            match node.operation, node.arguments:
                case Product(), (left, right) if node is self._top or not self._is_kept(node):
                    return self.factors(left, power, into) * self.factors(right, power, into)
                case Quotient(), (above, below) if node is self._top or not self._is_kept(node):
                    return self.factors(above, power, into) * self.factors(below, -power, into)
                case Sum(coefficients=(-1,)), (inner,):
                    return -self.factors(inner, power, into)
                case Selection(), (condition, yes, no):
                    settled = self._lowering.is_settled(condition)
                    if settled is not None:
                        return self.factors(yes if settled else no, power, into)
                case Sum(), _ if (alike := self._alike(node)) is not None:
                    own, product = alike
                    for one, one_power in product.items():
                        into[one] = into.get(one, 0) + one_power * power
                    return float(np.float64(own) ** power)
                case _:
                    pass
        into[node] = into.get(node, 0) + power
        return 1.0

    def _alike(self, node: GraphNode) -> tuple[float, Powers] | None:
        """Add up terms that are multiples of one product, such as a rate of two kinds of tokens."""
        total, product = 0.0, None
        for term, sign in self._terms(node):
            inner: dict[GraphNode, int] = {}
            own = sign * self.factors(term, 1, inner)
            inner = {one: power for one, power in inner.items() if power}
            # What is taken from another loses the digits that they share.
            if not inner or (product is not None and inner != product) or own * total < 0:
                return None
            total, product = total + own, inner
        return None if product is None else (total, product)

    def opened(self, factor: float, powers: Powers, depth: int = 0) -> list[tuple[float, Powers]]:
        """Multiply sums out where that cancels factors, or leaves fewer that are no tables."""
        powers = {node: power for node, power in powers.items() if power}
        for node, power in powers.items():
            terms = self._terms(node) if power == 1 and depth <= _MOST_DEPTH else []
            if not 1 < len(terms) <= _MOST_TERMS:
                continue
            rest = {other: own for other, own in powers.items() if other is not node}
            opened, cancels = [], False
            for term, sign in terms:
                inner: dict[GraphNode, int] = {}
                own = factor * sign * self.factors(term, 1, inner)
                cancels |= any(p < 0 and rest.get(n, 0) > 0 for n, p in inner.items())
                cancels |= any(p > 0 and rest.get(n, 0) < 0 for n, p in inner.items())
                for other, other_power in rest.items():
                    inner[other] = inner.get(other, 0) + other_power
                opened.append((own, {n: p for n, p in inner.items() if p}))
            shared = len({self.divided(monomial)[0] for _, monomial in opened}) == 1
            further = [part for own, inner in opened for part in self.opened(own, inner, depth + 1)]
            simpler = max(self._atoms(one) for _, one in further) < self._atoms(powers)
            if cancels or shared or simpler:
                return further
        return [(factor, powers)]

    def divided(self, powers: Powers) -> tuple[tuple[tuple[GraphNode, int], ...], Powers]:
        """Tell the powers of numbers apart from those of tables."""
        group = self._lowering.group
        atoms = [(node, power) for node, power in powers.items() if power and group(node) is None]
        tables = {node: power for node, power in powers.items() if power and group(node)}
        return tuple(sorted(atoms, key=lambda one: one[0].position)), tables

    def _atoms(self, powers: Powers) -> int:
        return sum(abs(power) for _, power in self.divided(powers)[0])

    def _partly(self, node: GraphNode) -> bool:
        return bool(self._lowering.where_defined(node))

    def _is_kept(self, node: GraphNode) -> bool:
        """Tell whether a product has a variable of its own already."""
        return self._lowering.is_lowered(node)

    def _terms(self, node: GraphNode, sign: int = 1) -> list[tuple[GraphNode, int]]:
        if not (isinstance(node, Apply) and isinstance(node.operation, Sum)):
            return [(node, sign)]
        if self._lowering.group(node) is not None:
            return [(node, sign)]
        signs = node.operation.coefficients
        return [
            part
            for argument, own in zip(node.arguments, signs, strict=True)
            for part in self._terms(argument, sign * own)
        ]
