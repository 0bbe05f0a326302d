"""Where an activity fits beside what is there: all its modes and starts at once, as arrays."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mlsysim.plans.model.instance import Activity

Levels = Mapping[str, npt.NDArray[np.int64]]
"""Resource -> how much of it there is in each slot."""

_NEVER = np.iinfo(np.int32).max


class ActivityGrid:
    """The modes of one activity over the slots.

    A mode fits at a start if what it holds is free until its first pause, or its end, and if the
    rest fits, which depends on the start only by its end.  So that one comparison of arrays tells
    all starts of all modes.

    Parameters
    ----------
    activity
        The activity.
    horizon
        How many slots are looked at; what ends later is left out.
    """

    def __init__(self, activity: Activity, horizon: int) -> None:
        self.activity, self.horizon = activity, horizon
        modes = activity.modes
        self.lengths = np.array([mode.length for mode in modes], dtype=np.int64)
        firsts = np.array([mode.first for mode in modes])
        lasts = np.array([min(mode.last, horizon - max(mode.length, 1)) for mode in modes])
        self.lasts = np.where(lasts < firsts, -1, lasts)
        self.slots = np.arange(horizon, dtype=np.int32)
        stops = np.array([mode.pauses[0][0] if mode.pauses else _NEVER for mode in modes])
        ends = self.slots[None, :] + self.lengths[:, None]
        self.needs = np.minimum(ends, stops[:, None]).astype(np.int32)
        self.inside = (self.slots >= firsts[:, None]) & (self.slots <= self.lasts[:, None])
        self.held: dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]] = {}
        for name in sorted({name for mode in modes for name in mode.demands}):
            amounts = [mode.demands.get(name, 0) for mode in modes]
            self.held[name] = np.unique(amounts), np.unique(amounts, return_inverse=True)[1]
        self._paused = [(place, mode.pauses) for place, mode in enumerate(modes) if mode.pauses]

    def fitting(self, free: Levels, earliest: int, latest: int) -> npt.NDArray[np.bool_]:
        """Tell for each mode and slot whether it can start there."""
        reach = np.full((len(self.lengths), self.horizon + 1), self.horizon, dtype=np.int32)
        inner = reach[:, :-1]
        for name, (amounts, index) in self.held.items():
            lacks = free[name][None, : self.horizon] < amounts[:, None]
            until = np.where(lacks, self.slots, np.int32(self.horizon))[:, ::-1]
            np.minimum(inner, np.minimum.accumulate(until, axis=1)[:, ::-1][index], out=inner)
        found = (inner >= self.needs) & self.inside
        lasts = np.minimum(self.lasts, latest - self.lengths)
        for place, pauses in self._paused:
            if lasts[place] < 0:
                continue
            if any(reach[place, go] < stop for (_, go), (stop, _) in pairwise(pauses)):
                lasts[place] = -1
            else:
                lasts[place] = min(lasts[place], reach[place, pauses[-1][1]] - self.lengths[place])
        found[:, : max(earliest, 0)] = False
        found &= self.slots <= lasts[:, None]
        return found

    def summed(self, weights: Mapping[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        """Give for each mode and start the sum over its slots of amount times weight.

        Parameters
        ----------
        weights
            Resource -> the weight of each slot.
        """
        total = np.zeros(self.inside.shape)
        ends = np.minimum(self.slots[None, :] + self.lengths[:, None], self.horizon)
        for name, (amounts, place) in self.held.items():
            sums = np.concatenate([[0.0], weights[name][: self.horizon].cumsum()])
            run = sums[ends] - sums[None, : self.horizon]
            for row, pauses in self._paused:
                run[row] -= sum(
                    sums[min(go, self.horizon)] - sums[min(stop, self.horizon)]
                    for stop, go in pauses
                )
            total += run * amounts[place][:, None]
        return total

    def fees(self, name: str) -> npt.NDArray[np.float64]:
        """Give for each mode and start what it adds to a sum; infinity where it cannot start."""
        found = np.full(self.inside.shape, np.inf)
        for place, mode in enumerate(self.activity.modes):
            fee = mode.fees.get(name, 0)
            last = int(self.lasts[place])
            if last >= mode.first:
                span = slice(mode.first, last + 1)
                own = fee if isinstance(fee, int) else fee[: last - mode.first + 1]
                values = np.array(own, dtype=np.float64)  # None becomes not a number
                found[place, span] = np.where(np.isnan(values), np.inf, values)
        return found

    def areas(self, names: frozenset[str]) -> npt.NDArray[np.float64]:
        """Give for each mode the slots times what it holds of some resources."""
        worked = self.lengths.astype(np.float64)
        for place, pauses in self._paused:
            worked[place] -= sum(go - stop for stop, go in pauses)
        held = sum(
            (amounts[place] for name, (amounts, place) in self.held.items() if name in names),
            start=np.zeros(len(worked)),
        )
        return worked * held
