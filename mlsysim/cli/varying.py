"""What tells the points of a front apart."""

from mlsysim.results import ParetoFront


def varying(front: ParetoFront) -> list[str]:
    """Name the choices that differ between the points of a front.

    Parameters
    ----------
    front
        With at least one point.
    """
    first = front[0].params
    return [name for name in first if any(p.params[name] != first[name] for p in front)]
