"""Leave out replica designs that no best fleet needs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign


def undominated(designs: Iterable[ReplicaDesign]) -> tuple[ReplicaDesign, ...]:
    """Keep, for each kind and class, the designs that no other one dominates.

    A dominates B for a class if both take accelerators of one kind and A
    serves no fewer requests of the class per second, with no more
    accelerators, for no more money and with no more power.  Replacing every
    replica of B that serves the class by one of A then keeps the number of
    replicas, lowers neither what is served nor raises what is used, paid or
    drawn.  Hence every fleet has one of undominated designs alone that is no
    worse in any of these sums, and the cheapest of the latter is the cheapest of all:
    exactly, whatever is limited from above.  Of equal designs the first stays.

    Parameters
    ----------
    designs
        Any number of designs.

    Returns
    -------
    tuple of ReplicaDesign
        The same, each with the classes for which it stays; those without any are left out.

    Examples
    --------
    >>> first = ReplicaDesign(name="A", kind="K", accelerators=2, rates={"chat": 5}, price=4)
    >>> worse = ReplicaDesign(name="B", kind="K", accelerators=2, rates={"chat": 4}, price=4)
    >>> [design.name for design in undominated([worse, first])]
    ['A']
    """
    designs = tuple(designs)
    kept: dict[str, list[str]] = {}
    groups = dict.fromkeys((design.kind, name) for design in designs for name in design.rates)
    for kind, name in groups:
        alike = [d for d in designs if d.kind == kind and d.rates.get(name, 0) > 0]
        for design in _front(alike, name):
            kept.setdefault(design.name, []).append(name)
    return tuple(
        replace(design, rates={name: design.rates[name] for name in kept[design.name]})
        for design in designs
        if design.name in kept
    )


def _front(designs: Sequence[ReplicaDesign], name: str) -> list[ReplicaDesign]:
    """Give the designs that none of the others dominates for a class."""
    # Sorted so that whatever dominates a design comes before it.
    order = sorted(range(len(designs)), key=lambda place: (_needs(designs[place], name), place))
    front: list[ReplicaDesign] = []
    for place in order:
        needs = _needs(designs[place], name)
        if not any(
            all(a <= b for a, b in zip(_needs(other, name), needs, strict=True)) for other in front
        ):
            front.append(designs[place])
    return front


def _needs(design: ReplicaDesign, name: str) -> tuple[float, ...]:
    """Give what should be small; power that nobody states compares with itself only."""
    unknown = design.watts is None
    watts = 0.0 if design.watts is None else design.watts
    return (-design.rates[name], design.accelerators, design.price, watts, unknown, -unknown)
