"""A job, and the rows among which a plan chooses: so many nodes for so long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to run a job: nodes of one fleet, held for a time.

    Parameters
    ----------
    fleet
        Whose nodes.
    nodes
        How many, all the time.
    seconds
        How long the work takes, without pauses; whole seconds, rounded up.
    watts
        What the nodes draw together.
    cost
        What the run costs whenever it takes place, in USD, besides the hours of its nodes.
    params
        The design: choice -> value.
    """

    fleet: str
    nodes: int
    seconds: int
    watts: int = 0
    cost: float = 0.0
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, least in (("nodes", 1), ("seconds", 1), ("watts", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ParameterError(
                    f"{name} = {value!r} of a row is no whole number from {least} on"
                )
        if not 0 <= self.cost < float("inf"):
            raise ParameterError(f"cost = {self.cost!r} of a row is no amount of money")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What has to be run once.

    Parameters
    ----------
    name
        How it is called.
    rows
        The ways to run it; a plan takes one.
    release
        It cannot start before.
    deadline
        When it has to have ended; where lateness is what is minimised, when it should have.
    after
        The jobs that have to have ended before it starts.
    weight
        How much an hour of its lateness counts.
    pauses
        Whether it may stop where the calendar has no room for it, and go on afterwards.
    restart
        Seconds of work that each such pause costs.
    start
        When it has to start, if that is not free.
    begun
        When it has run so far, up to the plan's `now`; its one row is then the one that it has.
    holds
        Whether it only holds its nodes, as a serving fleet does: its end is then no end of
        the plan's work, and its deadline is kept even where that of others may slip.
    """

    name: str
    rows: tuple[Row, ...]
    release: int = 0
    deadline: int | None = None
    after: tuple[str, ...] = ()
    weight: int = 1
    pauses: bool = True
    restart: int = 0
    start: int | None = None
    begun: tuple[tuple[int, int], ...] = ()
    holds: bool = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, least in (("release", 0), ("weight", 0), ("restart", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ParameterError(
                    f"{name} = {value!r} of job {self.name!r} is no whole number from {least} on"
                )
