"""How much of a resource a plan can hold at most: a sum of what some activities hold at once."""

from collections.abc import Iterable, Sequence

from mlsysim.plans.model.instance import Instance, Resource


def peaks_of(instance: Instance, resource: Resource) -> list[int]:
    """List what the most that is held of a resource can be, by rising amounts.

    Nodes are often held by the eight: between two multiples of eight there is nothing to look for.
    """
    reached = 1  # bit n: n can be held
    for item in instance.activities:
        amounts = {mode.demands.get(resource.name, 0) for mode in item.modes}
        reached |= _any(reached << amount for amount in amounts)
        reached &= (2 << resource.most) - 1
    return _bits(reached)


def totals_of(instance: Instance) -> list[int]:
    """List what the peaks of all resources whose peaks count can add up to."""
    reached = 1
    for resource in instance.resources:
        if resource.peaks:
            reached = _any(reached << peak for peak in peaks_of(instance, resource))
    return _bits(reached)


def _any(sets: Iterable[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found


def _bits(reached: int) -> list[int]:
    return [place for place, bit in enumerate(reversed(f"{reached:b}")) if bit == "1"]


def at_least(amounts: Sequence[int], bound: float) -> float:
    """Give the smallest of some rising amounts that a bound allows; the bound, if none is.

    Examples
    --------
    >>> at_least([0, 8, 16], 9), at_least([0, 8, 16], 17)
    (16, 17)
    """
    return next((amount for amount in amounts if amount >= bound), bound)
