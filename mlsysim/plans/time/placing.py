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
    return _worked(job, row.seconds, start, closed)


def continued(job: Job, row: Row, now: int, closed: Sequence[Gap]) -> Pieces | None:
    """Say when a job that has begun has run, and will run; nothing if it cannot go on."""
    *before, (begin, end) = job.begun
    left = row.seconds + len(before) * job.restart - sum(e - b for b, e in job.begun)
    if left <= 0:
        return job.begun
    inside = next(
        (gap for gap in closed if gap[0] <= now and (gap[1] is None or now < gap[1])), None
    )
    if inside is None and end == now:
        rest = _worked(job, left, now, closed)
        return None if rest is None else (*before, (begin, rest[0][1]), *rest[1:])
    go = now if inside is None else inside[1]
    if go is None or not job.pauses:
        return None
    rest = _worked(job, left + job.restart, go, closed)
    return None if rest is None else (*job.begun, *rest)


def _worked(job: Job, left: int, now: int, closed: Sequence[Gap]) -> Pieces | None:
    """Work on from a moment until nothing is left, around what is closed."""
    pieces = []
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
