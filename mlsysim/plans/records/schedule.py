"""A plan: for each job the row that it takes, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlsysim.plans.records.job import Row


@dataclass(frozen=True, kw_only=True)
class Run:
    """One job in a plan.

    Parameters
    ----------
    job
        Its name.
    row
        How it runs.
    pieces
        From when until when; several if it pauses.
    """

    job: str
    row: Row
    pieces: tuple[tuple[int, int], ...]

    @property
    def begin(self) -> int:
        """When it starts."""
        return self.pieces[0][0]

    @property
    def end(self) -> int:
        """When it has ended."""
        return self.pieces[-1][1]

    @property
    def node_hours(self) -> float:
        """The hours of nodes that it holds."""
        return self.row.nodes * sum(end - begin for begin, end in self.pieces) / 3600

    def __contains__(self, moment: int) -> bool:
        return any(begin <= moment < end for begin, end in self.pieces)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A plan.

    Parameters
    ----------
    runs
        One for each job.
    lots
        Block -> how many lots of it are rented.
    """

    runs: tuple[Run, ...]
    lots: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def run(self, job: str) -> Run:
        """Give the run of a job."""
        return next(run for run in self.runs if run.job == job)
