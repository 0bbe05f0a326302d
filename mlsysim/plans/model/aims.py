"""What a local search makes small, and which place for an activity looks best by that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from mlsysim.plans.model.board import Board
from mlsysim.plans.model.grid import ActivityGrid
from mlsysim.plans.model.valuing import summed
from mlsysim.plans.records.goal import PRICED, Goal

Floats = npt.NDArray[np.float64]

_FIRST = 1e6
"""How much more what is minimised counts than how soon an activity ends."""


@dataclass(frozen=True, kw_only=True)
class Taste:
    """How one repair weighs what has no price.

    Parameters
    ----------
    thrift
        Slots for which the use of everything in a slot counts.
    saving
        Slots for which using a whole limited sum counts.
    noise
        By how much, relative, what looks best is left to chance.
    """

    thrift: float = 0.0
    saving: float = 0.0
    noise: float = 0.0


class PlacingAim:
    """What is made small: one goal after the other.

    Parameters
    ----------
    goals
        The goals; none for any plan.
    due
        Goal -> activity -> by when it has to have ended for a value that is aimed at, of the goals
        that are the largest of what single activities reach.
    """

    def __init__(
        self, goals: Sequence[Goal], due: Mapping[Goal, Mapping[str, int]] | None = None
    ) -> None:
        self.goals, self.due = tuple(goals), dict(due or {})
        self._fees: dict[tuple[str, str], Floats] = {}

    def worth(self, board: Board) -> tuple[float, ...]:
        """Say how good a board is: what is missing, what is beyond a limit, then goal by goal."""
        return (len(board.missing), board.excess(), *(self._reached(board, g) for g in self.goals))

    def _reached(self, board: Board, goal: Goal) -> float:
        match goal:
            case Goal.MAKESPAN | Goal.MAX_TARDINESS:
                dues = self.due.get(goal, {})
                return sum(max(board.ends.get(name, 0) - due, 0) for name, due in dues.items())
            case Goal.TARDINESS:
                return sum(weight * late for weight, late in _lateness(board))
            case Goal.LATE:
                return sum(weight for weight, late in _lateness(board) if late)
            case Goal.COST | Goal.CARBON | Goal.CHANGES:
                return float(summed(board.instance, goal.value, board.chosen, board.lots()))
            case Goal.NODES:
                return 0.0  # what is beyond a cap is not placed
            case _:
                assert_never(goal)

    def best(
        self, board: Board, name: str, taste: Taste, random: np.random.Generator
    ) -> tuple[int, int] | None:
        """Find the mode and the start of an activity that look best beside what is there."""
        grid = board.grids[name]
        fits = grid.fitting(board.free, *board.window(name))
        lines = np.arange(len(fits))
        starts, keys = fits.argmax(axis=1), np.zeros(len(fits))
        for goal in self.goals:
            if goal in PRICED:
                fees = np.where(fits, self._fee(grid, goal.value), np.inf)
                starts = fees.argmin(axis=1)
                own = fees[lines, starts]
                least = own.min(initial=np.inf)
                if not np.isfinite(least):
                    return None
                keys = keys * _FIRST + (own - least) / max(least, 1.0) * board.instance.horizon
            elif goal is not Goal.NODES:
                keys = keys * _FIRST + self._late(grid, name, starts + grid.lengths, goal)
        keys = _FIRST * keys + starts + grid.lengths + taste.thrift * self._used(board, grid)
        for limited, limit in board.instance.limits.items() if taste.saving else ():
            share = self._fee(grid, limited)[lines, starts] / max(limit, 1)
            keys = keys + taste.saving * np.where(np.isfinite(share), share, 0.0)
        if taste.noise:
            keys = keys * (1 + taste.noise * random.random(len(keys)))
        keys = np.where(fits[lines, starts], keys, np.inf)
        place = int(keys.argmin())
        return (place, int(starts[place])) if fits[place, starts[place]] else None

    def _late(self, grid: ActivityGrid, name: str, ends: Any, goal: Goal) -> Any:
        activity = grid.activity
        due = self.due.get(goal, {}).get(name) if goal.is_maximum else activity.due
        if due is None:
            return np.zeros(len(ends))
        late = np.maximum(ends - due, 0)
        if goal is Goal.LATE:
            return activity.weight * ((late > 0) + late / grid.horizon)
        return late if goal.is_maximum else activity.weight * late

    def _fee(self, grid: ActivityGrid, name: str) -> Floats:
        key = grid.activity.name, name
        if key not in self._fees:
            self._fees[key] = grid.fees(name)
        return self._fees[key]

    def _used(self, board: Board, grid: ActivityGrid) -> Floats:
        """Give what each mode uses: slots times the share of everything that it holds."""
        key = grid.activity.name, ""
        if key not in self._fees:
            peaked = [item for item in board.instance.resources if item.peaks]
            most = sum(item.most for item in peaked)
            areas = grid.areas(frozenset(item.name for item in peaked))
            self._fees[key] = areas / max(most, 1)
        return self._fees[key]


def _lateness(board: Board) -> list[tuple[int, int]]:
    """List weight and lateness of all that is placed and has a time by which it is due."""
    return [
        (item.weight, max(end - item.due, 0))
        for name, end in board.ends.items()
        for item in [board.activities[name]]
        if item.due is not None
    ]
