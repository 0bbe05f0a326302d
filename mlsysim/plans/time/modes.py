"""The ways in which a job can lie in the calendar: one for each row and run of pauses.

A job that pauses around given closures takes the same time from begin to end wherever it
starts; only the range of its starts is limited.  So each way is an interval of fixed length.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.time.calendar import Gap
from mlsysim.plans.time.placing import Pieces, continued


@dataclass(frozen=True, kw_only=True)
class PausedRow:
    """A row, and the closures that the job pauses at.

    Parameters
    ----------
    row
        How the job runs.
    pauses
        The closures.
    length
        From begin to end, pauses included.
    first, last
        The range of the starts.
    pieces
        When it runs, where that is not free because it has begun.
    is_kept
        Whether it stands for the start that an earlier plan has.
    """

    row: Row
    pauses: tuple[tuple[int, int], ...]
    length: int
    first: int
    last: int
    pieces: Pieces = ()
    is_kept: bool = False


def ways(job: Job, row: Row, closed: Sequence[Gap], latest: int) -> Iterator[PausedRow]:
    """List the ways in which a row can lie in a calendar."""
    last = latest - row.seconds
    if job.release <= last:
        yield PausedRow(row=row, pauses=(), length=row.seconds, first=job.release, last=last)
    if not job.pauses:
        return
    for first, (begin, _) in enumerate(closed):
        opened = (closed[first - 1][1] or 0) if first else 0
        lowest, worked = max(opened, job.release), 0
        for pauses, place in enumerate(range(first, len(closed)), start=1):
            stop, go = closed[place]
            if go is None:
                break
            if place > first:
                worked += stop - (closed[place - 1][1] or 0)
            # Some work is left when this closure begins.
            lowest = max(lowest, begin + worked - row.seconds - (pauses - 1) * job.restart + 1)
            crossed = tuple((b, e) for b, e in closed[first : place + 1] if e is not None)
            length = row.seconds + pauses * job.restart + sum(e - b for b, e in crossed)
            until = closed[place + 1][0] if place + 1 < len(closed) else latest
            highest = min(begin - 1, min(until, latest) - length)
            if lowest <= highest:
                yield PausedRow(row=row, pauses=crossed, length=length, first=lowest, last=highest)


def way_on(job: Job, row: Row, closed: Sequence[Gap], latest: int, now: int) -> Iterator[PausedRow]:
    """Give the one way in which a job that has begun goes on, if it ends in time."""
    pieces = continued(job, row, now, closed)
    if pieces is None or pieces[-1][1] > latest:
        return
    begin, end = pieces[0][0], pieces[-1][1]
    pauses = tuple((stop, go) for (_, stop), (go, _) in pairwise(pieces))
    yield PausedRow(
        row=row, pauses=pauses, length=end - begin, first=begin, last=begin, pieces=pieces
    )
