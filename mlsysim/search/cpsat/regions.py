"""A Pareto front by one minimisation after the other, under moving bounds.

The epsilon-constraint method for any number of objectives.  What is not yet
known of the front lies in a few regions, each below a vector of bounds.  The
design that is least in a region, objective after objective, is a point of the
front; around it the regions that hold it are divided.  When no region holds a
design, the front is complete.
"""

import math
from collections.abc import Callable, Iterator, Sequence

Bounds = tuple[float, ...]
Least = Callable[[Bounds], Bounds | None]


def sweep(count: int, least: Least) -> Iterator[Bounds]:
    """Find the points of a front one by one.

    Parameters
    ----------
    count
        The number of objectives.
    least
        Gives the least values in lexicographic order among the designs that
        are strictly below all of some bounds; nothing where there are none.
    """
    regions: list[Bounds] = [(math.inf,) * count]
    while regions:
        region = regions.pop()
        point = least(region)
        if point is None:
            continue
        yield point
        # Within the region nothing is less than the point in the first objective.
        parts = _divided(region, point)[1:]
        for other in regions:
            parts += _divided(other, point) if _below(point, other) else [other]
        regions = _largest(parts)


def _below(point: Sequence[float], bounds: Sequence[float]) -> bool:
    return all(value < bound for value, bound in zip(point, bounds, strict=True))


def _divided(region: Bounds, point: Bounds) -> list[Bounds]:
    """Cover what the point does not dominate: less than it in one objective each."""
    return [(*region[:at], value, *region[at + 1 :]) for at, value in enumerate(point)]


def _largest(regions: Sequence[Bounds]) -> list[Bounds]:
    """Drop the regions that lie within others."""
    unique = list(dict.fromkeys(regions))
    return [
        region
        for region in unique
        if not any(
            region is not other and all(a <= b for a, b in zip(region, other, strict=True))
            for other in unique
        )
    ]
