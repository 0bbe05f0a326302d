"""What there is over time, as steps, and where it is too little."""

from collections.abc import Iterable
from dataclasses import replace

from mlsysim.plans.records.fleet import Change, Fleet, Site

Gap = tuple[int, int | None]
"""From when until when there is no room; for good if there is no end."""


def steps(item: Fleet | Site) -> list[tuple[int, int]]:
    """List from when on there is how much.

    Returns
    -------
    list
        Pairs of a moment, from zero on, and the level from then on; levels that follow each
        other differ.
    """
    moments = {0}
    for change in item.changes:
        moments |= {change.begin} | (set() if change.end is None else {change.end})
    if isinstance(item, Fleet):
        moments |= {moment for block in item.blocks for moment in block.window}
    found: list[tuple[int, int]] = []
    for moment in sorted(moments):
        level = item.level(moment)
        if not found or found[-1][1] != level:
            found.append((moment, level))
    return found


def gaps(fleet: Fleet, nodes: int) -> list[Gap]:
    """List when a fleet has no room for so many nodes."""
    found: list[Gap] = []
    begin: int | None = None
    for moment, level in steps(fleet):
        if level < nodes and begin is None:
            begin = moment
        elif level >= nodes and begin is not None:
            found.append((begin, moment))
            begin = None
    return found if begin is None else [*found, (begin, None)]


def widened(item: Fleet, slot: int) -> Fleet:
    """Round a calendar to slots so that there never is more than in truth.

    What takes nodes lasts from the begin of its first slot to the end of its last one, what
    gives nodes only for the slots that it fills.
    """
    blocks = tuple(
        replace(block, opens=opens, closes=closes)
        for block in item.blocks
        for since, until in (block.window,)
        if (opens := -(-since // slot) * slot) < (closes := until // slot * slot)
    )
    return replace(item, changes=changes_on(item.changes, slot), blocks=blocks)


def changes_on(changes: Iterable[Change], slot: int) -> tuple[Change, ...]:
    """Round the changes of a calendar, as `widened` says."""
    found = []
    for change in changes:
        lower, upper = change.begin // slot * slot, -(-change.begin // slot) * slot
        begin = lower if change.takes else upper
        end = change.end
        if end is not None:
            end = -(-end // slot) * slot if change.takes else end // slot * slot
            if end <= begin:
                continue
        found.append(replace(change, begin=begin, end=end))
    return tuple(found)
