"""What jobs share: nodes with a calendar, power, and nodes that can be rented."""

from dataclasses import dataclass

from mlsysim.errors import ParameterError
from mlsysim.plans.records.series import Series


@dataclass(frozen=True, kw_only=True)
class Change:
    """A time in which a fleet has fewer or more nodes than otherwise.

    Parameters
    ----------
    name
        How it is called, e.g. ``maintenance``.
    begin, end
        From when until when; for good if there is no end.
    nodes
        How many more (fewer if negative); `None` closes the whole fleet.
    """

    name: str
    begin: int = 0
    end: int | None = None
    nodes: int | None = None

    def __post_init__(self) -> None:
        """Check the times."""
        if self.begin < 0 or (self.end is not None and self.end <= self.begin):
            raise ParameterError(
                f"{self.name!r} from {self.begin} to {self.end}: it has to end after it begins"
            )

    @property
    def takes(self) -> bool:
        """Whether there are fewer nodes."""
        return self.nodes is None or self.nodes < 0

    def __contains__(self, moment: int) -> bool:
        return self.begin <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Nodes to rent for a time, in lots.

    Parameters
    ----------
    name
        How it is called.
    begin, end
        From when until when it is paid for.
    nodes
        Nodes of one lot.
    lots
        How many lots can be had.
    price
        USD for a node and an hour, used or not.
    opens, closes
        From when until when it can be used, where that is less: providers stop instances some
        time before the end.
    """

    name: str
    begin: int
    end: int
    nodes: int
    lots: int = 1
    price: float = 0.0
    opens: int | None = None
    closes: int | None = None

    def __post_init__(self) -> None:
        """Check the times."""
        since, until = self.window
        if not 0 <= self.begin <= since < until <= self.end:
            raise ParameterError(
                f"block {self.name!r} from {self.begin} to {self.end}, used from {since} to "
                f"{until}: it has to be used for some of the time for which it is paid"
            )

    @property
    def window(self) -> tuple[int, int]:
        """From when until when it can be used."""
        since = self.begin if self.opens is None else self.opens
        return since, self.end if self.closes is None else self.closes

    @property
    def cost(self) -> float:
        """What one lot costs, in USD."""
        return self.nodes * self.price * (self.end - self.begin) / 3600

    def __contains__(self, moment: int) -> bool:
        since, until = self.window
        return since <= moment < until


FREE = Series((0.0,))
"""What costs nothing."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Nodes of one kind.

    Parameters
    ----------
    name
        How it is called.
    nodes
        How many there are while the calendar says nothing else.
    changes
        The calendar.
    blocks
        What can be rented in addition.
    price
        USD for an hour of a node.
    reserved
        Whether every node that there is bills its hours, used or not.
    electricity
        USD for a kilowatt-hour, which comes on top.
    carbon
        Grams of CO2 for a kilowatt-hour.
    """

    name: str
    nodes: int
    changes: tuple[Change, ...] = ()
    blocks: tuple[Block, ...] = ()
    price: Series = FREE
    reserved: bool = False
    electricity: Series = FREE
    carbon: Series = FREE

    def level(self, moment: int) -> int:
        """Count the nodes at a moment, with all that can be rented, which no closure concerns."""
        rented = sum(block.nodes * block.lots for block in self.blocks if moment in block)
        return _standing(self.nodes, self.changes, moment) + rented


@dataclass(frozen=True, kw_only=True)
class Site:
    """Power that fleets share.

    Parameters
    ----------
    name
        How it is called.
    fleets
        Whose jobs draw it.
    watts
        How much there is while the changes say nothing else.
    changes
        Times with less or more; their ``nodes`` are watts.
    """

    name: str
    fleets: tuple[str, ...]
    watts: int
    changes: tuple[Change, ...] = ()

    def level(self, moment: int) -> int:
        """Give the watts at a moment."""
        return _standing(self.watts, self.changes, moment)


def _standing(usual: int, changes: tuple[Change, ...], moment: int) -> int:
    """Give what there is at a moment by a calendar."""
    now = [change for change in changes if moment in change]
    if any(change.nodes is None for change in now):
        return 0
    return max(usual + sum(change.nodes or 0 for change in now), 0)
