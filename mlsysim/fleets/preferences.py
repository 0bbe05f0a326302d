"""What a question about a fleet prefers: whether fewer replicas are always as good."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlsysim.problem.constraint import Constraint
from mlsysim.problem.nodes import Binary, Name, Negative, Node, names_in
from mlsysim.problem.objective import Objective, Sense
from mlsysim.problem.relation import Relation
from mlsysim.stages.fleets.mixed_fleet import MixedFleetModel

Requirement = Mapping[str, str | float]
"""A constraint with a confidence: ``{"require": ..., "confidence": ...}``."""

_METRIC = f"{MixedFleetModel.__name__}."
_SERVED = f"{_METRIC}served."
_LESS = {Relation.LESS: 1, Relation.AT_MOST: 1, Relation.GREATER: -1, Relation.AT_LEAST: -1}


@dataclass(frozen=True, kw_only=True)
class Preference:
    """What can be left out without changing the answer.

    Parameters
    ----------
    spare
        The text for which replicas beyond the demand may be of use; empty if none.
    dominated
        Whether designs that others dominate are of no use.
    """

    spare: str = ""
    dominated: bool = True


def preference_of(
    objectives: Iterable[str], constraints: Iterable[str | Requirement], pools: Iterable[str]
) -> Preference:
    """Read from objectives and constraints which fleets can be the best.

    Less money, power and fewer accelerators may be preferred and limited from above without
    more ado.  Whoever prefers more served, or sets a floor to it, can use replicas beyond the
    demand.  Anything else, such as a floor under the accelerators of a contract or a limit
    on one pool, can need designs that others dominate, too.
    """
    known = set(pools)
    spare, dominated = "", True
    texts = [one if isinstance(one, str) else str(one["require"]) for one in constraints]
    for text, wishes in _wishes(objectives, texts):
        for name, wish in wishes.items():
            if not (name.startswith(_METRIC) or name in known):
                continue  # a unit
            served = name.startswith(_SERVED)
            if wish != -1:
                spare = spare or text
            dominated &= name not in known and wish == (1 if served else -1)
    return Preference(spare=spare, dominated=dominated)


def _wishes(
    objectives: Iterable[str], constraints: Iterable[str]
) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Give of every text which names it wants larger, 1, smaller, -1, or neither for sure, 0."""
    for text in objectives:
        objective = Objective.parse(text)
        sign = 1 if objective.sense is Sense.MAXIMIZE else -1
        yield text, _times(sign, _slopes(objective.expression.node))
    for text in constraints:
        item = Constraint.parse(text)
        sign = -_LESS.get(item.relation, 0)
        left, right = _slopes(item.left.node), _slopes(item.right.node)
        yield text, _sum(_times(sign, left), _times(-sign, right))


def _slopes(node: Node) -> dict[str, int]:
    """Tell of every name whether an expression rises with it, 1, falls, -1, or may do both, 0."""
    match node:
        case Name():
            return {node.path: 1}
        case Negative():
            return _times(-1, _slopes(node.operand))
        case Binary(sign="+" | "-"):
            sign = 1 if node.sign == "+" else -1
            return _sum(_slopes(node.left), _times(sign, _slopes(node.right)))
        case Binary(sign="*", left=factor, right=other) if not [*names_in(factor)]:
            return _scaled(factor, other)
        case Binary(sign="*" | "/", left=other, right=factor) if not [*names_in(factor)]:
            return _scaled(factor, other)
        case _:
            return dict.fromkeys(names_in(node), 0)


def _scaled(factor: Node, other: Node) -> dict[str, int]:
    size = factor.evaluate(lambda name: name)
    return _times(1 if size > 0 * size else -1, _slopes(other))


def _times(sign: int, slopes: Mapping[str, int]) -> dict[str, int]:
    return {name: sign * slope for name, slope in slopes.items()}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    both = one.keys() | other.keys()
    return {
        name: slope if (slope := one.get(name, other.get(name, 0))) == other.get(name, slope) else 0
        for name in both
    }
