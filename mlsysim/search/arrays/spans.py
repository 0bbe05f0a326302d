"""What is left of the grid, and how large a part of it to hand out next."""

from collections import deque
from dataclasses import dataclass, replace

from mlsysim.search.arrays.layout import GridLayout
from mlsysim.search.arrays.part import GridPart, Place, Units

_SECONDS = 0.5
"""What a part should take: much longer than to send it, short enough to stop after it."""

_GROWTH = 4
"""A part is at most so many times as large as one whose time is known."""


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Consecutive designs that are not handed out: up to, and without, block `stop`."""

    start: Place
    stop: int
    in_blocks: bool


class Spans:
    """Hands out the grid in parts.

    Parameters
    ----------
    layout
        How it is cut into blocks.
    in_blocks
        Whether to hand it out in blocks; else in points.
    """

    def __init__(self, layout: GridLayout, *, in_blocks: bool) -> None:
        whole = _Span(start=Place(block=0), stop=layout.count, in_blocks=in_blocks)
        self._layout = layout
        self._spans: deque[_Span] = deque([whole])
        self._amounts = {True: 1, False: 1}

    @property
    def first(self) -> Place | None:
        """Where the first design stands that is not handed out."""
        return self._spans[0].start if self._spans else None

    def learn(self, part: GridPart, seconds: float) -> None:
        """Note how long a part took."""
        known = part.amount
        amount = min(int(known * _SECONDS / max(seconds, 1e-9)), _GROWTH * known)
        self._amounts[part.in_blocks] = max(1, amount)

    def put_back(self, part: GridPart, block: int) -> None:
        """Take back what follows in a part, the first block of it to be done by points."""
        end = part.start.block + part.amount
        back = [
            _Span(start=Place(block=block), stop=block + 1, in_blocks=False),
            _Span(start=Place(block=block + 1), stop=end, in_blocks=True),
        ]
        spans = [*self._spans, *(span for span in back if span.start.block < span.stop)]
        self._spans = deque(sorted(spans, key=lambda span: span.start))

    def next(self, units: Units) -> GridPart | None:
        """Hand out the next part; nothing if there is none.

        Parameters
        ----------
        units
            What is known of the units of the objectives.
        """
        if not self._spans:
            return None
        span = self._spans.popleft()
        if span.in_blocks:
            amount = min(self._amounts[True], span.stop - span.start.block)
            end = Place(block=span.start.block + amount)
        else:
            amount, end = self._cut_points(span)
        if end.block < span.stop:
            self._spans.appendleft(replace(span, start=end))
        return GridPart(start=span.start, amount=amount, in_blocks=span.in_blocks, units=units)

    def _cut_points(self, span: _Span) -> tuple[int, Place]:
        """Count points off the front of a span."""
        wanted, amount, place = self._amounts[False], 0, span.start
        while amount < wanted and place.block < span.stop:
            size = self._layout.block(place.block).size
            taken = min(wanted - amount, size - place.point)
            amount += taken
            point = place.point + taken
            through = point == size
            place = Place(block=place.block + through, point=0 if through else point)
        return amount, place
