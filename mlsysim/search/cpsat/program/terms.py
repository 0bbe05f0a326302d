"""Sums of monomials over the nodes of a graph.

A monomial is a product of powers of *atoms* (nodes that are not taken apart),
so that factors which stand above and below a fraction cancel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlsysim.expr.graph import Graph, GraphNode

# Pairs of an atom's position and its exponent, in the order of positions.
Monomial = tuple[tuple[int, float], ...]

# A product of sums with more terms than this is not multiplied out.
_MOST_TERMS = 48


# A factor that cancelled to less than this share of what was added up is noise.
_MOST_CANCELLED = 8.0


@dataclass(frozen=True)
class Terms:
    """A sum of monomials.

    Parameters
    ----------
    coefficients
        Monomial -> its factor.
    masses
        Monomial -> the sizes of all that was added up to its factor: what its
        rounding error is a share of.  Monomials that have cancelled keep theirs.
    """

    coefficients: Mapping[Monomial, float]
    masses: Mapping[Monomial, float]

    @property
    def is_clean(self) -> bool:
        """Whether nothing has cancelled, so that all rounding errors are relative ones."""
        factors = self.coefficients
        return all(
            mass <= _MOST_CANCELLED * abs(factors.get(monomial, 0.0))
            for monomial, mass in self.masses.items()
        )

    @property
    def atoms(self) -> set[int]:
        """The positions of all atoms."""
        return {position for monomial in self.masses for position, _ in monomial}

    @property
    def is_single(self) -> bool:
        """Whether this is one monomial with a positive factor."""
        factors = self.coefficients.values()
        return len(factors) == 1 and all(f > 0 for f in factors) and self.is_clean

    @property
    def is_positive(self) -> bool:
        """Whether no factor is negative."""
        return all(factor >= 0 for factor in self.coefficients.values())

    def plus(self, other: "Terms") -> "Terms":
        """Add."""
        result = _added(self.coefficients, other.coefficients)
        kept = {monomial: factor for monomial, factor in result.items() if factor}
        return Terms(kept, _added(self.masses, other.masses))

    def shared(self, other: "Terms") -> "Terms":
        """Give the largest part that both sums have in common, term by term."""
        common = {}
        for monomial, mine in self.coefficients.items():
            theirs = other.coefficients.get(monomial, 0.0)
            if mine * theirs > 0:
                common[monomial] = min(mine, theirs, key=abs)
        return _exactly(common)

    def less(self, part: "Terms") -> "Terms":
        """Take away a part that `shared` gave; their sum is meant to be used again.

        What a factor loses by that, the part still has in its own mass.
        """
        result = _added(self.coefficients, part.scaled(-1.0).coefficients)
        kept = {monomial: factor for monomial, factor in result.items() if factor}
        masses = {}
        for monomial, mass in self.masses.items():
            clean = mass <= _MOST_CANCELLED * abs(self.coefficients.get(monomial, 0.0))
            masses[monomial] = abs(kept.get(monomial, 0.0)) if clean else mass
        return Terms(kept, {monomial: mass for monomial, mass in masses.items() if mass})

    def scaled(self, factor: float) -> "Terms":
        """Multiply by a number."""
        if not factor:
            return Terms({}, {})
        return Terms(
            {monomial: factor * own for monomial, own in self.coefficients.items()},
            {monomial: abs(factor) * own for monomial, own in self.masses.items()},
        )

    def times(self, other: "Terms") -> "Terms | None":
        """Multiply out; nothing where that makes too many terms."""
        if len(self.masses) * len(other.masses) > _MOST_TERMS:
            return None
        coefficients = _multiplied(self.coefficients, other.coefficients)
        kept = {monomial: factor for monomial, factor in coefficients.items() if factor}
        return Terms(kept, _multiplied(self.masses, other.masses))

    def to_the(self, exponent: float) -> "Terms":
        """Raise one monomial to a power."""
        ((monomial, factor),) = self.coefficients.items()
        powers = tuple((atom, power * exponent) for atom, power in monomial)
        raised = factor**exponent
        lost = max(1.0, abs(exponent)) * self.masses[monomial] / factor
        return Terms({powers: raised}, {powers: lost * raised})

    @property
    def size(self) -> "Terms":
        """What all rounding errors together are a small share of."""
        return Terms(self.masses, self.masses)

    def node(self, graph: Graph) -> GraphNode:
        """Write the sum into a graph."""
        total = graph.constant(0.0)
        for monomial, factor in self.coefficients.items():
            total = graph.apply("add", total, _node(graph, monomial, factor))
        return total


def number(value: float) -> Terms:
    """Give a constant."""
    return _exactly({(): value} if value else {})


def atom(node: GraphNode) -> Terms:
    """Give a node that is not taken apart."""
    return _exactly({((node.position, 1.0),): 1.0})


def _exactly(coefficients: Mapping[Monomial, float]) -> Terms:
    """Give a sum to which nothing has been added yet."""
    return Terms(coefficients, {monomial: abs(own) for monomial, own in coefficients.items()})


def _added(one: Mapping[Monomial, float], other: Mapping[Monomial, float]) -> dict[Monomial, float]:
    result = dict(one)
    for monomial, factor in other.items():
        result[monomial] = result.get(monomial, 0.0) + factor
    return result


def _multiplied(
    one: Mapping[Monomial, float], other: Mapping[Monomial, float]
) -> dict[Monomial, float]:
    result: dict[Monomial, float] = {}
    for left, factor in one.items():
        for right, own in other.items():
            monomial = _product(left, right)
            result[monomial] = result.get(monomial, 0.0) + factor * own
    return result


def _product(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for position, power in right:
        powers[position] = powers.get(position, 0.0) + power
    return tuple(sorted((position, power) for position, power in powers.items() if power))


def _node(graph: Graph, monomial: Monomial, factor: float) -> GraphNode:
    above, below = graph.constant(factor), graph.constant(1.0)
    for position, power in monomial:
        base = graph.nodes[position]
        raised = graph.apply("power", base, graph.constant(abs(power)))
        if power > 0:
            above = graph.apply("multiply", above, raised)
        else:
            below = graph.apply("multiply", below, raised)
    return graph.apply("divide", above, below)
