"""Rows of a job on every fleet where it may be, each searched for once."""

from collections.abc import Callable, Mapping

from mlsysim.errors import InfeasibleError
from mlsysim.plans.records.job import Row

KnownRows = dict[str, tuple[Row, ...]]
"""The rows that were found for a job on a fleet, by all that they depend on."""


def rows_by_fleet(
    who: str, keys: Mapping[str, str], search: Callable[[str], tuple[Row, ...]], known: KnownRows
) -> tuple[Row, ...]:
    """Gather the rows of all fleets.

    Parameters
    ----------
    who
        The job, for messages.
    keys
        Fleet -> what the rows on it depend on, written down.
    search
        Finds the rows on a fleet, or raises `InfeasibleError`.
    known
        Rows that were found before; what is found is added.

    Raises
    ------
    InfeasibleError
        If there are none on any fleet; it says why of each.
    """
    found: list[Row] = []
    told = []
    for fleet, key in keys.items():
        try:
            if key not in known:
                known[key] = search(fleet)
            found += known[key]
        except InfeasibleError as error:
            told.append(f"{who} on {fleet}: {error}")
    if not found:
        raise InfeasibleError("\n".join(told))
    return tuple(found)
