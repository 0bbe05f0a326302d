"""A figure that changes over time, such as a price or the carbon of a grid."""

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from mlsysim.errors import ParameterError

HOUR = 3600


class Beyond(StrEnum):
    """What a series is worth after its last step."""

    REFUSE = "refuse"
    HOLD = "hold"
    REPEAT = "repeat"


@dataclass(frozen=True)
class Series:
    """A figure that is constant from each of its times to the next.

    Parameters
    ----------
    values
        The figure from each time on.
    times
        Seconds; the first is zero.
    end
        Until when the last value is known; for good if there is no end.
    beyond
        What to take from then on: the last value, all of them anew, or nothing: then no plan
        may last longer.

    Examples
    --------
    >>> nightly = Series((1.0, 3.0), (0, 12 * HOUR), 24 * HOUR, Beyond.REPEAT)
    >>> nightly.hours(0, 24 * HOUR), nightly.hours(30 * HOUR, 37 * HOUR)
    (48.0, 9.0)
    """

    values: tuple[float, ...]
    times: tuple[int, ...] = (0,)
    end: int | None = None
    beyond: Beyond = Beyond.REFUSE

    def __post_init__(self) -> None:
        """Check that values and times fit."""
        if len(self.values) != len(self.times) or not self.values or self.times[0] != 0:
            raise ParameterError("a series needs one value for each of its times, the first at 0")
        steps = (*self.times, *(() if self.end is None else (self.end,)))
        if any(later <= sooner for sooner, later in pairwise(steps)):
            raise ParameterError("the times of a series have to rise up to its end")
        if self.beyond is Beyond.REPEAT and self.end is None:
            raise ParameterError("a series that repeats needs an end")
        if not all(0 <= value < float("inf") for value in self.values):
            raise ParameterError("the values of a series have to be finite, and not below 0")

    def covers(self, moment: int) -> bool:
        """Tell whether it says anything about all times before a moment."""
        return self.end is None or self.beyond is not Beyond.REFUSE or moment <= self.end

    @property
    def is_constant(self) -> bool:
        """Whether time makes no difference."""
        return len(set(self.values)) == 1

    @cached_property
    def _sums(self) -> tuple[float, ...]:
        """The integral up to each time, in value times seconds."""
        sums = [0.0]
        for value, (sooner, later) in zip(self.values, pairwise(self.times), strict=False):
            sums.append(sums[-1] + value * (later - sooner))
        return tuple(sums)

    def _upto(self, moment: int) -> float:
        if self.beyond is Beyond.REPEAT and self.end is not None and moment > self.end:
            rounds, rest = divmod(moment, self.end)
            return rounds * self._upto(self.end) + self._upto(rest)
        place = bisect_right(self.times, moment) - 1
        return self._sums[place] + self.values[place] * (moment - self.times[place])

    def breaks(self, begin: int, end: int) -> list[int]:
        """List the moments from one to another, both included, at which the figure may change."""
        repeats = self.beyond is Beyond.REPEAT and self.end is not None
        period = self.end if repeats and self.end else end + 1
        return [
            base + time
            for base in range(begin // period * period, end + 1, period)
            for time in self.times
            if begin <= base + time <= end
        ]

    def hours(self, begin: int, end: int) -> float:
        """Integrate from one moment to another, in value times hours."""
        return (self._upto(end) - self._upto(begin)) / HOUR
