"""Kinds of layers, and how many of each the fullest pipeline stage holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from mlsysim.expr.alternatives import most
from mlsysim.expr.functions import floor, maximum, minimum, where
from mlsysim.physics.partition import most_on_stage
from mlsysim.stages.mapping import mapped

_ORDERED = 3
"""So many kinds are tried in all orders."""


@dataclass(frozen=True, kw_only=True)
class LayerKind:
    """Layers that are alike, and where they stand.

    Parameters
    ----------
    layers
        How many there are.
    front, spread
        Those that stand in front of all others, and those that lie evenly among `among` layers.
    among
        See `spread`; at least 1.
    """

    layers: int
    front: int
    spread: int
    among: int

    def most(self, stage_layers: Any) -> Any:
        """Bound how many of them a stage of so many layers has."""
        return most_on_stage(stage_layers, self.layers, self.front, self.spread, self.among)

    def least(self, stage_layers: Any) -> Any:
        """Bound how many of them every stage of so many layers has, where all lie evenly."""
        return floor(stage_layers * self.spread / self.among)


def is_zero(figure: Any) -> bool:
    """Tell whether a figure is known to be zero; a choice among models is not."""
    return isinstance(figure, int) and figure == 0


def is_one_of(figure: Any, values: tuple[Any, ...]) -> bool:
    """Tell whether a figure is known to be one of some; a choice among models is not."""
    return isinstance(figure, int) and figure in values


def only_if(count: Any, value: Any) -> Any:
    """Give a value where a count is not zero, and nothing where it is."""
    if isinstance(count, int):
        return value if count else 0.0
    return where(count > 0, value, 0.0)


def once_each(
    kinds: Sequence[Any], names: Sequence[str], figure: Callable[[Any], Any]
) -> list[Any]:
    """Give the figure of each kind, the very same for neighbours that are alike in it."""
    found: list[Any] = []
    for place, kind in enumerate(kinds):
        before = kinds[place - 1]
        alike = place and all(_equal(getattr(kind, one), getattr(before, one)) for one in names)
        found.append(found[-1] if alike else figure(kind))
    return found


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one == other


def total(kinds: Sequence[Any], values: Sequence[Any]) -> Any:
    """Add the figures of the kinds up over all their layers."""
    return sum(kind.layers * value for kind, value in zip(kinds, values, strict=True))


def kinds_of(shape: Any, name: str) -> tuple[Any, ...]:
    """Give the kinds of a shape, which may be a choice: as many as the richest has.

    A shape with fewer has more of its last kind, without layers.
    """

    def kind(one: Any, place: int) -> Any:
        kinds: tuple[LayerKind, ...] = getattr(one, name)
        if place < len(kinds):
            return kinds[place]
        return replace(kinds[-1], layers=0, front=0, spread=0, among=1)

    count = most(lambda one: len(getattr(one, name)), shape)
    return tuple(mapped(kind, shape, place) for place in range(count))


def heaviest(
    layers: Any, kinds: Sequence[Any], values: Sequence[Any], *, descending: bool = False
) -> Any:
    """Add a figure up over the layers of the stage where this gives most.

    A stage is filled with as many layers of each kind as one may have, the heaviest kinds first.
    Which those are need not be known: the order that gives most is taken.  Of more kinds than
    three, each stage has those that it has at least, and of the heaviest as many as are left.

    Parameters
    ----------
    layers
        Layers of the stage, which all are of one of the kinds.
    kinds
        The kinds (`LayerKind`).
    values
        The figure of a layer of each.
    descending
        Whether it is known that no value is larger than the one before it.
    """
    base = values[-1]
    if all(value is base for value in values):
        return layers * base
    if len(kinds) > _ORDERED:
        least = [kind.least(layers) for kind in kinds]
        held = sum(count * value for count, value in zip(least, values, strict=True))
        return held + (layers - sum(least)) * maximum(*values)
    steps = [value - base for value in values]
    orders = [tuple(range(len(kinds)))] if descending else permutations(range(len(kinds)))
    above = [_filled(layers, kinds, steps, order) for order in orders]
    return layers * base + maximum(*above)


def _filled(layers: Any, kinds: Sequence[Any], steps: Sequence[Any], order: Sequence[int]) -> Any:
    """Fill a stage in one order, and add up what is above the last kind."""
    rest, found = layers, 0
    for place in order:
        count = rest
        if place != order[-1]:
            most_here = kinds[place].most(layers)
            count = most_here if place == order[0] else minimum(rest, most_here)
        if place != len(kinds) - 1:
            found = found + count * steps[place]
        rest = rest - count
    return found
