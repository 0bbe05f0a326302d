"""A minimal conflict, from the ways in which designs fail."""

from collections.abc import Collection, Iterable, Sequence


def minimal_conflict(
    patterns: Iterable[Collection[str]], requirements: Sequence[str], *, constraints: int
) -> tuple[str, ...]:
    """Find a minimal set of requirements that excludes every design.

    A set excludes every design exactly if each design breaks a member of it.
    Starting from all requirements, one after the other is left out as long as
    the rest still excludes everything.  The user's constraints are left out
    first: that no design can even exist is the stronger statement.

    Parameters
    ----------
    patterns
        For each design (or kind of design), the requirements that it breaks.
    requirements
        All names, the user's constraints first.
    constraints
        How many of them are the user's constraints.

    Returns
    -------
    tuple of str
        The conflict in the order of the requirements; leave out any member and
        some design breaks none of the rest.
    """
    smallest = _inclusion_minimal(patterns)
    kept = dict.fromkeys(requirements)
    for name in (*reversed(requirements[:constraints]), *reversed(requirements[constraints:])):
        rest = kept.keys() - {name}
        if all(pattern & rest for pattern in smallest):
            del kept[name]
    return tuple(kept)


def _inclusion_minimal(patterns: Iterable[Collection[str]]) -> list[frozenset[str]]:
    minimal: list[frozenset[str]] = []
    for pattern in sorted({frozenset(pattern) for pattern in patterns}, key=len):
        if not any(smaller <= pattern for smaller in minimal):
            minimal.append(pattern)
    return minimal
