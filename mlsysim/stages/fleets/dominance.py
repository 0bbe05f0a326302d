"""Leave out replica designs that no best fleet needs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign


def undominated(
    designs: Iterable[ReplicaDesign], levels: Sequence[float] = ()
) -> tuple[ReplicaDesign, ...]:
    """Keep, for each kind and class, the designs that no other one dominates.

    A dominates B for a class if both take accelerators of one kind and A
    serves no fewer requests of the class per second, with no more
    accelerators, for no more money and with no more power.  Replacing every
    replica of B that serves the class by one of A then keeps the number of
    replicas, lowers neither what is served nor raises what is used, paid or
    drawn.  Hence every fleet has one of undominated designs alone that is no
    worse in any of these sums, and the cheapest of the latter is the cheapest of all:
    exactly, whatever is limited from above.  Of equal designs the first stays.  Where what is
    served has to be so with a confidence, A serves no fewer at those levels either, and is compared
    with measured runs if B is.

    Parameters
    ----------
    designs
        Any number of designs.
    levels
        Levels of the errors of predictions at which rates count, too.

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
        for design in _front(alike, name, levels):
            kept.setdefault(design.name, []).append(name)
    return tuple(
        replace(design, rates={name: design.rates[name] for name in kept[design.name]})
        for design in designs
        if design.name in kept
    )


def _front(
    designs: Sequence[ReplicaDesign], name: str, levels: Sequence[float]
) -> list[ReplicaDesign]:
    """Give the designs that none of the others dominates for a class."""
    needs = [_needs(design, name, levels) for design in designs]
    # Sorted so that whatever dominates a design comes before it.
    order = sorted(range(len(designs)), key=lambda place: (needs[place], place))
    front: list[int] = []
    for place in order:
        if not any(
            all(a <= b for a, b in zip(needs[other], needs[place], strict=True)) for other in front
        ):
            front.append(place)
    return [designs[place] for place in front]


def _needs(design: ReplicaDesign, name: str, levels: Sequence[float]) -> tuple[float, ...]:
    """Give what should be small; power that nobody states compares with itself only."""
    unsure = [-design.at(level).rates[name] for level in levels]
    if levels:
        unsure.append(not design.measured)
    unknown = design.watts is None
    watts = 0.0 if design.watts is None else design.watts
    sure = (-design.rates[name], design.accelerators, design.price, watts, unknown, -unknown)
    return (*sure, *unsure)
