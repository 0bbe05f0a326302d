"""Sums of monomials over the nodes of a graph.

A monomial is a product of powers of *atoms* (nodes that are not taken apart),
so that factors which stand above and below a fraction cancel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlsysim.expr.graph import Graph, Node

# Pairs of an atom's position and its exponent, in the order of positions.
Monomial = tuple[tuple[int, float], ...]

# A product of sums with more terms than this is not multiplied out.
_MOST_TERMS = 48


@dataclass(frozen=True)
class Terms:
    """A sum of monomials.

    Parameters
    ----------
    coefficients
        Monomial -> its factor.
    """

    coefficients: Mapping[Monomial, float]

    @property
    def is_single(self) -> bool:
        """Whether this is one monomial with a positive factor."""
        return len(self.coefficients) == 1 and all(f > 0 for f in self.coefficients.values())

    @property
    def is_positive(self) -> bool:
        """Whether no factor is negative."""
        return all(factor >= 0 for factor in self.coefficients.values())

    def plus(self, other: "Terms") -> "Terms":
        """Add."""
        result = dict(self.coefficients)
        for monomial, factor in other.coefficients.items():
            result[monomial] = result.get(monomial, 0.0) + factor
        return Terms({monomial: factor for monomial, factor in result.items() if factor})

    def shared(self, other: "Terms") -> "Terms":
        """Give the largest part that both sums have in common, term by term."""
        common = {}
        for monomial, mine in self.coefficients.items():
            theirs = other.coefficients.get(monomial, 0.0)
            if mine * theirs > 0:
                common[monomial] = min(mine, theirs, key=abs)
        return Terms(common)

    def scaled(self, factor: float) -> "Terms":
        """Multiply by a number."""
        if not factor:
            return Terms({})
        return Terms({monomial: factor * own for monomial, own in self.coefficients.items()})

    def times(self, other: "Terms") -> "Terms | None":
        """Multiply out; nothing where that makes too many terms."""
        if len(self.coefficients) * len(other.coefficients) > _MOST_TERMS:
            return None
        result = Terms({})
        for monomial, factor in other.coefficients.items():
            part = {
                _product(own, monomial): factor * mine for own, mine in self.coefficients.items()
            }
            result = result.plus(Terms(part))
        return result

    def to_the(self, exponent: float) -> "Terms":
        """Raise one monomial to a power."""
        ((monomial, factor),) = self.coefficients.items()
        powers = tuple((atom, power * exponent) for atom, power in monomial)
        return Terms({powers: factor**exponent})

    def node(self, graph: Graph) -> Node:
        """Write the sum into a graph."""
        total = graph.constant(0.0)
        for monomial, factor in self.coefficients.items():
            total = graph.apply("add", total, _node(graph, monomial, factor))
        return total


def number(value: float) -> Terms:
    """Give a constant."""
    return Terms({(): value} if value else {})


def atom(node: Node) -> Terms:
    """Give a node that is not taken apart."""
    return Terms({((node.position, 1.0),): 1.0})


def _product(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for position, power in right:
        powers[position] = powers.get(position, 0.0) + power
    return tuple(sorted((position, power) for position, power in powers.items() if power))


def _node(graph: Graph, monomial: Monomial, factor: float) -> Node:
    above, below = graph.constant(factor), graph.constant(1.0)
    for position, power in monomial:
        base = graph.nodes[position]
        raised = graph.apply("power", base, graph.constant(abs(power)))
        if power > 0:
            above = graph.apply("multiply", above, raised)
        else:
            below = graph.apply("multiply", below, raised)
    return graph.apply("divide", above, below)
