"""When a job that starts at a moment runs: straight through, or around what is closed."""

from collections.abc import Sequence

from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.time.calendar import Gap

Pieces = tuple[tuple[int, int], ...]


def placed(job: Job, row: Row, start: int, closed: Sequence[Gap]) -> Pieces | None:
    """Say when a job runs that starts at a moment; nothing if it cannot.

    It works until it is done or the calendar has no room for its nodes any more.  Then it stops,
    if it may, goes on as soon as there is room, and has ``restart`` seconds more to work.

    Parameters
    ----------
    job
        May pause or not.
    row
        How long it takes.
    start
        Seconds.
    closed
        When there is no room for its nodes, in order (`calendar.gaps`).
    """
    pieces = []
    left, now = row.seconds, start
    for begin, end in closed:
        if end is not None and end <= now:
            continue
        if begin <= now:
            return None
        if now + left <= begin:
            break
        if not job.pauses or end is None:
            return None
        pieces.append((now, begin))
        left += job.restart - (begin - now)
        now = end
    return (*pieces, (now, now + left))
